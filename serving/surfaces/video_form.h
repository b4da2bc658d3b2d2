#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "schemas/access.h"
#include "schemas/item.h"
#include "schemas/position.h"
#include "serving/deps.h"
#include "serving/http/body_sink.h"
#include "serving/http/multipart.h"
#include "serving/media/media.h"
#include "serving/media/upload.h"

namespace millrace::serving {

// Whose upload it is.
struct Uploader {
  UserId user;
  AccountId account;  // 0: nobody's
  std::optional<Actor> actor;
  std::string command;
  Position position;  // to be visible before the product is looked for
};

// The form of an upload as it comes: `file` goes to the disk, the fields are kept until all is
// there. Then the file is checked, synced and renamed, and the video put into the catalog.
class VideoForm final : public BodySink, private FormReader {
 public:
  static constexpr std::uint64_t kOverhead = 64 * 1024;  // what a form may take beside its file

  // `body_bytes` of the whole form. kUnavailable: there is no room for it.
  static Result<std::shared_ptr<VideoForm>> open(const Deps& deps, Uploader by,
                                                 const std::string& boundary,
                                                 std::uint64_t body_bytes,
                                                 std::shared_ptr<void> place);

  std::uint64_t max_bytes() const override;
  Taken take(std::string bytes, std::function<void()> ready) override;
  Answer finish() override;

 private:
  struct Field {
    std::string text;
    bool given = false;
  };

  VideoForm(const Deps& deps, Uploader by, const std::string& boundary, std::string name,
            std::unique_ptr<MediaFile> file, std::shared_ptr<void> place);
  Status begin(const FormPart& part) override;
  Status data(std::string_view bytes) override;
  Status end() override;
  Status take_file(std::string_view bytes);
  Field* field_named(std::string_view name);
  Result<Item> item() const;

  const Deps deps_;
  const Uploader by_;
  const std::string name_;  // of the file
  const std::shared_ptr<void> place_;
  const std::shared_ptr<Upload> upload_;
  FormParser parser_;
  std::function<void()> ready_;
  std::optional<Error> error_;
  bool wait_ = false;

  Field title_, product_, tags_;
  Field file_;                // `text`: its first bytes, until they are told
  Field* present_ = nullptr;  // the part that is being read; null: nobody asks for it
  const char* present_name_ = "";
};

}  // namespace millrace::serving
