#include <algorithm>
#include <filesystem>

#include "ingest/importers/input.h"
#include "ingest/importers/mapped.h"
#include "schemas/json_value.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t kMaxLineBytes = 1024 * 1024;

// The member that a column names, by its whole name or along its dots.
const Json* member_at(const Json& json, std::string_view column) {
  if (const Json* whole = json.find(column)) return whole;
  for (std::size_t dot = column.find('.'); dot != column.npos; dot = column.find('.', dot + 1)) {
    const Json* outer = json.find(column.substr(0, dot));
    if (outer == nullptr || outer->kind != JsonKind::kObject) continue;
    if (const Json* inner = member_at(*outer, column.substr(dot + 1))) return inner;
  }
  return nullptr;
}

class JsonlReader final : public ImportReader {
 public:
  JsonlReader(const std::string& path, const Mapping& mapping, std::unique_ptr<std::istream> in)
      : mapping_(mapping),
        columns_(mapping.columns),
        name_(std::filesystem::path(path).filename().string()),
        input_(std::move(in)) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (!error && size > 0) size_ = static_cast<double>(size);
    for (const auto& field : mapped_fields(mapping.kind)) {
      const auto names = [&](const auto& pair) { return pair.first == field; };
      if (std::none_of(mapping.columns.begin(), mapping.columns.end(), names) &&
          std::none_of(mapping.constants.begin(), mapping.constants.end(), names)) {
        columns_.emplace_back(field, field);
      }
    }
  }

  std::optional<ImportRow> next() override {
    while (input_.has(0)) {
      ++line_;
      auto text = take_line();
      if (!text.has_value()) return ImportRow{name_, line_, tl::unexpected<Error>(text.error())};
      if (text->find_first_not_of(" \t\r") == text->npos) continue;
      return ImportRow{name_, line_, json_of(*text)};
    }
    return std::nullopt;
  }

  double progress() const override {
    return std::min(1.0, static_cast<double>(input_.taken()) / size_);
  }

 private:
  // The line at hand without its end; a line that is too long is passed over.
  Result<std::string> take_line() {
    std::size_t looked = 0;
    std::size_t end = input_.find('\n', 0);
    while (end == std::string_view::npos && input_.held() <= kMaxLineBytes) {
      looked = input_.held();
      if (!input_.has(looked)) break;
      end = input_.find('\n', looked);
    }
    if (end == std::string_view::npos && input_.held() > kMaxLineBytes) {
      pass_line();
      return fail(Code::kInvalid, "is longer than 1 MiB", "row");
    }
    const std::size_t size = std::min(end, input_.held());
    std::string line(input_.view(0, size));
    input_.advance(end == std::string_view::npos ? size : size + 1);
    return line;
  }

  void pass_line() {
    while (input_.has(0)) {
      const std::size_t end = input_.find('\n', 0);
      if (end != std::string_view::npos) return input_.advance(end + 1);
      input_.advance(input_.held());
    }
  }

  Result<std::string> json_of(const std::string& line) const {
    const auto json = parse_json(line);
    if (!json.has_value()) return fail(Code::kInvalid, json.error().detail, "row");
    if (json->kind != JsonKind::kObject) {
      return fail(Code::kInvalid, "must be a JSON object", "row");
    }
    if (mapping_.empty() && mapping_.kind == ImportKind::kItems) return written(*json);
    if (mapping_.empty() && json->find("data") != nullptr) {
      return json->find("id") != nullptr
                 ? written(*json)
                 : mapped_json(mapping_, cloud_event(*json), line_, "import:jsonl");
    }
    std::vector<FieldValue> values;
    for (const auto& [field, column] : columns_) add(values, field, member_at(*json, column));
    for (const auto& [field, value] : mapping_.constants) values.push_back({field, value, false});
    return mapped_json(mapping_, values, line_, "import:jsonl");
  }

  static std::string written(const Json& json) {
    std::string text;
    JsonWriter out(text);
    append_json(out, json);
    return text;
  }

  static void add(std::vector<FieldValue>& values, const std::string& field, const Json* found) {
    if (found == nullptr || found->kind == JsonKind::kNull) return;
    const bool text = found->kind == JsonKind::kString;
    values.push_back({field, text ? found->text : written(*found), !text});
  }

  // An event that lacks but an id.
  std::vector<FieldValue> cloud_event(const Json& json) const {
    std::vector<FieldValue> values;
    const Json& data = *json.find("data");
    for (const auto& [field, column] : columns_) {
      const Json* outer = json.find(column);
      add(values, field, outer != nullptr ? outer : data.find(column));
    }
    return values;
  }

  const Mapping mapping_;
  std::vector<std::pair<std::string, std::string>> columns_;
  const std::string name_;
  double size_ = 1;
  Input input_;
  std::uint64_t line_ = 0;
};

}  // namespace

Result<std::vector<ImportPart>> jsonl_parts(const std::string& path, const Mapping& mapping) {
  MILLRACE_CHECK(mapping.check());
  MILLRACE_CHECK(open_input(path).map([](const auto&) {}));
  const auto open = [path, mapping]() -> Result<std::unique_ptr<ImportReader>> {
    MILLRACE_TRY(auto in, open_input(path));
    return std::make_unique<JsonlReader>(path, mapping, std::move(in));
  };
  return std::vector<ImportPart>{
      {std::filesystem::path(path).filename().string(), mapping.kind, {path}, open}};
}

}  // namespace millrace::ingest
