// What products cost and how many are left, and what many at once do to one of them.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <set>
#include <thread>

#include "schemas/catalog_record.h"
#include "tests/serving/store_world.h"

namespace millrace {
namespace {

class SurfacesStock : public StoreWorld {
 protected:
  SurfacesStock() { open_store("A", ann); }
  void buy(const std::string& user, const std::string& id, int times = 1) {
    for (int i = 0; i < times; ++i) {
      const auto key = "buy" + std::to_string(++purchases_);
      const auto reply =
          node.call("POST", "/v1/events?wait=applied",
                    R"({"id":")" + key + R"(","source":"till","type":"purchase","data":{"user":")" +
                        user + R"(","item":"product:)" + id + R"("}})",
                    admin.as());
      ASSERT_EQ(reply.status(), 200) << reply.body();
    }
  }
  std::string left(const std::string& id) {
    return get("products/?page_size=100", admin)
        .at(std::to_string(std::stoi(id) - 1) + ".quantity");
  }
  bool recommended(const std::string& id, const std::string& algorithm) {
    const auto reply =
        node.get("/v1/recommendations/stranger?limit=100&algorithm=" + algorithm, admin.as());
    EXPECT_EQ(reply.status(), 200) << reply.body();
    const auto shown = reply.ids();
    return std::find(shown.begin(), shown.end(), "product:" + id) != shown.end();
  }
  bool listed(const std::string& id) {
    const auto shown = node.get("/v1/lists/recent?limit=100", admin.as()).ids();
    return std::find(shown.begin(), shown.end(), "product:" + id) != shown.end();
  }

 private:
  int purchases_ = 0;
};

TEST_F(SurfacesStock, APurchaseLowersItNeverBelowZero) {
  add("Lamp", ann);
  EXPECT_EQ(left("1"), "3");
  buy("u1", "1");
  EXPECT_EQ(left("1"), "2");
  buy("u2", "1", 3);
  EXPECT_EQ(left("1"), "0");
  EXPECT_EQ(send("PATCH", "products/1/", R"({"price":"11.00"})", ann).at("quantity"), "0");
  EXPECT_EQ(send("PATCH", "products/1/", R"({"quantity":5})", ann).at("quantity"), "5");
  buy("u3", "1");
  EXPECT_EQ(left("1"), "4");
  // What was sold stays sold when a buyer is forgotten.
  ASSERT_EQ(node.call("DELETE", "/v1/users/u2", {}, admin.as()).status(), 204);
  EXPECT_EQ(left("1"), "4");
  node.restart();
  EXPECT_EQ(left("1"), "4");
  node.restart(true);
  EXPECT_EQ(left("1"), "4") << "from the log alone";
}

TEST_F(SurfacesStock, WhatIsSoldOutIsRecommendedNoMoreUntilItIsRestocked) {
  add("Lamp", ann);
  add("Bulb", ann);
  ASSERT_EQ(get("products/1/", cid).status(), 200);
  for (const char* algorithm : {"popular", "trending", "recent", "feed", "most_watched"}) {
    EXPECT_TRUE(recommended("1", algorithm)) << algorithm;
  }
  EXPECT_TRUE(listed("1"));
  buy("u2", "1", 3);
  for (const char* algorithm : {"popular", "trending", "recent", "feed", "most_watched"}) {
    EXPECT_FALSE(recommended("1", algorithm)) << algorithm;
  }
  EXPECT_FALSE(listed("1"));
  EXPECT_TRUE(listed("2"));
  EXPECT_EQ(get("products/1/", cid).at("quantity"), "0") << "it can still be read";
  ASSERT_EQ(send("PATCH", "products/1/", R"({"quantity":1})", ann).status(), 200);
  EXPECT_TRUE(listed("1"));
  EXPECT_TRUE(recommended("1", "popular"));
  ASSERT_EQ(send("PATCH", "products/1/", R"({"quantity":0})", ann).status(), 200);
  EXPECT_FALSE(listed("1"));
}

TEST_F(SurfacesStock, WhatIsSoldOutLeavesTheRecommender) {
  add("Lamp", ann);
  add("Bulb", ann);
  buy("u1", "1");
  buy("u1", "2");
  const auto both = [&] {
    return node.get("/interaction-recommendations?product_id=1", admin.as()).body() +
           node.get("/category-recommendations?category=Light", admin.as()).body();
  };
  EXPECT_EQ(both(), "[2][1,2]");
  buy("u2", "2", 2);
  EXPECT_EQ(both(), "[][1]");
  ASSERT_EQ(send("PATCH", "products/2/", R"({"quantity":1})", ann).status(), 200);
  EXPECT_EQ(both(), "[2][2,1]");
}

// ---- money

TEST_F(SurfacesStock, APriceIsShownInACurrencyThatHasARate) {
  const auto rate = [&](const std::string& code, const std::string& body, const Person& as) {
    return node.call("PUT", "/v1/admin/currencies/" + code, body, as.as());
  };
  EXPECT_EQ(rate("EUR", R"({"rate":"0.92"})", admin).body(),
            R"({"code":"EUR","rate":"0.92","digits":2})");
  EXPECT_EQ(rate("EUR", R"({"rate":0.925})", admin).status(), 200);
  EXPECT_EQ(rate("JPY", R"({"rate":"149.55"})", admin).at("digits"), "0");
  EXPECT_EQ(rate("KWD", R"({"rate":"0.3075"})", admin).at("digits"), "3");
  EXPECT_EQ(rate("EUR", R"({"rate":"1"})", ann).status(), 403);
  EXPECT_EQ(rate("euro", R"({"rate":"1"})", admin).at("field"), "currency");
  EXPECT_EQ(rate("EUR", R"({"rate":"-1"})", admin).at("field"), "rate");
  EXPECT_EQ(rate("EUR", R"({"rate":"1","digits":5})", admin).at("field"), "digits");
  add("Lamp", ann);
  EXPECT_EQ(get("products/?currency=EUR", ann).at("0.converted_price"), "9.25");
  EXPECT_EQ(get("products/most-popular/?currency=JPY", ann).at("0.converted_price"), "1496");
  EXPECT_EQ(get("products/1/?currency=KWD", ann).at("converted_price"), "3.075");
  EXPECT_EQ(get("products/1/", ann).at("converted_price"), "10.00");
  const auto unknown = get("products/1/?currency=USD", ann);
  EXPECT_EQ(unknown.at("field"), "currency");
  EXPECT_EQ(unknown.at("detail"), "must be one that has a rate: EUR, JPY, KWD");
  EXPECT_EQ(get("products/1/", ann).at("views_count"), "3") << "what is refused counts nothing";
  node.restart();
  EXPECT_EQ(get("products/?currency=EUR", ann).at("0.price"), "10.00");
  const auto path = "/v1/admin/currencies/EUR";
  EXPECT_EQ(node.call("DELETE", path, {}, admin.as()).status(), 204);
  EXPECT_EQ(node.call("DELETE", path, {}, admin.as()).status(), 404);
  EXPECT_EQ(node.get("/v1/admin/currencies", admin.as()).size("currencies"), 2u);
}

// ---- one product, many at once

class SurfacesEdits : public SurfacesStock {
 protected:
  static std::string edit(const std::string& who, int n) {
    const auto tag = who + std::to_string(n);
    return R"({"name":")" + tag + R"(","description":")" + tag + R"(","category":")" + tag +
           R"(","price":")" + std::to_string(n + 1) + R"(.25","quantity":)" + std::to_string(n) +
           "}";
  }
  static void expect_whole(const TestReply& seen) {
    const auto name = seen.at("name");
    EXPECT_EQ(seen.at("description"), name);
    EXPECT_EQ(seen.at("category"), name);
    const auto n = std::stoi(name.substr(name.find_first_of("0123456789")));
    EXPECT_EQ(seen.at("price"), std::to_string(n + 1) + ".25");
    EXPECT_EQ(seen.at("quantity"), std::to_string(n));
  }
  // The last edit that the catalog's log holds.
  std::string last_in_log() {
    std::string name;
    const auto end = node.log().end(kCatalogPartition);
    for (Offset at = node.log().start(kCatalogPartition); at < end;) {
      const auto records = node.log().read(kCatalogPartition, at, 1'000, 8u << 20).value();
      for (const auto& record : records) {
        const auto decoded = decode_catalog_record(record.bytes).value();
        const auto* put = std::get_if<PutProduct>(&decoded.change);
        if (put != nullptr && put->by.value != 0) name = put->name.value_or(name);
      }
      at = records.back().offset + 1;
    }
    return name;
  }
  void run(int edits) {
    const auto body = edit("first", 0);
    ASSERT_EQ(send("POST", "products/", body, ann).status(), 201);
    std::atomic<int> done{0}, strangers{0};
    const auto session = [&](const std::string& who) {
      for (int n = 0; n < edits; ++n) {
        const auto reply = send(n % 2 == 0 ? "PUT" : "PATCH", "products/1/", edit(who, n), ann);
        EXPECT_EQ(reply.status(), 200) << reply.body();
        expect_whole(reply);
      }
      ++done;
    };
    std::thread one([&] { session("a"); });
    std::thread two([&] { session("b"); });
    for (int n = 0; done < 2; ++n) {
      EXPECT_EQ(send("PUT", "products/1/", edit("stranger", n), bob).status(), 403);
      ++strangers;
    }
    one.join();
    two.join();
    EXPECT_GT(strangers, 0);
    const auto last = get("products/1/", ann);
    expect_whole(last);
    EXPECT_EQ(last.at("name"), last_in_log());
  }
};

TEST_F(SurfacesEdits, TheLastByTheLogWinsAndNothingIsTorn) { run(1'000); }

class SurfacesPrices : public SurfacesStock {
 protected:
  void run(int count) {
    add("Lamp", ann);
    std::mt19937_64 random(11);
    for (int i = 0; i < count; ++i) {
      const auto hundredths = i == 0 ? 1u : i == 1 ? 9'999'999'999u : random() % 9'999'999'999u + 1;
      const auto cents = std::to_string(100 + hundredths % 100).substr(1);
      const auto price = std::to_string(hundredths / 100) + "." + cents;
      const std::string written = i % 2 == 0 ? "\"" + price + "\"" : price;
      const auto put = send("PATCH", "products/1/", R"({"price":)" + written + "}", ann);
      ASSERT_EQ(put.at("price"), price);
      ASSERT_EQ(put.at("converted_price"), price);
      if (i % 16 != 0) continue;
      ASSERT_EQ(get("products/", ann).at("0.price"), price);
      ASSERT_EQ(node.get("/v1/items/product:1", ann.as()).at("price"), price);
    }
    const auto last = get("products/", ann).at("0.price");
    node.restart();
    EXPECT_EQ(get("products/", ann).at("0.price"), last);
  }
};

TEST_F(SurfacesPrices, NoneChangesByPassingThrough) { run(200); }
TEST_F(SurfacesPrices, NoneOfManyChangesLong) { run(20'000); }

}  // namespace
}  // namespace millrace
