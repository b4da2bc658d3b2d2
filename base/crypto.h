#pragma once
#include <string>
#include <string_view>

namespace millrace {

// Passwords and secrets, by libsodium, whose header only crypto.cc sees. Thread-safe.

// Argon2id with libsodium's interactive limits: 64 MiB and about 0.1 s. Never on a server's thread.
// The text holds salt and limits.
std::string hash_password(std::string_view password);
// As long for a wrong password as for the right one. False for a hash that is none.
bool verify_password(const std::string& hash, std::string_view password);
// A hash that no password has, for taking as long where there is no account.
const std::string& nobodys_password_hash();

// 256 random bits as 43 characters of A-Z a-z 0-9 - _.
std::string random_secret();
// Takes as long wherever they differ.
bool same_secret(std::string_view a, std::string_view b);
// What is kept of a secret: 32 bytes, of which the secret cannot be told.
std::string token_hash(std::string_view secret);
// 32 bytes that only who has `key`, 16 to 64 bytes, can make of `text`.
std::string keyed_hash(std::string_view key, std::string_view text);

}  // namespace millrace
