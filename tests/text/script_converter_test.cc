#include "text/script_converter.h"

#include <gtest/gtest.h>
#include <thread>

#include "base/error.h"

namespace slipway::text {
namespace {

TEST(ScriptConverter, ConvertsOnManyThreads) {
  std::unique_ptr<ScriptConverter> converter;
  try {
    converter = std::make_unique<ScriptConverter>("s2t");
  } catch (const base::Error& error) {
    ASSERT_EQ(error.code(), base::Code::kUnavailable);
    GTEST_SKIP() << error.what();
  }
  EXPECT_EQ(converter->convert(""), "");
  EXPECT_EQ(converter->convert("plain"), "plain");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        EXPECT_EQ(converter->convert("汉语的头发和发展"), "漢語的頭髮和發展");
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_THROW(ScriptConverter("no such configuration"), base::Error);
}

}  // namespace
}  // namespace slipway::text
