#include "ingest/kafka_log.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "ingest/kafka_appender.h"
#include "ingest/kafka_client.h"
#include "ingest/kafka_ends.h"
#include "ingest/kafka_partition.h"
#include "ingest/kafka_topics.h"

namespace millrace::ingest {
namespace {

constexpr int kFirstAnswerMs = 10'000;
constexpr int kAnswerMs = 1'000;
constexpr int kServeEveryMs = 50;   // when nothing happens
constexpr int kWatchEveryMs = 250;  // one partition each time
constexpr int kNudgeEveryMs = 10;
constexpr int kAskAgainMs = 50;
// What librdkafka takes for a queued record of usual size, and the framing of a batch.
constexpr std::size_t kQueuedRecordBytes = 512;
constexpr std::size_t kFramingBytes = 64u << 10;

tl::unexpected<Error> no_partition() {
  return fail(Code::kInvalid, "no such partition", "partition");
}

std::size_t messages_of(std::size_t bytes) {
  return std::clamp<std::size_t>(bytes / kQueuedRecordBytes, 500, 100'000);
}

KafkaClientOptions consumer_options(const KafkaLogOptions& options, std::size_t bytes) {
  KafkaClientOptions consumer;
  consumer.type = RD_KAFKA_CONSUMER;
  consumer.connection = options.connection;
  const auto fetch = std::clamp<std::size_t>(bytes / 8, 64u << 10, 1u << 20);
  consumer.ours = {
      {"auto.offset.reset", "error"},
      {"enable.auto.commit", "false"},
      {"check.crcs", "true"},
      {"fetch.wait.max.ms", "25"},  // a partition that starts waits so long at most
      {"fetch.error.backoff.ms", "100"},
      {"fetch.message.max.bytes", std::to_string(fetch)},
      {"queued.min.messages", std::to_string(messages_of(bytes))},
      {"queued.max.messages.kbytes", std::to_string(std::max<std::size_t>(1, bytes / 1024))}};
  return consumer;
}

// A partition may be between two leaders, so the question is asked until the deadline.
Result<Offset> first_end(KafkaPartition& partition) {
  const auto until = steady_micros() + std::int64_t{kFirstAnswerMs} * 1000;
  for (;;) {
    auto end = partition.query(kFirstAnswerMs);
    if (end || steady_micros() > until) return end;
    std::this_thread::sleep_for(std::chrono::milliseconds(kAskAgainMs));
  }
}

class EventFd {
 public:
  EventFd() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~EventFd() { ::close(fd_); }
  EventFd(const EventFd&) = delete;
  EventFd& operator=(const EventFd&) = delete;
  int get() const { return fd_; }
  void raise() const {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(fd_, &one, sizeof one));  // full is raised too
  }
  void wait(int timeout_ms) const {
    pollfd waiting{fd_, POLLIN, 0};
    std::uint64_t count = 0;
    if (::poll(&waiting, 1, timeout_ms) > 0) static_cast<void>(!::read(fd_, &count, sizeof count));
  }

 private:
  int fd_;
};

}  // namespace

// In the order in which they may go, backwards.
struct KafkaLog::Parts {
  EventFd wake;
  KafkaHandle consumer;
  KafkaTopic interactions, catalog;
  std::vector<std::unique_ptr<KafkaPartition>> partitions;  // by slot
  std::unique_ptr<KafkaAppender> appender;                  // null: for reading only
  std::unique_ptr<KafkaEnds> ends;

  std::uint16_t interaction_count() const {
    return static_cast<std::uint16_t>(partitions.size() - 1);
  }
  KafkaPartition* find(LogPartition partition) const {
    const auto slot = slot_of(partition, interaction_count());
    return slot ? partitions[*slot].get() : nullptr;
  }
};

KafkaLog::KafkaLog(KafkaLogOptions options)
    : options_(std::move(options)),
      writable_(options_.metrics->gauge("log_writable", "1 while the log accepts appends.")),
      parts_(std::make_unique<Parts>()) {}

Result<std::unique_ptr<KafkaLog>> KafkaLog::open(KafkaLogOptions options) {
  std::unique_ptr<KafkaLog> log(new KafkaLog(std::move(options)));
  MILLRACE_CHECK(log->connect());
  return log;
}

Status KafkaLog::connect() {
  const auto largest = static_cast<int>(options_.max_record_bytes + kFramingBytes);
  const auto interactions = options_.prefix + "interactions";
  const auto catalog = options_.prefix + "catalog";
  // The number of partitions decides about the consumer's buffers, so a first client asks for it.
  int count = 0;
  {
    MILLRACE_TRY(const auto client, kafka_client(consumer_options(options_, 1u << 20)));
    const auto rules =
        options_.check_topics ? TopicWish::Rules::kLog : TopicWish::Rules::kLogUnchecked;
    MILLRACE_TRY(count, ensure_topic(client.get(), {interactions, options_.interaction_partitions,
                                                    largest, rules}));
    MILLRACE_CHECK(ensure_topic(client.get(), {catalog, 1, largest, rules}).map([](int) {}));
  }
  if (count > kMaxLogPartitions) {
    return fail(Code::kInvalid, "topic " + interactions + " has " + std::to_string(count) +
                                    " partitions; the limit is " +
                                    std::to_string(kMaxLogPartitions));
  }
  const auto slots = static_cast<std::size_t>(count) + 1;
  MILLRACE_TRY(parts_->consumer,
               kafka_client(consumer_options(options_, options_.buffer_bytes / slots)));
  MILLRACE_TRY(parts_->interactions, kafka_topic(parts_->consumer.get(), interactions));
  MILLRACE_TRY(parts_->catalog, kafka_topic(parts_->consumer.get(), catalog));
  MILLRACE_CHECK(open_partitions(count));
  if (options_.access == LogAccess::kWrite) {
    KafkaAppender::Options appender{options_.connection,
                                    interactions,
                                    catalog,
                                    options_.max_record_bytes,
                                    options_.max_queued_bytes,
                                    options_.append_deadline_ms,
                                    parts_->wake.get()};
    const auto find_end = [this](LogPartition partition) -> std::optional<Offset> {
      const auto end = parts_->find(partition)->query(kAnswerMs);
      return end ? std::optional(*end) : std::nullopt;
    };
    MILLRACE_TRY(parts_->appender, KafkaAppender::open(appender, find_end, *options_.metrics));
  }
  MILLRACE_TRY(parts_->ends, KafkaEnds::open({options_.connection, interactions, catalog, count}));
  answered_us_ = steady_micros();
  watch_thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
  service_thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  return {};
}

Status KafkaLog::open_partitions(int interactions) {
  const auto slots = static_cast<std::size_t>(interactions) + 1;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    KafkaPartition::Options options;
    options.client = parts_->consumer.get();
    options.partition = slot + 1 == slots
                            ? kCatalogPartition
                            : LogPartition{Topic::kInteractions, static_cast<std::uint16_t>(slot)};
    options.topic = slot + 1 == slots ? parts_->catalog.get() : parts_->interactions.get();
    options.arrive_ms = options_.arrive_ms;
    options.wake_fd = parts_->wake.get();
    options.full_queue = messages_of(options_.buffer_bytes / slots);
    options.running_low = [this, slot] {
      {
        const std::lock_guard lock(watch_mutex_);
        hungry_ = static_cast<int>(slot);
      }
      watch_cv_.notify_one();
    };
    parts_->partitions.push_back(std::make_unique<KafkaPartition>(std::move(options)));
    MILLRACE_TRY(const auto end, first_end(*parts_->partitions.back()));
    parts_->partitions.back()->raise_end(end);
  }
  return {};
}

KafkaLog::~KafkaLog() {
  wake_all();
  service_thread_.request_stop();
  wake_service();
  watch_thread_ = {};
  service_thread_ = {};
}

std::optional<Error> KafkaLog::refusal_of(const std::vector<Append>& records) const {
  for (const Append& record : records) {
    if (parts_->find(record.partition) == nullptr) return no_partition().value();
    if (record.bytes.size() > options_.max_record_bytes) {
      return Error{Code::kTooLarge,
                   "a record of " + std::to_string(record.bytes.size()) + " bytes; the limit is " +
                       std::to_string(options_.max_record_bytes),
                   {}};
    }
  }
  const auto status = writable();
  return status ? std::nullopt : std::optional(status.error());
}

void KafkaLog::append(std::vector<Append> records, std::function<void(AppendResult)> done) {
  if (auto refusal = refusal_of(records)) {
    return refuse(std::move(done), tl::unexpected(*std::move(refusal)));
  }
  if (records.empty()) return refuse(std::move(done), std::vector<Offset>());
  if (parts_->appender->append(records, done)) return;
  refuse(std::move(done), fail(Code::kExhausted, "too many appends are waiting for Kafka"));
}

// Answered by the service thread, as everything is.
void KafkaLog::refuse(std::function<void(AppendResult)> done, AppendResult result) {
  {
    const std::lock_guard lock(refused_mutex_);
    refused_.emplace_back(std::move(done), std::move(result));
  }
  wake_service();
}

void KafkaLog::wake_service() const { parts_->wake.raise(); }

void KafkaLog::serve(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    parts_->wake.wait(kServeEveryMs);
    serve_once();
  }
  const auto until = steady_micros() + std::int64_t{options_.append_deadline_ms} * 1000;
  while (parts_->appender && !parts_->appender->idle() && steady_micros() < until) {
    parts_->wake.wait(kServeEveryMs);
    serve_once();
  }
  if (!parts_->appender) return;
  for (auto& answer : parts_->appender->close().answers) answer.done(std::move(answer.result));
}

// What waits for a position is told that it is there before the append that made it is answered.
void KafkaLog::serve_once() {
  auto served = parts_->appender ? parts_->appender->serve() : KafkaAppender::Served{};
  bool moved = false;
  for (const auto& [partition, end] : served.ends) moved |= parts_->find(partition)->raise_end(end);
  for (const auto& partition : parts_->partitions) moved |= partition->refresh_end();
  if (moved) tell_moved();
  for (auto& answer : served.answers) answer.done(std::move(answer.result));
  decltype(refused_) refused;
  {
    const std::lock_guard lock(refused_mutex_);
    refused.swap(refused_);
  }
  for (auto& [done, result] : refused) done(std::move(result));
  writable_.set(writable() ? 1 : 0);
}

// One partition after the other, and at once the one whose readers have caught up with the fetcher:
// the question also wakes a fetcher that sleeps because it found its queues full.
void KafkaLog::watch(const std::stop_token& stop) {
  const int every_ms = std::clamp(options_.unwritable_after_ms / 4, 1, kWatchEveryMs);
  std::size_t next = 0;
  while (!stop.stop_requested()) {
    std::size_t slot = next++ % parts_->partitions.size();
    {
      std::unique_lock lock(watch_mutex_);
      const bool nudged = watch_cv_.wait_for(lock, stop, std::chrono::milliseconds(every_ms),
                                             [this] { return hungry_ >= 0; });
      if (nudged) slot = static_cast<std::size_t>(std::exchange(hungry_, -1));
    }
    if (stop.stop_requested()) return;
    auto& partition = *parts_->partitions[slot];
    if (const auto end = partition.query(kAnswerMs)) {
      answered_us_ = steady_micros();
      if (partition.raise_end(*end)) tell_moved();
    }
    std::unique_lock lock(watch_mutex_);
    watch_cv_.wait_for(lock, stop, std::chrono::milliseconds(kNudgeEveryMs), [] { return false; });
  }
}

void KafkaLog::tell_moved() {
  {
    const std::lock_guard lock(wait_mutex_);
    wait_cv_.notify_all();
  }
  const std::lock_guard lock(durable_mutex_);
  if (on_durable_) on_durable_();
}

Result<std::vector<StoredRecord>> KafkaLog::read(LogPartition partition, Offset from,
                                                 std::size_t max_records,
                                                 std::size_t max_bytes) const {
  auto* const found = parts_->find(partition);
  if (found == nullptr) return no_partition();
  return found->read(from, max_records, max_bytes);
}

Offset KafkaLog::start(LogPartition partition) const {
  const auto* const found = parts_->find(partition);
  return found == nullptr ? 0 : found->start();
}

Offset KafkaLog::end(LogPartition partition) const {
  const auto* const found = parts_->find(partition);
  return found == nullptr ? 0 : found->end();
}

void KafkaLog::fresh_end(std::function<void(std::optional<Position>)> done) const {
  parts_->ends->ask(std::move(done));
}

bool KafkaLog::wait_beyond(LogPartition partition, Offset from, int timeout_ms) const {
  const auto* const found = parts_->find(partition);
  if (found == nullptr) return false;
  std::unique_lock lock(wait_mutex_);
  const auto before = wakes_;
  wait_cv_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                    [&] { return wakes_ != before || found->end() > from; });
  return found->end() > from;
}

void KafkaLog::wake_all() {
  const std::lock_guard lock(wait_mutex_);
  ++wakes_;
  wait_cv_.notify_all();
}

void KafkaLog::on_durable(std::function<void()> wake) {
  const std::lock_guard lock(durable_mutex_);
  on_durable_ = std::move(wake);
}

Status KafkaLog::trim(std::span<const std::pair<LogPartition, Offset>> keep_from) {
  for (const auto& [partition, offset] : keep_from) {
    if (parts_->find(partition) == nullptr) return no_partition();
  }
  return {};
}

Status KafkaLog::writable() const {
  if (!parts_->appender) return fail(Code::kUnavailable, "the log is open for reading only");
  const auto limit_ms = options_.unwritable_after_ms;
  const auto silent_ms = (steady_micros() - answered_us_) / 1000;
  if (silent_ms > limit_ms) {
    return fail(Code::kUnavailable, "Kafka at " + options_.connection.bootstrap +
                                        " has not answered for " + std::to_string(silent_ms) +
                                        " ms");
  }
  const auto waiting_ms = parts_->appender->oldest_waiting_ms();
  if (waiting_ms > limit_ms) {
    return fail(Code::kUnavailable,
                "Kafka has not confirmed an append for " + std::to_string(waiting_ms) + " ms");
  }
  return {};
}

std::uint16_t KafkaLog::interaction_partitions() const { return parts_->interaction_count(); }

}  // namespace millrace::ingest
