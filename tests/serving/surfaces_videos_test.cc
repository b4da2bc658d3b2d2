// Uploads of seed 000, field by field.
#include "serving/surfaces/videos.h"

#include "tests/serving/video_world.h"

namespace millrace {
namespace {

TEST_F(Videos, AnUploadIsAVideoOfTheFeed) {
  const auto made = upload(good());
  ASSERT_EQ(made.status(), 201) << made.body();
  EXPECT_EQ(made.body(), R"({"id":1,"title":"One","video_file":"/media/videos/1.mp4",)"
                         R"("product":{"id":101,"name":"Smart Watch","price":199.99},)"
                         R"("likes_count":0,"is_liked":false,"is_saved":false,"trend_score":0})");
  EXPECT_EQ(made.header("Location"), kBase + "1/");
  EXPECT_FALSE(made.position().empty());
  EXPECT_EQ(get(kBase + "1/").body(), made.body());
  EXPECT_EQ(get(kBase).ids(""), std::vector<std::string>{"1"});
  EXPECT_EQ(get("/media/videos/1.mp4").body(), tiny_mp4());
  const auto item = get("/v1/items/video:1");
  EXPECT_EQ(item.at("tags.1"), "gadgets");
  EXPECT_EQ(item.at("parent"), "product:101");
  EXPECT_EQ(item.at("attributes.uploader"), ann_.id);
  EXPECT_EQ(item.at("attributes.media.bytes"), std::to_string(tiny_mp4().size()));
  EXPECT_EQ(files(), 1u);
}

TEST_F(Videos, FieldsMayComeInAnyOrderAndOthersAreIgnored) {
  auto parts = good();
  std::reverse(parts.begin(), parts.end());
  parts.push_back({"else", "ignored"});
  EXPECT_EQ(upload(parts).status(), 201);
  std::erase_if(parts, [](const auto& part) { return part.name == "tags"; });
  const auto untagged = upload(parts);
  EXPECT_EQ(untagged.status(), 201) << untagged.body();
  EXPECT_EQ(upload(with("product_id", "a-b")).at("product.id"), "a-b");
}

TEST_F(Videos, WrongFieldsAreNamedAndLeaveNothing) {
  struct Wrong {
    std::vector<TestPart> parts;
    std::string field;
    int status = 400;
  };
  std::vector<Wrong> all = {
      {with("title", ""), "title"},
      {with("title", std::string(1'025, 't')), "title"},
      {with("title", "line\nbreak"), "title"},
      {with("title", "\xff"), "title"},
      {with("title", std::string(17'000, 't')), "title"},
      {with("product_id", ""), "product_id"},
      {with("product_id", "102"), "product_id"},
      {with("product_id", "0101"), "product_id"},
      {with("product_id", std::string(600, '1')), "product_id"},
      {with("tags", "tech"), "tags"},
      {with("tags", R"("tech")"), "tags"},
      {with("tags", R"({"a":1})"), "tags"},
      {with("tags", R"([{"a":1}])"), "tags"},
      {with("file", tiny_mp4(), "one.mov"), "file"},
      {with("file", tiny_mp4(), ".mp4"), "file"},
      {with("file", tiny_mp4()), "file"},
      {with("file", "", "one.mp4"), "file"},
      {with("file", "short", "one.mp4"), "file"},
      {with("file", "a text of some length that is called one.mp4", "one.mp4"), "file"},
      {with("file", tiny_mp4().substr(0, 5'000), "one.mp4"), "file"},
      {with("file", tiny_mp4() + "tail", "one.mp4"), "file"},
      {with("file", mp4_of(kLargest + 1), "one.mp4"), "file", 413},
  };
  for (const auto& part : good()) {
    auto twice = good(), without = good();
    twice.push_back(part);
    all.push_back({twice, part.name});
    std::erase_if(without, [&](const auto& kept) { return kept.name == part.name; });
    if (part.name != "tags") all.push_back({without, part.name});
  }
  for (const auto& wrong : all) {
    const auto reply = upload(wrong.parts);
    EXPECT_EQ(reply.status(), wrong.status) << wrong.field << ": " << reply.body();
    EXPECT_EQ(reply.at("field"), wrong.field) << reply.body();
    EXPECT_FALSE(reply.at("detail").empty());
  }
  EXPECT_TRUE(files_become(0));
  EXPECT_TRUE(eventually([&] { return node_.media().store().used_bytes() == 0; }));
  EXPECT_EQ(get(kBase).size(""), 0u);
  EXPECT_EQ(upload(with("file", mp4_of(kLargest), "one.mp4")).status(), 201)
      << "as large as may be";
}

TEST_F(Videos, WhoAndWhatIsAskedBeforeTheBody) {
  EXPECT_EQ(send(form_of(good()), nobody_).status(), 401);
  const auto key =
      node_.call("POST", "/v1/admin/keys", R"({"name":"k","scopes":["ingest"]})", root_.as());
  EXPECT_EQ(send(form_of(good()), {"", key.at("key")}).status(), 403);
  EXPECT_EQ(send(form_of(good()), root_).status(), 201);
  for (const char* type :
       {"application/json", "multipart/form-data", "multipart/mixed; boundary=a"}) {
    EXPECT_EQ(send(form_of(good()), ann_, {}, type).status(), 415) << type;
  }
  auto headers = ann_.as();
  headers.emplace_back("content-type", kFormType);
  auto packed = headers;
  packed.emplace_back("content-encoding", "gzip");
  EXPECT_EQ(node_.call("POST", kBase, "x", packed).status(), 415);
  headers.emplace_back("content-length", "100000");
  const auto large = node_.call("POST", kBase, "", headers);
  EXPECT_EQ(large.status(), 413);
  EXPECT_EQ(large.at("field"), "file");
  const auto cut = form_of(good());
  EXPECT_EQ(send(cut.substr(0, cut.size() - 4), ann_).at("field"), "body");
  EXPECT_EQ(send("no form at all", ann_).at("field"), "body");
  EXPECT_EQ(send(form_of(good()), ann_, "no key\x7f").at("field"), "Idempotency-Key");
  EXPECT_TRUE(files_become(1));
}

TEST_F(Videos, AKeyPutsOneVideoIn) {
  EXPECT_EQ(send(form_of(good()), ann_, "once").at("id"), "1");
  const auto again = send(form_of(with("file", mp4_of(15'000), "b.mp4")), ann_, "once");
  EXPECT_EQ(again.status(), 201);
  EXPECT_EQ(again.at("id"), "1");
  EXPECT_EQ(send(form_of(good()), bob_, "once").at("id"), "2");
  EXPECT_TRUE(files_become(2));
  EXPECT_EQ(get("/media/videos/1.mp4").body(), tiny_mp4());
}

TEST_F(Videos, WhoUploadedItOrAnAdminDeletesIt) {
  const auto first = upload_as(ann_), second = upload_as(ann_);
  put("video:77", R"("title":"Nobody's")");
  EXPECT_EQ(node_.call("DELETE", kBase + first + "/").status(), 401);
  EXPECT_EQ(node_.call("DELETE", kBase + first + "/", {}, bob_.as()).status(), 403);
  EXPECT_EQ(node_.call("DELETE", kBase + "77/", {}, ann_.as()).status(), 403);
  EXPECT_EQ(node_.call("DELETE", kBase + "9/", {}, ann_.as()).status(), 404);
  EXPECT_EQ(node_.call("DELETE", kBase + first + "/", {}, ann_.as()).status(), 204);
  EXPECT_EQ(get(kBase + first + "/").status(), 404);
  EXPECT_EQ(get("/media/videos/" + first + ".mp4").status(), 404);
  EXPECT_EQ(node_.call("DELETE", kBase + first + "/", {}, ann_.as()).status(), 404);
  EXPECT_TRUE(files_become(1));
  EXPECT_EQ(node_.call("DELETE", kBase + second + "/", {}, root_.as()).status(), 204);
  EXPECT_TRUE(files_become(0));
  EXPECT_TRUE(eventually([&] { return node_.media().store().used_bytes() == 0; }));
}

TEST_F(Videos, FilesGoWithWhatTheyAreOf) {
  const auto first = upload_as(ann_);
  upload(with("product_id", "a-b"));
  ASSERT_TRUE(files_become(2));
  EXPECT_EQ(node_.call("DELETE", "/v1/items/product:101", {}, root_.as()).status(), 204);
  EXPECT_EQ(get(kBase + first + "/").status(), 404);
  EXPECT_TRUE(files_become(1)) << "with the product";
  put("video:2", R"("title":"Put anew")");
  EXPECT_TRUE(files_become(0)) << "with the attribute that names it";
}

TEST_F(Videos, OnesOwnAreListedTheLastFirst) {
  for (int i = 0; i < 3; ++i) upload_as(ann_);
  upload_as(bob_);
  EXPECT_EQ(get(kBase + "mine/").status(), 401);
  EXPECT_EQ(get(kBase + "mine/", bob_.as()).ids(""), std::vector<std::string>{"4"});
  const auto page = get(kBase + "mine/?limit=2", ann_.as());
  EXPECT_EQ(page.ids(""), (std::vector<std::string>{"3", "2"}));
  const auto link = page.header("Link");
  ASSERT_TRUE(link.starts_with("<" + kBase + "mine/?limit=2&cursor=")) << link;
  const auto rest = get(link.substr(1, link.find('>') - 1), ann_.as());
  EXPECT_EQ(rest.ids(""), std::vector<std::string>{"1"});
  EXPECT_EQ(rest.header("Link"), "");
  EXPECT_EQ(rest.at("0.video_file"), "/media/videos/1.mp4");
  EXPECT_EQ(get(kBase + "mine/?limit=0", ann_.as()).at("field"), "limit");
  EXPECT_EQ(get(kBase + "mine/?cursor=!", ann_.as()).at("field"), "cursor");
  EXPECT_EQ(get(kBase + "mine/?cursor=YQ", ann_.as()).at("field"), "cursor");
}

}  // namespace
}  // namespace millrace
