#pragma once
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <streambuf>
#include <string>
#include <string_view>

#include "schemas/dataset.h"

namespace millrace::serving {

// The bytes of a file on their way from a connection to the thread that reads them as a stream.
// What waits in memory is bounded by whoever pushes, who hears when there is room; while it is not
// known what the file holds, the bytes go to a nameless temporary file. Thread-safe but for the
// stream itself, which is its reader's.
class DatasetInput final : public std::streambuf {
 public:
  static constexpr std::size_t kWindow = 128 * 1024;  // that wait in memory
  static constexpr std::size_t kPiece = 64 * 1024;    // read from the temporary file at once

  // ---- the connection's ----
  // False: it is full; `ready` is then called once, from the reader's thread, when it is not.
  bool push(std::string_view bytes, std::function<void()> ready);
  void set_type(DatasetType type);
  // Nothing follows. `whole`: that was all of the file; else it has broken off.
  void close(bool whole);

  // ---- the reader's ----
  // Waits until the type is known; nothing: the file has ended without one, or has broken off.
  std::optional<DatasetType> type();
  bool whole() const;  // nothing has broken off so far
  std::uint64_t bytes() const;
  // Nothing is read any more: what comes is dropped.
  void stop_reading();

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  int_type underflow() override;
  bool next_spooled();
  std::string take(std::unique_lock<std::mutex>& lock);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::function<void()> ready_;
  std::optional<DatasetType> type_;
  bool closed_ = false;
  bool whole_ = true;
  bool reading_ = true;
  std::uint64_t bytes_ = 0;
  std::unique_ptr<std::FILE, CloseFile> spooled_;  // the reader's, as what follows
  std::string piece_;
};

}  // namespace millrace::serving
