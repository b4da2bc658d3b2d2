#include "processors/training/model_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "processors/training/category_model.h"
#include "processors/training/linear_model.h"
#include "processors/training/neighbour_model.h"
#include "processors/training/sequence_model.h"
#include "state/checkpoint.h"
#include "state/digest.h"

namespace millrace::processors {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kMagic = "millrace-model";
constexpr int kVersion = 1;

std::string position_text(const Position& position) {
  return position.empty() ? "-" : position.text();
}

Status write_file(const fs::path& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return fail(Code::kIo, "cannot create " + path.string());
  bool whole = true;
  while (whole && !text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    whole = written > 0;
    if (whole) text.remove_prefix(static_cast<std::size_t>(written));
  }
  whole = whole && ::fsync(fd) == 0;
  ::close(fd);
  return whole ? Status() : Status(fail(Code::kIo, "cannot write " + path.string()));
}

Result<ModelFile> parse(std::string_view name, const std::string& text) {
  const auto corrupt = [&](const char* why) {
    return fail(Code::kCorrupt, "the model " + std::string(name) + " " + why);
  };
  const auto line_end = text.find('\n');
  std::istringstream line(text.substr(0, line_end));
  std::string magic, named, position, checksum;
  int version = 0;
  std::size_t bytes = 0;
  if (line_end == text.npos || !(line >> magic >> version) || magic != kMagic) {
    return corrupt("is no model's file");
  }
  if (version != kVersion) return corrupt("is of a version that this program does not know");
  if (!(line >> named >> position >> checksum >> bytes) || named != name) {
    return corrupt("has a damaged first line");
  }
  ModelFile file{named, {}, text.substr(line_end + 1)};
  if (file.model.size() != bytes) return corrupt("is not as long as it says");
  if (position != "-") {
    auto parsed = Position::parse(position);
    if (!parsed) return corrupt("has a damaged position");
    file.position = *parsed;
  }
  if (file.checksum() != checksum) return corrupt("does not have the checksum that it says");
  return file;
}

struct Decoder {
  std::string_view name;
  Status (*decode)(const ModelFile&);
};
// THE list of models.
constexpr Decoder kDecoders[] = {
    {kCategoryModelName,
     [](const ModelFile& file) -> Status {
       return CategoryModel::decode(file).map([](const auto&) {});
     }},
    {kNeighbourModelName,
     [](const ModelFile& file) -> Status {
       return NeighbourModel::decode(file, {}).map([](const auto&) {});
     }},
    {kLinearModelName,
     [](const ModelFile& file) -> Status {
       return LinearModel::decode(file, {}).map([](const auto&) {});
     }},
    {kSequenceModelName,
     [](const ModelFile& file) -> Status {
       return SequenceModel::decode(file, {}).map([](const auto&) {});
     }},
};

}  // namespace

std::string ModelFile::checksum() const {
  return state::row_digest(name + " " + position_text(position), model).text();
}

Status replace_file(const std::string& path, std::string_view bytes) {
  const fs::path target = path;
  std::error_code error;
  const std::string folder = target.has_parent_path() ? target.parent_path().string() : ".";
  fs::create_directories(folder, error);
  if (error) return fail(Code::kIo, "cannot create " + folder + ": " + error.message());
  const fs::path draft = path + ".new";
  MILLRACE_CHECK(write_file(draft, bytes));
  fs::rename(draft, target, error);
  if (error) return fail(Code::kIo, "cannot write " + path + ": " + error.message());
  return state::sync_folder(folder);
}

Status write_model_to(const std::string& path, const ModelFile& file) {
  std::ostringstream text;
  text << kMagic << ' ' << kVersion << ' ' << file.name << ' ' << position_text(file.position)
       << ' ' << file.checksum() << ' ' << file.model.size() << '\n'
       << file.model;
  return replace_file(path, text.str());
}

Status write_model(const std::string& folder, const ModelFile& file) {
  return write_model_to((fs::path(folder) / file.name).string(), file);
}

Result<ModelFile> read_model(const std::string& folder, std::string_view name) {
  return read_model_from((fs::path(folder) / name).string(), name);
}

Result<ModelFile> read_model_from(const std::string& path, std::string_view name) {
  std::error_code error;
  if (!fs::exists(path, error)) return fail(Code::kNotFound, "there is no " + path);
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open() || in.bad()) return fail(Code::kIo, "cannot read " + path);
  return parse(name, text);
}

std::vector<ModelReport> verify_models(const std::string& folder,
                                       const std::map<LogPartition, Offset>& ends) {
  std::vector<ModelReport> reports;
  for (const auto& [name, decode] : kDecoders) {
    const auto file = read_model(folder, name);
    if (!file && file.error().code == Code::kNotFound) continue;
    auto& report = reports.emplace_back();
    report.name = name;
    if (!file) {
      report.problem = file.error().detail;
      continue;
    }
    report.position = file->position;
    const Status decoded = decode(*file);
    if (!decoded) report.problem = decoded.error().detail;
    for (const auto& [partition, offset] : file->position.at()) {
      const auto end = ends.find(partition);
      if (end == ends.end() || offset >= end->second) report.problem = "is of another log";
    }
  }
  return reports;
}

}  // namespace millrace::processors
