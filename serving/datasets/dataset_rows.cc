#include "serving/datasets/dataset_rows.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "schemas/json_writer.h"
#include "schemas/rfc3339.h"
#include "schemas/rules.h"
#include "schemas/store.h"
#include "serving/surfaces/engine_event.h"
#include "serving/surfaces/engine_ids.h"
#include "state/digest.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kMaxTitleBytes = 1'024;
constexpr std::size_t kMaxCategoryBytes = 128;
constexpr std::int64_t kLastSecond = 100'000'000'000;  // later numbers are milliseconds

JsonText text_of_cell(std::string_view cell) { return {JsonKind::kString, cell}; }

std::vector<std::string_view> required(DatasetType type) {
  switch (type) {
    case DatasetType::kInteractions: return {"user_id", "product_id", "interaction_type"};
    case DatasetType::kItems: return {"product_id", "product_name"};
    case DatasetType::kUsers: return {"user_id"};
  }
  return {};
}

// As RFC 3339 where it is a number; else as it is.
std::string time_text(const std::string& cell) {
  std::int64_t number = 0;
  const auto* end = cell.data() + cell.size();
  const auto parsed = std::from_chars(cell.data(), end, number);
  if (cell.empty() || parsed.ec != std::errc() || parsed.ptr != end || number < 0) return cell;
  return rfc3339(number < kLastSecond ? number * 1000 : number);
}

}  // namespace

DatasetRows::DatasetRows(DatasetType type, std::span<const std::string> header, const Deps& deps)
    : type_(type), columns_(header.begin(), header.end()), deps_(deps) {
  checksum_ = std::string(dataset_type_name(type));
  digest(header);
}

Result<DatasetRows> DatasetRows::of(DatasetType type, std::span<const std::string> header,
                                    const Deps& deps) {
  for (const auto name : required(type)) {
    if (std::find(header.begin(), header.end(), name) == header.end()) {
      return fail(Code::kInvalid,
                  "has no column " + std::string(name) + ", which " +
                      std::string(dataset_type_name(type)) + " need",
                  "file");
    }
  }
  for (auto name = header.begin(); name != header.end(); ++name) {
    if (std::find(header.begin(), name, *name) != name) {
      return fail(Code::kInvalid, "has the column " + *name + " twice", "file");
    }
  }
  return DatasetRows(type, header, deps);
}

void DatasetRows::digest(std::span<const std::string> cells) {
  std::string row;
  for (const auto& cell : cells) row.append(std::to_string(cell.size())).append(":").append(cell);
  checksum_ = state::row_digest(checksum_, row).text();
}

std::string DatasetRows::cell(std::span<const std::string> cells, std::string_view column) const {
  const auto found = std::find(columns_.begin(), columns_.end(), column);
  return found == columns_.end() ? std::string()
                                 : cells[static_cast<std::size_t>(found - columns_.begin())];
}

// `known`, a JSON object or nothing, with the cells that are not empty, but for those of the
// columns named.
Result<std::string> DatasetRows::attributes(std::span<const std::string> cells,
                                            std::initializer_list<std::string_view> other,
                                            const std::string& known) const {
  auto object = parse_json(known).value_or(Json{JsonKind::kObject, {}, {}, {}});
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (cells[i].empty()) continue;
    if (std::find(other.begin(), other.end(), columns_[i]) != other.end()) continue;
    std::erase_if(object.members, [&](const JsonMember& one) { return one.name == columns_[i]; });
    object.members.push_back({columns_[i], Json{JsonKind::kString, cells[i], {}, {}}});
  }
  std::string json;
  if (object.members.empty()) return json;
  JsonWriter out(json);
  append_json(out, object);
  if (json.size() <= kMaxTextBytes) return json;
  return fail(Code::kInvalid, "takes more than 4096 bytes in its other columns", "row");
}

Result<DatasetRow> DatasetRows::interaction(std::span<const std::string> cells) const {
  std::vector<EngineField> fields;
  std::string time;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (cells[i].empty()) continue;
    if (columns_[i] == "timestamp") {
      time = time_text(cells[i]);
      fields.emplace_back(columns_[i], text_of_cell(time));
    } else {
      fields.emplace_back(columns_[i], text_of_cell(cells[i]));
    }
  }
  MILLRACE_TRY(auto event, engine_event(fields, deps_));
  event.source = kDatasetSource;
  event.id = checksum_;
  return event;
}

Result<DatasetRow> DatasetRows::item(std::span<const std::string> cells) const {
  MILLRACE_TRY(const auto id, product_of(cell(cells, "product_id"), deps_));
  const auto title = cell(cells, "product_name");
  if (title.empty()) return fail(Code::kInvalid, "is required", "product_name");
  MILLRACE_CHECK(
      line_of(text_of_cell(title), "product_name", kMaxTitleBytes).map([](const auto&) {}));
  const auto category = cell(cells, "category");
  MILLRACE_CHECK(
      line_of(text_of_cell(category), "category", kMaxCategoryBytes).map([](const auto&) {}));
  Item item;
  const auto index = deps_.engine->items().find(id.value);
  const auto view = deps_.engine->catalog().view();
  if (const auto* known = index ? view->find(*index) : nullptr) item = known->item;
  item.id = id;
  if (item.kind.empty()) {
    const auto kind = id.value.substr(0, id.value.find(':'));
    item.kind = kind.size() < id.value.size() && is_kind(kind) ? kind : kProductKind;
  }
  item.title = title;
  if (!category.empty()) item.categories = {category};
  if (const auto price = cell(cells, "price"); !price.empty()) {
    MILLRACE_TRY(item.price, price_of(text_of_cell(price), "price"));
  }
  MILLRACE_TRY(
      item.attributes,
      attributes(cells, {"product_id", "product_name", "category", "price"}, item.attributes));
  return CatalogRecord{"dataset " + checksum_, std::move(item), {}};
}

Result<DatasetRow> DatasetRows::user(std::span<const std::string> cells) const {
  DescribePerson person{UserId(cell(cells, "user_id")), {}};
  MILLRACE_CHECK(check_id(person.user.value, "user_id"));
  const auto notes = deps_.engine->catalog().person_notes();
  if (const auto* known = notes->find(person.user.value)) person.note = **known;
  MILLRACE_TRY(person.note.attributes, attributes(cells, {"user_id"}, person.note.attributes));
  return CatalogRecord{"dataset " + checksum_, std::move(person), {}};
}

Result<DatasetRow> DatasetRows::next(std::span<const std::string> cells) {
  digest(cells);
  if (cells.size() != columns_.size()) {
    return fail(Code::kInvalid,
                "has " + std::to_string(cells.size()) + " fields, the header " +
                    std::to_string(columns_.size()),
                "row");
  }
  switch (type_) {
    case DatasetType::kInteractions: return interaction(cells);
    case DatasetType::kItems: return item(cells);
    case DatasetType::kUsers: return user(cells);
  }
  return fail(Code::kInvalid, "is of no type", "row");
}

}  // namespace millrace::serving
