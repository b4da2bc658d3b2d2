#pragma once
#include <string>

namespace millrace::serving {

// Makes a JPEG of a video's first picture by `ffmpeg`, a program's name or path, which has ten
// seconds and a gigabyte; waits for it. False: it is not on this machine, or could not.
bool make_poster(const std::string& ffmpeg, const std::string& video, const std::string& poster);

}  // namespace millrace::serving
