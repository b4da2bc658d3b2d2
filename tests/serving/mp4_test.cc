#include "serving/media/mp4.h"

#include <gtest/gtest.h>

#include "tests/support/video_file.h"

namespace millrace::serving {
namespace {

std::string number(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 255);
  return out;
}
std::string box(const std::string& type, const std::string& content) {
  return number(content.size() + 8, 4) + type + content;
}

std::string track(const std::string& handler, int descriptions = 1) {
  const auto table =
      box("stsd", number(0, 4) + number(static_cast<std::uint64_t>(descriptions), 4));
  return box("trak", box("tkhd", "") + box("mdia", box("hdlr", number(0, 8) + handler + "rest") +
                                                       box("minf", box("stbl", table))));
}
const std::string kType = box("ftyp", "isom");
const std::string kData = box("mdat", "media");
std::string movie(const std::string& tracks) { return box("moov", box("mvhd", "") + tracks); }

// What is wrong with it; empty: nothing.
std::string fault(const std::string& file) {
  const auto checked = check_mp4(
      file.size(), [&file](std::uint64_t offset, std::size_t size) -> Result<std::string> {
        return offset >= file.size() ? std::string() : file.substr(offset, size);
      });
  if (checked) return {};
  EXPECT_EQ(checked.error().code, Code::kInvalid);
  EXPECT_EQ(checked.error().field, "file");
  EXPECT_TRUE(checked.error().detail.starts_with("must be an MP4 video: "));
  return checked.error().detail.substr(22);
}

TEST(Mp4, AVideoIsOne) {
  EXPECT_EQ(fault(tiny_mp4()), "");
  EXPECT_EQ(fault(mp4_of(100'000)), "");
  EXPECT_EQ(fault(kType + movie(track("soun") + track("vide")) + kData), "");
  EXPECT_EQ(fault(kType + kData + movie(track("vide"))), "") << "the movie may come last";
  const auto wide = number(1, 4) + "mdat" + number(20, 8) + "data";
  EXPECT_EQ(fault(kType + movie(track("vide")) + wide), "");
  EXPECT_EQ(fault(kType + movie(track("vide")) + number(0, 4) + "mdat" + "to the end"), "");
}

TEST(Mp4, WhatIsNone) {
  EXPECT_EQ(fault(""), "it does not begin with ftyp");
  EXPECT_EQ(fault("plain text, called .mp4"), "it ends within a box");
  EXPECT_EQ(fault(kData + kType), "it does not begin with ftyp");
  EXPECT_EQ(fault(kType + kData), "it has no moov");
  EXPECT_EQ(fault(kType + movie(track("vide"))), "it has no media data");
  EXPECT_EQ(fault(kType + movie(track("soun")) + kData), "it has no video track");
  EXPECT_EQ(fault(kType + movie(track("vide", 0)) + kData),
            "its video track does not say how it is encoded");
  EXPECT_EQ(fault(kType + movie(box("trak", "")) + kData), "its trak has no mdia");
  EXPECT_EQ(fault(kType + movie(track("vide")) + movie(track("vide")) + kData), "it has two moov");
  EXPECT_EQ(fault(kType + number(4, 4) + "moov" + kData), "a box is smaller than its head");
  EXPECT_EQ(fault(kType + movie(number(0, 4) + "trak") + kData),
            "a box within another has no size");
  EXPECT_EQ(fault(kType + movie(track("vide")) + kData + "tail"), "it ends within a box");
  std::string boxes = kType + movie(track("vide"));
  for (int i = 0; i < 100'000; ++i) boxes += box("free", "");
  EXPECT_EQ(fault(boxes), "it has too many boxes");
}

TEST(Mp4, WhateverIsCutOffIsNone) {
  const auto video = tiny_mp4();
  for (std::size_t size = 0; size < video.size(); size += size < 1'000 ? 1 : 97) {
    EXPECT_NE(fault(video.substr(0, size)), "") << size;
  }
}

TEST(Mp4, ItsBeginning) {
  EXPECT_TRUE(begins_like_mp4(tiny_mp4()));
  EXPECT_FALSE(begins_like_mp4("plain text"));
  EXPECT_FALSE(begins_like_mp4("...ftyp"));
}

}  // namespace
}  // namespace millrace::serving
