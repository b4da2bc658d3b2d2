#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

// A video of two seconds that plays: H.264, whose pictures are raw samples.
std::string tiny_mp4();

// The same, made that long by an empty box.
inline std::string mp4_of(std::size_t bytes) {
  auto video = tiny_mp4();
  const auto size = bytes - video.size();
  for (const unsigned shift : {24U, 16U, 8U, 0U}) video += static_cast<char>(size >> shift & 255U);
  video += "free";
  video.resize(bytes, 'x');
  return video;
}

// How many files a folder holds whose names end so.
inline std::size_t files_in(const std::string& folder, std::string_view ending = {}) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    count += entry.path().string().ends_with(ending) ? 1 : 0;
  }
  return count;
}

struct TestPart {
  std::string name;
  std::string content;
  std::string file_name{};  // empty: a field
};

inline const char* const kFormType = "multipart/form-data; boundary=----a-boundary";

// A form of parts, as browsers send it, with that boundary.
inline std::string form_of(const std::vector<TestPart>& parts) {
  std::string body;
  for (const auto& part : parts) {
    body += "------a-boundary\r\nContent-Disposition: form-data; name=\"" + part.name + "\"";
    if (!part.file_name.empty()) {
      body += "; filename=\"" + part.file_name + "\"\r\nContent-Type: video/mp4";
    }
    body += "\r\n\r\n" + part.content + "\r\n";
  }
  return body + "------a-boundary--\r\n";
}

}  // namespace millrace
