#include "serving/surfaces/engine_datasets.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "schemas/json_writer.h"
#include "schemas/rfc3339.h"
#include "schemas/rules.h"
#include "serving/datasets/dataset_upload.h"
#include "serving/http/body_sink.h"
#include "serving/http/multipart.h"
#include "serving/surfaces/actor.h"
#include "serving/surfaces/common.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kMaxTypeBytes = 32;
constexpr std::size_t kMaxFileNameBytes = 255;

std::optional<DatasetType> type_named(std::string_view name) {
  for (const auto type : {DatasetType::kInteractions, DatasetType::kItems, DatasetType::kUsers}) {
    if (name == dataset_type_name(type)) return type;
  }
  return std::nullopt;
}

void append_dataset(JsonWriter& out, std::uint64_t id, const Dataset& dataset) {
  out.member("dataset_id", id);
  out.member("dataset_type", dataset_type_name(dataset.type));
  out.member("name", dataset.name);
  out.member("bytes", dataset.bytes);
  out.member("checksum", dataset.checksum);
}

Reply report_reply(const DatasetReport& report) {
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  append_dataset(out, report.id, report.dataset);
  out.member("rows_accepted", report.accepted);
  out.member("rows_duplicate", report.duplicates);
  out.member("rows_rejected", report.dataset.rejected);
  out.key("errors");
  out.begin_array();
  for (const auto& [line, error] : report.errors) {
    out.begin_object();
    out.member("line", line);
    out.member("error", error.field + " " + error.detail);
    out.end_object();
  }
  out.end_array();
  out.end_object();
  auto reply = json_reply(std::move(body), 201);
  set_position(reply, report.position);
  return reply;
}

// Takes the form apart: the file's bytes go to the upload, whatever part the type is.
class UploadSink final : public BodySink, FormReader {
 public:
  UploadSink(std::shared_ptr<DatasetUpload> upload, const std::string& boundary,
             std::uint64_t max_bytes)
      : upload_(std::move(upload)), max_bytes_(max_bytes), form_(boundary, *this) {}
  ~UploadSink() override { upload_->input().close(false); }

  std::uint64_t max_bytes() const override { return max_bytes_; }

  Taken take(std::string bytes, std::function<void()> ready) override {
    if (error_) return Taken::kEnough;
    ready_ = std::move(ready);
    room_ = true;
    const auto fed = form_.feed(bytes);
    ready_ = nullptr;
    if (!fed) error_ = fed.error();
    if (error_ || upload_->over()) return Taken::kEnough;
    return room_ ? Taken::kMore : Taken::kWait;
  }

  Answer finish() override {
    if (!error_ && !form_.done() && !upload_->over()) {
      error_ = Error{Code::kInvalid, "ends before the form does", "body"};
    }
    if (!error_ && !has_file_ && !upload_->over()) {
      error_ = Error{Code::kInvalid, "is required", "file"};
    }
    if (error_) return problem(*error_);
    upload_->input().close(true);
    return Later{[upload = upload_](auto finish) {
      upload->when_done([finish = std::move(finish)](const Result<DatasetReport>& report) {
        finish(rendered(report ? report_reply(*report) : problem(report.error())));
      });
    }};
  }

 private:
  enum class Part { kOther, kFile, kType };

  Status begin(const FormPart& part) override {
    part_ = part.name == "file"           ? Part::kFile
            : part.name == "dataset_type" ? Part::kType
                                          : Part::kOther;
    if (part_ != Part::kFile) return {};
    if (std::exchange(has_file_, true)) return fail(Code::kInvalid, "must come once", "file");
    auto name = part.file_name.value_or(std::string());
    MILLRACE_CHECK(
        line_of({JsonKind::kString, name}, "file name", kMaxFileNameBytes).map([](const auto&) {}));
    upload_->set_name(std::move(name));
    return {};
  }

  Status data(std::string_view bytes) override {
    if (part_ == Part::kFile) room_ = upload_->input().push(bytes, ready_) && room_;
    if (part_ == Part::kType && type_.size() <= kMaxTypeBytes)
      type_ += bytes.substr(0, kMaxTypeBytes + 1);
    return {};
  }

  Status end() override {
    if (part_ != Part::kType) return {};
    const auto type = type_named(type_);
    if (!type) {
      return fail(Code::kInvalid, "must be interactions, items or users", "dataset_type");
    }
    upload_->input().set_type(*type);
    return {};
  }

  const std::shared_ptr<DatasetUpload> upload_;
  const std::uint64_t max_bytes_;
  FormParser form_;
  std::function<void()> ready_;
  bool room_ = true;
  Part part_ = Part::kOther;
  bool has_file_ = false;
  std::string type_;
  std::optional<Error> error_;
};

Reply post_dataset(const Request& request, const Deps& deps, DatasetUploads& uploads) {
  const auto boundary = form_boundary(request.header("content-type").value_or(std::string_view()));
  if (!boundary) return problem(415, "send multipart/form-data with `dataset_type` and `file`");
  if (auto refusal = refuse_writes(deps)) return *std::move(refusal);
  auto upload = uploads.begin(deps, actor_of(request));
  if (!upload) {
    return problem({Code::kExhausted, "as many uploads as may be go on: wait a little", {}});
  }
  Reply reply;
  reply.sink =
      std::make_shared<UploadSink>(std::move(upload), *boundary, deps.options.max_dataset_bytes);
  return reply;
}

Reply list_datasets(const Deps& deps) {
  const auto datasets = deps.engine->catalog().datasets();
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.key("datasets");
  out.begin_array();
  for (const auto& [id, kept] : *datasets) {
    out.begin_object();
    append_dataset(out, id, kept.dataset);
    out.member("rows", kept.dataset.rows);
    out.member("rows_rejected", kept.dataset.rejected);
    out.member("created", rfc3339(kept.created));
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return json_reply(std::move(body));
}

Answer delete_dataset(const Request& request, const Deps& deps) {
  const auto no_dataset = [] { return problem({Code::kNotFound, "no dataset has this id", {}}); };
  const auto id = state::natural_of(":" + request.params.find("id")->second);
  if (id == UINT64_MAX) return no_dataset();
  auto name = command_id(request, deps);
  if (!name) return problem(name.error());
  return command(deps, {*name, DeleteDataset{id}, actor_of(request)},
                 [deps, name = *name, no_dataset](const Position&) {
                   const auto outcome = deps.engine->catalog().outcome(name);
                   return outcome == state::CommandOutcome::kDeleted ? no_content() : no_dataset();
                 });
}

}  // namespace

std::vector<Route> engine_dataset_routes(const Deps& deps) {
  const auto uploads = std::make_shared<DatasetUploads>(deps.options.max_uploads);
  Route upload{
      "POST", "/api/upload-dataset/", Policy::kAdmin,
      [deps, uploads](const Request& request) { return post_dataset(request, deps, *uploads); }};
  upload.streams = true;
  upload.allowance = Allowance::kBulk;
  return {std::move(upload),
          {"GET", "/api/datasets/", Policy::kAdmin,
           [deps](const Request& request) {
             return when_visible(request, deps, [](const Request&, const Deps& here) {
               return list_datasets(here);
             });
           }},
          {"DELETE", "/api/datasets/{id}/", Policy::kAdmin,
           [deps](const Request& request) { return delete_dataset(request, deps); }}};
}

}  // namespace millrace::serving
