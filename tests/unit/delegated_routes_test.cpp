// Routes to delegated prefixes against the kernel, in a namespace of the test's own.
#include "relay/io/delegated_routes.h"

#include <net/if.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/delegation6.h"
#include "tests/support/network_namespace.h"

namespace relay::io {
namespace {

using test_support::ip;
using test_support::ip6;
using test_support::prefix6;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const Ipv6Prefix one = prefix6("2001:db8:e1::/56");
const Ipv6Prefix other = prefix6("2001:db8:e2::/48");

/// Lines of `ip`, up to the metric.
std::vector<std::string> shown(const std::string& what) {
  struct Close {
    void operator()(std::FILE* pipe) const noexcept { ::pclose(pipe); }
  };
  const std::unique_ptr<std::FILE, Close> pipe{::popen(("ip -6 route show " + what).c_str(), "r")};
  std::vector<std::string> lines;
  std::array<char, 300> line{};
  while (pipe && std::fgets(line.data(), line.size(), pipe.get()) != nullptr) {
    const std::string text{line.data()};
    lines.push_back(text.substr(0, text.find(" metric")));
  }
  return lines;
}

std::vector<std::string> ours() {
  return shown("proto 87");
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

  void begin() {
    routes_.reset();
    routes_.emplace(nullptr, DelegatedRoutes::Listener{[this](const Ipv6Prefix&, const NextHop&, int error) {
                                                         const std::lock_guard lock{mutex_};
                                                         refused_.push_back(error);
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

TEST_F(DelegatedRoutesTest, row_S_01_stay_at_the_end_and_are_taken_over_by_the_next_relay) {
  want(one, "fe80::1", c0_);
  want(other, "fe80::2", c1_);
  ASSERT_TRUE(
      ip({"route add 2001:db8:e3::/48 via fe80::9 dev c1 proto 87", "route add 2001:db8:e4::/48 via fe80::9 dev c1"}));
  begin();
  routes_->take_over({{one, {ip6("fe80::1"), c0_}}}, {c0_});
  routes_->settle();
  EXPECT_THAT(ours(), UnorderedElementsAre("2001:db8:e1::/56 via fe80::1 dev c0", "2001:db8:e2::/48 via fe80::2 dev c1",
                                           "2001:db8:e3::/48 via fe80::9 dev c1"))
      << "those on another interface are another relay's";
  begin();
  routes_->take_over({{one, {ip6("fe80::7"), c1_}}}, {c0_, c1_});
  routes_->settle();
  EXPECT_THAT(ours(), ElementsAre("2001:db8:e1::/56 via fe80::7 dev c1"));
  EXPECT_THAT(shown("2001:db8:e4::/48"), ElementsAre("2001:db8:e4::/48 via fe80::9 dev c1")) << "not ours";
}

TEST_F(DelegatedRoutesTest, row_S_02_are_made_anew_when_a_link_has_come_up) {
  want(one, "fe80::1", c0_);
  want(other, "fe80::2", c1_);
  ASSERT_TRUE(ip({"link set c0 down"}));
  EXPECT_THAT(ours(), ElementsAre("2001:db8:e2::/48 via fe80::2 dev c1"));
  ASSERT_TRUE(ip({"link set c0 up"}));
  routes_->renew(c0_);
  routes_->settle();
  EXPECT_THAT(ours(),
              UnorderedElementsAre("2001:db8:e1::/56 via fe80::1 dev c0", "2001:db8:e2::/48 via fe80::2 dev c1"));
  routes_->renew(c1_);
  routes_->settle();
  EXPECT_EQ(ours().size(), 2U) << "also where nothing was lost";
}

TEST_F(DelegatedRoutesTest, row_S_02_a_link_that_is_down_is_no_fault) {
  ASSERT_TRUE(ip({"link set c0 down"}));
  want(one, "fe80::1", c0_);
  want(other, "fe80::2", 4711);
  EXPECT_THAT(refused(), IsEmpty());
  ASSERT_TRUE(ip({"link set c0 up"}));
  routes_->renew(c0_);
  routes_->settle();
  EXPECT_THAT(ours(), ElementsAre("2001:db8:e1::/56 via fe80::1 dev c0"));
}

TEST_F(DelegatedRoutesTest, somebody_elses_route_stays_and_ours_is_refused) {
  ASSERT_TRUE(ip({"route add 2001:db8:e1::/56 via fe80::9 dev c1 metric 1024"}));
  want(one, "fe80::1", c0_);
  EXPECT_THAT(refused(), ElementsAre(EEXIST));
  EXPECT_THAT(ours(), IsEmpty());
  withdraw(one);
  EXPECT_THAT(shown("2001:db8:e1::/56"), ElementsAre("2001:db8:e1::/56 via fe80::9 dev c1"));
  ASSERT_TRUE(ip({"route del 2001:db8:e1::/56 via fe80::9 dev c1 metric 1024"}));
  want(one, "fe80::1", c0_);
  EXPECT_THAT(ours(), ElementsAre("2001:db8:e1::/56 via fe80::1 dev c0"));
}

}  // namespace
}  // namespace relay::io
