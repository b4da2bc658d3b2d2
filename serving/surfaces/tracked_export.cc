#include "serving/surfaces/tracked_export.h"

#include <optional>

#include "base/log.h"

namespace millrace::serving {
namespace {

// Belongs to one piece's job after the other.
struct File {
  File(ExportFormat of, TrackedPrinter with, RowSource from)
      : format(of), printer(std::move(with)), source(std::move(from)) {}

  std::optional<std::string> piece() {
    std::string text;
    if (ended) return text;
    if (!begun && format == ExportFormat::kCsv) {
      begun = true;
      text = printer.csv_header();
    }
    const auto rows = source();
    if (!rows) {
      log_error("an export breaks off: " + rows.error().detail);
      return std::nullopt;
    }
    ended = rows->empty();
    if (format == ExportFormat::kCsv) {
      for (const auto& row : *rows) printer.append_csv(text, row);
    } else {
      append_json(text, *rows);
    }
    return text;
  }

  void append_json(std::string& text, const std::vector<Tracked>& rows) {
    for (const auto& row : rows) {
      text += begun ? ',' : '[';
      begun = true;
      JsonWriter out(text);
      printer.append_json(out, row);
    }
    if (ended) text += begun ? "]" : "[]";
  }

  const ExportFormat format;
  const TrackedPrinter printer;
  const RowSource source;
  bool begun = false;
  bool ended = false;
};

constexpr const char* kBrokenOff = "exports_broken_off_total";
constexpr const char* kBrokenOffHelp =
    "Exports of tracked rows that ended before their end: full, too many waited; unreadable, the "
    "log says why.";

}  // namespace

class Exports::Stream final : public BodyStream {
 public:
  Stream(Exports& exports, ExportFormat format, TrackedPrinter printer, RowSource source)
      : exports_(exports),
        file_(std::make_shared<File>(format, std::move(printer), std::move(source))) {}

  void next(Give give) override {
    const auto job = [file = file_, give, &unreadable = exports_.unreadable_](bool stopping) {
      if (stopping) return give(std::nullopt);
      auto piece = file->piece();
      if (!piece) unreadable.inc();
      give(std::move(piece));
    };
    if (exports_.thread_.submit(job, kMaxWaiting)) return;
    exports_.full_.inc();
    give(std::nullopt);
  }

 private:
  Exports& exports_;
  const std::shared_ptr<File> file_;
};

Exports::Exports(Metrics& metrics)
    : full_(metrics.counter(kBrokenOff, kBrokenOffHelp, {{"reason", "full"}})),
      unreadable_(metrics.counter(kBrokenOff, kBrokenOffHelp, {{"reason", "unreadable"}})) {}

std::shared_ptr<BodyStream> Exports::stream(ExportFormat format, TrackedPrinter printer,
                                            RowSource source) {
  return std::make_shared<Stream>(*this, format, std::move(printer), std::move(source));
}

}  // namespace millrace::serving
