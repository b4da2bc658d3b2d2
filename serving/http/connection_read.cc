// From a connection's bytes to requests and bodies.
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "serving/http/connection.h"
#include "serving/http/problem.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kMaxHeldBack = 256 * 1024;  // bytes of pipelined answers

}  // namespace

Connection::Next Connection::parse() {
  using State = RequestParser::State;
  while (in_begin_ < in_end_) {
    const std::string_view bytes(in_.data() + in_begin_, in_end_ - in_begin_);
    const bool head = parser_.state() == State::kHead;
    in_begin_ += head ? parser_.feed_head(bytes) : parser_.feed(bytes);
    Next next = Next::kParse;
    if (head && parser_.state() == State::kBody) {
      next = begin_body();
    } else if (parser_.state() == State::kFailed) {
      return refuse(parser_.status(), parser_.reason(), rejection_of(parser_.status()));
    } else if (sink_) {
      next = hand_on();
    } else if (!charge_body(parser_.request().body.size())) {
      return refuse(429, "The server holds as many request bodies as it may.",
                    Rejection::kBodyMemory);
    } else if (parser_.state() != State::kDone) {
      return want_more();
    } else {
      next = serve();
    }
    const bool full = out_.size() >= state_.options.max_pipelined || out_bytes_ >= kMaxHeldBack;
    // A body that may have to wait does not hold back the answers before it.
    const bool behind = sink_ && !out_.empty();
    if (next != Next::kParse || full || behind) return next;
  }
  return want_more();
}

// Sets the deadline of what is being waited for, once, when it begins.
Connection::Next Connection::want_more() {
  const ServerOptions& options = state_.options;
  if (parser_.state() == RequestParser::State::kBody) {
    if (phase_ == Phase::kBody) return Next::kRead;
    const auto bytes = sink_ ? parser_.most_body() : 0;
    enter(Phase::kBody,
          options.body_deadline + std::chrono::seconds(bytes / options.body_bytes_per_second));
    if (parser_.expects_continue() && !std::exchange(continued_, true)) {
      send({100, "HTTP/1.1 100 Continue\r\n\r\n", {}, {}, {}, false});
    }
  } else if (parser_.started() || in_begin_ < in_end_) {
    if (phase_ != Phase::kHead) enter(Phase::kHead, options.head_deadline);
  } else {
    if (state_.stopping) return Next::kClose;
    enter(Phase::kIdle, options.idle_deadline);
  }
  return Next::kRead;
}

Connection::Next Connection::begin_body() {
  if (dispatcher_.streams(parser_.request())) return serve();
  parser_.limit_body(state_.options.parse.body_bytes);
  if (parser_.state() == RequestParser::State::kBody) return Next::kParse;
  return refuse(parser_.status(), parser_.reason(), rejection_of(parser_.status()));
}

Connection::Next Connection::receive(std::shared_ptr<BodySink> sink) {
  if (parser_.state() == RequestParser::State::kBody) parser_.limit_body(sink->max_bytes());
  if (parser_.state() == RequestParser::State::kFailed) {
    return refuse(parser_.status(), parser_.reason(), rejection_of(parser_.status()));
  }
  if (!charge_body(BodySink::kWindow)) {
    return refuse(429, "The server holds as many request bodies as it may.",
                  Rejection::kBodyMemory);
  }
  sink_ = std::move(sink);
  paused_ = false;
  ++body_;
  return parser_.state() == RequestParser::State::kDone ? finish_body() : Next::kParse;
}

Connection::Next Connection::hand_on() {
  auto bytes = std::exchange(parser_.request().body, {});
  auto taken = BodySink::Taken::kMore;
  if (!bytes.empty()) {
    continued_ = true;  // whoever sends already does not wait to be asked
    taken = sink_->take(std::move(bytes),
                        [mailbox = worker_.mailbox(), connection = weak_from_this(), body = body_] {
                          const std::lock_guard lock(mailbox->mutex);
                          if (mailbox->worker == nullptr) return;
                          mailbox->post([connection, body] {
                            if (const auto alive = connection.lock()) alive->on_room(body);
                          });
                        });
  }
  if (parser_.state() == RequestParser::State::kDone || taken == BodySink::Taken::kEnough) {
    return finish_body();
  }
  if (taken == BodySink::Taken::kMore) return want_more();
  want_more();  // the deadline goes on
  paused_ = true;
  return Next::kPause;
}

void Connection::on_room(std::uint64_t body) {
  if (!paused_ || !sink_ || body != body_) return;
  paused_ = false;
  drive(Next::kParse);
}

Connection::Next Connection::finish_body() {
  const auto sink = std::exchange(sink_, nullptr);
  charge_body(0);
  phase_ = Phase::kServing;
  deadline_ = 0;
  served_at_ = steady_micros();
  last_request_ = last_request_ || state_.stopping;
  Answer answer = sink->finish();
  if (auto* reply = std::get_if<Reply>(&answer)) return respond(std::move(*reply));
  return begin_later(std::get<Later>(std::move(answer)));
}

}  // namespace millrace::serving
