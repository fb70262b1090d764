// What is asked of the kernel before runs may leave, and how often.
#include "relay/io/run_routes.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace relay::io {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t many = 5000;

IpAddress server(std::size_t number) {
  return Ipv4Address{{10, 9, static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)}};
}

IpAddress server6(std::uint8_t number) {
  return Ipv6Address{{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number}};
}

std::vector<IpAddress> servers(std::size_t count) {
  std::vector<IpAddress> made;
  for (std::size_t number = 0; number < count; ++number) {
    made.push_back(server(number));
  }
  return made;
}

class RunRoutesTest : public testing::Test {
 protected:
  [[nodiscard]] bool are_cut_up(Family family = Family::ipv4) { return routes_.are_cut_up(family, now_); }

  /// Calls it until a look is over: how many calls that took.
  [[nodiscard]] std::size_t count_calls() {
    for (std::size_t calls = 1;; ++calls) {
      const std::size_t before = routes_asked_;
      const bool is_found = are_cut_up();
      if (is_found || routes_asked_ == before) {
        return calls;
      }
    }
  }

  std::map<IpAddress, std::string> egress_of_;  // where it is not u0
  std::map<std::string, bool> cuts_up_{{"u0", true}};
  std::size_t routes_asked_ = 0;
  std::map<std::string, int> egresses_asked_;
  RunRoutes::Time now_{1000s};
  RunRoutes routes_{{[this](const IpAddress& address) {
                       ++routes_asked_;
                       const auto found = egress_of_.find(address);
                       return found == egress_of_.end() ? std::string{"u0"} : found->second;
                     },
                     [this](const std::string& egress) {
                       ++egresses_asked_[egress];
                       return cuts_up_.at(egress);
                     }}};
};

TEST_F(RunRoutesTest, each_egress_is_asked_once_for_all_servers_of_both_families) {
  auto each_twice = servers(20);
  each_twice.insert(each_twice.end(), each_twice.begin(), each_twice.begin() + 20);
  routes_.apply(Family::ipv4, each_twice);
  routes_.apply(Family::ipv6, {server6(1), server6(2)}, {"u0", "u0"});
  EXPECT_TRUE(are_cut_up());
  EXPECT_TRUE(are_cut_up(Family::ipv6));
  EXPECT_TRUE(are_cut_up());
  EXPECT_EQ(routes_asked_, 22U);
  EXPECT_EQ(egresses_asked_, (std::map<std::string, int>{{"u0", 1}}));
}

TEST_F(RunRoutesTest, what_was_found_is_looked_at_again_each_second) {
  routes_.apply(Family::ipv4, servers(2));
  EXPECT_TRUE(are_cut_up());
  cuts_up_["u0"] = false;
  now_ += 999ms;
  EXPECT_TRUE(are_cut_up());
  now_ += 1ms;
  EXPECT_FALSE(are_cut_up());
  EXPECT_EQ(egresses_asked_["u0"], 2);
  cuts_up_["u0"] = true;
  now_ += 1s;
  EXPECT_TRUE(are_cut_up());
}

TEST_F(RunRoutesTest, one_server_that_would_get_runs_uncut_is_enough) {
  cuts_up_["veth"] = false;
  routes_.apply(Family::ipv4, servers(20));
  egress_of_[server(7)] = "veth";
  EXPECT_FALSE(are_cut_up());
  EXPECT_EQ(routes_asked_, 8U);
  now_ += 1s;
  egress_of_[server(7)] = "";  // there is no route, or it is not known where it leads
  EXPECT_FALSE(are_cut_up());
  routes_.apply(Family::ipv6, {}, {"u0", "veth"});
  EXPECT_FALSE(are_cut_up(Family::ipv6));
  routes_.apply(Family::ipv6, {}, {"u0"});
  EXPECT_TRUE(are_cut_up(Family::ipv6)) << "new servers are looked at at once";
}

TEST_F(RunRoutesTest, many_servers_are_looked_at_a_few_at_a_time) {
  routes_.apply(Family::ipv4, servers(many));
  EXPECT_FALSE(are_cut_up());
  EXPECT_LE(routes_asked_, 64U);
  EXPECT_GT(count_calls(), many / 64 - 3) << "nothing is known before all were";
  EXPECT_EQ(routes_asked_, many);
  EXPECT_EQ(egresses_asked_["u0"], 1);
  now_ += 1s;
  EXPECT_TRUE(are_cut_up()) << "the last look counts while the next one is under way";
  EXPECT_LE(routes_asked_, many + 64);
  now_ += 1s;
  EXPECT_FALSE(are_cut_up()) << "but not for ever";
  EXPECT_GT(count_calls(), 1U);
  EXPECT_TRUE(are_cut_up());
}

TEST_F(RunRoutesTest, many_egresses_are_asked_a_few_at_a_time) {
  std::vector<std::string> egresses;
  for (std::size_t number = 0; number < many; ++number) {
    egresses.push_back("u" + std::to_string(number));
    cuts_up_[egresses.back()] = true;
  }
  routes_.apply(Family::ipv4, {}, egresses);
  for (std::size_t before = 0; !are_cut_up();) {
    ASSERT_LE(egresses_asked_.size(), before + 8);
    before = egresses_asked_.size();
  }
  EXPECT_EQ(egresses_asked_.size(), many);
  EXPECT_EQ(egresses_asked_["u4999"], 1);
}

TEST_F(RunRoutesTest, a_look_ends_early_where_a_server_would_get_runs_uncut) {
  cuts_up_["veth"] = false;
  routes_.apply(Family::ipv4, servers(many));
  egress_of_[server(100)] = "veth";
  EXPECT_FALSE(are_cut_up());
  EXPECT_FALSE(are_cut_up());
  EXPECT_FALSE(are_cut_up());
  EXPECT_EQ(routes_asked_, 101U);
}

}  // namespace
}  // namespace relay::io
