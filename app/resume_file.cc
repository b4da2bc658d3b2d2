#include "app/resume_file.h"

#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "schemas/json_value.h"
#include "schemas/json_writer.h"
#include "state/digest.h"

namespace millrace::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kVersion = 1;

template <class Mark, class Visit>
void for_numbers(Mark& mark, Visit visit) {
  visit("part", mark.part);
  visit("rows", mark.rows);
  visit("previous", mark.previous);
  visit("items_created", mark.totals.items_created);
  visit("items_replaced", mark.totals.items_replaced);
  visit("events_accepted", mark.totals.events_accepted);
  visit("duplicates", mark.totals.duplicates);
  visit("rejected", mark.totals.rejected);
}

bool read_number(const Json& json, const char* name, std::uint64_t& into) {
  const Json* found = json.find(name);
  if (found == nullptr || found->kind != JsonKind::kNumber) return false;
  const char* end = found->text.data() + found->text.size();
  const auto [at, error] = std::from_chars(found->text.data(), end, into);
  return error == std::errc{} && at == end;
}

}  // namespace

std::optional<ImportMark> ResumeFile::load() const {
  std::ifstream in(path_, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto json = parse_json(text);
  if (!json.has_value()) return std::nullopt;
  std::uint64_t version = 0;
  const Json* fingerprint = json->find("fingerprint");
  if (!read_number(*json, "version", version) || version != kVersion || fingerprint == nullptr) {
    return std::nullopt;
  }
  ImportMark mark;
  mark.fingerprint = fingerprint->text;
  bool whole = true;
  for_numbers(mark, [&](const char* name, std::uint64_t& into) {
    whole = read_number(*json, name, into) && whole;
  });
  return whole ? std::optional(mark) : std::nullopt;
}

Status ResumeFile::save(const ImportMark& mark) const {
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  out.member("version", kVersion);
  out.member("fingerprint", mark.fingerprint);
  for_numbers(mark, [&](const char* name, std::uint64_t value) { out.member(name, value); });
  out.end_object();
  const fs::path path(path_);
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  const std::string draft = path_ + ".new";
  std::ofstream file(draft, std::ios::binary | std::ios::trunc);
  file << text << '\n';
  file.close();
  if (!file) return fail(Code::kIo, "cannot write " + draft);
  fs::rename(draft, path, error);
  if (error) return fail(Code::kIo, "cannot write " + path_ + ": " + error.message());
  return {};
}

void ResumeFile::remove() const {
  std::error_code ignored;
  fs::remove(path_, ignored);
}

std::string import_fingerprint(const std::vector<std::string>& files, const std::string& meaning,
                               const std::string& target) {
  std::string text = meaning + '\n' + target;
  for (const auto& file : files) {
    std::error_code error;
    const auto size = fs::file_size(file, error);
    const auto changed = fs::last_write_time(file, error).time_since_epoch().count();
    text += '\n' + fs::absolute(file, error).lexically_normal().string() + '\t' +
            std::to_string(size) + '\t' + std::to_string(changed);
  }
  return state::row_digest("import", text).text();
}

std::string default_resume_path(const std::string& fingerprint) {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  fs::path folder = "/var/tmp/millrace-" + std::to_string(::getuid());
  if (state != nullptr && *state != '\0') {
    folder = fs::path(state) / "millrace";
  } else if (home != nullptr && *home != '\0') {
    folder = fs::path(home) / ".local/state/millrace";
  }
  return (folder / ("import-" + fingerprint.substr(0, 16) + ".json")).string();
}

}  // namespace millrace::app
