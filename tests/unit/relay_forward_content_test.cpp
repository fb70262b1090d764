// What our Relay-forwards say of an interface.

#include "relay/core/relay_forward_content.h"

#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_network6.h"

namespace relay {
namespace {

using test_support::Bytes;
using test_support::described;
using test_support::interface6;
using test_support::ip6;
using test_support::parsed_options6;
using test_support::ParsedOptions6;
using test_support::text;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

InterfaceAddress6 address(const char* value, bool is_deprecated = false, bool is_temporary = false) {
  return {{ip6(value), 64}, is_deprecated, is_temporary};
}

options82::Template parsed(const char* value) {
  return std::get<options82::Template>(options82::Template::parse(value));
}

ParsedOptions6 encoded(const RelayForwardTemplates& templates, const RelayForwardSettings& settings) {
  Interface interface = interface6(7, "vlan7", {"2001:db8:7::1/64", "fe80::7/64"});
  encode_relay_forward(interface, templates, settings);
  return parsed_options6(interface.v6.options.octets);
}

TEST(RelayForwardContent, row_6F_02_a_global_address_before_a_unique_local_one) {
  EXPECT_EQ(described(choose_link_address(std::vector{address("fd00::1"), address("2001:db8::1")})), "2001:db8::1");
  EXPECT_EQ(described(choose_link_address(std::vector{address("fe80::1"), address("fd00::1")})), "fd00::1");
}

TEST(RelayForwardContent, row_6F_02_no_deprecated_address_where_there_is_another) {
  const std::vector addresses{address("2001:db8:a::1", true), address("fd00::1"), address("fe80::1")};
  EXPECT_EQ(described(choose_link_address(addresses)), "fd00::1");
  EXPECT_EQ(described(choose_link_address(std::vector{address("2001:db8:a::1", true)})), "2001:db8:a::1");
}

TEST(RelayForwardContent, row_6F_02_a_temporary_address_last_among_its_equals) {
  EXPECT_EQ(described(choose_link_address(std::vector{address("2001:db8::1", false, true), address("2001:db8::2")})),
            "2001:db8::2");
  EXPECT_EQ(described(choose_link_address(std::vector{address("2001:db8::1", false, true), address("fd00::2")})),
            "2001:db8::1");
}

TEST(RelayForwardContent, row_6F_02_the_choice_does_not_depend_on_the_order) {
  std::vector addresses{address("2001:db8:1::1"), address("2001:db8:2::1"), address("2001:db8::9")};
  std::ranges::sort(addresses, {}, [](const InterfaceAddress6& each) { return each.prefix; });
  do {
    ASSERT_EQ(described(choose_link_address(addresses)), "2001:db8::9");
  } while (
      std::ranges::next_permutation(addresses, {}, [](const InterfaceAddress6& each) { return each.prefix; }).found);
}

TEST(RelayForwardContent, row_6F_02_nothing_to_choose_from) {
  EXPECT_TRUE(choose_link_address({}).is_unspecified());
  EXPECT_TRUE(choose_link_address(std::vector{address("fe80::1"), address("::1")}).is_unspecified());
}

TEST(RelayForwardContent, addresses_of_an_interface) {
  Interface6 interface;
  interface.addresses = {address("fe80::2"), address("fe80::1"), address("2001:db8::1"), address("2001:db8::2")};
  choose_addresses(interface, std::nullopt);
  EXPECT_EQ(described(interface.link_address), "2001:db8::1");
  EXPECT_EQ(described(interface.source), "2001:db8::1");
  EXPECT_EQ(described(interface.link_local), "fe80::1");
  choose_addresses(interface, ip6("2001:db8::2"));
  EXPECT_EQ(described(interface.link_address), "2001:db8::2");
  EXPECT_EQ(described(interface.source), "2001:db8::2") << "which it has";
  choose_addresses(interface, ip6("2001:db8:9::1"));
  EXPECT_EQ(described(interface.link_address), "2001:db8:9::1");
  EXPECT_EQ(described(interface.source), "2001:db8::1") << "since nobody answers to the other one";
  interface.addresses.clear();
  choose_addresses(interface, std::nullopt);
  EXPECT_TRUE(interface.link_address.is_unspecified());
  EXPECT_TRUE(interface.source.is_unspecified());
  EXPECT_TRUE(interface.link_local.is_unspecified());
}

TEST(RelayForwardContent, row_6F_04_interface_id_is_the_name_which_a_restart_does_not_change) {
  EXPECT_EQ(encoded({}, {}).find(18), text("vlan7"));
  Interface one = interface6(7, "vlan7", {});
  Interface other = interface6(9, "vlan7", {});
  EXPECT_EQ(one.v6.options.octets, other.v6.options.octets) << "another index";
}

TEST(RelayForwardContent, row_6F_04_interface_id_can_be_given) {
  RelayForwardTemplates templates;
  templates.interface_id = parsed("port-%i");
  EXPECT_EQ(encoded(templates, {}).find(18), text("port-vlan7"));
  templates.interface_id = parsed("0x00000005");
  EXPECT_EQ(encoded(templates, {}).find(18), (Bytes{0, 0, 0, 5}));
  templates.interface_id = parsed("%M");
  EXPECT_EQ(encoded(templates, {}).find(18), text("vlan7")) << "the client is not known";
}

TEST(RelayForwardContent, row_6F_11_remote_id_is_of_an_enterprise) {
  RelayForwardTemplates templates;
  templates.remote_id = parsed("%i");
  EXPECT_EQ(encoded(templates, {}).find(37), std::nullopt) << "without its number it would not be unique";
  RelayForwardSettings settings;
  settings.enterprise = 0xfffefdfcU;
  EXPECT_EQ(encoded(templates, settings).find(37), (Bytes{0xff, 0xfe, 0xfd, 0xfc, 'v', 'l', 'a', 'n', '7'}));
  EXPECT_EQ(encoded({}, settings).find(37), std::nullopt) << "a value has one octet at least";
}

TEST(RelayForwardContent, row_6F_12_subscriber_id_is_a_text_of_the_interface) {
  RelayForwardTemplates templates;
  templates.subscriber_id = parsed("s-%i");
  EXPECT_EQ(encoded(templates, {}).find(38), text("s-vlan7"));
  templates.subscriber_id = parsed("%d");
  EXPECT_EQ(encoded(templates, {}).find(38), std::nullopt) << "a value has one octet at least";
}

TEST(RelayForwardContent, row_6F_13_and_6F_15_relay_id_and_virtual_subnet) {
  RelayForwardSettings settings;
  settings.relay_id = "duid";
  settings.vss = "\xff";
  const ParsedOptions6 options = encoded({}, settings);
  EXPECT_THAT(options.codes(), ElementsAre(18, 53, 68));
  EXPECT_EQ(options.find(53), text("duid"));
  EXPECT_EQ(options.find(68), (Bytes{0xff}));
}

TEST(RelayForwardContent, row_6F_15_with_a_virtual_subnet_interface_id_goes_always) {
  Interface interface = interface6(7, "vlan7", {"2001:db8:7::1/64"});
  EXPECT_FALSE(interface.v6.options.has_interface_id_always);
  EXPECT_THAT(interface.v6.options.vss(), IsEmpty());
  RelayForwardSettings settings;
  settings.vss = "\xff";
  settings.options = {{65000, "behind it"}};
  encode_relay_forward(interface, {}, settings);
  EXPECT_TRUE(interface.v6.options.has_interface_id_always);
  EXPECT_THAT(interface.v6.options.vss(), ElementsAre(0xff));
}

TEST(RelayForwardContent, row_6F_17_other_options_keep_their_order) {
  RelayForwardSettings settings;
  settings.options = {{81, "b"}, {65000, ""}, {81, "a"}};
  const ParsedOptions6 options = encoded({}, settings);
  EXPECT_THAT(options.codes(), ElementsAre(18, 81, 65000, 81));
  EXPECT_EQ(options.options[1].value, text("b"));
  EXPECT_EQ(options.options[3].value, text("a"));
}

TEST(RelayForwardContent, interface_id_can_be_left_out) {
  Interface interface = interface6(7, "vlan7", {});
  RelayForwardTemplates templates;
  templates.subscriber_id = parsed("s");
  encode_relay_forward(interface, templates, {});
  const auto rest = interface.v6.options.without_interface_id();
  EXPECT_EQ(Bytes(rest.begin(), rest.end()), test_support::option6(38, text("s")));
  const auto id = interface.v6.options.interface_id();
  EXPECT_EQ(Bytes(id.begin(), id.end()), text("vlan7"));
  EXPECT_THAT(Interface6{}.options.interface_id(), IsEmpty());
}

TEST(RelayForwardContent, headroom_for_all_that_a_message_can_need) {
  const Interface interface = interface6(7, "vlan7", {});
  EXPECT_EQ(relay_forward_headroom(interface.v6), 34U + (4 + 5) + 12 + 6 + 4);
  EXPECT_EQ(relay_forward_headroom({}), 34U + 12 + 6 + 4);
}

}  // namespace
}  // namespace relay
