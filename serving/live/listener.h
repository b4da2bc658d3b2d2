#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/metrics.h"
#include "serving/http/caller.h"
#include "serving/live/filter.h"

namespace millrace::serving {

// What listeners are sent, made once for all of them.
struct LiveMessage {
  const char* event = "";  // its kind: what `event` in the text says
  std::string position;    // empty: it stands for no event
  std::string json;
};

// Why a listener ends: a close code of WebSocket, ours from 4400 on.
struct LiveEnd {
  std::uint16_t code = 0;
  std::string reason;
};
inline constexpr std::uint16_t kGoingAway = 1001;
inline constexpr std::uint16_t kBadFilter = 4400;
inline constexpr std::uint16_t kAccessEnded = 4401;
inline constexpr std::uint16_t kTooSlow = 4408;

enum class LiveForm : std::uint8_t { kSocket, kEventStream };

struct LiveBounds {
  std::size_t messages = 1'024;
  std::size_t bytes = 256 * 1024;
};

// One listener's queue, between the hub's thread, which never waits for it, and its connection's.
// What does not fit is dropped, and a notice with the count takes its place. Thread-safe.
class LiveListener {
 public:
  struct Figures {
    Counter& sent;
    Counter& dropped;
  };
  LiveListener(LiveForm form, Caller caller, LiveBounds bounds, Figures figures);

  struct Piece {
    std::string bytes;  // of a socket one message's text, of an event stream some of its lines
    std::optional<LiveEnd> end{};  // after `bytes`
  };
  using Give = std::function<void(Piece)>;
  // What is there to send, now or when there is something; one call at a time. Nothing after an
  // end.
  void next(Give give);

  void push(const std::shared_ptr<const LiveMessage>& message);
  // So many events went by that nobody compared with its filter.
  void miss(std::uint64_t events);
  void end(LiveEnd end);
  // Sends an event stream a comment when it has heard nothing for so long. Steady microseconds.
  void beat(std::int64_t now, std::int64_t silence_us);
  // Something has been waiting for so long that it does not take.
  bool stalled(std::int64_t now, std::int64_t us) const;

  bool ended() const;  // and was told so

  const Caller& caller() const { return caller_; }

  // The hub's thread's alone.
  LiveFilter filter;

 private:
  bool fits(std::size_t bytes) const;
  void enqueue(std::shared_ptr<const LiveMessage> message);
  std::shared_ptr<const LiveMessage> notice();
  void append(std::string& out, const LiveMessage& message) const;
  std::optional<Piece> take();
  void hand_over(std::unique_lock<std::mutex> lock);

  const LiveForm form_;
  const Caller caller_;
  const LiveBounds bounds_;
  const Figures figures_;

  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const LiveMessage>> queue_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;  // since the last notice
  std::uint64_t missed_ = 0;   // the same
  std::optional<LiveEnd> end_;
  bool ended_ = false;  // and told
  Give give_;           // empty: it is sending
  std::int64_t taken_at_;
};

}  // namespace millrace::serving
