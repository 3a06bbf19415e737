#include "collect/hosts.h"

#include <gtest/gtest.h>

namespace slipway::collect {
namespace {

TEST(Hosts, OneRequestAtATimeAndAPauseInBetween) {
  Hosts hosts;
  const size_t a = hosts.host_of("a");
  EXPECT_EQ(hosts.host_of("a"), a);
  hosts.push(a, 1);
  hosts.push(a, 2);
  EXPECT_EQ(hosts.take(10)->item, 1U);
  EXPECT_FALSE(hosts.take(10));  // busy
  EXPECT_FALSE(hosts.next_time());
  hosts.done(a, 11.5);
  EXPECT_FALSE(hosts.take(11.4));
  EXPECT_EQ(hosts.next_time(), 11.5);
  EXPECT_EQ(hosts.take(11.5)->item, 2U);
  EXPECT_FALSE(hosts.idle());
  hosts.done(a, 13);
  EXPECT_TRUE(hosts.idle());
}

TEST(Hosts, WhoWaitedLongestIsNext) {
  Hosts hosts;
  const size_t a = hosts.host_of("a");
  const size_t b = hosts.host_of("b");
  hosts.push(a, 1);
  hosts.push(a, 2);
  hosts.push(b, 3);
  EXPECT_EQ(hosts.take(0)->host, a);
  hosts.done(a, 5);
  EXPECT_EQ(hosts.take(1)->host, b);
  hosts.done(b, 2);
  hosts.push(b, 4);
  EXPECT_EQ(hosts.take(9)->item, 4U);
  EXPECT_EQ(hosts.take(9)->item, 2U);
}

TEST(Hosts, TriedAgainComesFirstAndGivenUpIsGone) {
  Hosts hosts;
  const size_t a = hosts.host_of("a");
  hosts.push(a, 1);
  hosts.push(a, 2);
  const auto turn = hosts.take(0);
  hosts.push_front(a, turn->item);
  hosts.done(a, 0);
  EXPECT_EQ(hosts.take(0)->item, 1U);
  EXPECT_EQ(hosts.drain(a), std::deque<uint32_t>{2});
  hosts.done(a, 0);
  EXPECT_TRUE(hosts.idle());
  EXPECT_FALSE(hosts.take(100));
}

}  // namespace
}  // namespace slipway::collect
