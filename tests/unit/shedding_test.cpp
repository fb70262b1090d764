// How much of a flood is kept: as much as can be served and a little more, by interface and kind, until it is over.
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

constexpr auto discover = ShedKind::discover;
constexpr auto other = ShedKind::other;
constexpr double whole = Shedding::all;

/// So many came, of which so many had their turn; the others were given up.
void flood(Shedding& shedding, std::uint32_t flow, int taken, int served, ShedKind kind = discover) {
  for (int number = 0; number < taken; ++number) {
    shedding.took(flow, kind);
    number < served ? shedding.served(flow, kind) : shedding.gave_up(flow, kind);
  }
}

/// A flow is seen to once something of it was given up, and counts from then on.
void begin(Shedding& shedding, std::uint32_t flow, ShedKind kind = discover) {
  shedding.took(flow, kind);
  shedding.gave_up(flow, kind);
}

double kept(const Shedding& shedding, std::size_t share, ShedKind kind = discover) {
  return shedding.shares()[share].kept[static_cast<std::size_t>(kind)] / whole;
}

std::map<std::uint32_t, std::uint64_t> parts(Shedding& shedding, std::uint64_t count) {
  std::map<std::uint32_t, std::uint64_t> result;
  static_cast<void>(shedding.split(count, [&](std::uint32_t flow, std::uint64_t part) { result[flow] += part; }));
  return result;
}

TEST(Shedding, without_overflow_everything_is_kept) {
  Shedding shedding;
  flood(shedding, 7, 1000, 1000);
  EXPECT_FALSE(shedding.has_flows());
  EXPECT_FALSE(shedding.adjust());
  EXPECT_THAT(shedding.shares(), IsEmpty());
  EXPECT_FALSE(shedding.lift());
}

TEST(Shedding, keeps_a_little_more_than_was_served) {
  Shedding shedding;
  begin(shedding, 7);
  flood(shedding, 7, 1000, 400);
  EXPECT_TRUE(shedding.adjust());
  ASSERT_THAT(shedding.shares(), SizeIs(1));
  EXPECT_EQ(shedding.shares()[0].flow, 7U);
  EXPECT_NEAR(kept(shedding, 0), 0.4 * 1.15, 1e-6);
  EXPECT_EQ(kept(shedding, 0, other), 1) << "what was not given up is not turned away";
}

TEST(Shedding, an_overflow_that_is_not_worth_it_costs_nothing) {
  Shedding shedding;
  begin(shedding, 7);
  flood(shedding, 7, 1000, 900);
  EXPECT_FALSE(shedding.adjust());
  EXPECT_THAT(shedding.shares(), IsEmpty());
}

TEST(Shedding, what_came_before_and_is_given_up_now_does_not_make_the_share_smaller) {
  Shedding shedding;
  begin(shedding, 7);
  for (int number = 0; number < 1000; ++number) {
    shedding.gave_up(7, discover);  // others want its places
    shedding.served(7, discover);
  }
  flood(shedding, 7, 100, 100);
  EXPECT_FALSE(shedding.adjust());
  EXPECT_THAT(shedding.shares(), IsEmpty());
}

/// However many come, and whatever part of them can be relayed, the overflow that is left settles at what it should be.
TEST(Shedding, settles_at_the_excess_that_it_wants) {
  constexpr int most_served = 1000;
  for (const double offered : {1500.0, 6000.0, 300'000.0}) {
    Shedding shedding;
    begin(shedding, 7);
    double share = 1;
    for (int round = 0; round < 30; ++round) {
      flood(shedding, 7, static_cast<int>(offered * share), most_served);
      (void)shedding.adjust();
      share = shedding.shares().empty() ? 1 : kept(shedding, 0);
    }
    EXPECT_NEAR(offered * share, 1.15 * most_served, 80) << offered;
  }
}

TEST(Shedding, a_share_falls_by_no_more_than_four_times_at_once) {
  Shedding shedding;
  begin(shedding, 7);
  flood(shedding, 7, 10, 0);
  EXPECT_TRUE(shedding.adjust());
  EXPECT_NEAR(kept(shedding, 0), 0.25, 1e-6);
  for (int round = 0; round < 100; ++round) {
    flood(shedding, 7, 10, 0);
    (void)shedding.adjust();
  }
  EXPECT_GT(kept(shedding, 0), 0) << "something always comes through";
  EXPECT_LT(kept(shedding, 0), 0.001);
}

TEST(Shedding, what_no_longer_overflows_is_kept_again) {
  Shedding shedding;
  begin(shedding, 7);
  flood(shedding, 7, 1000, 100);
  EXPECT_TRUE(shedding.adjust());
  EXPECT_NEAR(kept(shedding, 0), 0.25, 1e-6);
  EXPECT_TRUE(shedding.adjust());
  EXPECT_NEAR(kept(shedding, 0), 0.375, 1e-6);
  EXPECT_TRUE(shedding.adjust());
  EXPECT_TRUE(shedding.adjust());
  EXPECT_TRUE(shedding.adjust());
  EXPECT_THAT(shedding.shares(), IsEmpty());
  EXPECT_FALSE(shedding.adjust());
  shedding.all_told();
  EXPECT_FALSE(shedding.has_flows());
}

TEST(Shedding, changes_that_do_not_matter_are_none) {
  Shedding shedding;
  begin(shedding, 7);
  flood(shedding, 7, 1000, 400);
  EXPECT_TRUE(shedding.adjust());
  flood(shedding, 7, 1000, 860);
  EXPECT_FALSE(shedding.adjust());
  EXPECT_NEAR(kept(shedding, 0), 0.46, 1e-6);
}

TEST(Shedding, each_kind_goes_by_its_own) {
  Shedding shedding;
  begin(shedding, 7);
  flood(shedding, 7, 1000, 400, discover);
  flood(shedding, 7, 1000, 500, other);
  EXPECT_TRUE(shedding.adjust());
  EXPECT_NEAR(kept(shedding, 0, discover), 0.46, 1e-6);
  EXPECT_NEAR(kept(shedding, 0, other), 0.575, 1e-6);
}

TEST(Shedding, all_is_kept_once_nothing_waits) {
  Shedding shedding;
  begin(shedding, 7);
  begin(shedding, 8);
  flood(shedding, 7, 1000, 100);
  flood(shedding, 8, 1000, 400);
  EXPECT_TRUE(shedding.adjust());
  EXPECT_THAT(shedding.shares(), SizeIs(2));
  EXPECT_TRUE(shedding.lift());
  EXPECT_THAT(shedding.shares(), IsEmpty());
  EXPECT_FALSE(shedding.lift());
}

TEST(Shedding, an_overflow_of_a_moment_turns_nothing_away) {
  Shedding shedding;
  begin(shedding, 7);
  flood(shedding, 7, 1000, 100);
  EXPECT_FALSE(shedding.lift());
  EXPECT_FALSE(shedding.has_flows());
}

TEST(Shedding, splits_what_was_turned_away_by_what_came_through) {
  Shedding shedding;
  EXPECT_THAT(parts(shedding, 100), IsEmpty()) << "nobody was turned away";
  begin(shedding, 7);
  begin(shedding, 8);
  flood(shedding, 7, 1000, 100);
  flood(shedding, 8, 1000, 100);
  EXPECT_THAT(parts(shedding, 100), IsEmpty()) << "nobody was, yet";
  EXPECT_TRUE(shedding.adjust());
  EXPECT_THAT(parts(shedding, 101), ElementsAre(Pair(7, 50), Pair(8, 51))) << "nothing came through: they share it";
  flood(shedding, 7, 3000, 3000);
  flood(shedding, 8, 1000, 1000);
  flood(shedding, 9, 1000, 900);
  EXPECT_THAT(parts(shedding, 4001), ElementsAre(Pair(7, 3000), Pair(8, 1001)));
}

TEST(Shedding, a_split_loses_none) {
  Shedding shedding;
  for (const std::uint32_t flow : {7U, 8U, 9U}) {
    begin(shedding, flow);
    flood(shedding, flow, 1000, 500 + static_cast<int>(flow) * 7);
  }
  EXPECT_TRUE(shedding.adjust());
  for (std::uint64_t count = 1; count < 1000; ++count) {
    flood(shedding, 7, 3, 3);
    flood(shedding, 8, 5, 5);
    flood(shedding, 9, 7, 7);
    std::uint64_t sum = 0;
    for (const auto& [flow, part] : parts(shedding, count)) {
      sum += part;
    }
    EXPECT_EQ(sum, count);
  }
}

TEST(Shedding, what_was_turned_away_is_told_also_after_the_end) {
  Shedding shedding;
  begin(shedding, 7);
  flood(shedding, 7, 1000, 200);
  EXPECT_TRUE(shedding.adjust());
  flood(shedding, 7, 1000, 1000);
  EXPECT_TRUE(shedding.lift());
  EXPECT_FALSE(shedding.lift());
  EXPECT_THAT(parts(shedding, 3000), ElementsAre(Pair(7, 3000)));
  EXPECT_TRUE(shedding.has_flows()) << "there may be more";
  EXPECT_THAT(parts(shedding, 1), ElementsAre(Pair(7, 1)));
  shedding.all_told();
  EXPECT_FALSE(shedding.has_flows());
  EXPECT_THAT(parts(shedding, 1), IsEmpty());
}

TEST(Shedding, while_something_is_turned_away_not_all_is_told) {
  Shedding shedding;
  begin(shedding, 7);
  flood(shedding, 7, 1000, 200);
  EXPECT_TRUE(shedding.adjust());
  shedding.all_told();
  EXPECT_THAT(parts(shedding, 1), ElementsAre(Pair(7, 1)));
}

TEST(Shedding, sees_to_the_first_that_overflow) {
  Shedding shedding;
  constexpr std::uint32_t more = 1000;
  for (std::uint32_t flow = 0; flow < more; ++flow) {
    begin(shedding, flow);
    flood(shedding, flow, 10, 1);
  }
  EXPECT_TRUE(shedding.adjust());
  EXPECT_THAT(shedding.shares(), SizeIs(Shedding::max_flows));
  EXPECT_TRUE(shedding.lift());
  begin(shedding, more);
  flood(shedding, more, 10, 1);
  EXPECT_TRUE(shedding.adjust());
  ASSERT_THAT(shedding.shares(), SizeIs(1));
  EXPECT_EQ(shedding.shares()[0].flow, more);
}

}  // namespace
}  // namespace relay
