#include "schemas/account.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(Account, IsTheUserOfItsNumberInEvents) {
  EXPECT_EQ(user_of(AccountId(611)), UserId("611"));
  EXPECT_EQ(user_number("611"), 611u);
  EXPECT_EQ(user_number("2147483647"), kMaxUserNumber - 1);
  for (const char* text :
       {"", "0", "01", "+1", "-1", "1.0", "1 ", "u1", "2147483648", "99999999999999999999"}) {
    EXPECT_EQ(user_number(text), std::nullopt) << text;
  }
}

TEST(Account, RolesHaveNames) {
  for (const Role role : {Role::kUser, Role::kVendor, Role::kAdmin}) {
    EXPECT_EQ(role_of(role_name(role)), role);
  }
  EXPECT_EQ(role_of("root"), std::nullopt);
}

TEST(Account, NamesAreTheSameWhenTheirSmallLettersAre) {
  EXPECT_EQ(fold_name("Ann.B@X"), "ann.b@x");
  EXPECT_EQ(fold_name("\xc3\x84"), "\xc3\x84");
}

}  // namespace
}  // namespace millrace
