// The interfaces by what DHCPv6 messages say of them.

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/core/interface_table.h"
#include "tests/support/test_network6.h"

namespace relay {
namespace {

using test_support::interface6;
using test_support::ip6;
using test_support::text;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Interface downstream(std::uint32_t index, const std::vector<std::string>& addresses) {
  Interface interface = interface6(index, "vlan" + std::to_string(index), addresses);
  interface.is_downstream = true;
  interface.v6.servers = {{ip6("2001:db8:53::10")}};
  return interface;
}

TEST(InterfaceTable6, is_empty_at_first) {
  const InterfaceTable table;
  EXPECT_FALSE(table.is_local(ip6("2001:db8::1")));
  EXPECT_FALSE(table.is_server(ip6("2001:db8::1"), 9));
  EXPECT_THAT(table.downstream_by_link_address(ip6("2001:db8::1")), IsEmpty());
  EXPECT_THAT(table.downstream_by_link_address(ip6("::")), IsEmpty());
  EXPECT_THAT(table.downstream_by_interface_id(text("vlan7")), IsEmpty());
}

TEST(InterfaceTable6, look_ups_do_not_throw) {
  const InterfaceTable table;
  static_assert(noexcept(table.is_local(Ipv6Address{})));
  static_assert(noexcept(table.is_server(Ipv6Address{}, 0)));
  static_assert(noexcept(table.downstream_by_link_address({})));
  static_assert(noexcept(table.downstream_by_interface_id({})));
}

TEST(InterfaceTable6, finds_by_address_prefix_interface_id_and_server) {
  InterfaceTable table;
  table.put(downstream(7, {"2001:db8:7::1/64", "fd00::7/64", "fe80::7/64"}));
  EXPECT_TRUE(table.is_local(ip6("2001:db8:7::1")));
  EXPECT_TRUE(table.is_local(ip6("fd00::7")));
  EXPECT_FALSE(table.is_local(ip6("2001:db8:7::2")));
  EXPECT_TRUE(table.is_server(ip6("2001:db8:53::10"), 9));
  EXPECT_THAT(table.downstream_by_interface_id(text("vlan7")), ElementsAre(7));
  for (const char* address : {"2001:db8:7::1", "fd00::7", "2001:db8:7::9", "fd00::ffff"}) {
    EXPECT_THAT(table.downstream_by_link_address(ip6(address)), ElementsAre(7)) << address;
  }
  EXPECT_THAT(table.downstream_by_link_address(ip6("2001:db8:8::1")), IsEmpty());
}

TEST(InterfaceTable6, link_local_addresses_are_one_links) {
  InterfaceTable table;
  table.put(downstream(7, {"fe80::7/64"}));
  EXPECT_FALSE(table.is_local(ip6("fe80::7")));
  EXPECT_THAT(table.downstream_by_link_address(ip6("fe80::7")), IsEmpty());
}

TEST(InterfaceTable6, a_link_local_server_is_known_on_its_link_alone) {
  InterfaceTable table;
  Interface interface = downstream(7, {"fe80::7/64"});
  interface.v6.servers = {{ip6("fe80::53"), 9}, {ip6("2001:db8:53::10"), 9}};
  table.put(interface);
  EXPECT_TRUE(table.is_server(ip6("fe80::53"), 9));
  EXPECT_FALSE(table.is_server(ip6("fe80::53"), 10));
  EXPECT_TRUE(table.is_server(ip6("2001:db8:53::10"), 10)) << "wherever routes bring it from";
  interface.v6.servers = {{ip6("fe80::53"), 10}};
  table.put(interface);
  EXPECT_FALSE(table.is_server(ip6("fe80::53"), 9));
  EXPECT_TRUE(table.is_server(ip6("fe80::53"), 10));
}

TEST(InterfaceTable6, the_longest_prefix_tells_the_link) {
  InterfaceTable table;
  table.put(downstream(7, {"2001:db8::1/32"}));
  table.put(downstream(8, {"2001:db8:8::1/64"}));
  table.put(downstream(9, {"2001:db8:8::9/64"}));
  EXPECT_THAT(table.downstream_by_link_address(ip6("2001:db8:9::1")), ElementsAre(7));
  EXPECT_THAT(table.downstream_by_link_address(ip6("2001:db8:8::5")), ElementsAre(8, 9));
  EXPECT_THAT(table.downstream_by_link_address(ip6("2001:db8:8::9")), ElementsAre(9));
  table.remove(9);
  EXPECT_THAT(table.downstream_by_link_address(ip6("2001:db8:8::9")), ElementsAre(8));
  table.remove(8);
  EXPECT_THAT(table.downstream_by_link_address(ip6("2001:db8:8::9")), ElementsAre(7));
}

TEST(InterfaceTable6, a_link_address_that_was_given_is_found) {
  InterfaceTable table;
  Interface interface = downstream(7, {"2001:db8:7::1/64"});
  interface.v6.link_address = ip6("2001:db8:abc::1");
  table.put(interface);
  EXPECT_THAT(table.downstream_by_link_address(ip6("2001:db8:abc::1")), ElementsAre(7));
  EXPECT_THAT(table.downstream_by_link_address(ip6("2001:db8:7::1")), ElementsAre(7)) << "from before it was given";
  EXPECT_FALSE(table.is_local(ip6("2001:db8:abc::1")));
}

TEST(InterfaceTable6, clients_are_downstream_alone) {
  InterfaceTable table;
  Interface upstream = downstream(7, {"2001:db8:7::1/64"});
  upstream.is_downstream = false;
  table.put(upstream);
  EXPECT_TRUE(table.is_local(ip6("2001:db8:7::1")));
  EXPECT_FALSE(table.is_server(ip6("2001:db8:53::10"), 9));
  EXPECT_THAT(table.downstream_by_link_address(ip6("2001:db8:7::1")), IsEmpty());
  EXPECT_THAT(table.downstream_by_interface_id(text("vlan7")), IsEmpty());
}

TEST(InterfaceTable6, what_changes_is_found_as_it_is_now) {
  InterfaceTable table;
  table.put(downstream(7, {"2001:db8:7::1/64", "2001:db8:a::1/48"}));
  table.put(downstream(8, {"2001:db8:7::1/64"}));
  EXPECT_THAT(table.downstream_by_link_address(ip6("2001:db8:7::1")), ElementsAre(7, 8));
  table.put(downstream(7, {"2001:db8:9::1/64"}));
  EXPECT_THAT(table.downstream_by_link_address(ip6("2001:db8:7::1")), ElementsAre(8));
  EXPECT_THAT(table.downstream_by_link_address(ip6("2001:db8:9::1")), ElementsAre(7));
  EXPECT_THAT(table.downstream_by_link_address(ip6("2001:db8:a::1")), IsEmpty());
  EXPECT_TRUE(table.is_local(ip6("2001:db8:7::1"))) << "8 has it";
  table.remove(8);
  EXPECT_FALSE(table.is_local(ip6("2001:db8:7::1")));
  EXPECT_TRUE(table.is_server(ip6("2001:db8:53::10"), 9));
  table.remove(7);
  EXPECT_FALSE(table.is_server(ip6("2001:db8:53::10"), 9));
  EXPECT_THAT(table.downstream_by_interface_id(text("vlan7")), IsEmpty());
  EXPECT_THAT(table.downstream_by_link_address(ip6("2001:db8:9::1")), IsEmpty());
}

TEST(InterfaceTable6, four_thousand_interfaces_are_told_apart) {
  InterfaceTable table;
  const auto prefix = [](std::uint32_t index) {
    std::array<char, 40> digits{};
    std::snprintf(digits.data(), digits.size(), "2001:db8:%x::", index);
    return std::string{digits.data()};
  };
  for (std::uint32_t index = 1; index <= 4000; ++index) {
    table.put(downstream(index, {prefix(index) + "1/64"}));
  }
  for (std::uint32_t index = 1; index <= 4000; ++index) {
    ASSERT_THAT(table.downstream_by_link_address(ip6(prefix(index) + "1")), ElementsAre(index));
    ASSERT_THAT(table.downstream_by_link_address(ip6(prefix(index) + "abc")), ElementsAre(index));
    ASSERT_THAT(table.downstream_by_interface_id(text("vlan" + std::to_string(index))), ElementsAre(index));
  }
}

}  // namespace
}  // namespace relay
