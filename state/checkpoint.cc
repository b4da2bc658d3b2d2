#include "state/checkpoint.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace millrace::state {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kFirstLine = "millrace checkpoint 1";
constexpr std::string_view kPrefix = "checkpoint-";

Status sync_path(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(Code::kIo, "cannot open " + path.string());
  const int failed = ::fsync(fd);
  ::close(fd);
  return failed != 0 ? Status(fail(Code::kIo, "cannot fsync " + path.string())) : Status();
}

Status sync_tree(const fs::path& root) {
  std::error_code error;
  for (fs::recursive_directory_iterator it(root, error), end; it != end; it.increment(error)) {
    MILLRACE_CHECK(sync_path(it->path()));
  }
  if (error) return fail(Code::kIo, root.string() + ": " + error.message());
  return sync_path(root);
}

}  // namespace

std::string database_folder(LogPartition partition) {
  return partition.topic == Topic::kCatalog ? "catalog"
                                            : "partition-" + std::to_string(partition.index);
}

std::string CheckpointManifest::text() const {
  std::ostringstream out;
  out << kFirstLine << '\n';
  for (const auto& [partition, entry] : partitions) {
    out << static_cast<int>(partition.topic) << ' ' << partition.index << ' ' << entry.next_offset
        << ' ' << entry.digest.low << ' ' << entry.digest.high << '\n';
  }
  out << "end " << partitions.size() << '\n';
  return out.str();
}

Result<CheckpointManifest> CheckpointManifest::parse(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::string line;
  if (!std::getline(in, line) || line != kFirstLine) {
    return fail(Code::kCorrupt, "the manifest is of no format that this program knows");
  }
  CheckpointManifest manifest;
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    if (line == "end " + std::to_string(manifest.partitions.size())) return manifest;
    int topic = 0;
    LogPartition partition;
    Entry entry;
    fields >> topic >> partition.index >> entry.next_offset >> entry.digest.low >>
        entry.digest.high;
    if (!fields || topic < 0 || topic > 1) break;
    partition.topic = static_cast<Topic>(topic);
    manifest.partitions[partition] = entry;
  }
  return fail(Code::kCorrupt, "the manifest is cut short or damaged");
}

Status seal_checkpoint(const std::string& directory, const CheckpointManifest& manifest) {
  {
    std::ofstream out(fs::path(directory) / kManifestName, std::ios::binary);
    out << manifest.text();
    if (!out.flush()) return fail(Code::kIo, "cannot write the manifest in " + directory);
  }
  return sync_tree(directory);
}

Result<CheckpointManifest> read_manifest(const std::string& directory) {
  std::ifstream in(fs::path(directory) / kManifestName, std::ios::binary);
  if (!in) return fail(Code::kNotFound, directory + " holds no checkpoint");
  std::ostringstream text;
  text << in.rdbuf();
  return CheckpointManifest::parse(text.str());
}

std::vector<std::string> list_checkpoints(const std::string& root) {
  std::vector<std::pair<std::uint64_t, std::string>> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root, error)) {
    const auto name = entry.path().filename().string();
    std::uint64_t number = 0;
    if (!name.starts_with(kPrefix)) continue;
    const auto* end = name.data() + name.size();
    if (std::from_chars(name.data() + kPrefix.size(), end, number).ptr != end) continue;
    if (fs::exists(entry.path() / kManifestName)) found.emplace_back(number, entry.path());
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> paths;
  for (auto& [number, path] : found) paths.push_back(std::move(path));
  return paths;
}

std::pair<std::string, std::string> next_checkpoint(const std::string& root) {
  std::uint64_t number = 1;
  std::error_code error;
  while (fs::exists(fs::path(root) / (std::string(kPrefix) + std::to_string(number)), error))
    ++number;
  const auto all = list_checkpoints(root);
  if (!all.empty()) {
    const auto name = fs::path(all.back()).filename().string();
    number = std::max<std::uint64_t>(number, std::stoull(name.substr(kPrefix.size())) + 1);
  }
  const auto name = std::string(kPrefix) + std::to_string(number);
  return {(fs::path(root) / name).string(), (fs::path(root) / ("making-" + name)).string()};
}

Status sync_folder(const std::string& directory) { return sync_path(directory); }

Status copy_folder(const std::string& from, const std::string& to) {
  std::error_code error;
  if (fs::exists(to, error)) return fail(Code::kConflict, to + " exists already");
  fs::create_directories(fs::path(to).parent_path(), error);
  fs::copy(from, to, fs::copy_options::recursive, error);
  if (error) return fail(Code::kIo, "cannot copy " + from + " to " + to + ": " + error.message());
  return sync_tree(to);
}

}  // namespace millrace::state
