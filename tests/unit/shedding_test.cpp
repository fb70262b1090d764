// How much of a flood is kept: as much as is of use and a little more, by interface and urgency, until it is over.
#include "relay/core/shedding.h"

#include <cstdint>
#include <map>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr auto common = Urgency::common;
constexpr auto urgent = Urgency::urgent;
constexpr double whole = Shedding::all;

/// Of so many that came, so many were given up.
void overflow(Shedding& shedding, std::uint32_t flow, int taken, int given_up, Urgency urgency = common) {
  for (int number = 0; number < given_up; ++number) {
    shedding.gave_up(flow, urgency);
    shedding.took(flow, urgency);
  }
  for (int number = given_up; number < taken; ++number) {
    shedding.took(flow, urgency);
  }
}

double kept(const Shedding& shedding, std::size_t share, Urgency urgency = common) {
  return shedding.shares()[share].kept[static_cast<std::size_t>(urgency)] / whole;
}

std::map<std::uint32_t, std::uint64_t> parts(Shedding& shedding, std::uint64_t count) {
  std::map<std::uint32_t, std::uint64_t> result;
  static_cast<void>(shedding.split(count, [&](std::uint32_t flow, std::uint64_t part) { result[flow] += part; }));
  return result;
}

TEST(Shedding, without_overflow_everything_is_kept) {
  Shedding shedding;
  overflow(shedding, 7, 1000, 0);
  EXPECT_FALSE(shedding.adjust());
  EXPECT_THAT(shedding.shares(), IsEmpty());
  EXPECT_FALSE(shedding.lift());
}

TEST(Shedding, keeps_a_little_more_than_was_of_use) {
  Shedding shedding;
  overflow(shedding, 7, 1000, 600);
  EXPECT_TRUE(shedding.adjust());
  ASSERT_THAT(shedding.shares(), SizeIs(1));
  EXPECT_EQ(shedding.shares()[0].flow, 7U);
  EXPECT_NEAR(kept(shedding, 0), 0.4 * 1.15, 1e-6);
  EXPECT_EQ(shedding.shares()[0].kept[0], Shedding::all) << "what was not given up is not turned away";
}

TEST(Shedding, an_overflow_that_is_not_worth_it_costs_nothing) {
  Shedding shedding;
  overflow(shedding, 7, 1000, 100);
  EXPECT_FALSE(shedding.adjust());
  EXPECT_THAT(shedding.shares(), IsEmpty());
}

/// However many come, and whatever part of them can be relayed, the overflow that is left settles at what it should be.
TEST(Shedding, settles_at_the_excess_that_it_wants) {
  constexpr double of_use = 1000;
  for (const double offered : {1500.0, 6000.0, 300'000.0}) {
    Shedding shedding;
    double share = 1;
    for (int round = 0; round < 30; ++round) {
      const double taken = offered * share;
      overflow(shedding, 7, static_cast<int>(taken), static_cast<int>(std::max(taken - of_use, 0.0)));
      (void)shedding.adjust();
      share = shedding.shares().empty() ? 1 : kept(shedding, 0);
    }
    EXPECT_NEAR(offered * share, 1150, 80) << offered;
  }
}

TEST(Shedding, a_share_falls_by_no_more_than_four_times_at_once) {
  Shedding shedding;
  overflow(shedding, 7, 10, 10);
  EXPECT_TRUE(shedding.adjust());
  EXPECT_NEAR(kept(shedding, 0), 0.25, 1e-6);
  for (int round = 0; round < 100; ++round) {
    overflow(shedding, 7, 10, 10);
    (void)shedding.adjust();
  }
  EXPECT_GT(kept(shedding, 0), 0) << "something always comes through";
  EXPECT_LT(kept(shedding, 0), 0.001);
}

TEST(Shedding, what_no_longer_overflows_is_kept_again) {
  Shedding shedding;
  overflow(shedding, 7, 1000, 900);
  EXPECT_TRUE(shedding.adjust());
  EXPECT_NEAR(kept(shedding, 0), 0.25, 1e-6);
  EXPECT_TRUE(shedding.adjust());
  EXPECT_NEAR(kept(shedding, 0), 0.375, 1e-6);
  EXPECT_TRUE(shedding.adjust());
  EXPECT_TRUE(shedding.adjust());
  EXPECT_TRUE(shedding.adjust());
  EXPECT_THAT(shedding.shares(), IsEmpty());
  EXPECT_FALSE(shedding.adjust());
}

TEST(Shedding, changes_that_do_not_matter_are_none) {
  Shedding shedding;
  overflow(shedding, 7, 1000, 600);
  EXPECT_TRUE(shedding.adjust());
  overflow(shedding, 7, 1000, 140);
  EXPECT_FALSE(shedding.adjust());
  EXPECT_NEAR(kept(shedding, 0), 0.46, 1e-6);
}

TEST(Shedding, each_urgency_goes_by_its_own) {
  Shedding shedding;
  overflow(shedding, 7, 1000, 600, common);
  overflow(shedding, 7, 1000, 500, urgent);
  EXPECT_TRUE(shedding.adjust());
  EXPECT_NEAR(kept(shedding, 0, common), 0.46, 1e-6);
  EXPECT_NEAR(kept(shedding, 0, urgent), 0.575, 1e-6);
}

TEST(Shedding, all_is_kept_once_nothing_waits) {
  Shedding shedding;
  overflow(shedding, 7, 1000, 900);
  overflow(shedding, 8, 1000, 600);
  EXPECT_TRUE(shedding.adjust());
  EXPECT_THAT(shedding.shares(), SizeIs(2));
  overflow(shedding, 7, 1000, 0);
  EXPECT_TRUE(shedding.lift());
  EXPECT_THAT(shedding.shares(), IsEmpty());
  EXPECT_FALSE(shedding.lift());
}

TEST(Shedding, splits_what_was_turned_away_by_what_came_through) {
  Shedding shedding;
  EXPECT_THAT(parts(shedding, 100), IsEmpty()) << "nobody was turned away";
  overflow(shedding, 7, 1000, 800);
  overflow(shedding, 8, 1000, 800);
  EXPECT_TRUE(shedding.adjust());
  EXPECT_THAT(parts(shedding, 100), IsEmpty()) << "until now";
  overflow(shedding, 7, 3000, 400);
  overflow(shedding, 8, 1000, 100);
  overflow(shedding, 9, 1000, 100);
  (void)shedding.adjust();
  EXPECT_THAT(parts(shedding, 4001), ElementsAre(Pair(7, 3000), Pair(8, 1001)));
  EXPECT_THAT(parts(shedding, 100), IsEmpty()) << "those were told";
}

TEST(Shedding, what_was_turned_away_is_told_also_after_the_end) {
  Shedding shedding;
  overflow(shedding, 7, 1000, 800);
  EXPECT_TRUE(shedding.adjust());
  overflow(shedding, 7, 1000, 100);
  EXPECT_TRUE(shedding.lift());
  EXPECT_FALSE(shedding.lift());
  EXPECT_THAT(parts(shedding, 3000), ElementsAre(Pair(7, 3000)));
  EXPECT_THAT(parts(shedding, 1), IsEmpty());
}

TEST(Shedding, sees_to_the_first_that_overflow) {
  Shedding shedding;
  constexpr std::uint32_t more = 1000;
  for (std::uint32_t flow = 0; flow < more; ++flow) {
    overflow(shedding, flow, 10, 9);
  }
  EXPECT_TRUE(shedding.adjust());
  EXPECT_THAT(shedding.shares(), SizeIs(Shedding::max_flows));
  EXPECT_TRUE(shedding.lift());
  static_cast<void>(parts(shedding, 0));
  overflow(shedding, more, 10, 9);
  EXPECT_TRUE(shedding.adjust());
  ASSERT_THAT(shedding.shares(), SizeIs(1));
  EXPECT_EQ(shedding.shares()[0].flow, more);
}

}  // namespace
}  // namespace relay
