#pragma once
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "serving/http/message.h"

namespace millrace {

// All that a body still gives; throws where it breaks off or keeps one waiting.
inline std::string drained(serving::BodyStream& stream) {
  std::string all;
  for (;;) {
    auto piece = std::make_shared<std::promise<std::optional<std::string>>>();
    auto given = piece->get_future();
    stream.next([piece](std::optional<std::string> bytes) { piece->set_value(std::move(bytes)); });
    if (given.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
      throw std::runtime_error("a body's piece does not come");
    }
    const auto bytes = given.get();
    if (!bytes) throw std::runtime_error("a body breaks off");
    if (bytes->empty()) return all;
    all += *bytes;
  }
}

}  // namespace millrace
