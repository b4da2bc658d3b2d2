#include "ingest/importers/input.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace millrace::ingest {
namespace {

constexpr std::size_t kBlock = 64 * 1024;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

Input::Input(std::unique_ptr<std::istream> in) : in_(std::move(in)) {
  if (has(2) && view(0, 3) == kByteOrderMark) advance(3);
}

void Input::advance(std::size_t bytes) {
  start_ += bytes;
  taken_ += bytes;
}

bool Input::read_to(std::size_t i) {
  // What lies before the start is let go only when it is worth the move.
  if (start_ >= kBlock) {
    buffer_.erase(0, start_);
    start_ = 0;
  }
  while (!ended_ && start_ + i >= buffer_.size()) {
    const std::size_t before = buffer_.size();
    buffer_.resize(before + kBlock);
    in_->read(buffer_.data() + before, static_cast<std::streamsize>(kBlock));
    buffer_.resize(before + static_cast<std::size_t>(in_->gcount()));
    ended_ = !in_->good();
  }
  return start_ + i < buffer_.size();
}

Result<std::unique_ptr<std::istream>> open_input(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return fail(Code::kIo, path + " is a folder, not a file", "path");
  }
  auto in = std::make_unique<std::ifstream>(path, std::ios::binary);
  if (!in->is_open()) {
    return fail(Code::kIo, "cannot read " + path + ": " + std::strerror(errno), "path");
  }
  return in;
}

}  // namespace millrace::ingest
