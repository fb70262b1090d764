// When the data path pauses: under load alone, never for a message that comes alone.
#include "relay/core/pacing.h"

#include <chrono>

#include <gtest/gtest.h>

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): the literals' own way

TEST(Pacing, a_lone_message_is_never_delayed) {
  Pacing pacing;
  for (const auto now : {0ms, 4ms, 8ms, 1000ms, 1004ms, 3'600'000ms}) {
    EXPECT_FALSE(pacing.is_busy(1, now)) << now.count();
    EXPECT_FALSE(pacing.is_busy(1, now)) << now.count();
  }
}

TEST(Pacing, is_busy_from_10000_a_second_on) {
  for (const auto tick : {1ms, 4ms, 10ms}) {
    const auto just = static_cast<std::size_t>(10 * tick.count());
    Pacing below;
    Pacing above;
    for (int number = 1; number < 10; ++number) {
      EXPECT_FALSE(below.is_busy(just, number * tick)) << number;
      EXPECT_EQ(above.is_busy(just + 1, number * tick), number > 1 || just == 100) << number;
    }
  }
}

TEST(Pacing, is_busy_within_a_tick_that_is_full_already) {
  Pacing pacing;
  EXPECT_FALSE(pacing.is_busy(100, 4ms));
  EXPECT_TRUE(pacing.is_busy(1, 4ms));
}

TEST(Pacing, ends_with_the_load) {
  Pacing pacing;
  EXPECT_TRUE(pacing.is_busy(1000, 4ms));
  EXPECT_TRUE(pacing.is_busy(1, 8ms));
  EXPECT_FALSE(pacing.is_busy(1, 12ms));
}

TEST(Pacing, does_not_overflow_after_a_year_without_a_message) {
  Pacing pacing;
  EXPECT_FALSE(pacing.is_busy(90, 24h * 365));
  EXPECT_FALSE(pacing.is_busy(1, 24h * 365 * 2));
}

}  // namespace
}  // namespace relay
