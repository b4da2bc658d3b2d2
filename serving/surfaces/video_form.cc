#include "serving/surfaces/video_form.h"

#include <algorithm>
#include <utility>

#include "base/json_text.h"
#include "schemas/item_json.h"
#include "schemas/json_value.h"
#include "schemas/rules.h"
#include "serving/media/mp4.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/movie_surface.h"
#include "serving/surfaces/video_body.h"

namespace millrace::serving {
namespace {

using state::CommandOutcome;

constexpr std::size_t kMaxField = 16 * 1024;
constexpr std::size_t kMaxTitle = 1'024;
constexpr std::size_t kFirstBytes = 8;
constexpr const char* kProduct = "product_id";

tl::unexpected<Error> wrong(const char* field, std::string rule) {
  return fail(Code::kInvalid, std::move(rule), field);
}

bool ends_in_mp4(std::string_view name) {
  if (name.size() <= 4) return false;
  std::string ending(name.substr(name.size() - 4));
  for (char& c : ending) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return ending == ".mp4";
}

// Room that is lacking is the server's fault, and nothing to be tried again at once.
Reply refusal(const Error& error) {
  return error.code == Code::kUnavailable ? problem(507, error.detail) : problem(error);
}

const state::CatalogItem* find_product(const Deps& deps, const state::CatalogView& catalog,
                                       const ItemId& id) {
  const auto index = deps.engine->items().find(id.value);
  const auto* item = index ? catalog.find(*index) : nullptr;
  return item != nullptr && item->item.kind == "product" ? item : nullptr;
}

Reply no_product() {
  return problem(
      {Code::kInvalid, "must be the id of a product: there is none of this id", kProduct});
}

std::string node_of(const Deps& deps) {
  if (!deps.nodes) return {};
  for (const auto& node : deps.nodes()) {
    if (node.self) return node.record.id;
  }
  return {};
}

void remove_file(const Deps& deps, const std::string& name) {
  deps.media->disk().submit([media = deps.media, name](bool) { media->store().remove(name); },
                            SIZE_MAX);
}

// What came of the command that put `file` in. An Idempotency-Key that was used before has put
// another file in, and this one goes.
Reply outcome_of(const Deps& deps, const Uploader& by, const std::string& file) {
  const auto verdict = deps.engine->catalog().verdict(by.command);
  if (!verdict) return outcome_unknown(by.command);
  const auto id = "video:" + std::to_string(verdict->number);
  const auto index = deps.engine->items().find(id);
  const auto view = deps.engine->catalog().view();
  auto video = index ? uploaded_video(view->share(*index)) : std::nullopt;
  if (video && video->media.file == file) {
    deps.media->took(*std::move(video));
  } else {
    remove_file(deps, file);
  }
  if (verdict->outcome != CommandOutcome::kCreated || !index) return no_product();
  auto reply = video_reply(deps, by.user, *index, 201);
  reply.headers.emplace_back("Location", deps.options.public_url + "/api/v1/shoppable-videos/" +
                                             std::to_string(verdict->number) + "/");
  return reply;
}

// On the disk's thread: the file gets its name, then the catalog its item.
Answer put_in(const Deps& deps, const Uploader& by, Item item, const std::string& name,
              MediaFile& file) {
  const MediaRef media{name, file.bytes(), file.digest(), node_of(deps)};
  auto attributes = parse_json(item.attributes);
  item.attributes.clear();
  JsonWriter out(item.attributes);
  out.begin_object();
  for (const auto& member : attributes->members) {
    out.key(member.name);
    append_json(out, member.value);
  }
  append_media(out, media);
  out.end_object();
  const auto kept = file.commit();
  if (!kept) return refusal(kept.error());
  return command(deps, {by.command, MintItem{std::move(item)}, by.actor},
                 [deps, by, name](const Position&) { return outcome_of(deps, by, name); });
}

}  // namespace

Result<std::shared_ptr<VideoForm>> VideoForm::open(const Deps& deps, Uploader by,
                                                   const std::string& boundary,
                                                   std::uint64_t body_bytes,
                                                   std::shared_ptr<void> place) {
  const auto most = deps.media->options().max_file_bytes;
  auto name = deps.ids->mint();
  MILLRACE_TRY(auto file, deps.media->store().create(name, std::min(body_bytes, most)));
  return std::shared_ptr<VideoForm>(new VideoForm(deps, std::move(by), boundary, std::move(name),
                                                  std::move(file), std::move(place)));
}

VideoForm::VideoForm(const Deps& deps, Uploader by, const std::string& boundary, std::string name,
                     std::unique_ptr<MediaFile> file, std::shared_ptr<void> place)
    : deps_(deps),
      by_(std::move(by)),
      name_(std::move(name)),
      place_(std::move(place)),
      upload_(Upload::begin(std::move(file), deps.media->disk())),
      parser_(boundary, *this) {}

std::uint64_t VideoForm::max_bytes() const {
  return deps_.media->options().max_file_bytes + kOverhead;
}

BodySink::Taken VideoForm::take(std::string bytes, std::function<void()> ready) {
  ready_ = std::move(ready);
  wait_ = false;
  const auto read = parser_.feed(bytes);
  if (!read) error_ = read.error();
  if (error_) return Taken::kEnough;
  return wait_ ? Taken::kWait : Taken::kMore;
}

VideoForm::Field* VideoForm::field_named(std::string_view name) {
  for (const auto& [known, field] : {std::pair<const char*, Field*>{"file", &file_},
                                     {"title", &title_},
                                     {kProduct, &product_},
                                     {"tags", &tags_}}) {
    if (name != known) continue;
    present_name_ = known;
    return field;
  }
  return nullptr;
}

Status VideoForm::begin(const FormPart& part) {
  present_ = field_named(part.name);
  if (present_ == nullptr) return {};
  if (std::exchange(present_->given, true)) return wrong(present_name_, "must be given once");
  if (present_ == &file_ && !ends_in_mp4(part.file_name.value_or(""))) {
    return wrong("file", "must be a file whose name ends in .mp4");
  }
  return {};
}

Status VideoForm::data(std::string_view bytes) {
  if (present_ == nullptr) return {};
  if (present_ == &file_) return take_file(bytes);
  if (present_->text.size() + bytes.size() > kMaxField) {
    return wrong(present_name_, "must be at most 16 KiB");
  }
  present_->text += bytes;
  return {};
}

Status VideoForm::take_file(std::string_view bytes) {
  const auto most = deps_.media->options().max_file_bytes;
  if (upload_->bytes() + file_.text.size() + bytes.size() > most) {
    return fail(Code::kTooLarge, "must be at most " + std::to_string(most) + " bytes", "file");
  }
  if (const auto failure = upload_->failure()) return tl::unexpected<Error>(*failure);
  std::string piece = std::exchange(file_.text, {}) + std::string(bytes);
  if (upload_->bytes() == 0) {
    if (piece.size() < kFirstBytes) {
      file_.text = std::move(piece);
      return {};
    }
    if (!begins_like_mp4(piece)) {
      return wrong("file", "must be an MP4 video: it does not begin with ftyp");
    }
  }
  if (!upload_->write(std::move(piece), ready_)) wait_ = true;
  return {};
}

Status VideoForm::end() {
  if (present_ == &file_ && upload_->bytes() == 0) return wrong("file", "must be an MP4 video");
  present_ = nullptr;
  return {};
}

// The video that the fields describe, by the rules of items.
Result<Item> VideoForm::item() const {
  if (!parser_.done()) return wrong("body", "must be a form that ends in its closing delimiter");
  if (!file_.given) return wrong("file", "is required");
  if (title_.text.empty()) return wrong("title", "is required");
  if (title_.text.size() > kMaxTitle) return wrong("title", "must be at most 1024 bytes");
  if (product_.text.empty()) return wrong(kProduct, "is required");
  MILLRACE_CHECK(check_id(product_.text, kProduct));
  std::string json;
  JsonWriter out(json);
  out.begin_object();
  out.member("kind", kVideoKind);
  out.key("title");
  if (!is_utf8(title_.text)) return wrong("title", "must be UTF-8");
  out.value(title_.text);
  if (!tags_.text.empty()) {
    const auto tags = parse_json(tags_.text);
    const bool list = tags && tags->kind == JsonKind::kArray &&
                      std::all_of(tags->elements.begin(), tags->elements.end(),
                                  [](const Json& tag) { return tag.kind == JsonKind::kString; });
    if (!list) return wrong("tags", "must be a JSON list of texts");
    out.key("tags");
    append_json(out, *tags);
  }
  const auto number = state::natural_of(":" + product_.text);
  if (number <= (std::uint64_t{1} << 53)) {
    out.raw_member(kProduct, product_.text);
  } else {
    out.member(kProduct, product_.text);
  }
  if (by_.account.value != 0) out.member("uploader", by_.account.value);
  out.end_object();
  MILLRACE_TRY(auto item, parse_item(json, ItemId("video:0")));
  item.id = {};  // minted
  return item;
}

Answer VideoForm::finish() {
  if (error_) return refusal(*error_);
  auto described = item();
  if (!described) return problem(described.error());
  const ItemId product("product:" + product_.text);
  described->created = deps_.clock->now();
  described->parent = product;
  const auto store = [deps = deps_, by = by_, item = *std::move(described), name = name_,
                      upload = upload_, place = place_]() -> Answer {
    return Later{[=](const std::function<void(Render)>& finish) {
      upload->finish([=](Result<MediaFile*> file) {
        finish_with(file ? put_in(deps, by, item, name, **file) : Answer(refusal(file.error())),
                    finish);
      });
    }};
  };
  const auto known = [deps = deps_, product] {
    return find_product(deps, *deps.engine->catalog().view(), product) != nullptr;
  };
  if (known()) return store();
  return behind_catalog(deps_, by_.position,
                        [known, store] { return known() ? store() : Answer(no_product()); });
}

}  // namespace millrace::serving
