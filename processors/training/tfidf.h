#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::processors {

// A vector that is 0 but at `columns`, ascending.
struct SparseRow {
  std::vector<std::uint32_t> columns;
  std::vector<double> values;
};

// The words of a text as scikit-learn's TfidfVectorizer finds them by default: in lower case as
// Python's str.lower() has it, runs of two or more letters, digits and underscores
// (token_pattern r"(?u)\b\w\w+\b"). Bytes that are no UTF-8 part words.
std::vector<std::string> words_of_text(std::string_view text);

// TfidfVectorizer's defaults (https://scikit-learn.org, Text feature extraction): a text's vector
// is, per word t, tf(t) * idf(t), idf(t) = ln((1 + n) / (1 + df(t))) + 1, divided by its
// Euclidean length. n texts, df(t) of which have the word; here each text stands for `weight` equal
// ones.
struct TfIdf {
  std::vector<std::string> words;  // ascending: a word's place is its column
  std::vector<double> idf;         // by column

  static TfIdf fit(std::span<const std::string> texts, std::span<const std::uint32_t> weights);
  // Words that fit() has not seen do not count.
  SparseRow transform(std::string_view text) const;
};

}  // namespace millrace::processors
