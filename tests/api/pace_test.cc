#include "api/pace.h"

#include <gtest/gtest.h>

namespace slipway::api {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

int answers_until_quick(Pace& pace, Pace::Duration each) {
  int answers = 0;
  for (; !pace.quick() && answers < 1000; ++answers) {
    pace.took(each);
  }
  return answers;
}

TEST(Pace, IsQuickAfterADozenOfQuickAnswers) {
  Pace pace;
  EXPECT_FALSE(pace.quick());
  const int answers = answers_until_quick(pace, microseconds(100));
  EXPECT_GT(answers, 5);
  EXPECT_LT(answers, 20);
}

TEST(Pace, OneSlowAnswerCountsForAWhile) {
  Pace pace;
  answers_until_quick(pace, microseconds(100));
  pace.took(milliseconds(40));
  EXPECT_FALSE(pace.quick());
  EXPECT_GT(answers_until_quick(pace, microseconds(100)), 20);
}

TEST(Pace, WhatIsAlwaysSlowIsNeverQuick) {
  Pace pace;
  EXPECT_EQ(answers_until_quick(pace, Pace::kQuick), 1000);
}

}  // namespace
}  // namespace slipway::api
