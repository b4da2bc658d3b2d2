#include "tests/support/websocket_client.h"

#include <array>

namespace millrace {
namespace {

constexpr std::array<char, 4> kMask = {0x11, 0x22, 0x33, 0x44};

std::uint64_t number(std::string_view bytes) {
  std::uint64_t sum = 0;
  for (const char c : bytes) sum = sum << 8 | static_cast<unsigned char>(c);
  return sum;
}

void append(std::string& out, std::uint64_t number, int bytes) {
  while (bytes-- > 0) out += static_cast<char>(number >> (8 * bytes));
}

}  // namespace

std::uint16_t SocketFrame::code() const {
  if (opcode != Opcode::kClose || payload.size() < 2) return 0;
  return static_cast<std::uint16_t>(number(std::string_view(payload).substr(0, 2)));
}

std::string socket_request(const std::string& target, const HttpClient::Headers& headers) {
  std::string request = "GET " + target + " HTTP/1.1\r\n";
  HttpClient::Headers all = {{"Host", "localhost"},
                             {"Upgrade", "websocket"},
                             {"Connection", "keep-alive, Upgrade"},
                             {"Sec-WebSocket-Version", "13"},
                             {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
  for (const auto& [name, value] : headers) {
    for (auto& have : all) {
      if (have.first == name) have.second.clear();
    }
    all.emplace_back(name, value);
  }
  for (const auto& [name, value] : all) {
    if (!value.empty()) request += name + ": " + value + "\r\n";
  }
  return request + "\r\n";
}

WebSocketClient::WebSocketClient(std::uint16_t port, const std::string& target,
                                 const Headers& headers, std::chrono::milliseconds deadline)
    : plain_(std::make_unique<HttpClient>(port, deadline)) {
  plain_->send_raw(socket_request(target, headers));
  reply_ = plain_->read_reply();
}

WebSocketClient::WebSocketClient(std::unique_ptr<TlsClient> tls, const std::string& target,
                                 const Headers& headers)
    : tls_(std::move(tls)) {
  tls_->send(socket_request(target, headers));
  reply_.status = std::stoi(tls_->read_until("\r\n\r\n").substr(9, 3));
}

std::string WebSocketClient::read(std::size_t bytes) {
  if (bytes == 0) return {};
  return plain_ ? plain_->read_exactly(bytes) : tls_->read_exactly(bytes);
}

bool WebSocketClient::write(std::string_view bytes) {
  return plain_ ? plain_->send_raw(bytes) : tls_->send(bytes);
}

bool WebSocketClient::send(Opcode opcode, std::string_view payload, bool last, bool masked) {
  std::string out;
  out += static_cast<char>((last ? 0x80 : 0) | static_cast<int>(opcode));
  const int mask = masked ? 0x80 : 0;
  if (payload.size() < 126) {
    out += static_cast<char>(mask | static_cast<int>(payload.size()));
  } else {
    out += static_cast<char>(mask | (payload.size() < 65'536 ? 126 : 127));
    append(out, payload.size(), payload.size() < 65'536 ? 2 : 8);
  }
  if (masked) out.append(kMask.data(), kMask.size());
  for (std::size_t i = 0; i < payload.size(); ++i) {
    out += masked ? static_cast<char>(payload[i] ^ kMask[i % kMask.size()]) : payload[i];
  }
  return write(out);
}

SocketFrame WebSocketClient::frame() {
  const auto head = read(2);
  if (head.size() < 2) return {true, Opcode::kClose, {}};
  SocketFrame frame;
  frame.last = (head[0] & 0x80) != 0;
  frame.opcode = static_cast<Opcode>(head[0] & 0x0f);
  std::uint64_t size = static_cast<unsigned char>(head[1]) & 0x7f;
  if (size == 126) size = number(read(2));
  if (size == 127) size = number(read(8));
  frame.payload = read(size);
  return frame;
}

std::string WebSocketClient::text() {
  for (;;) {
    const auto next = frame();
    if (next.opcode == Opcode::kClose) return "closed " + std::to_string(next.code());
    if (next.opcode == Opcode::kText) return next.payload;
    if (next.opcode == Opcode::kPing) send(Opcode::kPong, next.payload);
  }
}

void WebSocketClient::leave() { plain_->close(); }

bool WebSocketClient::closed() { return plain_->closed(); }

}  // namespace millrace
