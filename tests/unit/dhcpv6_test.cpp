// The headers and the options of DHCPv6 messages, and the addresses in them.

#include "relay/core/dhcpv6.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "relay/core/address.h"
#include "relay/core/message_buffer.h"
#include "relay/core/options6.h"
#include "relay/core/ports.h"
#include "tests/support/message6.h"

namespace relay {
namespace {

using test_support::Bytes;
using test_support::ip6;
using test_support::option6;
using test_support::parsed_options6;
using test_support::ParsedOption6;
using test_support::relay_message6;
using test_support::text;

// Addresses

struct AddressCase {
  const char* text;
  bool is_host;
  bool is_globally_scoped;
  bool is_global;
};

TEST(Ipv6Address, kinds) {
  const std::vector<AddressCase> cases{{"::", false, false, false},
                                       {"::1", false, false, false},
                                       {"ff02::1:2", false, false, false},
                                       {"ff05::1:3", false, false, false},
                                       {"::ffff:10.1.0.1", false, false, false},
                                       {"fe80::1", true, false, false},
                                       {"febf::1", true, false, false},
                                       {"fc00::1", true, true, false},
                                       {"fdff::1", true, true, false},
                                       {"2001:db8::1", true, true, true},
                                       {"::2", true, true, true},
                                       {"fec0::1", true, true, true},
                                       {"fe00::1", true, true, true},
                                       {"::fffe:a01:1", true, true, true},
                                       {"1::ffff:10.1.0.1", true, true, true}};
  for (const AddressCase& test : cases) {
    const Ipv6Address address = ip6(test.text);
    EXPECT_EQ(address.is_host(), test.is_host) << test.text;
    EXPECT_EQ(address.is_globally_scoped(), test.is_globally_scoped) << test.text;
    EXPECT_EQ(address.is_global(), test.is_global) << test.text;
  }
  EXPECT_TRUE(ip6("::").is_unspecified());
  EXPECT_TRUE(ip6("::1").is_loopback());
  EXPECT_TRUE(ip6("ff02::1:2").is_multicast());
  EXPECT_TRUE(ip6("fe80::1").is_link_local());
  EXPECT_TRUE(ip6("fd00::1").is_unique_local());
  EXPECT_EQ(all_dhcp_servers, ip6("ff05::1:3"));
  EXPECT_EQ(all_dhcp_relay_agents_and_servers, ip6("ff02::1:2"));
}

TEST(Ipv6Address, networks) {
  const Ipv6Address address = ip6("2001:db8:abcd:ef01:2345:6789:abcd:ef01");
  const auto network = [&](std::uint8_t length) { return Ipv6Prefix{address, length}.network(); };
  EXPECT_EQ(network(0), (Ipv6Prefix{{}, 0}));
  EXPECT_EQ(network(1), (Ipv6Prefix{{}, 1}));
  EXPECT_EQ(network(3), (Ipv6Prefix{ip6("2000::"), 3}));
  EXPECT_EQ(network(57), (Ipv6Prefix{ip6("2001:db8:abcd:ef00::"), 57}));
  EXPECT_EQ(network(64), (Ipv6Prefix{ip6("2001:db8:abcd:ef01::"), 64}));
  EXPECT_EQ(network(127), (Ipv6Prefix{ip6("2001:db8:abcd:ef01:2345:6789:abcd:ef00"), 127}));
  EXPECT_EQ(network(128), (Ipv6Prefix{address, 128}));
}

TEST(Ipv6Address, order_is_that_of_the_octets) {
  EXPECT_TRUE(ip6("2001:db8::1") < ip6("2001:db8::2"));
  EXPECT_TRUE(ip6("2001:db8::ff") < ip6("2001:db8::1:0"));
  EXPECT_TRUE(ip6("fd00::") < ip6("fe80::"));
}

TEST(Ports6, clients_are_one_below) {
  EXPECT_EQ(Ports6{}.server, 547);
  EXPECT_EQ(Ports6{}.client(), 546);
  EXPECT_TRUE((Ports6{547, 1000}.listens_on(1000)));
  EXPECT_FALSE((Ports6{547, 1000}.listens_on(546)));
}

// Headers

TEST(Dhcpv6, a_header_is_there_or_not) {
  for (std::size_t size = 0; size < 40; ++size) {
    EXPECT_EQ(dhcpv6::has_header(Bytes(size, 1)), size >= 4) << size;
    EXPECT_EQ(dhcpv6::has_header(Bytes(size, 12)), size >= 34) << size;
    EXPECT_EQ(dhcpv6::has_header(Bytes(size, 13)), size >= 34) << size;
    EXPECT_EQ(dhcpv6::has_header(Bytes(size, 14)), size >= 4) << size;
  }
}

TEST(Dhcpv6, the_fields_of_a_relay_message) {
  const Bytes message = relay_message6(13, 5, ip6("2001:db8::1"), ip6("fe80::2"), {option6(18, text("x"))});
  const dhcpv6::RelayHeader header = std::span{message}.first<dhcpv6::relay_header_size>();
  EXPECT_EQ(dhcpv6::msg_type(message), 13);
  EXPECT_EQ(dhcpv6::hop_count(header), 5);
  EXPECT_EQ(dhcpv6::link_address(header), ip6("2001:db8::1"));
  EXPECT_EQ(dhcpv6::peer_address(header), ip6("fe80::2"));
  EXPECT_EQ(dhcpv6::relay_options(message).size(), 5U);

  Bytes written(34, 0xa5);
  const dhcpv6::MutableRelayHeader fields = std::span{written}.first<dhcpv6::relay_header_size>();
  dhcpv6::set_msg_type(fields, 13);
  dhcpv6::set_hop_count(fields, 5);
  dhcpv6::set_link_address(fields, ip6("2001:db8::1"));
  dhcpv6::set_peer_address(fields, ip6("fe80::2"));
  EXPECT_EQ(written, Bytes(message.begin(), message.begin() + 34));
}

// Options

std::vector<ParsedOption6> read(dhcpv6::Octets octets, bool& is_damaged) {
  std::vector<ParsedOption6> result;
  dhcpv6::OptionReader reader{octets};
  while (const auto option = reader.next()) {
    result.push_back({option->code, Bytes(option->value.begin(), option->value.end())});
  }
  is_damaged = reader.is_damaged();
  EXPECT_FALSE(reader.next()) << "the end is the end";
  return result;
}

void expect_as_the_slow_twin(const Bytes& octets) {
  const auto expected = parsed_options6(octets);
  bool is_damaged = false;
  ASSERT_EQ(read(octets, is_damaged), expected.options) << testing::PrintToString(octets);
  ASSERT_EQ(is_damaged, expected.is_damaged) << testing::PrintToString(octets);
}

TEST(Options6, reads_codes_and_values_in_order) {
  Bytes octets = option6(65535, text("last"));
  const Bytes more = option6(9, {});
  octets.insert(octets.end(), more.begin(), more.end());
  bool is_damaged = true;
  EXPECT_EQ(read(octets, is_damaged), (std::vector<ParsedOption6>{{65535, text("last")}, {9, {}}}));
  EXPECT_FALSE(is_damaged);
  EXPECT_TRUE(read({}, is_damaged).empty());
  EXPECT_FALSE(is_damaged);
}

TEST(Options6, octets_cut_anywhere_are_read_as_far_as_they_go) {
  const Bytes whole = option6(3, option6(5, text("address")));
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    expect_as_the_slow_twin(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
  }
}

TEST(Options6, every_length_is_checked) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{255}, std::size_t{256}, std::size_t{65'534}, std::size_t{65'535}}) {
    const Bytes whole = option6(18, Bytes(size, 7));
    bool is_damaged = false;
    EXPECT_EQ(read(whole, is_damaged).size(), 1U) << size;
    EXPECT_FALSE(is_damaged) << size;
    EXPECT_TRUE(read(std::span{whole}.first(whole.size() - 1), is_damaged).empty()) << size;
    EXPECT_TRUE(is_damaged) << size;
  }
}

TEST(Options6, any_octets_are_read_as_by_the_slow_twin) {
  std::mt19937 random{8415};  // the same octets in every run
  for (int round = 0; round < 20'000; ++round) {
    Bytes octets(random() % 60);
    for (std::size_t i = 0; i < octets.size(); ++i) {
      octets[i] = static_cast<std::uint8_t>(i % 4 == 2 ? 0 : random() % 12);
    }
    expect_as_the_slow_twin(octets);
    if (HasFatalFailure()) {
      return;
    }
  }
}

TEST(Options6, writes_what_is_read) {
  Bytes room(17, 0xa5);
  dhcpv6::OptionWriter writer{room};
  writer.put_head(135, 2);
  writer.put_number(2000);
  writer.put(option6(18, text("c0")));
  EXPECT_EQ(writer.rest().size(), 5U);
  bool is_damaged = true;
  EXPECT_EQ(read(std::span{room}.first(12), is_damaged),
            (std::vector<ParsedOption6>{{135, {7, 208}}, {18, text("c0")}}));
  EXPECT_EQ(Bytes(room.begin() + 12, room.end()), Bytes(5, 0xa5));

  Bytes appended{1, 2};
  dhcpv6::append_option(appended, 258, text("value"));
  dhcpv6::append_option(appended, 9, {});
  EXPECT_EQ(appended, (Bytes{1, 2, 1, 2, 0, 5, 'v', 'a', 'l', 'u', 'e', 0, 9, 0, 0}));
}

// The buffer

TEST(MessageBuffer, a_message_grows_into_its_headroom) {
  Bytes storage{9, 9, 9, 1, 2, 3, 8};
  MessageBuffer message{storage, 3, 3};
  EXPECT_EQ(message.headroom(), 3U);
  EXPECT_EQ(message.capacity(), 4U);
  const auto added = message.prepend(2);
  added[0] = 7;
  added[1] = 6;
  EXPECT_EQ(message.headroom(), 1U);
  EXPECT_EQ(message.capacity(), 6U);
  EXPECT_EQ(Bytes(message.octets().begin(), message.octets().end()), (Bytes{7, 6, 1, 2, 3}));
  EXPECT_EQ(storage, (Bytes{9, 7, 6, 1, 2, 3, 8}));
}

}  // namespace
}  // namespace relay
