#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "serving/http/message.h"

namespace millrace::serving {

// Where a body goes piece by piece, of a route that streams: its handler sees the head alone, and
// either answers, or gives a Reply whose `sink` takes what follows. Called on the connection's
// thread only, and must not block. Destroyed before finish(), the body has broken off: the client
// left, was too slow or sent too much, or the server stops.
class BodySink {
 public:
  // What one may hold of its body in memory; counted as ServerOptions::max_body_memory has it.
  static constexpr std::size_t kWindow = 256 * 1024;

  enum class Taken {
    kMore,
    kWait,    // takes more once it has called `ready`, from any thread
    kEnough,  // whatever may follow: the answer is known, and the connection closes behind it
  };

  virtual ~BodySink() = default;
  virtual std::uint64_t max_bytes() const = 0;  // of the body; over it 413
  virtual Taken take(std::string bytes, std::function<void()> ready) = 0;
  // The body is whole, or enough.
  virtual Answer finish() = 0;
};

// The answer to a body that is there as a whole, for whoever has no connection.
Answer take_whole(BodySink& sink, std::string body);

}  // namespace millrace::serving
