#include "serving/surfaces/tracked_export.h"

#include <memory>
#include <string>
#include <utility>

namespace millrace::serving {
namespace {

// Belongs to one piece's job after the other.
struct File {
  File(ExportFormat of, TrackedPrinter with, RowSource from)
      : format(of), printer(std::move(with)), source(std::move(from)) {}

  Result<std::string> piece() {
    std::string text;
    if (ended) return text;
    if (!begun && format == ExportFormat::kCsv) {
      begun = true;
      text = printer.csv_header();
    }
    MILLRACE_TRY(const auto rows, source());
    ended = rows.empty();
    if (format == ExportFormat::kCsv) {
      for (const auto& row : rows) printer.append_csv(text, row);
    } else {
      append_json(text, rows);
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

}  // namespace

Exports::Piece tracked_file(ExportFormat format, TrackedPrinter printer, RowSource source) {
  return [file = std::make_shared<File>(format, std::move(printer), std::move(source))] {
    return file->piece();
  };
}

}  // namespace millrace::serving
