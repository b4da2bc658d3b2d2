#include "base/crypto.h"

#include <sodium.h>

#include <array>
#include <stdexcept>

namespace millrace {
namespace {

void ready() {
  static const int started = sodium_init();
  if (started < 0) throw std::runtime_error("libsodium cannot be used on this machine");
}

}  // namespace

std::string hash_password(std::string_view password) {
  ready();
  std::array<char, crypto_pwhash_STRBYTES> out{};
  const int failed =
      crypto_pwhash_str(out.data(), password.data(), password.size(),
                        crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE);
  if (failed != 0) throw std::bad_alloc();
  return out.data();
}

bool verify_password(const std::string& hash, std::string_view password) {
  ready();
  if (hash.size() >= crypto_pwhash_STRBYTES) return false;
  return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

const std::string& nobodys_password_hash() {
  static const std::string hash = hash_password(random_secret());
  return hash;
}

std::string random_secret() {
  ready();
  std::array<unsigned char, 32> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  constexpr auto kForm = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::string out(sodium_base64_ENCODED_LEN(bytes.size(), kForm), '\0');
  sodium_bin2base64(out.data(), out.size(), bytes.data(), bytes.size(), kForm);
  out.pop_back();  // the terminator
  return out;
}

bool same_secret(std::string_view a, std::string_view b) {
  const auto hash_a = token_hash(a), hash_b = token_hash(b);
  return sodium_memcmp(hash_a.data(), hash_b.data(), hash_a.size()) == 0;
}

std::string token_hash(std::string_view secret) { return keyed_hash({}, secret); }

std::string keyed_hash(std::string_view key, std::string_view text) {
  ready();
  std::array<unsigned char, crypto_generichash_BYTES> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(text.data()),
                     text.size(), reinterpret_cast<const unsigned char*>(key.data()), key.size());
  return {hash.begin(), hash.end()};
}

}  // namespace millrace
