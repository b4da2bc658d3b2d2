#include "serving/live/listener.h"

#include <utility>

#include "base/clock.h"
#include "schemas/json_writer.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;
constexpr std::size_t kMessageCost = 64;  // of one that waits, beside its text

std::size_t cost(const LiveMessage& message) { return message.json.size() + kMessageCost; }

}  // namespace

LiveListener::LiveListener(LiveForm form, Caller caller, LiveBounds bounds, Figures figures)
    : form_(form),
      caller_(caller),
      bounds_(bounds),
      figures_(figures),
      taken_at_(steady_micros()) {}

bool LiveListener::fits(std::size_t bytes) const {
  return queue_.size() < bounds_.messages && bytes_ + bytes <= bounds_.bytes;
}

void LiveListener::enqueue(std::shared_ptr<const LiveMessage> message) {
  bytes_ += cost(*message);
  queue_.push_back(std::move(message));
}

std::shared_ptr<const LiveMessage> LiveListener::notice() {
  auto message = std::make_shared<LiveMessage>();
  message->event = "dropped";
  JsonWriter out(message->json);
  out.begin_object();
  out.member("event", message->event);
  out.member("count", std::exchange(dropped_, 0));
  out.member("unseen", std::exchange(missed_, 0));
  out.end_object();
  return message;
}

void LiveListener::append(std::string& out, const LiveMessage& message) const {
  if (form_ == LiveForm::kSocket) {
    out += message.json;
    return;
  }
  if (!message.position.empty()) out += "id: " + message.position + "\n";
  out += std::string("event: ") + message.event + "\ndata: " + message.json + "\n\n";
}

std::optional<LiveListener::Piece> LiveListener::take() {
  if (ended_) return std::nullopt;
  if (queue_.empty() && (dropped_ > 0 || missed_ > 0)) enqueue(notice());
  Piece piece;
  std::size_t messages = 0;
  while (!queue_.empty() &&
         (messages == 0 || (form_ == LiveForm::kEventStream && piece.bytes.size() < kPieceBytes))) {
    append(piece.bytes, *queue_.front());
    bytes_ -= cost(*queue_.front());
    queue_.pop_front();
    ++messages;
  }
  if (queue_.empty() && end_ && (form_ == LiveForm::kEventStream || messages == 0)) {
    piece.end = std::move(end_);
    ended_ = true;
  }
  if (messages == 0 && !ended_) return std::nullopt;
  if (messages > 0) figures_.sent.inc(static_cast<double>(messages));
  taken_at_ = steady_micros();
  return piece;
}

// To whom waits for it.
void LiveListener::hand_over(std::unique_lock<std::mutex> lock) {
  if (!give_) return;
  auto piece = take();
  if (!piece) return;
  const auto give = std::exchange(give_, nullptr);
  lock.unlock();
  give(*std::move(piece));
}

void LiveListener::next(Give give) {
  std::unique_lock lock(mutex_);
  taken_at_ = steady_micros();
  give_ = std::move(give);
  hand_over(std::move(lock));
}

void LiveListener::push(const std::shared_ptr<const LiveMessage>& message) {
  std::unique_lock lock(mutex_);
  if (end_ || ended_) return;
  const bool after_gap = dropped_ > 0 || missed_ > 0;
  if (!fits(cost(*message) + (after_gap ? kMessageCost : 0))) {
    ++dropped_;
    figures_.dropped.inc();
    return;
  }
  if (after_gap) enqueue(notice());
  enqueue(message);
  hand_over(std::move(lock));
}

void LiveListener::miss(std::uint64_t events) {
  std::unique_lock lock(mutex_);
  if (end_ || ended_) return;
  missed_ += events;
  hand_over(std::move(lock));
}

void LiveListener::end(LiveEnd end) {
  std::unique_lock lock(mutex_);
  if (end_ || ended_) return;
  end_ = std::move(end);
  // Who may not hear any more, or does not, hears nothing more.
  queue_.clear();
  bytes_ = dropped_ = missed_ = 0;
  hand_over(std::move(lock));
}

void LiveListener::beat(std::int64_t now, std::int64_t silence_us) {
  std::unique_lock lock(mutex_);
  if (form_ != LiveForm::kEventStream || !give_ || now - taken_at_ < silence_us) return;
  const auto give = std::exchange(give_, nullptr);
  lock.unlock();
  give({":\n\n"});
}

bool LiveListener::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

bool LiveListener::stalled(std::int64_t now, std::int64_t us) const {
  const std::lock_guard lock(mutex_);
  return !give_ && !queue_.empty() && now - taken_at_ > us;
}

}  // namespace millrace::serving
