// What the interface view makes of IPv6 addresses and of the settings of DHCPv6, and the kernel's reports of these
// addresses, in a network namespace of the test's own.
#include <poll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/io/interface_view.h"
#include "relay/io/link_monitor.h"
#include "tests/support/message6.h"
#include "tests/support/network_namespace.h"

namespace relay::io {
namespace {

using test_support::described;
using test_support::ip6;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr InterfaceRole lower{false, false, true, false};

[[nodiscard]] LinkState link(std::uint32_t index, std::string name) {
  LinkState state;
  state.index = index;
  state.name = std::move(name);
  state.is_up = state.has_carrier = true;
  return state;
}

[[nodiscard]] InterfaceAddress6 address(const std::string& text, std::uint8_t length = 64) {
  return {{ip6(text), length}};
}

/// c0 and c1 have clients of DHCPv6; their servers are one by routes and one on s0.
[[nodiscard]] InterfaceSettings settings() {
  InterfaceSettings result;
  result.roles = {{"c0", lower}, {"c1", {true, false}}};
  result.v6.servers = {{"*", {{ip6("2001:db8:53::10")}, {ip6("ff05::1:3"), "s0"}}}};
  return result;
}

class Addresses6 : public ::testing::Test {
 protected:
  void use(const InterfaceSettings& settings) {
    Listener listener;
    listener.interface_changed = [this](const InterfaceEvent& event) {
      if (event.change == InterfaceChange::link_address_changed) {
        told_.push_back(event.interface.name + " " + described(event.interface.v6.link_address));
      } else if (event.change == InterfaceChange::no_link_local) {
        told_.push_back(event.interface.name + " has no link-local address");
      } else if (event.change == InterfaceChange::has_link_local) {
        told_.push_back(event.interface.name + " has a link-local address again");
      }
    };
    view_.emplace(table_, settings, listener);
  }
  [[nodiscard]] const Interface6& v6(std::uint32_t index) { return table_.find(index)->v6; }
  [[nodiscard]] std::vector<std::string> told() { return std::exchange(told_, {}); }

  InterfaceTable table_;
  std::optional<InterfaceView> view_;

 private:
  std::vector<std::string> told_;
};

TEST_F(Addresses6, choose_what_relay_forwards_say) {
  use(settings());
  view_->link_changed(link(4, "c0"));
  EXPECT_FALSE(table_.find(4)->is_downstream) << "of DHCPv6 alone";
  EXPECT_TRUE(v6(4).link_address.is_unspecified());
  EXPECT_EQ(std::string(v6(4).options.interface_id().begin(), v6(4).options.interface_id().end()), "c0");
  view_->address6_added(4, address("fe80::c0"));
  EXPECT_EQ(v6(4).link_local, ip6("fe80::c0"));
  EXPECT_THAT(told(), IsEmpty());
  view_->address6_added(4, address("2001:db8:1::2"));
  view_->address6_added(4, address("2001:db8:1::1"));
  EXPECT_EQ(v6(4).link_address, ip6("2001:db8:1::1"));
  EXPECT_THAT(v6(4).addresses, ElementsAre(address("2001:db8:1::1"), address("2001:db8:1::2"), address("fe80::c0")));
  EXPECT_TRUE(table_.is_local(ip6("2001:db8:1::2")));
  InterfaceAddress6 deprecated = address("2001:db8:1::1");
  deprecated.is_deprecated = true;
  view_->address6_added(4, deprecated);
  EXPECT_EQ(v6(4).link_address, ip6("2001:db8:1::2"));
  view_->address6_removed(4, ip6("2001:db8:1::2"));
  view_->address6_removed(4, ip6("2001:db8:1::1"));
  view_->address6_removed(4, ip6("2001:db8:1::1"));
  EXPECT_THAT(told(),
              ElementsAre("c0 2001:db8:1::2", "c0 2001:db8:1::1", "c0 2001:db8:1::2", "c0 2001:db8:1::1", "c0 ::"));
}

TEST_F(Addresses6, it_is_told_where_there_is_no_link_local_one_for_long) {
  use(settings());
  view_->link_changed(link(4, "c0"));
  view_->link_changed(link(5, "c1"));
  view_->link_changed(link(6, "idle"));
  EXPECT_TRUE(view_->report_lacking_link_local()) << "they may be new, and get one in a moment";
  view_->address6_added(5, address("fe80::c1"));
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_FALSE(view_->report_lacking_link_local());
  EXPECT_THAT(told(), ElementsAre("c0 has no link-local address"));
  EXPECT_FALSE(view_->report_lacking_link_local());
  EXPECT_THAT(told(), IsEmpty()) << "once";
  view_->address6_added(4, address("fe80::c0"));
  EXPECT_THAT(told(), ElementsAre("c0 has a link-local address again"));

  view_->address6_removed(5, ip6("fe80::c1"));
  EXPECT_TRUE(view_->report_lacking_link_local());
  view_->address6_added(5, address("fe80::c2"));
  EXPECT_FALSE(view_->report_lacking_link_local());
  EXPECT_THAT(told(), IsEmpty()) << "it had another one in time";

  LinkState down = link(4, "c0");
  down.is_up = false;
  view_->link_changed(down);
  view_->address6_removed(4, ip6("fe80::c0"));
  EXPECT_FALSE(view_->report_lacking_link_local()) << "that it is down says it all";
  view_->link_changed(link(4, "c0"));
  EXPECT_TRUE(view_->report_lacking_link_local());
  EXPECT_FALSE(view_->report_lacking_link_local());
  view_->link_changed(down);
  EXPECT_THAT(told(), ElementsAre("c0 has no link-local address"));
}

TEST_F(Addresses6, nobody_misses_a_link_local_one_without_dhcpv6) {
  InterfaceSettings without = settings();
  without.v6 = {};
  use(without);
  view_->link_changed(link(5, "c1"));
  EXPECT_FALSE(view_->report_lacking_link_local());
}

TEST_F(Addresses6, a_given_link_address_stays) {
  InterfaceSettings given = settings();
  given.v6.link_addresses = {{"c0", ip6("2001:db8:9::1")}};
  use(given);
  view_->link_changed(link(4, "c0"));
  view_->address6_added(4, address("2001:db8:1::1"));
  EXPECT_EQ(v6(4).link_address, ip6("2001:db8:9::1"));
  EXPECT_EQ(v6(4).source, ip6("2001:db8:1::1")) << "which this host has";
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(Addresses6, servers_follow_the_interface_that_they_are_on) {
  use(settings());
  view_->link_changed(link(4, "c0"));
  view_->link_changed(link(5, "c1"));
  const Server6 routed{ip6("2001:db8:53::10"), 0};
  EXPECT_THAT(v6(4).servers, ElementsAre(routed));
  EXPECT_TRUE(v6(4).lacks_server);
  EXPECT_THAT(view_->missing(), ElementsAre("s0"));
  view_->link_changed(link(9, "s0"));
  EXPECT_THAT(v6(4).servers, ElementsAre(routed, Server6{ip6("ff05::1:3"), 9}));
  EXPECT_FALSE(v6(4).lacks_server);
  EXPECT_THAT(v6(5).servers, ElementsAre(routed, Server6{ip6("ff05::1:3"), 9}));
  view_->link_changed(link(9, "s1"));
  EXPECT_THAT(v6(5).servers, ElementsAre(routed));
  view_->synchronise({{link(4, "c0"), {}}, {link(5, "c1"), {}}, {link(12, "s0"), {}}});
  EXPECT_THAT(v6(5).servers, ElementsAre(routed, Server6{ip6("ff05::1:3"), 12}));
  view_->link_removed(12);
  EXPECT_THAT(v6(5).servers, ElementsAre(routed));
}

TEST_F(Addresses6, are_compared_whatever_their_order) {
  use(settings());
  const auto links = [](std::vector<InterfaceAddress6> addresses) {
    return std::vector<Link>{{link(4, "c0"), {}, std::move(addresses)}};
  };
  int updates = 0;
  view_->follow([&](std::uint32_t, const Interface*) { ++updates; });
  view_->synchronise(links({address("fe80::c0"), address("2001:db8:1::1")}));
  EXPECT_EQ(updates, 1);
  view_->synchronise(links({address("2001:db8:1::1"), address("fe80::c0")}));
  EXPECT_EQ(updates, 1);
  view_->synchronise(links({address("2001:db8:1::1", 48), address("fe80::c0")}));
  EXPECT_EQ(updates, 2);
  EXPECT_EQ(v6(4).addresses.front().prefix.length, 48);
}

TEST_F(Addresses6, followers_hear_of_every_link) {
  use(settings());
  std::vector<std::string> heard;
  view_->link_changed(link(4, "c0"));
  view_->follow([&heard](std::uint32_t index, const Interface* interface) {
    heard.push_back(std::to_string(index) + " " + (interface == nullptr ? "gone" : interface->name));
  });
  view_->link_changed(link(5, "other"));
  view_->link_removed(4);
  view_->synchronise({});
  EXPECT_THAT(heard, ElementsAre("4 c0", "5 other", "4 gone", "5 gone"));
}

class Addresses6OfKernel : public test_support::NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    ASSERT_TRUE(test_support::ip(
        {"link add c0 type veth peer name p0", "link set c0 addrgenmode none", "link set c0 up", "link set p0 up"}));
    view_.emplace(table_, settings(), Listener{});
    monitor_.emplace(
        *view_, [] {}, open_link_reports({.ipv4 = true, .ipv6 = true}));
    monitor_->synchronise();
  }
  void TearDown() override {
    monitor_.reset();
    NetworkNamespaceTest::TearDown();
  }

  /// Of c0, as they are known.
  [[nodiscard]] std::vector<InterfaceAddress6> addresses() const {
    for (const auto& [index, interface] : table_.all()) {
      if (interface.name == "c0") {
        return interface.v6.addresses;
      }
    }
    return {};
  }

  /// Reads changes until the addresses of c0 are these; false if they do not become so within 20 s.
  [[nodiscard]] bool become(const std::vector<InterfaceAddress6>& wanted) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (addresses() != wanted) {
      pollfd waiting{monitor_->descriptor(), POLLIN, 0};
      if (::poll(&waiting, 1, 1000) > 0) {
        static_cast<void>(monitor_->read_changes());
      } else if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
    }
    return true;
  }

  InterfaceTable table_;
  std::optional<InterfaceView> view_;
  std::optional<LinkMonitor> monitor_;
};

TEST_F(Addresses6OfKernel, are_followed_with_their_flags) {
  EXPECT_THAT(addresses(), IsEmpty());
  ASSERT_TRUE(test_support::ip({"address add 2001:db8:1::1/64 dev c0 nodad"}));
  EXPECT_TRUE(become({address("2001:db8:1::1")}));
  ASSERT_TRUE(test_support::ip({"address change 2001:db8:1::1/64 dev c0 preferred_lft 0"}));
  InterfaceAddress6 deprecated = address("2001:db8:1::1");
  deprecated.is_deprecated = true;
  EXPECT_TRUE(become({deprecated}));
  ASSERT_TRUE(test_support::ip({"address del 2001:db8:1::1/64 dev c0"}));
  EXPECT_TRUE(become({}));
}

TEST_F(Addresses6OfKernel, count_once_nobody_else_has_them) {
  ASSERT_TRUE(test_support::ip({"address add 2001:db8:1::2/64 dev p0 nodad", "address add 2001:db8:1::2/64 dev c0",
                                "address add 2001:db8:1::3/64 dev c0"}));
  EXPECT_TRUE(become({address("2001:db8:1::3")})) << "the other is a neighbour's";
  monitor_->synchronise();
  EXPECT_THAT(addresses(), ElementsAre(address("2001:db8:1::3")));
}

TEST_F(Addresses6OfKernel, of_a_point_to_point_link_are_ours) {
  ASSERT_TRUE(test_support::ip({"address add 2001:db8:1::1 peer 2001:db8:1::2/128 dev c0 nodad"}));
  EXPECT_TRUE(become({address("2001:db8:1::1", 128)}));
}

}  // namespace
}  // namespace relay::io
