#include "base/crypto.h"

#include <gtest/gtest.h>

#include <set>

namespace millrace {
namespace {

TEST(Crypto, APasswordOpensItsOwnHashOnly) {
  const auto hash = hash_password("correct horse");
  EXPECT_TRUE(hash.starts_with("$argon2id$")) << hash;
  EXPECT_TRUE(verify_password(hash, "correct horse"));
  EXPECT_FALSE(verify_password(hash, "correct horsf"));
  EXPECT_FALSE(verify_password(hash, ""));
  EXPECT_NE(hash_password("correct horse"), hash) << "every hash has its own salt";
}

TEST(Crypto, WhatIsNoHashIsOpenedByNothing) {
  EXPECT_FALSE(verify_password("", ""));
  EXPECT_FALSE(verify_password("$argon2id$", "x"));
  EXPECT_FALSE(verify_password(std::string(500, 'a'), "x"));
  EXPECT_FALSE(verify_password(nobodys_password_hash(), ""));
}

TEST(Crypto, SecretsAreLongAndNeverTheSame) {
  std::set<std::string> secrets;
  for (int i = 0; i < 1'000; ++i) {
    const auto secret = random_secret();
    EXPECT_EQ(secret.size(), 43u);
    EXPECT_EQ(secret.find_first_not_of(
                  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string::npos);
    EXPECT_TRUE(secrets.insert(secret).second);
  }
}

TEST(Crypto, AHashOfASecretIsAlwaysTheSameAndShowsNothing) {
  const auto hash = token_hash("secret");
  EXPECT_EQ(hash.size(), 32u);
  EXPECT_EQ(token_hash("secret"), hash);
  EXPECT_NE(token_hash("secres"), hash);
  EXPECT_EQ(hash.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace millrace
