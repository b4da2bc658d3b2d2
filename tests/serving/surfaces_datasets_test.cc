// Uploads of data sets.
#include <gtest/gtest.h>

#include <string>

#include "serving/datasets/dataset_input.h"
#include "tests/support/eventually.h"
#include "tests/support/people.h"

namespace millrace {
namespace {

class DatasetSurface : public ::testing::Test {
 protected:
  explicit DatasetSurface(TestNode::Options options = {}) : node_(std::move(options)) {
    root_ = enter(node_, "root", Role::kAdmin);
  }

  static std::string part(const std::string& name, const std::string& content) {
    return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"" +
           (name == "file" ? "; filename=\"day.csv\"" : "") + "\r\n\r\n" + content + "\r\n";
  }
  static std::string form(const std::string& type, const std::string& file) {
    return part("dataset_type", type) + part("file", file) + "--b--\r\n";
  }
  TestReply send(const std::string& body) {
    auto headers = root_.as();
    headers.emplace_back("content-type", "multipart/form-data; boundary=b");
    return node_.call("POST", "/api/upload-dataset/", body, headers);
  }
  TestReply upload(const std::string& type, const std::string& file) {
    return send(form(type, file));
  }
  static std::string rows(const TestReply& reply) {
    return reply.at("rows_accepted") + "/" + reply.at("rows_duplicate") + "/" +
           reply.at("rows_rejected");
  }
  static std::string error(const TestReply& reply) {
    return std::to_string(reply.status()) + " " + reply.at("error") + ": " + reply.at("details");
  }
  std::size_t events_of(const std::string& user) {
    return node_.get("/v1/users/" + user + "/history", root_.as()).size("items");
  }

  TestNode node_;
  Person root_;
};

const std::string kRows =
    "user_id,product_id,interaction_type,timestamp\n"
    "1,456,purchase,2026-01-31T12:00:00Z\n"
    "1,457,view,1769860800\n"
    "2,\"movie:7\",like,1769860800123\n";

TEST_F(DatasetSurface, InteractionsBecomeEvents) {
  const auto reply = upload("interactions", kRows);
  ASSERT_EQ(reply.status(), 201) << reply.body();
  EXPECT_EQ(reply.at("dataset_id"), "1");
  EXPECT_EQ(reply.at("dataset_type"), "interactions");
  EXPECT_EQ(reply.at("name"), "day.csv");
  EXPECT_EQ(reply.at("bytes"), std::to_string(kRows.size()));
  EXPECT_EQ(rows(reply), "3/0/0");
  EXPECT_EQ(reply.size("errors"), 0u);
  EXPECT_FALSE(reply.position().empty());
  const auto history = node_.get("/v1/users/1/history", root_.as());
  EXPECT_EQ(history.size("items"), 2u);
  EXPECT_EQ(history.at("items.1.id"), "product:456");
  EXPECT_EQ(history.at("items.1.time"), "2026-01-31T12:00:00.000Z");
  EXPECT_EQ(history.at("items.0.time"), "2026-01-31T12:00:00.000Z");
  EXPECT_EQ(events_of("2"), 1u);
}

TEST_F(DatasetSurface, EachRowThatBreaksARuleIsToldWithItsLine) {
  const auto reply = upload("interactions",
                            "user_id,product_id,interaction_type,timestamp\r\n"
                            "1,456,purchase,\r\n"
                            ",456,purchase,\r\n"
                            "1,,purchase,\r\n"
                            "1,456,,\r\n"
                            "1,456,stare,\r\n"
                            "1,456,view,soon\r\n"
                            "1,456\r\n"
                            "1,456,view,\"open\r\n"
                            "2,456,view,\r\n");
  ASSERT_EQ(reply.status(), 201) << reply.body();
  EXPECT_EQ(rows(reply), "2/0/7");
  const auto told = [&](std::size_t i) {
    const auto at = "errors." + std::to_string(i) + ".";
    return reply.at(at + "line") + " " + reply.at(at + "error");
  };
  EXPECT_EQ(told(0), "3 user_id is required");
  EXPECT_EQ(told(1), "4 product_id is required");
  EXPECT_EQ(told(2), "5 interaction_type is required");
  EXPECT_EQ(told(3).substr(0, 36), "6 interaction_type must be one of vi");
  EXPECT_EQ(told(4).substr(0, 17), "7 timestamp must ");
  EXPECT_EQ(told(5), "8 row has 2 fields, the header 4");
  EXPECT_EQ(told(6).substr(0, 6), "9 row ");
  EXPECT_EQ(events_of("1"), 1u);
  EXPECT_EQ(events_of("2"), 1u);
}

TEST_F(DatasetSurface, AtMostAHundredErrorsAreTold) {
  std::string file = "user_id,product_id,interaction_type\n";
  for (int i = 0; i < 250; ++i) file += "1,1,stare\n";
  const auto reply = upload("interactions", file);
  EXPECT_EQ(rows(reply), "0/0/250");
  EXPECT_EQ(reply.size("errors"), 100u);
}

TEST_F(DatasetSurface, TheSameFileAgainCountsNothingTwiceAndGoesOn) {
  const auto half = kRows.substr(0, kRows.rfind("2,"));
  EXPECT_EQ(rows(upload("interactions", half)), "2/0/0");
  const auto whole = upload("interactions", kRows);
  EXPECT_EQ(rows(whole), "1/2/0") << "it goes on behind what is there";
  const auto again = upload("interactions", kRows);
  EXPECT_EQ(rows(again), "0/3/0");
  EXPECT_EQ(again.at("dataset_id"), whole.at("dataset_id"));
  EXPECT_EQ(again.at("checksum"), whole.at("checksum"));
  EXPECT_EQ(events_of("1"), 2u);
}

TEST_F(DatasetSurface, AFormThatBreaksOffLosesAtMostItsLastRows) {
  const auto body = form("interactions", kRows);
  const auto broken = send(body.substr(0, body.find("like")));
  EXPECT_EQ(broken.status(), 400) << broken.body();
  EXPECT_EQ(node_.get("/api/datasets/", root_.as()).size("datasets"), 0u);
  EXPECT_EQ(upload("interactions", kRows).status(), 201);
  EXPECT_EQ(events_of("1"), 2u);
  EXPECT_EQ(events_of("2"), 1u);
}

TEST_F(DatasetSurface, TheTypeMayComeBehindTheFile) {
  std::string large = kRows;
  for (int i = 0; i < 20'000; ++i) large += "3," + std::to_string(i) + ",view,\n";
  const auto reply = send(part("file", large) + part("dataset_type", "interactions") + "--b--\r\n");
  ASSERT_EQ(reply.status(), 201) << reply.body();
  EXPECT_EQ(rows(reply), "20003/0/0");
}

TEST_F(DatasetSurface, ItemsGoIntoTheCatalog) {
  node_.call("PUT", "/v1/items/product:456", R"({"title":"Old","tags":["kept"],"price":"1.00"})",
             root_.as());
  const auto reply = upload("items",
                            "product_id,product_name,category,price,color\n"
                            "456,\"Headphones, wireless\",Electronics,99.99,black\n"
                            "movie:9,Film,Drama,,\n"
                            "10,,Drama,1,\n"
                            "11,Lamp,Light,cheap,\n");
  ASSERT_EQ(reply.status(), 201) << reply.body();
  EXPECT_EQ(rows(reply), "2/0/2");
  EXPECT_EQ(reply.at("errors.0.error"), "product_name is required");
  EXPECT_EQ(reply.at("errors.1.line"), "5");
  EXPECT_EQ(reply.at("errors.1.error").substr(0, 6), "price ");
  const auto item = node_.get("/v1/items/product:456");
  EXPECT_EQ(item.at("title"), "Headphones, wireless");
  EXPECT_EQ(item.at("price"), "99.99");
  EXPECT_EQ(item.at("categories.0"), "Electronics");
  EXPECT_EQ(item.at("tags.0"), "kept");
  EXPECT_EQ(item.at("attributes.color"), "black");
  EXPECT_EQ(node_.get("/v1/items/movie:9").at("kind"), "movie");
}

TEST_F(DatasetSurface, UsersAreDescribedUntilTheyAreErased) {
  ASSERT_EQ(rows(upload("users", "user_id,age,city\n77,34,Rome\n78,,\n,1,x\n")), "2/0/1");
  const auto note = [&](const char* user) {
    const auto notes = node_.engine().catalog().person_notes();
    const auto* kept = notes->find(user);
    return kept == nullptr ? std::string("none") : (*kept)->attributes;
  };
  EXPECT_EQ(note("77"), R"({"age":"34","city":"Rome"})");
  EXPECT_EQ(note("78"), "");
  node_.restart();
  EXPECT_EQ(note("77"), R"({"age":"34","city":"Rome"})");
  ASSERT_EQ(node_.call("DELETE", "/v1/users/77", {}, root_.as()).status() / 100, 2);
  EXPECT_EQ(note("77"), "none");
}

TEST_F(DatasetSurface, WrongFormsAreTold) {
  EXPECT_EQ(error(upload("movies", kRows)),
            "400 Invalid parameter: dataset_type must be interactions, items or users");
  EXPECT_EQ(error(send(part("file", kRows) + "--b--\r\n")),
            "400 Invalid parameter: dataset_type is required");
  EXPECT_EQ(error(send(part("dataset_type", "items") + "--b--\r\n")),
            "400 Invalid parameter: file is required");
  EXPECT_EQ(error(upload("items", kRows)),
            "400 Invalid parameter: file has no column product_name, which items need");
  EXPECT_EQ(error(upload("interactions", "")),
            "400 Invalid parameter: file is required, with a header line");
  EXPECT_EQ(error(upload("users", "user_id,a,a\n")),
            "400 Invalid parameter: file has the column a twice");
  EXPECT_EQ(error(send(part("file", kRows) + part("file", kRows) + "--b--\r\n")),
            "400 Invalid parameter: file must come once");
  EXPECT_EQ(send("nonsense").status(), 400);
  EXPECT_EQ(error(node_.call("POST", "/api/upload-dataset/", "{}", root_.as())),
            "415 Unsupported Media Type: send multipart/form-data with `dataset_type` and `file`");
}

TEST_F(DatasetSurface, DatasetsAreListedAndForgotten) {
  upload("interactions", kRows);
  upload("users", "user_id\n5\n");
  auto list = node_.get("/api/datasets/", root_.as());
  ASSERT_EQ(list.size("datasets"), 2u) << list.body();
  EXPECT_EQ(list.at("datasets.0.dataset_id"), "1");
  EXPECT_EQ(list.at("datasets.0.rows"), "3");
  EXPECT_EQ(list.at("datasets.1.dataset_type"), "users");
  EXPECT_EQ(list.at("datasets.0.created").substr(0, 2), "20");
  node_.restart();
  EXPECT_EQ(node_.get("/api/datasets/", root_.as()).body(), list.body());
  EXPECT_EQ(node_.call("DELETE", "/api/datasets/1/", {}, root_.as()).status(), 204);
  EXPECT_EQ(error(node_.call("DELETE", "/api/datasets/1/", {}, root_.as())),
            "404 Not Found: no dataset has this id");
  EXPECT_EQ(node_.call("DELETE", "/api/datasets/x/", {}, root_.as()).status(), 404);
  EXPECT_EQ(node_.get("/api/datasets/", root_.as()).size("datasets"), 1u);
  EXPECT_EQ(events_of("1"), 2u) << "what its rows became stays";
  EXPECT_EQ(upload("interactions", kRows).at("dataset_id"), "3") << "numbers are not given twice";
}

TEST_F(DatasetSurface, IsForAdministrators) {
  const auto ann = enter(node_, "ann");
  EXPECT_EQ(node_.get("/api/datasets/", ann.as()).status(), 403);
  EXPECT_EQ(node_.call("POST", "/api/upload-dataset/", "x", ann.as()).status(), 403);
  EXPECT_EQ(node_.call("DELETE", "/api/datasets/1/", {}, ann.as()).status(), 403);
}

class SmallDatasets : public DatasetSurface {
 protected:
  static TestNode::Options options() {
    TestNode::Options options;
    options.surface.max_dataset_bytes = 1'000;
    options.surface.max_uploads = 1;
    return options;
  }
  SmallDatasets() : DatasetSurface(options()) {}
};

TEST_F(SmallDatasets, MoreThanTheLimitIsRefused) {
  EXPECT_EQ(error(upload("users", "user_id\n" + std::string(2'000, '1'))),
            "413 Content Too Large: the body is too large");
  EXPECT_TRUE(eventually([&] { return upload("users", "user_id\n1\n").status() == 201; }))
      << "there is room for one upload again";
}

// ---- the bytes between the two threads

TEST(DatasetInput, WhoPushesIsStoppedUntilThereIsRoom) {
  serving::DatasetInput input;
  bool ready = false;
  const std::string piece(serving::DatasetInput::kWindow / 2, 'x');
  EXPECT_TRUE(input.push(piece, [&] { ready = true; }));
  EXPECT_FALSE(input.push(piece, [&] { ready = true; }));
  input.set_type(DatasetType::kItems);
  EXPECT_EQ(input.type(), DatasetType::kItems);
  std::string read(piece.size(), ' ');
  EXPECT_EQ(input.sgetn(read.data(), static_cast<std::streamsize>(read.size())),
            static_cast<std::streamsize>(piece.size()));
  EXPECT_FALSE(ready) << "half is not less than half";
  EXPECT_EQ(input.sgetc(), 'x');
  EXPECT_TRUE(ready);
}

TEST(DatasetInput, WhatIsBrokenOffEnds) {
  serving::DatasetInput input;
  input.push("abc", nullptr);
  input.set_type(DatasetType::kItems);
  input.close(false);
  EXPECT_EQ(input.sgetc(), std::char_traits<char>::eof());
  EXPECT_FALSE(input.whole());
  EXPECT_FALSE(input.type());
}

TEST(DatasetInput, WhatComesBeforeItsTypeIsReadFromTheStart) {
  serving::DatasetInput input;
  input.push("abc", nullptr);
  input.push("def", nullptr);
  input.set_type(DatasetType::kUsers);
  input.push("ghi", nullptr);
  input.close(true);
  ASSERT_TRUE(input.type());
  std::string read(20, ' ');
  EXPECT_EQ(input.sgetn(read.data(), 20), 9);
  EXPECT_EQ(read.substr(0, 9), "abcdefghi");
  EXPECT_EQ(input.bytes(), 9u);
}

}  // namespace
}  // namespace millrace
