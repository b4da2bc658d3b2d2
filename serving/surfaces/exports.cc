#include "serving/surfaces/exports.h"

#include <optional>
#include <utility>

#include "base/log.h"

namespace millrace::serving {
namespace {

constexpr const char* kBrokenOff = "exports_broken_off_total";
constexpr const char* kBrokenOffHelp =
    "Exports that ended before their end: full, too many waited; unreadable, the log says why.";

}  // namespace

class Exports::Stream final : public BodyStream {
 public:
  Stream(Exports& exports, Piece piece)
      : exports_(exports), piece_(std::make_shared<const Piece>(std::move(piece))) {}

  void next(Give give) override {
    const auto job = [piece = piece_, give, &unreadable = exports_.unreadable_](bool stopping) {
      if (stopping) return give(std::nullopt);
      auto made = (*piece)();
      if (made) return give(*std::move(made));
      log_error("an export breaks off: " + made.error().detail);
      unreadable.inc();
      give(std::nullopt);
    };
    if (exports_.thread_.submit(job, kMaxWaiting)) return;
    exports_.full_.inc();
    give(std::nullopt);
  }

 private:
  Exports& exports_;
  const std::shared_ptr<const Piece> piece_;
};

Exports::Exports(Metrics& metrics)
    : full_(metrics.counter(kBrokenOff, kBrokenOffHelp, {{"reason", "full"}})),
      unreadable_(metrics.counter(kBrokenOff, kBrokenOffHelp, {{"reason", "unreadable"}})) {}

std::shared_ptr<BodyStream> Exports::stream(Piece piece) {
  return std::make_shared<Stream>(*this, std::move(piece));
}

}  // namespace millrace::serving
