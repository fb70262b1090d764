// The rate limit of one interface: how many at once, how many in the long run, and what a new limit changes.
#include "relay/core/rate_limit.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace relay {
namespace {

using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): the literals' own way

/// How many of `count` messages at `now` are admitted.
std::uint64_t admitted(RateMeter& meter, const RateLimit& limit, std::chrono::nanoseconds now, std::uint64_t count) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    sum += meter.admit(limit, now) ? 1U : 0U;
  }
  return sum;
}

TEST(RateLimit, admits_a_burst_and_no_more) {
  for (const RateLimit limit : {RateLimit{1, 1}, RateLimit{10, 10}, RateLimit{10, 1}, RateLimit{1, 10}, RateLimit{3, 7},
                                RateLimit{999'999, 500}, RateLimit{1, 1'000}}) {
    for (const std::chrono::nanoseconds now : {0ns, 1ns, std::chrono::nanoseconds{24h * 365}}) {
      RateMeter meter;
      EXPECT_EQ(admitted(meter, limit, now, limit.burst + 10U), limit.burst) << limit.per_second << "/" << limit.burst;
    }
  }
}

TEST(RateLimit, the_largest_limit) {
  RateMeter meter;
  const RateLimit limit{1'000'000, 1'000'000};
  EXPECT_EQ(admitted(meter, limit, 5s, 1'000'010), 1'000'000U);
  EXPECT_EQ(admitted(meter, limit, 5s + 999ns, 1), 0U);
  EXPECT_EQ(admitted(meter, limit, 5s + 1us, 5), 1U);
  EXPECT_EQ(admitted(meter, limit, 7s, 1'000'010), 1'000'000U) << "full again";
}

TEST(RateLimit, the_slowest_with_the_largest_burst) {
  RateMeter meter;
  const RateLimit limit{1, 1'000'000};
  EXPECT_EQ(admitted(meter, limit, 5s, 1'000'010), 1'000'000U);
  EXPECT_FALSE(meter.admit(limit, 6s - 1ns));
  EXPECT_TRUE(meter.admit(limit, 6s));
  EXPECT_FALSE(meter.admit(limit, 6s));
}

TEST(RateLimit, refills_one_in_each_interval) {
  const RateLimit limit{10, 3};
  RateMeter meter;
  ASSERT_EQ(admitted(meter, limit, 1s, 10), 3U);
  EXPECT_FALSE(meter.admit(limit, 1s + 100ms - 1ns));
  EXPECT_TRUE(meter.admit(limit, 1s + 100ms));
  EXPECT_FALSE(meter.admit(limit, 1s + 100ms));
  EXPECT_FALSE(meter.admit(limit, 1s + 200ms - 1ns));
  EXPECT_EQ(admitted(meter, limit, 1s + 300ms, 10), 2U);
  EXPECT_EQ(admitted(meter, limit, 1s + 600ms, 10), 3U) << "the burst again";
  EXPECT_EQ(admitted(meter, limit, 1h, 10), 3U) << "and never more";
}

TEST(RateLimit, one_per_second) {
  const RateLimit limit{1, 1};
  RateMeter meter;
  EXPECT_TRUE(meter.admit(limit, 1s));
  EXPECT_FALSE(meter.admit(limit, 1s));
  EXPECT_FALSE(meter.admit(limit, 2s - 1ns));
  EXPECT_TRUE(meter.admit(limit, 2s));
}

TEST(RateLimit, where_time_stands_still_only_the_burst_passes) {
  const RateLimit limit{1'000, 5};
  RateMeter meter;
  EXPECT_EQ(admitted(meter, limit, 0ns, 100'000), 5U);
}

TEST(RateLimit, what_is_refused_costs_nothing) {
  const RateLimit limit{10, 2};
  RateMeter flooded;
  RateMeter quiet;
  for (std::chrono::nanoseconds now = 1s; now < 3s; now += 1ms) {
    const bool is_due = now.count() % 100'000'000 == 0;
    const bool passed = admitted(flooded, limit, now, 50) > 0;
    const bool passed_alone = is_due && quiet.admit(limit, now);
    EXPECT_EQ(passed, passed_alone) << now.count();
  }
}

TEST(RateLimitProperties, never_more_than_the_rate_and_one_burst) {
  std::mt19937 random{4115};  // the same times in every run
  for (int round = 0; round < 300; ++round) {
    const auto up_to = [&random](std::uint32_t most) { return static_cast<std::uint32_t>(1 + random() % most); };
    const RateLimit limit{up_to(round % 2 == 0 ? 20 : 1'000'000), up_to(50)};
    RateMeter meter;
    std::vector<std::chrono::nanoseconds> passed;
    std::chrono::nanoseconds now = 1s;
    for (int i = 0; i < 400; ++i) {
      now += std::chrono::nanoseconds{random() % 4 == 0 ? 0 : random() % (2'000'000'000U / limit.per_second)};
      if (meter.admit(limit, now)) {
        passed.push_back(now);
      }
    }
    // In every stretch of time between two that passed.
    for (std::size_t from = 0; from < passed.size(); from += 7) {
      for (std::size_t until = from; until < passed.size(); until += 3) {
        const auto stretch = static_cast<std::uint64_t>((passed[until] - passed[from]).count());
        const std::uint64_t most = stretch * limit.per_second / 1'000'000'000U + limit.burst;
        ASSERT_LE(until - from + 1, most) << limit.per_second << "/" << limit.burst;
      }
    }
  }
}

TEST(RateLimitProperties, a_rate_that_does_not_divide_a_second_is_not_exceeded_in_the_long_run) {
  for (const std::uint32_t per_second : {3U, 7U, 700'000U, 999'999U}) {
    const RateLimit limit{per_second, 1};
    RateMeter meter;
    std::uint64_t sum = 0;
    constexpr std::uint64_t seconds = 2;
    const std::chrono::nanoseconds step{std::max<std::uint64_t>(1, 500'000'000U / per_second)};
    for (std::chrono::nanoseconds now = 1s; now < 1s + std::chrono::seconds{seconds}; now += step) {
      sum += meter.admit(limit, now) ? 1U : 0U;
    }
    EXPECT_LE(sum, seconds * per_second + limit.burst);
    EXPECT_GE(sum, seconds * per_second * 49 / 100) << "nor far from it";
  }
}

TEST(RateLimitProperties, who_keeps_to_the_rate_is_never_refused) {
  std::mt19937 random{1812};  // the same limits in every run
  for (int round = 0; round < 100; ++round) {
    const auto per_second = static_cast<std::uint32_t>(1 + random() % 1'000'000);
    const RateLimit limit{per_second, 1};
    const std::chrono::nanoseconds interval{1'000'000'000 / per_second + 1};
    RateMeter meter;
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(meter.admit(limit, 1s + interval * i)) << per_second;
    }
  }
}

TEST(RateLimit, a_new_limit_holds_at_once) {
  RateMeter meter;
  const RateLimit slow{1, 1'000};
  const RateLimit fast{100, 10};
  ASSERT_EQ(admitted(meter, slow, 10s, 2'000), 1'000U);
  EXPECT_FALSE(meter.admit(fast, 10s)) << "an empty bucket stays empty";
  EXPECT_FALSE(meter.admit(fast, 10s + 10ms - 1ns));
  EXPECT_TRUE(meter.admit(fast, 10s + 10ms)) << "but does not have to make up for the old limit";
  EXPECT_EQ(admitted(meter, fast, 11s, 20), 10U);

  EXPECT_FALSE(meter.admit({1, 1}, 11s)) << "and the other way round";
  EXPECT_FALSE(meter.admit({1, 1}, 11s + 100ms - 1ns));
  EXPECT_TRUE(meter.admit({1, 1}, 11s + 100ms)) << "when what came under the old limit is over";
}

}  // namespace
}  // namespace relay
