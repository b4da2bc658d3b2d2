#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "schemas/position.h"

namespace millrace::processors {

inline constexpr std::string_view kCategoryModelName = "plain_category_fit_model";
inline constexpr std::string_view kNeighbourModelName = "user_cat_interaction_model";
inline constexpr std::string_view kSequenceModelName = "deep_learning";
inline constexpr std::string_view kLinearModelName = "linear_model";

// A trained model as a file: one line of text, `millrace-model 1 NAME POSITION CHECKSUM BYTES`,
// then the model, BYTES of protobuf (schemas/proto/models.proto). CHECKSUM is XXH3-128 over name,
// position and model; POSITION is that of the log up to which the model knows it.
struct ModelFile {
  std::string name;
  Position position;
  std::string model;
  std::string checksum() const;  // 32 hex digits
};

// Replaces a file in one step: written beside it, fsynced, renamed. Its folder is made.
Status replace_file(const std::string& path, std::string_view bytes);
// The model's file likewise, wherever it is to be, or under its name in a folder.
Status write_model_to(const std::string& path, const ModelFile& file);
Status write_model(const std::string& folder, const ModelFile& file);
// kNotFound: there is none; kCorrupt: it is not what was written, or of a newer version.
Result<ModelFile> read_model_from(const std::string& path, std::string_view name);
Result<ModelFile> read_model(const std::string& folder, std::string_view name);

// A model's file, as it is found to be.
struct ModelReport {
  std::string name;
  Position position;
  std::string problem;  // empty: sound
};
// Reads every model in `folder` whole, and compares its position with the log's end, where each is
// one past the last record.
std::vector<ModelReport> verify_models(const std::string& folder,
                                       const std::map<LogPartition, Offset>& ends);

}  // namespace millrace::processors
