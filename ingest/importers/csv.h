#pragma once
#include <cstdint>
#include <istream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ingest/importers/input.h"

namespace millrace::ingest {

struct CsvOptions {
  char delimiter = ',';
  bool quotes = true;  // false: a quote is a character like any other, as in RecBole's files
  std::size_t max_fields = 1024;
  std::size_t max_field_bytes = 64 * 1024;
  std::size_t max_row_bytes = 1024 * 1024;
};

// Reads rows of RFC 4180, and what is found beyond it: any delimiter, LF or CRLF, a byte order
// mark, quotes in the middle of an unquoted field, no line break at the end. Empty lines are
// skipped. Memory is bounded by max_row_bytes plus a block, whatever the input. One thread.
class CsvReader {
 public:
  explicit CsvReader(std::unique_ptr<std::istream> in, CsvOptions options = {});

  // Goes to the next row; false at the end. A row that breaks a rule has an error and no fields; if
  // a quote is what is wrong, only its first line is given up, and the next row starts behind it.
  bool next();
  std::span<const std::string> fields() const;         // valid until next()
  const std::string& error() const { return error_; }  // the rule broken; empty for a good row
  std::uint64_t line() const { return line_; }         // where the row starts, from 1
  std::uint64_t bytes() const { return input_.taken(); }

 private:
  bool parse_row();
  void parse_quoted();
  void parse_plain();
  void append(std::size_t from, std::size_t size);
  void begin_field();
  bool within_row();
  bool at_line_end();
  void refuse(std::string rule);
  void give_up_line();
  void take_row();

  Input input_;
  CsvOptions options_;
  std::vector<std::string> fields_;  // the first count_ are the row's
  std::size_t count_ = 0;
  std::string error_;
  bool bad_quote_ = false;
  std::size_t at_ = 0;  // in the input, from the row's start
  std::uint64_t line_ = 0;
  std::uint64_t next_line_ = 1;
};

}  // namespace millrace::ingest
