#include "base/secret.h"

#include <set>

#include "base/error.h"
#include "support/support.h"

namespace slipway::base {
namespace {

constexpr PasswordCost kCheap{4, 1, 1};

TEST(Secret, RandomOnesDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string one = random_hex(16);
    EXPECT_EQ(one.size(), 32U);
    EXPECT_EQ(one.find_first_not_of("0123456789abcdef"), std::string::npos);
    seen.insert(one);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(Secret, PasswordsAreKeptAsASaltedHash) {
  const std::string password = "correct horse battery";
  const std::string hash = hash_password(password, kCheap);
  EXPECT_TRUE(hash.starts_with("$scrypt$ln=4,r=1,p=1$")) << hash;
  EXPECT_NE(hash, hash_password(password, kCheap));  // the salt
  EXPECT_TRUE(verify_password(password, hash));
  EXPECT_FALSE(verify_password("correct horse batterz", hash));
  EXPECT_FALSE(verify_password(password, hash.substr(0, hash.size() - 1), kCheap));
  const std::string whole = hash_password(password);
  EXPECT_TRUE(whole.starts_with("$scrypt$ln=15,r=8,p=3$")) << whole;
  EXPECT_TRUE(verify_password(password, whole));
}

// Held to another implementation (Python's hashlib).
TEST(Secret, TheHashIsScryptOfTheTextOfItsSalt) {
  // hashlib.scrypt(b"correct horse battery", salt=b"000102030405060708090a0b0c0d0e0f", n=16, r=1, p=1, dklen=32).hex()
  EXPECT_TRUE(verify_password("correct horse battery",
                              "$scrypt$ln=4,r=1,p=1$000102030405060708090a0b0c0d0e0f$26e11b92e8cf8e24558c02d912276dbbf29d7951a5997bb7e09b6195fbc1d209"));
}

TEST(Secret, HashesThatAreNoneOpenNothing) {
  for (const char* hash :
       {"", "x", "$scrypt$", "$scrypt$ln=15,r=8,p=3$", "$scrypt$ln=99,r=8,p=3$00$00", "$scrypt$ln=-1,r=8,p=3$00$00",
        "$scrypt$ln=15,r=8,p=99999999999999999999$00$00", "$2b$12$abcdefghijklmnopqrstuv"}) {
    EXPECT_FALSE(verify_password("", hash, kCheap)) << hash;
    EXPECT_FALSE(verify_password("correct horse battery", hash, kCheap)) << hash;
  }
}

TEST(Secret, ShortPasswordsAreRefusedWithoutTellingThem) {
  for (const std::string& bad : {std::string(), std::string("elevenbytes"), std::string("a password\nof two lines"),
                                 std::string(kMaxPasswordBytes + 1, 'x')}) {
    try {
      hash_password(bad, kCheap);
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalid);
      EXPECT_TRUE(bad.empty() || std::string(error.what()).find(bad) == std::string::npos);
    }
  }
}

TEST(Secret, ComparesTextsWhole) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
}

}  // namespace
}  // namespace slipway::base
