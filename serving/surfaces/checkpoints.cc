#include "serving/surfaces/checkpoints.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "schemas/json_writer.h"
#include "serving/surfaces/common.h"
#include "serving/surfaces/slow_work.h"
#include "state/checkpoint.h"
#include "state/digest.h"

namespace millrace::serving {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kPartBytes = std::int64_t{4} << 20;  // of a file, in one answer
constexpr std::size_t kMaxReading = 64;                     // requests that wait for the disk
constexpr std::size_t kMaxTaking = 16;                      // requests that wait for checkpoints
constexpr std::int64_t kMaxAgeMs = 3'600'000;

struct File {
  std::string path;  // below the checkpoint
  std::uint64_t bytes = 0;
};

// In order; the manifest last, so that whoever copies a part has none.
Result<std::vector<File>> files_of(const fs::path& checkpoint) {
  std::error_code error;
  std::vector<File> files;
  for (fs::recursive_directory_iterator at(checkpoint, error), end; !error && at != end;
       at.increment(error)) {
    if (!at->is_regular_file(error)) continue;
    files.push_back({at->path().lexically_relative(checkpoint).string(), at->file_size(error)});
  }
  if (error) return fail(Code::kIo, "cannot read " + checkpoint.string() + ": " + error.message());
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) {
    return std::pair(a.path == state::kManifestName, a.path) <
           std::pair(b.path == state::kManifestName, b.path);
  });
  return files;
}

std::uint64_t bytes_of(const std::vector<File>& files) {
  std::uint64_t bytes = 0;
  for (const auto& file : files) bytes += file.bytes;
  return bytes;
}

Reply take_checkpoint(const Deps& deps, std::int64_t max_age_ms) {
  const auto path = deps.checkpoint(max_age_ms);
  if (!path) return problem(path.error());
  const auto manifest = state::read_manifest(*path);
  if (!manifest) return problem(manifest.error());
  const auto files = files_of(*path);
  if (!files) return problem(files.error());
  Position position;
  for (const auto& [partition, entry] : manifest->partitions) {
    if (entry.next_offset > 0) position.include(partition, entry.next_offset - 1);
  }
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("path", *path);
  out.member("name", fs::path(*path).filename().string());
  out.member("position", position.text());
  out.member("bytes", bytes_of(*files));
  out.end_object();
  return json_reply(std::move(body));
}

// The folder of a whole checkpoint; being read from keeps it for a while.
Result<fs::path> checkpoint_named(const std::string& name, const Deps& deps) {
  for (const auto& path : state::list_checkpoints(deps.checkpoints)) {
    if (fs::path(path).filename() != name) continue;
    std::error_code ignored;
    fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
    return fs::path(path);
  }
  return fail(Code::kNotFound, "no checkpoint has this name");
}

Reply list_files(const std::string& name, const Deps& deps) {
  const auto checkpoint = checkpoint_named(name, deps);
  if (!checkpoint) return problem(checkpoint.error());
  const auto files = files_of(*checkpoint);
  if (!files) return problem(files.error());
  std::string body;
  JsonWriter out(body);
  out.begin_object();
  out.member("bytes", bytes_of(*files));
  out.key("files");
  out.begin_array();
  for (const auto& file : *files) {
    out.begin_object();
    out.member("path", file.path);
    out.member("bytes", file.bytes);
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return json_reply(std::move(body));
}

Result<std::string> part_of(const fs::path& path, std::int64_t offset) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes(static_cast<std::size_t>(kPartBytes), '\0');
  in.seekg(offset);
  in.read(bytes.data(), kPartBytes);
  if (!in && !in.eof()) return fail(Code::kIo, "cannot read " + path.string());
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes;
}

Reply read_file(const std::string& name, const std::string& file, std::int64_t offset,
                const Deps& deps) {
  const auto checkpoint = checkpoint_named(name, deps);
  if (!checkpoint) return problem(checkpoint.error());
  const auto files = files_of(*checkpoint);
  if (!files) return problem(files.error());
  const bool known = std::any_of(files->begin(), files->end(),
                                 [&](const File& found) { return found.path == file; });
  if (!known) return problem({Code::kNotFound, "no file of the checkpoint has this name", {}});
  auto bytes = part_of(*checkpoint / file, offset);
  if (!bytes) return problem(bytes.error());
  Reply reply;
  reply.content_type = "application/octet-stream";
  reply.headers.emplace_back("X-Millrace-Digest", state::row_digest({}, *bytes).text());
  reply.body = *std::move(bytes);
  return reply;
}

std::string param(const Request& request, const char* name) {
  const auto found = request.params.find(name);
  return found == request.params.end() ? std::string() : found->second;
}

Answer get_file(const Request& request, const Deps& deps, WorkThread& reading) {
  const auto offset = int_param(request, "offset", 0, 0, (std::int64_t{1} << 53) - 1);
  if (!offset) return problem(offset.error());
  return on_work_thread(reading, kMaxReading,
                        [deps, name = param(request, "name"), file = param(request, "file"),
                         offset = *offset] { return read_file(name, file, offset, deps); });
}

Answer post_checkpoint(const Request& request, const Deps& deps, WorkThread& taking) {
  const auto max_age = int_param(request, "max_age_ms", 0, 0, kMaxAgeMs);
  if (!max_age) return problem(max_age.error());
  return on_work_thread(taking, kMaxTaking,
                        [deps, max_age = *max_age] { return take_checkpoint(deps, max_age); });
}

}  // namespace

std::vector<Route> checkpoint_routes(const Deps& deps) {
  struct Threads {
    WorkThread taking;
    WorkThread reading;
  };
  const auto threads = std::make_shared<Threads>();
  return {
      {"POST", "/v1/admin/checkpoint", Policy::kAdmin,
       [deps, threads](const Request& request) {
         return post_checkpoint(request, deps, threads->taking);
       }},
      {"GET", "/v1/admin/checkpoints/{name}", Policy::kAdmin,
       [deps, threads](const Request& request) {
         return on_work_thread(
             threads->reading, kMaxReading,
             [deps, name = param(request, "name")] { return list_files(name, deps); });
       }},
      {"GET", "/v1/admin/checkpoints/{name}/files/{file}", Policy::kAdmin,
       [deps, threads](const Request& request) {
         return get_file(request, deps, threads->reading);
       }},
  };
}

}  // namespace millrace::serving
