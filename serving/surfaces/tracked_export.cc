#include "serving/surfaces/tracked_export.h"

#include <optional>

#include "base/log.h"

namespace millrace::serving {
namespace {

constexpr std::size_t kMaxWaiting = 10'000;  // pieces; each takes a millisecond or so

class Export final : public BodyStream {
 public:
  Export(WorkThread& thread, ExportFormat format, TrackedPrinter printer, RowSource source)
      : thread_(thread),
        file_(std::make_shared<File>(format, std::move(printer), std::move(source))) {}

  void next(Give give) override {
    const auto job = [file = file_, give](bool stopping) {
      give(stopping ? std::nullopt : file->piece());
    };
    if (!thread_.submit(job, kMaxWaiting)) give(std::nullopt);
  }

 private:
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

  WorkThread& thread_;
  const std::shared_ptr<File> file_;
};

}  // namespace

std::shared_ptr<BodyStream> export_stream(WorkThread& thread, ExportFormat format,
                                          TrackedPrinter printer, RowSource source) {
  return std::make_shared<Export>(thread, format, std::move(printer), std::move(source));
}

}  // namespace millrace::serving
