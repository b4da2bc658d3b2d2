#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>

#include "ingest/importers/csv.h"
#include "ingest/importers/mapped.h"
#include "ingest/importers/movielens_films.h"
#include "ingest/importers/movielens_ratings.h"
#include "schemas/json_grammar.h"

namespace millrace::ingest {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// A file that is only in memory.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : fd_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    require(fd_ >= 0 &&
            ::write(fd_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

void check_rows(Result<std::unique_ptr<ImportReader>> reader) {
  if (!reader.has_value()) return;
  while (const auto row = (*reader)->next()) {
    if (row->json.has_value()) {
      require(check_json(*row->json).has_value());
    } else {
      require(!row->json.error().detail.empty() && row->line > 0);
    }
  }
}

void check_rows(const Result<std::vector<ImportPart>>& parts) {
  if (parts.has_value()) check_rows(parts->front().open());
}

// Lines rise, limits hold, and a row that was read reads the same when it is written out again.
void check_csv(std::string_view text, const CsvOptions& options) {
  CsvReader reader(std::make_unique<std::istringstream>(std::string(text)), options);
  std::uint64_t line = 0;
  while (reader.next()) {
    require(reader.line() > line && reader.bytes() <= text.size());
    line = reader.line();
    require(reader.error().empty() || reader.fields().empty());
    require(reader.fields().size() <= options.max_fields);
    if (!options.quotes || reader.fields().empty()) continue;
    std::string again;
    for (const auto& field : reader.fields()) {
      require(field.size() <= options.max_field_bytes);
      again += again.empty() ? "\"" : std::string(1, options.delimiter) + "\"";
      for (const char c : field) again += c == '"' ? "\"\"" : std::string(1, c);
      again += '"';
    }
    CsvReader second(std::make_unique<std::istringstream>(again), {options.delimiter});
    require(second.next() && second.error().empty());
    const auto was = reader.fields();
    const auto is = second.fields();
    require(std::equal(was.begin(), was.end(), is.begin(), is.end()));
  }
  require(reader.bytes() == text.size());
}

}  // namespace
}  // namespace millrace::ingest

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace millrace::ingest;
  if (size == 0) return 0;
  const unsigned char choice = data[0];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  CsvOptions options;
  options.delimiter = (choice & 1) != 0 ? '\t' : ',';
  options.quotes = (choice & 2) == 0;
  if ((choice & 4) != 0) options = {options.delimiter, options.quotes, 3, 8, 24};
  check_csv(text, options);
  const MemoryFile file(text);
  Mapping items;
  items.kind = ImportKind::kItems;
  Mapping events;
  events.constants = {{"type", "view"}, {"item", "i"}};
  check_rows(csv_parts(file.path(), items, options.delimiter));
  check_rows(csv_parts(file.path(), events, options.delimiter));
  check_rows(jsonl_parts(file.path(), items));
  check_rows(jsonl_parts(file.path(), {}));
  check_rows(read_grouplens_films({file.path(), "", ""}));
  check_rows(read_grouplens_ratings(file.path()));
  check_rows(read_recbole_films(file.path()));
  check_rows(read_recbole_ratings(file.path()));
  return 0;
}
