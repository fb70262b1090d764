// Which refusals are told of, and when.
#include "relay/io/refusals.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::io {
namespace {

using testing::ElementsAre;
using testing::Pair;

class RefusalsTest : public ::testing::Test {
 protected:
  void add(std::size_t number, std::size_t count) {
    Ipv6Prefix prefix{{}, 64};
    prefix.address.octets[0] = static_cast<std::uint8_t>(number >> 8U);
    prefix.address.octets[1] = static_cast<std::uint8_t>(number);
    refusals_.add(prefix, count, [this, number] {
      ++made_;
      return [this, number](std::size_t sum) { told_.emplace_back(number, sum); };
    });
  }

  boost::asio::io_context loop_;
  Refusals refusals_{loop_, std::chrono::milliseconds{1}};
  std::vector<std::pair<std::size_t, std::size_t>> told_;
  std::size_t made_ = 0;
};

TEST_F(RefusalsTest, the_first_is_told_at_once_and_those_after_it_though_nothing_follows) {
  add(1, 1);
  EXPECT_THAT(told_, ElementsAre(Pair(1, 1)));
  add(1, 1);
  add(2, 1);
  add(2, 3);
  EXPECT_EQ(told_.size(), 1U);
  loop_.run();
  EXPECT_THAT(told_, ElementsAre(Pair(1, 1), Pair(1, 1), Pair(2, 4)));
  EXPECT_EQ(made_, 3U);
  add(2, 1);
  EXPECT_EQ(told_.size(), 4U);
}

TEST_F(RefusalsTest, some_are_told_at_a_time_and_each_has_its_turn) {
  constexpr std::size_t prefixes = 25;
  for (std::size_t number = 0; number <= prefixes; ++number) {
    add(number, 1);
  }
  loop_.run_one();
  EXPECT_EQ(told_.size(), 1 + Refusals::most_at_a_time);
  for (std::size_t number = 0; number != Refusals::most_at_a_time; ++number) {
    add(number, 1);
  }
  loop_.run_one();
  EXPECT_THAT(told_.back(), Pair(2 * Refusals::most_at_a_time, 1)) << "not those that were told again";
  loop_.run();
  EXPECT_EQ(told_.size(), 1 + prefixes + Refusals::most_at_a_time);
}

TEST_F(RefusalsTest, what_finds_no_room_is_counted) {
  constexpr std::size_t prefixes = Refusals::most_waiting + 100;
  for (std::size_t number = 0; number <= prefixes; ++number) {
    add(number, 2);
  }
  EXPECT_EQ(made_, 1 + Refusals::most_waiting);
  loop_.run();
  std::size_t sum = 0;
  for (const auto& [number, count] : told_) {
    sum += count;
  }
  EXPECT_EQ(sum, 2 * (1 + prefixes));
}

}  // namespace
}  // namespace relay::io
