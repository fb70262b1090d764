// Where a capture listens, how it describes that, and what the host takes for its own.
#include "relay/capture/host_view.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/message6.h"
#include "tests/support/message_builder.h"

namespace relay::capture {
namespace {

using test_support::ip;
using test_support::ip6;

Interface interface(std::uint32_t index, const std::string& name, const std::vector<Ipv4Prefix>& addresses) {
  Interface result;
  result.index = index;
  result.name = name;
  result.is_up = true;
  result.is_ethernet = true;
  result.mac = MacAddress{{2, 0, 0, 0, 0, static_cast<std::uint8_t>(index)}};
  result.addresses = addresses;
  return result;
}

/// An interface for clients, whose giaddr is its first address.
Interface downstream(std::uint32_t index, const std::string& name, const std::vector<Ipv4Prefix>& addresses) {
  Interface result = interface(index, name, addresses);
  result.is_downstream = true;
  if (!addresses.empty()) {
    result.giaddr = addresses.front().address;
  }
  return result;
}

/// `name: description` of each point.
std::vector<std::string> points_of(const HostView& view) {
  std::vector<std::string> result;
  for (const HostView::Point& point : view.points) {
    result.push_back(point.name + ": " + point.description);
  }
  return result;
}

using Points = std::vector<std::string>;

class HostViewTest : public testing::Test {
 protected:
  HostViewTest() {
    table_.put(interface(1, "lo", {{ip(127, 0, 0, 1), 8}}));
    table_.put(downstream(5, "d1", {{ip(10, 101, 0, 1), 24}}));
    table_.put(downstream(4, "d0", {}));
    Interface both = downstream(6, "b1", {{ip(10, 102, 0, 1), 24}, {ip(10, 103, 0, 1), 24}});
    both.is_upstream = true;
    table_.put(both);
    Interface passive = downstream(7, "p1", {{ip(10, 104, 0, 2), 24}});
    passive.giaddr = ip(10, 104, 0, 1);
    table_.put(passive);
    Interface upstream = interface(3, "u1", {{ip(10, 9, 0, 1), 30}});
    upstream.is_upstream = true;
    table_.put(upstream);
    table_.put(interface(8, "x1", {{ip(192, 0, 2, 1), 25}}));
    table_.put(interface(9, "x2", {}));
    Interface down = interface(10, "x3", {{ip(192, 0, 2, 129), 25}});
    down.is_up = false;
    table_.put(down);
  }

  InterfaceTable table_;
};

TEST_F(HostViewTest, points_are_the_interfaces_with_a_role_in_order_of_index) {
  EXPECT_EQ(points_of(host_view(table_, true)),
            (Points{"u1: upstream, 10.9.0.1/30", "d0: downstream, no address", "d1: downstream, giaddr 10.101.0.1",
                    "b1: downstream and upstream, giaddr 10.102.0.1", "p1: downstream (passive), giaddr 10.104.0.1"}));
}

TEST_F(HostViewTest, where_servers_may_be_anywhere_the_other_interfaces_in_use_are_points_too) {
  EXPECT_EQ(points_of(host_view(table_, false)),
            (Points{"u1: upstream, 10.9.0.1/30", "d0: downstream, no address", "d1: downstream, giaddr 10.101.0.1",
                    "b1: downstream and upstream, giaddr 10.102.0.1", "p1: downstream (passive), giaddr 10.104.0.1",
                    "x1: upstream, 192.0.2.1/25"}));
}

TEST_F(HostViewTest, interfaces_with_a_role_are_points_though_they_are_down_or_without_address) {
  InterfaceTable table;
  Interface upstream = interface(2, "u1", {});
  upstream.is_upstream = true;
  upstream.is_up = false;
  table.put(upstream);
  Interface clients = downstream(3, "d1", {{ip(10, 1, 0, 1), 24}});
  clients.giaddr.reset();
  clients.is_up = false;
  table.put(clients);
  for (const bool upstream_named : {false, true}) {
    EXPECT_EQ(points_of(host_view(table, upstream_named)),
              (Points{"u1: upstream, no address", "d1: downstream, 10.1.0.1/24"}));
  }
}

TEST_F(HostViewTest, a_point_is_what_the_table_says) {
  const HostView view = host_view(table_, true);
  EXPECT_EQ(view.points.at(3), (HostView::Point{.index = 6,
                                                .name = "b1",
                                                .description = "downstream and upstream, giaddr 10.102.0.1",
                                                .addresses = {{ip(10, 102, 0, 1), 24}, {ip(10, 103, 0, 1), 24}},
                                                .mac = MacAddress{{2, 0, 0, 0, 0, 6}},
                                                .is_ethernet = true}));
}

TEST_F(HostViewTest, names_and_addresses_are_of_all_interfaces) {
  const HostView view = host_view(table_, true);
  EXPECT_EQ(view.names.size(), 9U);
  EXPECT_EQ(view.names.at(10), "x3");
  EXPECT_EQ(view.addresses.size(), 8U);
  EXPECT_TRUE(view.addresses.contains(ip(10, 103, 0, 1)));
  EXPECT_TRUE(view.addresses.contains(ip(127, 0, 0, 1)));
  EXPECT_FALSE(view.addresses.contains(ip(10, 104, 0, 1))) << "giaddr that this host does not hold";
}

TEST_F(HostViewTest, what_the_kernel_takes) {
  const HostView view = host_view(table_, true);
  struct Case {
    Ipv4Address destination;
    bool is_taken;
  };
  for (const auto& [destination, is_taken] : std::vector<Case>{
           {ip(10, 9, 0, 1), true},
           {limited_broadcast, true},
           {ip(224, 0, 0, 1), true},
           {ip(239, 255, 255, 255), true},
           {ip(10, 9, 0, 3), true},       // broadcast of a /30
           {ip(10, 9, 0, 2), false},      // a neighbour there
           {ip(10, 102, 0, 255), true},   // of another interface
           {ip(10, 103, 0, 255), true},   // of its second subnet
           {ip(10, 103, 0, 254), false},  // a neighbour there
           {ip(192, 0, 2, 127), true},    // of an interface without a role
           {ip(192, 0, 2, 129), true},    // of an interface that is down
           {ip(192, 0, 2, 255), false},   // its broadcast, which goes with it
           {ip(240, 0, 0, 1), false},
           {Ipv4Address{}, false},
       }) {
    EXPECT_EQ(view.takes(destination), is_taken) << destination.host_order();
  }
}

TEST_F(HostViewTest, a_subnet_of_two_addresses_has_no_broadcast) {
  InterfaceTable table;
  Interface link = interface(2, "u1", {{ip(10, 9, 0, 0), 31}});
  link.is_upstream = true;
  table.put(link);
  EXPECT_FALSE(host_view(table, true).takes(ip(10, 9, 0, 1)));
}

TEST_F(HostViewTest, interfaces_of_dhcpv6) {
  InterfaceTable table;
  Interface lower = interface(2, "d1", {});
  lower.v6.is_lower = true;
  lower.v6.addresses = {{{ip6("fe80::d1"), 64}}, {{ip6("2001:db8:1::1"), 64}}};
  table.put(lower);
  Interface upper = interface(3, "u1", {{ip(10, 9, 0, 1), 24}});
  upper.v6.is_upper = true;
  upper.v6.addresses = {{{ip6("fe80::d2"), 64}}};
  table.put(upper);
  EXPECT_EQ(points_of(host_view(table, true)), Points{});
  const HostView view = host_view(table, true, {.ipv6 = true});
  EXPECT_EQ(points_of(view), (Points{"d1: downstream", "u1: upstream, 10.9.0.1/24"}));
  const HostView::Point& d1 = view.points[0];
  const HostView::Point& u1 = view.points[1];
  EXPECT_TRUE(view.takes(all_dhcp_relay_agents_and_servers, d1));
  EXPECT_FALSE(view.takes(all_dhcp_relay_agents_and_servers, u1)) << "nobody has joined the group there";
  EXPECT_FALSE(view.takes(all_dhcp_servers, d1));
  EXPECT_TRUE(view.takes(ip6("ff02::1"), u1));
  EXPECT_TRUE(view.takes(ip6("fe80::d1"), d1));
  EXPECT_FALSE(view.takes(ip6("fe80::d1"), u1)) << "of another link";
  EXPECT_TRUE(view.takes(ip6("2001:db8:1::1"), u1));
  EXPECT_FALSE(view.takes(ip6("2001:db8:1::2"), d1));
  EXPECT_TRUE(view.takes(limited_broadcast, d1));
}

TEST_F(HostViewTest, where_servers_of_dhcpv6_may_be_anywhere) {
  InterfaceTable table;
  Interface global = interface(2, "x1", {});
  global.v6.addresses = {{{ip6("2001:db8:1::1"), 64}}};
  table.put(global);
  Interface local = interface(3, "x2", {});
  local.v6.addresses = {{{ip6("fe80::1"), 64}}};
  table.put(local);
  EXPECT_EQ(points_of(host_view(table, false, {.ipv6 = true})), Points{"x1: upstream"});
}

TEST_F(HostViewTest, an_empty_table) {
  const HostView view = host_view(InterfaceTable{}, false);
  EXPECT_TRUE(view.points.empty());
  EXPECT_TRUE(view.takes(limited_broadcast));
  EXPECT_FALSE(view.takes(ip(10, 1, 0, 255)));
}

}  // namespace
}  // namespace relay::capture
