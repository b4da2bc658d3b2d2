#include "ingest/importers/csv.h"

#include <algorithm>

namespace millrace::ingest {

CsvReader::CsvReader(std::unique_ptr<std::istream> in, CsvOptions options)
    : input_(std::move(in)), options_(options) {}

std::span<const std::string> CsvReader::fields() const {
  return std::span(fields_).first(error_.empty() ? count_ : 0);
}

bool CsvReader::next() {
  while (input_.has(0)) {
    line_ = next_line_;
    error_.clear();
    bad_quote_ = false;
    count_ = 0;
    at_ = 0;
    const bool empty = !parse_row();
    if (bad_quote_) {
      give_up_line();
    } else {
      take_row();
    }
    if (!empty) return true;
  }
  return false;
}

// False for an empty line. Leaves at_ before the line's end.
bool CsvReader::parse_row() {
  if (at_line_end()) return false;
  for (;;) {
    begin_field();
    if (options_.quotes && input_.has(at_) && input_.at(at_) == '"') {
      parse_quoted();
    } else {
      parse_plain();
    }
    if (bad_quote_ || !input_.has(at_) || input_.at(at_) != options_.delimiter) return true;
    ++at_;
    if (!within_row()) return true;
  }
}

void CsvReader::begin_field() {
  if (count_ == options_.max_fields) {
    refuse("has more than " + std::to_string(options_.max_fields) + " fields");
    return;
  }
  if (count_ == fields_.size()) fields_.emplace_back();
  fields_[count_++].clear();
}

void CsvReader::append(std::size_t from, std::size_t size) {
  if (!error_.empty()) return;
  std::string& field = fields_[count_ - 1];
  if (field.size() + size > options_.max_field_bytes) {
    refuse("has a field of more than " + std::to_string(options_.max_field_bytes) + " bytes");
    return;
  }
  field.append(input_.view(from, size));
}

void CsvReader::parse_plain() {
  const std::size_t start = at_;
  while (input_.has(at_) && input_.at(at_) != options_.delimiter && !at_line_end()) {
    ++at_;
    if (!within_row()) break;
  }
  append(start, at_ - start);
}

void CsvReader::parse_quoted() {
  std::size_t start = ++at_;
  for (;;) {
    if (!input_.has(at_) || at_ > options_.max_row_bytes) {
      bad_quote_ = true;
      return refuse("has a quote that is never closed");
    }
    if (input_.at(at_) != '"') {
      ++at_;
      continue;
    }
    const bool doubled = input_.has(at_ + 1) && input_.at(at_ + 1) == '"';
    append(start, at_ - start + (doubled ? 1 : 0));
    at_ += doubled ? 2 : 1;
    start = at_;
    if (!doubled) break;
  }
  if (input_.has(at_) && input_.at(at_) != options_.delimiter && !at_line_end()) {
    bad_quote_ = true;
    refuse("has text behind a closing quote");
  }
}

// Whether the row is still of a size that is kept; the rest of one that is not is dropped.
bool CsvReader::within_row() {
  if (at_ <= options_.max_row_bytes) return true;
  refuse("is longer than " + std::to_string(options_.max_row_bytes) + " bytes");
  return false;
}

bool CsvReader::at_line_end() {
  if (!input_.has(at_)) return true;
  const char c = input_.at(at_);
  return c == '\n' || (c == '\r' && input_.has(at_ + 1) && input_.at(at_ + 1) == '\n') ||
         (c == '\r' && !input_.has(at_ + 1));
}

void CsvReader::refuse(std::string rule) {
  if (error_.empty()) error_ = std::move(rule);
}

// Moves behind the first line of the row.
void CsvReader::give_up_line() {
  at_ = 0;
  take_row();
}

// Moves behind the end of the line that at_ is in.
void CsvReader::take_row() {
  const std::string_view row = input_.view(0, at_);
  next_line_ += static_cast<std::uint64_t>(std::count(row.begin(), row.end(), '\n'));
  input_.advance(at_);
  at_ = 0;
  while (input_.has(0)) {
    const std::size_t end = input_.find('\n', 0);
    if (end != std::string_view::npos) {
      input_.advance(end + 1);
      ++next_line_;
      return;
    }
    input_.advance(input_.held());
  }
}

}  // namespace millrace::ingest
