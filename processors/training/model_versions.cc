#include "processors/training/model_versions.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace millrace::processors {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kVersionDigits = 16;
constexpr const char* kMetricsSuffix = ".metrics";

fs::path versions_of(const std::string& folder) { return fs::path(folder) / "versions"; }

std::string version_of(const ModelFile& file) { return file.checksum().substr(0, kVersionDigits); }

std::string in_use(const std::string& folder, std::string_view name) {
  const auto file = read_model(folder, name);
  return file ? version_of(*file) : std::string();
}

UnixMillis millis_of(fs::file_time_type time) {
  const auto since = fs::file_time_type::clock::to_sys(time).time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

tl::unexpected<Error> io(const std::string& what, const std::error_code& error) {
  return fail(Code::kIo, "cannot " + what + ": " + error.message());
}

}  // namespace

std::vector<ModelVersion> model_versions(const std::string& folder, std::string_view name) {
  std::vector<std::pair<fs::file_time_type, ModelVersion>> found;
  const auto current = in_use(folder, name);
  const std::string prefix = std::string(name) + ".";
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(versions_of(folder), error)) {
    const auto file_name = entry.path().filename().string();
    if (!file_name.starts_with(prefix) || file_name.ends_with(kMetricsSuffix)) continue;
    const auto file = read_model_from(entry.path().string(), name);
    if (!file || prefix + version_of(*file) != file_name) continue;
    const auto version = version_of(*file);
    const auto written = entry.last_write_time(error);
    found.emplace_back(written,
                       ModelVersion{std::string(name), version, version == current, file->position,
                                    millis_of(written), entry.file_size(error),
                                    text_of(entry.path().string() + kMetricsSuffix)});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first, a.second.version) > std::pair(b.first, b.second.version);
  });
  std::vector<ModelVersion> all;
  all.reserve(found.size());
  for (auto& one : found) all.push_back(std::move(one.second));
  return all;
}

Status keep_version(const std::string& folder, std::string_view name, const std::string& metrics) {
  MILLRACE_TRY(const auto file, read_model(folder, name));
  const auto versions = versions_of(folder);
  const auto kept = versions / (std::string(name) + "." + version_of(file));
  std::error_code error;
  fs::create_directories(versions, error);
  if (error) return io("create " + versions.string(), error);
  if (!fs::exists(kept, error)) {
    fs::create_hard_link(fs::path(folder) / name, kept,
                         error);  // files are replaced, never changed
    if (error) return io("link " + kept.string(), error);
  }
  std::ofstream(kept.string() + kMetricsSuffix, std::ios::binary) << metrics;
  auto all = model_versions(folder, name);
  while (all.size() > kVersionsKept) {
    auto oldest = all.end() - 1;
    if (oldest->in_use) --oldest;
    const auto path = versions / (std::string(name) + "." + oldest->version);
    fs::remove(path, error);
    fs::remove(path.string() + kMetricsSuffix, error);
    all.erase(oldest);
  }
  return {};
}

Result<ModelVersion> promote_version(const std::string& folder, std::string_view name,
                                     const std::string& version) {
  const auto all = model_versions(folder, name);
  auto found = all.end();
  if (version.empty()) {
    found = std::find_if(all.begin(), all.end(), [](const auto& one) { return one.in_use; });
    if (found != all.end()) ++found;
  } else {
    found = std::find_if(all.begin(), all.end(),
                         [&](const auto& one) { return one.version == version; });
  }
  if (found == all.end()) {
    return fail(Code::kNotFound, version.empty() ? "no version is kept from before the one in use"
                                                 : "no version of this model is named so");
  }
  const auto path = versions_of(folder) / (std::string(name) + "." + found->version);
  MILLRACE_TRY(const auto file, read_model_from(path.string(), name));
  MILLRACE_CHECK(write_model(folder, file));
  auto promoted = *found;
  promoted.in_use = true;
  return promoted;
}

}  // namespace millrace::processors
