// Libraries loaded when they are needed: what is called, and what is said of one that is not there.
#include "base/shared_library.h"

#include "base/error.h"
#include "support/support.h"

namespace slipway::base {
namespace {

std::string failure_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(SharedLibrary, CallsWhatIsInIt) {
  const SharedLibrary library({"libc.so.6", "a test", "libc6", "2"});
  size_t (*length)(const char*) = nullptr;
  library.find("strlen", length);
  EXPECT_EQ(length("four"), 4U);
}

TEST(SharedLibrary, OneThatIsNotThereIsNamedWithItsPackage) {
  const std::string text = failure_of([] { const SharedLibrary library({"libslipway-none.so.7", "a test", "libslipway-none7", "7"}); });
  for (const char* part : {"a test needs", "libslipway-none.so.7", "install libslipway-none7"}) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
}

TEST(SharedLibrary, OneThatIsTooOldIsNamedWithTheVersionThatIsNeeded) {
  const SharedLibrary library({"libc.so.6", "a test", "libc6", "99"});
  void (*none)() = nullptr;
  const std::string text = failure_of([&] { library.find("slipway_none", none); });
  for (const char* part : {"libc.so.6 is too old", "slipway_none", "libc6 99 or later"}) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace slipway::base
