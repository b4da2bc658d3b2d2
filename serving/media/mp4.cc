#include "serving/media/mp4.h"

#include <string_view>
#include <vector>

namespace millrace::serving {
namespace {

constexpr std::size_t kMaxBoxes = 100'000;           // looked at in one file
constexpr std::uint64_t kVideoHandler = 0x76696465;  // "vide"
constexpr std::uint64_t kHead = 8;                   // size and type
constexpr std::uint64_t kLongHead = 16;              // with the size in 64 bits

tl::unexpected<Error> no_mp4(const std::string& why) {
  return fail(Code::kInvalid, "must be an MP4 video: " + why, "file");
}

std::uint64_t number(std::string_view big_endian) {
  std::uint64_t value = 0;
  for (const char c : big_endian) value = (value << 8) | static_cast<unsigned char>(c);
  return value;
}

struct Box {
  std::string type;
  std::uint64_t begin = 0;  // of its content
  std::uint64_t end = 0;
};

class Boxes {
 public:
  Boxes(std::uint64_t size, const ReadAt& read) : size_(size), read_(read) {}

  // The boxes that fill [begin, end).
  Result<std::vector<Box>> within(std::uint64_t begin, std::uint64_t end) {
    std::vector<Box> boxes;
    while (begin < end) {
      MILLRACE_TRY(auto box, at(begin, end));
      begin = box.end;
      boxes.push_back(std::move(box));
    }
    return boxes;
  }
  // The first of a type in `parent`. kInvalid where there is none.
  Result<Box> child(const Box& parent, std::string_view type) {
    MILLRACE_TRY(auto boxes, within(parent.begin, parent.end));
    for (auto& box : boxes) {
      if (box.type == type) return std::move(box);
    }
    return no_mp4("its " + parent.type + " has no " + std::string(type));
  }
  // Bytes of a box's content; kInvalid where it has fewer.
  Result<std::string> bytes(const Box& box, std::uint64_t offset, std::size_t size) {
    if (box.end - box.begin < offset + size) return no_mp4("its " + box.type + " is too short");
    return read_(box.begin + offset, size);
  }

 private:
  Result<Box> at(std::uint64_t begin, std::uint64_t end) {
    if (++seen_ > kMaxBoxes) return no_mp4("it has too many boxes");
    if (end - begin < kHead) return no_mp4("it ends within a box");
    MILLRACE_TRY(const auto head, read_(begin, kLongHead));
    if (head.size() < kHead) return no_mp4("it ends within a box");
    auto size = number(std::string_view(head).substr(0, 4));
    auto content = kHead;
    if (size == 1) {
      if (head.size() < kLongHead) return no_mp4("it ends within a box");
      size = number(std::string_view(head).substr(8, 8));
      content = kLongHead;
    } else if (size == 0) {
      if (end != size_) return no_mp4("a box within another has no size");
      size = end - begin;
    }
    if (size < content) return no_mp4("a box is smaller than its head");
    if (size > end - begin) return no_mp4("it ends within a box");
    return Box{head.substr(4, 4), begin + content, begin + size};
  }

  const std::uint64_t size_;
  const ReadAt& read_;
  std::size_t seen_ = 0;
};

// True of a video track; an error of one that says too little.
Result<bool> is_video(Boxes& boxes, const Box& track) {
  MILLRACE_TRY(const auto media, boxes.child(track, "mdia"));
  MILLRACE_TRY(const auto handler, boxes.child(media, "hdlr"));
  MILLRACE_TRY(const auto type, boxes.bytes(handler, 8, 4));
  if (number(type) != kVideoHandler) return false;
  MILLRACE_TRY(const auto information, boxes.child(media, "minf"));
  MILLRACE_TRY(const auto samples, boxes.child(information, "stbl"));
  MILLRACE_TRY(const auto descriptions, boxes.child(samples, "stsd"));
  MILLRACE_TRY(const auto count, boxes.bytes(descriptions, 4, 4));
  if (number(count) == 0) return no_mp4("its video track does not say how it is encoded");
  return true;
}

}  // namespace

bool begins_like_mp4(std::string_view bytes) {
  return bytes.size() >= 8 && bytes.substr(4, 4) == "ftyp";
}

Status check_mp4(std::uint64_t size, const ReadAt& read) {
  Boxes boxes(size, read);
  MILLRACE_TRY(const auto top, boxes.within(0, size));
  if (top.empty() || top.front().type != "ftyp") return no_mp4("it does not begin with ftyp");
  const Box* movie = nullptr;
  bool media = false;
  for (const auto& box : top) {
    media = media || (box.type == "mdat" && box.begin < box.end);
    if (box.type != "moov") continue;
    if (movie != nullptr) return no_mp4("it has two moov");
    movie = &box;
  }
  if (movie == nullptr) return no_mp4("it has no moov");
  if (!media) return no_mp4("it has no media data");
  MILLRACE_TRY(const auto parts, boxes.within(movie->begin, movie->end));
  for (const auto& part : parts) {
    if (part.type != "trak") continue;
    MILLRACE_TRY(const bool video, is_video(boxes, part));
    if (video) return {};
  }
  return no_mp4("it has no video track");
}

}  // namespace millrace::serving
