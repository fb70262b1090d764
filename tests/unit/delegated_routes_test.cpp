// Routes to delegated prefixes against the kernel, in a namespace of the test's own.
#include "relay/io/delegated_routes.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/io/descriptor.h"
#include "tests/support/delegation6.h"
#include "tests/support/network_namespace.h"

namespace relay::io {
namespace {

using test_support::ip;
using test_support::ip6;
using test_support::prefix6;
using test_support::routes6;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const Ipv6Prefix one = prefix6("2001:db8:e1::/56");
const Ipv6Prefix other = prefix6("2001:db8:e2::/48");

std::vector<std::string> ours() {
  return routes6("proto 87");
}

/// Hears of each change of a route from now on.
Descriptor changes_of_routes() {
  Descriptor socket{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE)};
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_IPV6_ROUTE;
  EXPECT_EQ(::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return socket;
}

/// Of ours: the kernel makes its own at any time after a link has come up.
bool has_changed_ours(const Descriptor& socket) {
  alignas(nlmsghdr) std::array<char, 8192> buffer{};
  ssize_t size = 0;
  bool has_changed = false;
  while ((size = ::recv(socket.number(), buffer.data(), buffer.size(), 0)) > 0) {
    const auto* const route = reinterpret_cast<const rtmsg*>(buffer.data() + sizeof(nlmsghdr));  // each alone
    has_changed |= route->rtm_protocol == route_protocol;
  }
  return has_changed;
}

/// c0 and c1 are up and lead to nobody.
class DelegatedRoutesTest : public test_support::NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    ASSERT_TRUE(ip({"link add c0 type veth peer name p0", "link add c1 type veth peer name p1", "link set c0 up",
                    "link set p0 up", "link set c1 up", "link set p1 up"}));
    c0_ = ::if_nametoindex("c0");
    c1_ = ::if_nametoindex("c1");
    begin();
  }
  void TearDown() override {
    routes_.reset();
    NetworkNamespaceTest::TearDown();
  }

  void begin(std::unique_ptr<StateFile> file = nullptr) {
    routes_.reset();
    routes_.emplace(std::move(file), DelegatedRoutes::Listener{[this](const Ipv6Prefix&, const NextHop&, int error) {
                                                                 const std::lock_guard lock{mutex_};
                                                                 refused_.push_back(error);
                                                               },
                                                               [this](std::size_t count) {
                                                                 const std::lock_guard lock{mutex_};
                                                                 others_ = count;
                                                               },
                                                               {}});
  }
  void want(const Ipv6Prefix& prefix, const char* next_hop, std::uint32_t index) {
    routes_->want(prefix, NextHop{ip6(next_hop), index});
    routes_->settle();
  }
  void withdraw(const Ipv6Prefix& prefix) {
    routes_->want(prefix, std::nullopt);
    routes_->settle();
  }
  /// As many as the listener is told of.
  [[nodiscard]] std::optional<std::size_t> count_others(std::vector<std::uint32_t> interfaces) {
    routes_->count_others(std::move(interfaces));
    routes_->settle();
    const std::lock_guard lock{mutex_};
    return std::exchange(others_, std::nullopt);
  }
  [[nodiscard]] std::vector<int> refused() {
    const std::lock_guard lock{mutex_};
    return std::exchange(refused_, {});
  }

  std::uint32_t c0_ = 0;
  std::uint32_t c1_ = 0;
  std::optional<DelegatedRoutes> routes_;

 private:
  std::mutex mutex_;
  std::vector<int> refused_;
  std::optional<std::size_t> others_;
};

TEST_F(DelegatedRoutesTest, row_R_01_and_row_R_02_come_and_go_with_what_is_wanted) {
  want(one, "fe80::1", c0_);
  want(other, "fe80::2", c1_);
  EXPECT_THAT(ours(),
              UnorderedElementsAre("2001:db8:e1::/56 via fe80::1 dev c0", "2001:db8:e2::/48 via fe80::2 dev c1"));
  withdraw(one);
  EXPECT_THAT(ours(), ElementsAre("2001:db8:e2::/48 via fe80::2 dev c1"));
  withdraw(other);
  withdraw(other);
  EXPECT_THAT(ours(), IsEmpty());
  EXPECT_THAT(refused(), IsEmpty());
}

TEST_F(DelegatedRoutesTest, row_R_01_another_next_hop_takes_the_place_of_the_first) {
  want(one, "fe80::1", c0_);
  want(one, "fe80::2", c0_);
  EXPECT_THAT(ours(), ElementsAre("2001:db8:e1::/56 via fe80::2 dev c0"));
  want(one, "fe80::2", c1_);
  EXPECT_THAT(ours(), ElementsAre("2001:db8:e1::/56 via fe80::2 dev c1"));
}

TEST_F(DelegatedRoutesTest, row_S_01_stay_at_the_end_and_others_than_those_that_the_next_relay_wants_are_counted) {
  want(one, "fe80::1", c0_);
  want(other, "fe80::2", c1_);
  ASSERT_TRUE(
      ip({"route add 2001:db8:e3::/48 via fe80::9 dev c1 proto 87", "route add 2001:db8:e4::/48 via fe80::9 dev c1"}));
  begin();
  want(one, "fe80::1", c0_);
  EXPECT_EQ(count_others({c0_}), 0U) << "those on another interface are another relay's";
  EXPECT_EQ(count_others({c0_, c1_}), 2U);
  EXPECT_THAT(ours(), UnorderedElementsAre("2001:db8:e1::/56 via fe80::1 dev c0", "2001:db8:e2::/48 via fe80::2 dev c1",
                                           "2001:db8:e3::/48 via fe80::9 dev c1"));
  want(other, "fe80::7", c0_);
  EXPECT_THAT(ours(), UnorderedElementsAre("2001:db8:e1::/56 via fe80::1 dev c0", "2001:db8:e2::/48 via fe80::7 dev c0",
                                           "2001:db8:e3::/48 via fe80::9 dev c1"))
      << "whatever they were";
  withdraw(prefix6("2001:db8:e3::/48"));
  EXPECT_EQ(count_others({c0_, c1_}), 0U);
}

TEST_F(DelegatedRoutesTest, row_R_01_what_is_over_is_withdrawn_before_the_end) {
  std::vector<Ipv6Prefix> prefixes;
  for (std::uint8_t number = 0; number != 200; ++number) {
    prefixes.push_back(one);
    prefixes.back().address.octets[6] = number;
    routes_->want(prefixes.back(), NextHop{ip6("fe80::1"), c0_});
  }
  routes_->settle();
  EXPECT_EQ(ours().size(), prefixes.size());
  for (const Ipv6Prefix& prefix : prefixes) {
    routes_->want(prefix, std::nullopt);
  }
  routes_.reset();
  EXPECT_THAT(ours(), IsEmpty()) << "the next relay knows nothing of them";
}

TEST_F(DelegatedRoutesTest, neither_a_prefix_nor_the_state_waits_for_ever_while_others_are_wanted_again_and_again) {
  const Ipv6Prefix high = prefix6("2001:db8:ffff::/48");
  ASSERT_TRUE(ip({"route add 2001:db8:ffff::/48 via fe80::9 dev c1"}));
  std::string folder = (std::filesystem::temp_directory_path() / "routes-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  begin(std::make_unique<StateFile>(folder + "/prefixes", std::nullopt));
  std::atomic<bool> is_written = false;
  const std::array<NextHop, 3> hops{{{ip6("fe80::1"), c0_}, {ip6("fe80::2"), c0_}, {ip6("fe80::3"), c1_}}};
  std::size_t turn = 0;
  bool has_begun = false;
  std::size_t refusals = 0;
  const auto storm = [&](const auto& is_over) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    for (Ipv6Prefix low = prefix6("2001:db8::/64"); !is_over() && std::chrono::steady_clock::now() < deadline;) {
      for (unsigned number = 0; number != 4096; ++number) {
        low.address.octets[6] = static_cast<std::uint8_t>(number >> 8U);
        low.address.octets[7] = static_cast<std::uint8_t>(number);
        routes_->want(low, hops[turn++ % hops.size()]);
      }
    }
  };
  storm([&] { return std::exchange(has_begun, true); });
  routes_->want(high, NextHop{ip6("fe80::1"), c0_});
  storm([&] { return (refusals += refused().size()) != 0; });
  EXPECT_EQ(refusals, 1U);
  routes_->write_state([&] {
    is_written = true;
    return std::string{"all"};
  });
  storm([&] { return is_written.load(); });
  EXPECT_TRUE(is_written);
  routes_.reset();
  std::filesystem::remove_all(folder);
}

TEST_F(DelegatedRoutesTest, row_S_02_are_made_anew_when_a_link_has_come_up) {
  want(one, "fe80::1", c0_);
  want(other, "fe80::2", c1_);
  ASSERT_TRUE(ip({"link set c0 down"}));
  EXPECT_THAT(ours(), ElementsAre("2001:db8:e2::/48 via fe80::2 dev c1"));
  ASSERT_TRUE(ip({"link set c0 up"}));
  want(one, "fe80::1", c0_);
  EXPECT_THAT(ours(),
              UnorderedElementsAre("2001:db8:e1::/56 via fe80::1 dev c0", "2001:db8:e2::/48 via fe80::2 dev c1"));
}

TEST_F(DelegatedRoutesTest, row_R_01_what_somebody_took_away_is_made_anew_and_what_is_there_is_left_alone) {
  want(one, "fe80::1", c0_);
  want(other, "fe80::2", c1_);
  ASSERT_TRUE(ip({"route del 2001:db8:e1::/56 proto 87"}));
  const Descriptor changes = changes_of_routes();
  want(other, "fe80::2", c1_);
  EXPECT_FALSE(has_changed_ours(changes));
  want(one, "fe80::1", c0_);
  EXPECT_TRUE(has_changed_ours(changes));
  EXPECT_THAT(ours(),
              UnorderedElementsAre("2001:db8:e1::/56 via fe80::1 dev c0", "2001:db8:e2::/48 via fe80::2 dev c1"));
}

TEST_F(DelegatedRoutesTest, a_longer_route_that_hides_ours_is_no_reason_to_make_it_anew) {
  ASSERT_TRUE(ip({"route add 2001:db8:e1::/64 via fe80::9 dev c1"}));
  want(one, "fe80::1", c0_);
  const Descriptor changes = changes_of_routes();
  want(one, "fe80::1", c0_);
  EXPECT_FALSE(has_changed_ours(changes));
  EXPECT_THAT(ours(), ElementsAre("2001:db8:e1::/56 via fe80::1 dev c0"));
  EXPECT_THAT(refused(), IsEmpty());
}

TEST_F(DelegatedRoutesTest, row_S_02_a_link_that_is_down_is_no_fault) {
  ASSERT_TRUE(ip({"link set c0 down"}));
  want(one, "fe80::1", c0_);
  want(other, "fe80::2", 4711);
  EXPECT_THAT(refused(), IsEmpty());
  ASSERT_TRUE(ip({"link set c0 up"}));
  want(one, "fe80::1", c0_);
  EXPECT_THAT(ours(), ElementsAre("2001:db8:e1::/56 via fe80::1 dev c0"));
}

TEST_F(DelegatedRoutesTest, somebody_elses_route_of_any_metric_stays_and_ours_is_refused) {
  for (const std::string metric : {"20", "1024", "2048"}) {
    const std::string route = "2001:db8:e1::/56 via fe80::9 dev c1 metric " + metric;
    ASSERT_TRUE(ip({"route add " + route}));
    want(one, "fe80::1", c0_);
    EXPECT_THAT(refused(), ElementsAre(EEXIST)) << metric;
    EXPECT_THAT(ours(), IsEmpty()) << metric;
    withdraw(one);
    EXPECT_THAT(routes6("2001:db8:e1::/56"), ElementsAre("2001:db8:e1::/56 via fe80::9 dev c1"));
    ASSERT_TRUE(ip({"route del " + route}));
    want(one, "fe80::1", c0_);
    EXPECT_THAT(ours(), ElementsAre("2001:db8:e1::/56 via fe80::1 dev c0")) << metric;
    withdraw(one);
  }
}

TEST_F(DelegatedRoutesTest, somebody_elses_route_that_another_one_hides_stays_and_ours_is_refused) {
  const std::vector<std::string> hides = {
      "route add 2001:db8:e1::/64 via fe80::8 dev c0", "rule add to 2001:db8::/32 lookup 100",
      "rule del to 2001:db8::/32 lookup 100", "route del 2001:db8:e1::/64 via fe80::8 dev c0"};
  ASSERT_TRUE(ip({"route add 2001:db8::/32 via fe80::8 dev c0 table 100"}));
  const std::string route = "2001:db8:e1::/56 via fe80::9 dev c1 metric 20";
  for (const std::string& change : hides) {
    ASSERT_TRUE(test_support::run("ip -6 -batch -", {change, "route add " + route}));
    begin();
    want(one, "fe80::1", c0_);
    EXPECT_THAT(refused(), ElementsAre(EEXIST)) << change;
    EXPECT_THAT(ours(), IsEmpty()) << change;
    ASSERT_TRUE(ip({"route del " + route}));
    begin();
    want(one, "fe80::1", c0_);
    EXPECT_THAT(refused(), IsEmpty()) << change;
    EXPECT_THAT(ours(), ElementsAre("2001:db8:e1::/56 via fe80::1 dev c0")) << change;
    withdraw(one);
  }
}

TEST_F(DelegatedRoutesTest, somebody_elses_route_that_refuses_packets_stays_and_ours_is_refused) {
  ASSERT_TRUE(ip({"route add blackhole 2001:db8::/32", "route add blackhole 2001:db8:e1::/56 metric 20"}));
  want(one, "fe80::1", c0_);
  want(other, "fe80::1", c0_);
  EXPECT_THAT(refused(), ElementsAre(EEXIST));
  EXPECT_THAT(ours(), ElementsAre("2001:db8:e2::/48 via fe80::1 dev c0"));
}

TEST_F(DelegatedRoutesTest, a_better_route_of_somebody_else_takes_the_place_of_ours_when_it_is_wanted_anew) {
  want(one, "fe80::1", c0_);
  ASSERT_TRUE(ip({"route add 2001:db8:e1::/56 via fe80::9 dev c1 metric 20"}));
  want(one, "fe80::1", c0_);
  EXPECT_THAT(refused(), ElementsAre(EEXIST));
  EXPECT_THAT(ours(), IsEmpty());
}

}  // namespace
}  // namespace relay::io
