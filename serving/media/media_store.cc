#include "serving/media/media_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "state/checkpoint.h"

namespace millrace::serving {
namespace {

namespace fs = std::filesystem;

constexpr const char* kVideo = ".mp4";
constexpr const char* kPoster = ".jpg";
constexpr const char* kPart = ".part";

tl::unexpected<Error> no_room() {
  return fail(Code::kUnavailable, "the server has no room for this video");
}

tl::unexpected<Error> failed(const std::string& what, int error) {
  if (error == ENOSPC || error == EDQUOT) return no_room();
  return fail(Code::kIo, "cannot " + what + ": " + std::strerror(error));
}

}  // namespace

struct MediaFile::Hash {
  XXH3_state_t state;
};

MediaFile::MediaFile(MediaStore& store, std::string name, std::uint64_t reserved)
    : store_(store), name_(std::move(name)), reserved_(reserved), hash_(std::make_unique<Hash>()) {
  XXH3_128bits_reset(&hash_->state);
}

MediaFile::~MediaFile() {
  if (fd_ >= 0) ::close(fd_);
  if (kept_) return;
  if (fd_ >= 0) ::unlink((store_.path(name_) + kPart).c_str());
  store_.levels_->used -= reserved_;
}

Status MediaFile::append(std::string_view bytes) {
  if (fd_ < 0) {
    const auto path = store_.path(name_) + kPart;
    fd_ = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0640);
    if (fd_ < 0) return failed("create " + path, errno);
  }
  if (bytes_ + bytes.size() > reserved_) return fail(Code::kTooLarge, "is too large", "file");
  for (std::string_view rest = bytes; !rest.empty();) {
    const auto written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write " + store_.path(name_), errno);
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  XXH3_128bits_update(&hash_->state, bytes.data(), bytes.size());
  bytes_ += bytes.size();
  return {};
}

std::string MediaFile::digest() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&hash_->state));
  std::string text;
  for (const unsigned char byte : canonical.digest) {
    text += "0123456789abcdef"[byte >> 4U];
    text += "0123456789abcdef"[byte & 15U];
  }
  return text;
}

Status MediaFile::check() const {
  return check_mp4(bytes_, [this](std::uint64_t offset, std::size_t size) -> Result<std::string> {
    std::string bytes(size, '\0');
    const auto read = ::pread(fd_, bytes.data(), size, static_cast<off_t>(offset));
    if (read < 0) return failed("read " + store_.path(name_), errno);
    bytes.resize(static_cast<std::size_t>(read));
    return bytes;
  });
}

Status MediaFile::commit() {
  const auto path = store_.path(name_);
  if (::fsync(fd_) != 0) return failed("write " + path, errno);
  if (::rename((path + kPart).c_str(), path.c_str()) != 0) return failed("rename " + path, errno);
  kept_ = true;
  store_.levels_->used -= reserved_ - bytes_;
  ++store_.levels_->files;
  return state::sync_folder(store_.options_.directory);
}

MediaStore::MediaStore(const MediaOptions& options, Metrics& metrics) : options_(options) {
  auto& used = metrics.gauge("media_used_bytes", "Size of all videos, and of those on their way.");
  auto& files = metrics.gauge("media_files", "Videos on this node's disk.");
  auto& free =
      metrics.gauge("media_free_bytes", "What videos may still take: --media-bytes, or the disk.");
  metrics.on_scrape([levels = levels_, options, &used, &files, &free] {
    const auto taken = levels->used.load();
    std::error_code error;
    const auto disk = fs::space(options.directory, error).available;
    const auto left = taken < options.max_bytes ? options.max_bytes - taken : 0;
    used.set(static_cast<double>(taken));
    files.set(static_cast<double>(levels->files.load()));
    free.set(static_cast<double>(error ? left : std::min<std::uint64_t>(left, disk)));
  });
}

Result<std::unique_ptr<MediaStore>> MediaStore::open(const MediaOptions& options,
                                                     Metrics& metrics) {
  std::error_code error;
  fs::create_directories(options.directory, error);
  if (error) {
    return fail(Code::kIo, "cannot create " + options.directory + ": " + error.message());
  }
  std::unique_ptr<MediaStore> store(new MediaStore(options, metrics));
  store->count();
  return store;
}

void MediaStore::count() {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(options_.directory, ignored)) {
    const auto extension = entry.path().extension();
    if (extension == kPart) fs::remove(entry.path(), ignored);
    if (extension != kVideo) continue;
    levels_->used += entry.file_size(ignored);
    ++levels_->files;
  }
}

Result<std::unique_ptr<MediaFile>> MediaStore::create(const std::string& name,
                                                      std::uint64_t bytes) {
  if (levels_->used.fetch_add(bytes) + bytes > options_.max_bytes) {
    levels_->used -= bytes;
    return no_room();
  }
  return std::unique_ptr<MediaFile>(new MediaFile(*this, name, bytes));
}

bool MediaStore::has(const std::string& name) const {
  std::error_code ignored;
  return fs::exists(path(name), ignored);
}

void MediaStore::remove_all_but(const std::set<std::string>& names, std::chrono::seconds age) {
  const auto before = fs::file_time_type::clock::now() - age;
  std::vector<std::string> gone;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(options_.directory, ignored)) {
    const auto extension = entry.path().extension();
    if (extension != kVideo && extension != kPoster) continue;
    if (entry.last_write_time(ignored) > before || names.contains(entry.path().stem())) continue;
    gone.push_back(entry.path().stem());
  }
  for (const auto& name : gone) remove(name);
}

std::string MediaStore::path(const std::string& name) const {
  return options_.directory + "/" + name + kVideo;
}

std::string MediaStore::poster(const std::string& name) const {
  return options_.directory + "/" + name + kPoster;
}

void MediaStore::remove(const std::string& name) {
  std::error_code error;
  const auto bytes = fs::file_size(path(name), error);
  if (!error && fs::remove(path(name), error)) {
    levels_->used -= bytes;
    --levels_->files;
  }
  fs::remove(poster(name), error);
}

}  // namespace millrace::serving
