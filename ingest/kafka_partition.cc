#include "ingest/kafka_partition.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t kTakeAtOnce = 512;
constexpr Offset kReadOn = 4'096;  // farther ahead than this it is cheaper to seek
constexpr int kQueryMs = 5'000;
constexpr std::size_t kMessageBytes = 400;  // what librdkafka takes for one, beside its payload

bool before(const KafkaMessage& message, Offset offset) { return message->offset < offset; }

StoredRecord stored(const rd_kafka_message_t& message) {
  return {message.offset, rd_kafka_message_timestamp(&message, nullptr),
          std::string(payload_of(message))};
}

}  // namespace

KafkaPartition::~KafkaPartition() {
  window_.clear();
  if (queue_) rd_kafka_consume_stop(options_.topic, options_.partition.index);
}

Result<std::vector<StoredRecord>> KafkaPartition::read(Offset from, std::size_t max_records,
                                                       std::size_t max_bytes) {
  const std::lock_guard lock(mutex_);
  std::vector<StoredRecord> out;
  if (from < start_) return fail(Code::kNotFound, "no longer in the log");
  if (from >= end_ || max_records == 0) return out;
  MILLRACE_CHECK(go_to(from));
  std::size_t bytes = 0;
  Offset read_to = from;
  std::size_t at = static_cast<std::size_t>(
      std::lower_bound(window_.begin(), window_.end(), from, before) - window_.begin());
  while (out.size() < max_records) {
    if (at == window_.size()) {
      const bool wait = out.empty() && !dry_;
      const auto taken =
          take(std::min(kTakeAtOnce, max_records - out.size()), wait ? options_.arrive_ms : 0);
      if (!taken && out.empty()) return tl::unexpected<Error>(taken.error());
      if (!taken || !*taken) {
        dry_ = dry_ || wait;
        break;
      }
      at = static_cast<std::size_t>(
          std::lower_bound(window_.begin(), window_.end(), read_to, before) - window_.begin());
      continue;
    }
    const auto& message = *window_[at];
    if (!out.empty() && bytes + message.len > max_bytes) break;
    bytes += message.len;
    out.push_back(stored(message));
    read_to = message.offset + 1;
    ++at;
  }
  forget_old(read_to);
  check_supply();
  return out;
}

// The window holds `from`, or the queue gives it next.
Status KafkaPartition::go_to(Offset from) {
  if (!queue_) {
    if (rd_kafka_consume_start(options_.topic, options_.partition.index, from) != 0) {
      return fail(Code::kInternal, kafka_reason("cannot read from Kafka", rd_kafka_last_error()));
    }
    queue_.reset(rd_kafka_queue_get_partition(options_.client, rd_kafka_topic_name(options_.topic),
                                              options_.partition.index));
    static constexpr std::uint64_t kOne = 1;
    rd_kafka_queue_io_event_enable(queue_.get(), options_.wake_fd, &kOne, sizeof kOne);
    next_ = from;
    return {};
  }
  if (broken_ && broken_->code != Code::kCorrupt) return seek(from);
  if (broken_ && from >= next_) return tl::unexpected<Error>(*broken_);
  const bool held = !window_.empty() && window_.front()->offset <= from;
  if ((held && from < next_) || from == next_) return {};
  if (from < next_ || from - next_ > kReadOn) return seek(from);
  while (next_ < from) {
    MILLRACE_TRY(const bool taken, take(kTakeAtOnce, dry_ ? 0 : options_.arrive_ms));
    if (!taken) return seek(from);
    forget_old(from);
  }
  return {};
}

Status KafkaPartition::seek(Offset to) {
  const auto error = rd_kafka_seek(options_.topic, options_.partition.index, to, 0);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return fail(Code::kInternal, kafka_reason("cannot seek in Kafka", error));
  }
  window_.clear();
  window_bytes_ = 0;
  next_ = to;
  broken_.reset();
  dry_ = false;
  return {};
}

Result<bool> KafkaPartition::take(std::size_t limit, int wait_ms) {
  if (broken_) return tl::unexpected<Error>(*broken_);
  std::array<rd_kafka_message_t*, kTakeAtOnce> raw{};
  const auto ask = [&](int timeout_ms, std::size_t count) {
    const auto got = rd_kafka_consume_batch(options_.topic, options_.partition.index, timeout_ms,
                                            raw.data(), std::min(count, raw.size()));
    return static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  };
  auto count = ask(0, limit);
  // A batch is waited for until it is full, so only a single record is.
  if (count == 0 && wait_ms > 0) count = ask(wait_ms, 1);
  const auto held = window_.size();
  bool more = true;
  for (std::size_t i = 0; i < count; ++i) {
    KafkaMessage message(raw[i]);
    more = more && take_one(std::move(message));
  }
  if (window_.size() > held) {
    dry_ = false;
    return true;
  }
  if (broken_) return tl::unexpected<Error>(*broken_);
  return false;
}

// False: what came with it is not to be looked at.
bool KafkaPartition::take_one(KafkaMessage message) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    refuse(*message);
    return !broken_;
  }
  const auto offset = message->offset;
  if (offset < next_) return true;  // of a fetch from before a seek
  // Offsets may have gaps; but 2.0.2 is known to leave records out, so a gap is looked at twice.
  if (offset > next_ && gap_at_ != next_) {
    gap_at_ = next_;
    const auto error = rd_kafka_seek(options_.topic, options_.partition.index, next_, 0);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return false;
  }
  next_ = offset + 1;
  window_bytes_ += message->len + kMessageBytes;
  window_.push_back(std::move(message));
  return true;
}

// What librdkafka reports in place of a record. What mends itself is only logged.
void KafkaPartition::refuse(const rd_kafka_message_t& message) {
  const auto where = std::string(rd_kafka_topic_name(options_.topic)) + " " +
                     std::to_string(options_.partition.index) + " at " + std::to_string(next_);
  const auto reason = kafka_reason(where, message.err) + ": " + std::string(payload_of(message));
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      broken_ = Error{Code::kCorrupt, reason, {}};
      break;
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET: {
      const auto end = query(kQueryMs);
      broken_ = Error{Code::kCorrupt, where + ": the log was truncated or replaced", {}};
      if (end && next_ >= start_) broken_->detail += ", it ends at " + std::to_string(*end);
      if (end && next_ < start_) broken_ = Error{Code::kNotFound, "no longer in the log", {}};
      break;
    }
    default: log_error(reason);
  }
}

void KafkaPartition::forget_old(Offset read_to) {
  while (window_.size() > 1 && window_bytes_ > options_.window_bytes &&
         window_.front()->offset < read_to) {
    window_bytes_ -= window_.front()->len + kMessageBytes;
    window_.pop_front();
  }
}

// A fetcher that found every queue full sleeps for up to a second.
void KafkaPartition::check_supply() {
  const auto queued = rd_kafka_queue_length(queue_.get());
  if (queued >= options_.full_queue) was_full_ = true;
  if (queued >= options_.full_queue / 2) return;
  if (!was_full_ && next_ + static_cast<Offset>(queued) >= end_) return;
  was_full_ = false;
  options_.running_low();
}

Result<Offset> KafkaPartition::query(int timeout_ms) {
  std::int64_t low = 0;
  std::int64_t high = 0;
  const auto error =
      rd_kafka_query_watermark_offsets(options_.client, rd_kafka_topic_name(options_.topic),
                                       options_.partition.index, &low, &high, timeout_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return fail(Code::kUnavailable, kafka_reason("no answer from Kafka", error));
  }
  start_ = low;
  return high;
}

bool KafkaPartition::refresh_end() {
  std::int64_t low = 0;
  std::int64_t high = 0;
  rd_kafka_get_watermark_offsets(options_.client, rd_kafka_topic_name(options_.topic),
                                 options_.partition.index, &low, &high);
  return raise_end(high);
}

bool KafkaPartition::raise_end(Offset end) {
  auto known = end_.load();
  while (known < end) {
    if (end_.compare_exchange_weak(known, end)) return true;
  }
  return false;
}

}  // namespace millrace::ingest
