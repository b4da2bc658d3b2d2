#pragma once
#include <cstdint>
#include <istream>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millrace::ingest {

// The bytes of a file from a movable start, held only from there on: what a reader of rows needs to
// look ahead and to go back within a row. A leading UTF-8 byte order mark is dropped. One thread.
class Input {
 public:
  explicit Input(std::unique_ptr<std::istream> in);

  // Whether there is a byte at `i`, counted from the start; reads on as needed.
  bool has(std::size_t i) { return start_ + i < buffer_.size() || (!ended_ && read_to(i)); }
  char at(std::size_t i) const { return buffer_[start_ + i]; }  // only where has(i)
  std::string_view view(std::size_t from, std::size_t size) const {
    return std::string_view(buffer_).substr(start_ + from, size);
  }
  // Where the next `c` at or behind `from` is, as far as bytes are held; view().npos otherwise.
  std::size_t find(char c, std::size_t from) const {
    const auto found = buffer_.find(c, start_ + from);
    return found == buffer_.npos ? buffer_.npos : found - start_;
  }
  // How many bytes from the start are held.
  std::size_t held() const { return buffer_.size() - start_; }

  void advance(std::size_t bytes);  // moves the start; only over bytes that has() knows
  std::uint64_t taken() const { return taken_; }  // bytes of the file before the start

 private:
  bool read_to(std::size_t i);

  std::unique_ptr<std::istream> in_;
  std::string buffer_;
  std::size_t start_ = 0;
  std::uint64_t taken_ = 0;
  bool ended_ = false;
};

// A file to read from. kIo, with `path` in the detail, when that cannot be.
Result<std::unique_ptr<std::istream>> open_input(const std::string& path);

}  // namespace millrace::ingest
