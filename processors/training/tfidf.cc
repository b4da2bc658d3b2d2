#include "processors/training/tfidf.h"

#include <utf8proc.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace millrace::processors {
namespace {

using CodePoint = utf8proc_int32_t;
constexpr CodePoint kCapitalSigma = 0x3a3;
constexpr CodePoint kSmallSigma = 0x3c3;
constexpr CodePoint kFinalSigma = 0x3c2;
constexpr CodePoint kCapitalDottedI = 0x130;
constexpr CodePoint kDotAbove = 0x307;
constexpr CodePoint kNone = -1;  // stands for bytes that are no UTF-8

std::vector<CodePoint> decode(std::string_view text) {
  std::vector<CodePoint> out;
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (auto left = static_cast<utf8proc_ssize_t>(text.size()); left > 0;) {
    CodePoint point = kNone;
    const auto read = std::max<utf8proc_ssize_t>(1, utf8proc_iterate(at, left, &point));
    out.push_back(point);
    at += read;
    left -= read;
  }
  return out;
}

bool is_cased(CodePoint point) {
  const auto category = utf8proc_category(point);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
         category == UTF8PROC_CATEGORY_LT;
}

bool is_mark(CodePoint point) {
  const auto category = utf8proc_category(point);
  return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME ||
         category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_LM ||
         category == UTF8PROC_CATEGORY_SK || point == '\'' || point == '.' || point == ':';
}

// Unicode's rule Final_Sigma: behind a cased letter and before none, marks aside.
bool ends_a_word(const std::vector<CodePoint>& text, std::size_t at) {
  std::size_t before = at;
  while (before > 0 && is_mark(text[before - 1])) --before;
  std::size_t behind = at + 1;
  while (behind < text.size() && is_mark(text[behind])) ++behind;
  return before > 0 && is_cased(text[before - 1]) &&
         (behind == text.size() || !is_cased(text[behind]));
}

std::vector<CodePoint> lower(const std::vector<CodePoint>& text) {
  std::vector<CodePoint> out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == kCapitalDottedI) {
      out.insert(out.end(), {'i', kDotAbove});
    } else if (text[i] == kCapitalSigma) {
      out.push_back(ends_a_word(text, i) ? kFinalSigma : kSmallSigma);
    } else {
      out.push_back(text[i] == kNone ? kNone : utf8proc_tolower(text[i]));
    }
  }
  return out;
}

// Python's \w: letters and numbers of any script, and the underscore.
bool in_word(CodePoint point) {
  if (point == '_') return true;
  const auto category = utf8proc_category(point);
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
         (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

}  // namespace

std::vector<std::string> words_of_text(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  std::size_t length = 0;
  const auto end_word = [&] {
    if (length >= 2) words.push_back(word);
    word.clear();
    length = 0;
  };
  for (const CodePoint point : lower(decode(text))) {
    if (!in_word(point)) {
      end_word();
      continue;
    }
    utf8proc_uint8_t bytes[4];
    const auto size = utf8proc_encode_char(point, bytes);
    word.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    ++length;
  }
  end_word();
  return words;
}

TfIdf TfIdf::fit(std::span<const std::string> texts, std::span<const std::uint32_t> weights) {
  std::map<std::string, double> having;
  double all = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    all += weights[i];
    const auto words = words_of_text(texts[i]);
    for (const auto& word : std::set<std::string>(words.begin(), words.end())) {
      having[word] += weights[i];
    }
  }
  TfIdf out;
  for (const auto& [word, texts_with] : having) {
    out.words.push_back(word);
    out.idf.push_back(std::log((1 + all) / (1 + texts_with)) + 1);
  }
  return out;
}

SparseRow TfIdf::transform(std::string_view text) const {
  std::map<std::uint32_t, double> counts;
  for (const auto& word : words_of_text(text)) {
    const auto at = std::lower_bound(words.begin(), words.end(), word);
    if (at != words.end() && *at == word) ++counts[static_cast<std::uint32_t>(at - words.begin())];
  }
  SparseRow row;
  double length = 0;
  for (const auto& [column, count] : counts) {
    row.columns.push_back(column);
    row.values.push_back(count * idf[column]);
    length += row.values.back() * row.values.back();
  }
  for (double& value : row.values) value /= std::sqrt(length);
  return row;
}

}  // namespace millrace::processors
