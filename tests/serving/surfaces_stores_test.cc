#include <gtest/gtest.h>

#include "tests/serving/store_world.h"

namespace millrace {
namespace {

constexpr const char* kNoStore =
    "No store available for this user. Admins must provide a store explicitly.";
constexpr const char* kNotTheirs = "Only store owners or Admins can add product to store.";

class SurfacesStores : public StoreWorld {};

TEST_F(SurfacesStores, AStoreIsItsOwners) {
  EXPECT_EQ(send("POST", "", R"({"name":"x"})", nobody).status(), 401);
  EXPECT_EQ(get("", nobody).status(), 401);
  const auto made = send("POST", "", R"({"name":"New Store Name"})", ann);
  EXPECT_EQ(made.status(), 201);
  EXPECT_EQ(made.body(), R"({"id":1,"name":"New Store Name","owner":"ann"})");
  EXPECT_EQ(open_store("Bob's", bob), "2");
  EXPECT_EQ(get("", ann).body(), R"([{"id":1,"name":"New Store Name","owner":"ann"}])");
  EXPECT_EQ(get("", cid).body(), "[]");
  EXPECT_EQ(ids(get("", admin)), "1 2");
  EXPECT_EQ(get("1/", ann).body(), R"({"id":1,"name":"New Store Name","owner":"ann"})");
  EXPECT_EQ(get("1/", admin).status(), 200);
  EXPECT_EQ(get("1/", bob).status(), 403);
  EXPECT_EQ(get("9/", bob).status(), 404);
  EXPECT_EQ(get("one/", bob).status(), 404);
}

TEST_F(SurfacesStores, ItsOwnerAndAdminsChangeAndDeleteAStore) {
  open_store("Corner", ann);
  EXPECT_EQ(send("PUT", "1/", R"({"name":"Updated Store Name"})", ann).body(),
            R"({"id":1,"name":"Updated Store Name","owner":"ann"})");
  EXPECT_EQ(send("PATCH", "1/", "{}", ann).at("name"), "Updated Store Name");
  EXPECT_EQ(send("PATCH", "1/", R"({"name":"By root"})", admin).at("owner"), "ann");
  EXPECT_EQ(send("PUT", "1/", "{}", ann).at("field"), "name");
  EXPECT_EQ(send("PUT", "1/", R"({"name":""})", ann).at("field"), "name");
  EXPECT_EQ(send("POST", "", R"({"name":["x"]})", ann).at("field"), "name");
  for (const char* method : {"PUT", "PATCH", "DELETE"}) {
    EXPECT_EQ(send(method, "1/", R"({"name":"x"})", bob).status(), 403) << method;
    EXPECT_EQ(send(method, "1/", R"({"name":"x"})", nobody).status(), 401) << method;
    EXPECT_EQ(send(method, "9/", R"({"name":"x"})", ann).status(), 404) << method;
  }
  const auto id = add("Lamp", ann);
  const auto gone = send("DELETE", "1/", {}, ann);
  EXPECT_EQ(gone.status(), 200);
  EXPECT_EQ(gone.body(), detail("Store deleted successfully."));
  EXPECT_EQ(get("1/", ann).status(), 404);
  EXPECT_EQ(get("products/" + id + "/", ann).status(), 404);
  EXPECT_EQ(node.get("/v1/items/product:" + id).status(), 404);
  EXPECT_EQ(open_store("Again", ann), "2") << "a number comes once";
}

TEST_F(SurfacesStores, AProductIsAddedWhereTheSeedSays) {
  const auto refused = send("POST", "products/", product("Lamp"), ann);
  EXPECT_EQ(refused.status(), 400);
  EXPECT_EQ(refused.body(), detail(kNoStore));
  EXPECT_EQ(refused.reply.content_type, "application/json");
  open_store("A", ann);
  open_store("B", ann);
  const auto made = send("POST", "products/", product("Lamp"), ann);
  EXPECT_EQ(made.status(), 201);
  EXPECT_EQ(made.body(),
            R"({"id":1,"name":"Lamp","description":"Bright.","price":"10.00","quantity":3,)"
            R"("category":"Light","store":1,"views_count":0,"converted_price":"10.00"})");
  EXPECT_EQ(send("POST", "products/", product("Lamp", R"(,"store_id":2)"), ann).at("store"), "2");
  EXPECT_EQ(send("POST", "products/", product("Lamp"), admin).body(), detail(kNoStore));
  EXPECT_EQ(send("POST", "products/", product("Lamp", R"(,"store_id":2)"), admin).at("store"), "2");
  const auto stranger = send("POST", "products/", product("Lamp", R"(,"store_id":1)"), bob);
  EXPECT_EQ(stranger.status(), 403);
  EXPECT_EQ(stranger.body(), detail(kNotTheirs));
  EXPECT_EQ(send("POST", "products/", product("Lamp", R"(,"store_id":9)"), ann).at("field"),
            "store_id");
  EXPECT_EQ(send("POST", "products/", product("Lamp"), nobody).status(), 401);
}

TEST_F(SurfacesStores, BadInputNamesItsField) {
  open_store("A", ann);
  const auto field = [&](const std::string& body) {
    const auto reply = send("POST", "products/", body, ann);
    EXPECT_EQ(reply.status(), 400) << body;
    return reply.at("field");
  };
  const auto without = [](const char* name) {
    std::string body = product("x");
    const auto at = body.find("\"" + std::string(name) + "\"");
    return body.replace(at, 1, "\"_");
  };
  for (const char* name : {"name", "price", "quantity", "category"}) {
    EXPECT_EQ(field(without(name)), name);
  }
  for (const char* price : {"0", "0.001", "-1", "100000000", "99999999.999", "1e8", "1e-3",
                            "\"ten\"", "[]", "\"10,00\"", "true"}) {
    EXPECT_EQ(field(product("x", R"(,"price":)" + std::string(price))), "price") << price;
  }
  EXPECT_EQ(field(product("x", R"(,"quantity":-1)")), "quantity");
  EXPECT_EQ(field(product("x", R"(,"quantity":1.5)")), "quantity");
  EXPECT_EQ(field(product("x", R"(,"quantity":2147483648)")), "quantity");
  EXPECT_EQ(field(product("x", R"(,"store_id":0)")), "store_id");
  EXPECT_EQ(field(product("x", R"(,"category":"a\nb")")), "category");
  EXPECT_EQ(field(product("x", R"(,"description":7)")), "description");
  EXPECT_EQ(field(product("x", R"(,"name":"")")), "name");
  EXPECT_EQ(field("[]"), "body");
  EXPECT_EQ(get("products/", ann).body(), "[]");
  for (const char* query : {"page=0", "page_size=101", "min_price=x", "max_price=-1",
                            "category=", "search=", "currency=EUR"}) {
    const auto reply = get("products/?" + std::string(query), ann);
    EXPECT_EQ(reply.status(), 400) << query;
    EXPECT_EQ(reply.at("field"), std::string(query).substr(0, std::string(query).find('=')));
  }
}

TEST_F(SurfacesStores, ItsOwnersAndAdminsChangeAProduct) {
  open_store("A", ann);
  open_store("B", bob);
  add("Lamp", ann);
  const auto put =
      send("PUT", "products/1/",
           R"({"name":"Updated Product","price":12,"quantity":150,"category":"Other"})", ann);
  EXPECT_EQ(put.status(), 200);
  EXPECT_EQ(put.body(),
            R"({"id":1,"name":"Updated Product","description":"","price":"12.00","quantity":150,)"
            R"("category":"Other","store":1,"views_count":0,"converted_price":"12.00"})");
  const auto patched = send("PATCH", "products/1/", R"({"price":"0.01"})", admin);
  EXPECT_EQ(patched.at("price"), "0.01");
  EXPECT_EQ(patched.at("quantity"), "150");
  for (const char* method : {"PUT", "PATCH", "DELETE"}) {
    EXPECT_EQ(send(method, "products/1/", product("x"), bob).status(), 403) << method;
    EXPECT_EQ(send(method, "products/1/", product("x"), nobody).status(), 401) << method;
    EXPECT_EQ(send(method, "products/9/", product("x"), ann).status(), 404) << method;
  }
  const auto moved = send("PATCH", "products/1/", R"({"store_id":2})", ann);
  EXPECT_EQ(moved.body(), detail(kNotTheirs));
  EXPECT_EQ(send("PATCH", "products/1/", R"({"store_id":2})", admin).at("store"), "2");
  EXPECT_EQ(send("PATCH", "products/1/", "{}", ann).status(), 403);
  const auto gone = send("DELETE", "products/1/", {}, bob);
  EXPECT_EQ(gone.status(), 200);
  EXPECT_EQ(gone.body(), detail("Product deleted successfully."));
  EXPECT_EQ(send("DELETE", "products/1/", {}, bob).status(), 404);
}

TEST_F(SurfacesStores, ReadingAProductCountsOneView) {
  open_store("A", ann);
  add("Lamp", ann);
  EXPECT_EQ(get("products/1/", nobody).status(), 401);
  EXPECT_EQ(get("products/1/", cid).at("views_count"), "1");
  EXPECT_EQ(get("products/1/", cid).at("views_count"), "2");
  EXPECT_EQ(get("products/1/", bob).at("views_count"), "3");
  EXPECT_EQ(send("HEAD", "products/1/", {}, bob).status(), 200);
  auto once = bob.as();
  once.emplace_back("idempotency-key", "k");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(node.get("/api/v1/store/products/1/", once).at("views_count"), "4");
  }
  EXPECT_EQ(get("products/", ann).at("0.views_count"), "4") << "a list counts nothing";
  EXPECT_EQ(get("products/9/", bob).status(), 404);
  EXPECT_EQ(node.get("/v1/users/" + cid.id + "/history", cid.as()).at("items.0.type"),
            "product_view");
}

TEST_F(SurfacesStores, ListsShowOnesOwnAndMostPopularAll) {
  open_store("A", ann);
  open_store("B", ann);
  open_store("C", bob);
  add("Desk Lamp", ann);
  add("Floor lamp", ann, R"(,"store_id":2,"price":"20.00")");
  add("Chair", ann, R"(,"category":"Seat","price":"30.00")");
  add("Bulb", bob);
  EXPECT_EQ(ids(get("products/", ann)), "1 2 3");
  EXPECT_EQ(ids(get("products/", bob)), "4");
  EXPECT_EQ(ids(get("products/", cid)), "");
  EXPECT_EQ(ids(get("products/", admin)), "1 2 3 4");
  EXPECT_EQ(get("products/", nobody).status(), 401);
  EXPECT_EQ(ids(get("products/?search=LAMP", ann)), "1 2");
  EXPECT_EQ(ids(get("products/?search=la%20des", ann)), "1");
  EXPECT_EQ(ids(get("products/?category=Seat", ann)), "3");
  EXPECT_EQ(ids(get("products/?min_price=20", ann)), "2 3");
  EXPECT_EQ(ids(get("products/?min_price=10.01&max_price=29.99", ann)), "2");
  const auto second = get("products/?page=2&page_size=1&search=l", ann);
  EXPECT_EQ(ids(second), "2");
  EXPECT_EQ(second.header("Link"),
            R"(</api/v1/store/products/?page_size=1&search=l&page=1>; rel="prev")");
  EXPECT_EQ(get("products/?page_size=2", ann).header("Link"),
            R"(</api/v1/store/products/?page_size=2&page=2>; rel="next")");
  EXPECT_EQ(get("products/?page=2", ann).status(), 404);
  EXPECT_EQ(get("?page_size=1", ann).header("Link"),
            R"(</api/v1/store/?page_size=1&page=2>; rel="next")");

  for (const char* id : {"4", "4", "3"}) get("products/" + std::string(id) + "/", cid);
  const auto popular = get("products/most-popular/", cid);
  EXPECT_EQ(ids(popular), "4 3 1 2");
  EXPECT_EQ(popular.at("0.views_count"), "2");
  EXPECT_EQ(ids(get("products/most-popular/?page_size=1&page=2", cid)), "3");
  EXPECT_EQ(get("products/most-popular/", nobody).status(), 401);
}

TEST_F(SurfacesStores, AClosedAccountTakesItsStoresAlong) {
  open_store("A", ann);
  add("Lamp", ann);
  ASSERT_EQ(node.call("DELETE", "/api/users/" + ann.id + "/", {}, admin.as()).status(), 204);
  EXPECT_EQ(get("", admin).body(), "[]");
  EXPECT_EQ(get("products/", admin).body(), "[]");
}

TEST_F(SurfacesStores, ItemsPutOtherwiseShowToo) {
  const auto put = node.call("PUT", "/v1/items/product:7", R"({"title":"Bare"})", admin.as());
  ASSERT_EQ(put.status(), 201);
  EXPECT_EQ(get("products/7/", cid).body(),
            R"({"id":7,"name":"Bare","description":"","price":null,"quantity":null,"category":"",)"
            R"("store":null,"views_count":1,"converted_price":null})");
  EXPECT_EQ(send("PATCH", "products/7/", R"({"name":"x"})", cid).status(), 403);
  EXPECT_EQ(send("PATCH", "products/7/", R"({"name":"x"})", admin).at("name"), "x");
  open_store("A", ann);
  EXPECT_EQ(add("Lamp", ann), "8") << "above every number in use";
}

}  // namespace
}  // namespace millrace
