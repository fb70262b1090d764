// Which datagrams of a capture are DHCP, and which of those the kernel would have given to the relay.
#include "relay/capture/arrival.h"

#include <cstdint>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/message6.h"
#include "tests/support/message_builder.h"
#include "tests/support/test_network.h"
#include "tests/support/test_network6.h"

namespace relay::capture {
namespace {

using test_support::Bytes;
using test_support::ip;

constexpr Scope usual;

UdpDatagram between(std::uint16_t source_port, std::uint16_t destination_port, const Bytes& payload) {
  UdpDatagram datagram;
  datagram.source_port = source_port;
  datagram.destination_port = destination_port;
  datagram.payload = payload;
  datagram.payload_size = payload.size();
  datagram.is_whole = true;
  datagram.checksum = ChecksumState::right;
  return datagram;
}

TEST(IsDhcp, ByEitherPort) {
  const Bytes payload{1};
  struct Case {
    std::uint16_t source_port;
    std::uint16_t destination_port;
    bool expected;
  };
  const std::vector<Case> cases = {
      {68, 67, true},     {67, 68, true},     {67, 67, true},  {5000, 67, true},    {68, 5000, true},
      {4011, 5000, true}, {5000, 4011, true}, {66, 69, false}, {1067, 1068, false}, {53, 5000, false},
  };
  for (const auto& [source, destination, expected] : cases) {
    EXPECT_EQ(is_dhcp(between(source, destination, payload), usual), expected) << source << ' ' << destination;
  }
  EXPECT_TRUE(is_dhcp(between(1068, 1067, payload), {.ipv4 = {.server = 1067}}));
  EXPECT_TRUE(is_dhcp(between(5000, 1068, payload), {.ipv4 = {.server = 1067}}));
  EXPECT_TRUE(is_dhcp(between(5000, 2067, payload), {.ipv4 = {.server = 67, .relay = 2067}}));
  EXPECT_FALSE(is_dhcp(between(68, 67, {}), usual));
}

TEST(IsReply, AsTheSocketsSort) {
  EXPECT_FALSE(is_reply(between(68, 67, {1}), usual));
  EXPECT_TRUE(is_reply(between(67, 67, {2}), usual));
  EXPECT_FALSE(is_reply(between(67, 67, {3}), usual));
  EXPECT_TRUE(is_reply(between(67, 2067, {1}), {.ipv4 = {.server = 67, .relay = 2067}}));
}

/// A request that the relay gets, from a client on c0, for each test to spoil.
class WhyNotRun : public testing::Test {
 protected:
  WhyNotRun() : datagram_(between(68, 67, payload_)) {
    packet_.octets = payload_;
    packet_.original_size = payload_.size();
    ip_packet_.destination = limited_broadcast;
    ip_packet_.is_header_intact = true;
    network_.change(test_support::c0, [](Interface& interface) { interface.mac = own_mac; });
  }

  [[nodiscard]] std::optional<NotRun> reason(const Scope& scope = usual) const {
    return why_not_run(
        {packet_, ip_packet_, datagram_, *network_.interfaces.find(test_support::c0), is_named_, is_to_subnet_}, scope,
        network_.interfaces);
  }

  static constexpr MacAddress own_mac{{2, 0, 0, 0, 0x0a, 1}};

 private:
  Bytes payload_ = Bytes(300, 1);

 protected:
  test_support::TestNetwork network_;
  Packet packet_;
  IpPacket ip_packet_;
  UdpDatagram datagram_;
  bool is_named_ = false;
  bool is_to_subnet_ = false;
};

TEST_F(WhyNotRun, NothingIsWrong) {
  EXPECT_EQ(reason(), std::nullopt);
}

TEST_F(WhyNotRun, SentByThisHost) {
  packet_.direction = Direction::outbound;
  EXPECT_EQ(reason(), NotRun::sent_by_us);
  packet_.direction = Direction::unknown;
  ip_packet_.direction = Direction::outbound;
  EXPECT_EQ(reason(), NotRun::sent_by_us);
}

TEST_F(WhyNotRun, SentByThisHostAsItsAddressesTell) {
  ip_packet_.source = ip(10, 2, 0, 1);
  EXPECT_EQ(reason(), NotRun::sent_by_us);
  ip_packet_.source = {};
  ip_packet_.link_source = own_mac;
  EXPECT_EQ(reason(), NotRun::sent_by_us);
  packet_.direction = Direction::inbound;
  EXPECT_EQ(reason(), std::nullopt);
}

TEST_F(WhyNotRun, InAVlanOfANamedInterface) {
  ip_packet_.vlan_tag_count = 1;
  ip_packet_.vlan_id = 100;
  EXPECT_EQ(reason(), std::nullopt);
  is_named_ = true;
  EXPECT_EQ(reason(), NotRun::other_vlan);
  ip_packet_.vlan_id = 0;
  EXPECT_EQ(reason(), std::nullopt);
  ip_packet_.vlan_tag_count = 2;
  EXPECT_EQ(reason(), NotRun::other_vlan);
}

TEST_F(WhyNotRun, NotAllOfItIsThere) {
  datagram_.is_whole = false;
  EXPECT_EQ(reason(), NotRun::bad_length);
  packet_.original_size += 1;
  EXPECT_EQ(reason(), NotRun::incomplete);
  ip_packet_.more_fragments = true;
  EXPECT_EQ(reason(), NotRun::fragment);
}

TEST_F(WhyNotRun, MoreThanADatagramHolds) {
  const Bytes large(65508, 1);
  datagram_.payload = large;
  EXPECT_EQ(reason(), NotRun::bad_length);
  datagram_.payload = datagram_.payload.first(65507);
  EXPECT_EQ(reason(), std::nullopt);
}

TEST_F(WhyNotRun, ToAnotherPort) {
  datagram_.destination_port = 68;
  EXPECT_EQ(reason(), NotRun::to_clients);
  datagram_.destination_port = 4011;
  EXPECT_EQ(reason(), NotRun::other_port);
  datagram_.destination_port = 67;
  EXPECT_EQ(reason({.ipv4 = {.server = 1067}}), NotRun::other_port);
  datagram_.destination_port = 1068;
  EXPECT_EQ(reason({.ipv4 = {.server = 1067}}), NotRun::to_clients);
  datagram_.destination_port = 2067;
  EXPECT_EQ(reason({.ipv4 = {.server = 67, .relay = 2067}}), std::nullopt);
}

TEST_F(WhyNotRun, ToAnotherHost) {
  for (const Ipv4Address address : {ip(10, 1, 0, 1), ip(10, 2, 0, 1), ip(203, 0, 113, 1), ip(10, 1, 0, 255),
                                    ip(224, 0, 0, 1), ip(255, 255, 255, 255)}) {
    is_to_subnet_ = address == ip(10, 1, 0, 255);
    ip_packet_.destination = address;
    EXPECT_EQ(reason(), std::nullopt) << test_support::described(address);
  }
  is_to_subnet_ = false;
  for (const Ipv4Address address : {ip(10, 1, 0, 2), ip(10, 2, 0, 255), ip(198, 51, 100, 10), Ipv4Address{}}) {
    ip_packet_.destination = address;
    EXPECT_EQ(reason(), NotRun::other_host) << test_support::described(address);
  }
}

TEST_F(WhyNotRun, Checksums) {
  datagram_.checksum = ChecksumState::wrong;
  EXPECT_EQ(reason(), NotRun::bad_udp_checksum);
  for (const ChecksumState state : {ChecksumState::absent, ChecksumState::unfinished}) {
    datagram_.checksum = state;
    EXPECT_EQ(reason(), std::nullopt);
  }
  ip_packet_.is_header_intact = false;
  EXPECT_EQ(reason(), NotRun::bad_ip_checksum);
}

// DHCPv6

UdpDatagram between6(std::uint16_t source_port, std::uint16_t destination_port, const Bytes& payload) {
  UdpDatagram datagram = between(source_port, destination_port, payload);
  datagram.source = test_support::ip6("fe80::1");
  return datagram;
}

TEST(IsDhcp, ByThePortsOfItsFamily) {
  const Bytes payload{1};
  EXPECT_TRUE(is_dhcp(between6(546, 547, payload), usual));
  EXPECT_TRUE(is_dhcp(between6(547, 546, payload), usual));
  EXPECT_TRUE(is_dhcp(between6(5000, 1547, payload), {.ipv6 = {.server = 547, .relay = 1547}}));
  EXPECT_FALSE(is_dhcp(between6(68, 67, payload), usual));
  EXPECT_FALSE(is_dhcp(between(546, 547, payload), usual));
  EXPECT_FALSE(is_dhcp(between6(546, 547, {}), usual));
}

TEST(IsDhcp, OfTheFamiliesInTheScope) {
  const Bytes payload{1};
  EXPECT_FALSE(is_dhcp(between6(546, 547, payload), {.families = {.ipv4 = true}}));
  EXPECT_FALSE(is_dhcp(between(68, 67, payload), {.families = {.ipv6 = true}}));
}

TEST(IsReply, OfDhcpv6) {
  EXPECT_TRUE(is_reply(between6(547, 547, {13}), usual));
  EXPECT_FALSE(is_reply(between6(547, 547, {12}), usual));
  EXPECT_FALSE(is_reply(between6(547, 547, {2}), usual)) << "an Advertise, which the rules of requests are for";
  EXPECT_TRUE(is_reply(between6(547, 1547, {12}), {.ipv6 = {.server = 547, .relay = 1547}}));
}

/// A Solicit of a client on c0, for each test to spoil.
class WhyNotRun6 : public testing::Test {
 protected:
  WhyNotRun6() : datagram_(between6(546, 547, payload_)) {
    packet_.octets = payload_;
    packet_.original_size = payload_.size();
    ip_packet_.source = test_support::ip6("fe80::1");
    ip_packet_.destination = all_dhcp_relay_agents_and_servers;
    ip_packet_.is_header_intact = true;
  }

  [[nodiscard]] std::optional<NotRun> reason(std::uint32_t interface = test_support::c0) const {
    return why_not_run({packet_, ip_packet_, datagram_, *network_.interfaces.find(interface)}, usual,
                       network_.interfaces);
  }

 private:
  Bytes payload_ = test_support::solicit6();

 protected:
  test_support::TestNetwork6 network_;
  Packet packet_;
  IpPacket ip_packet_;
  UdpDatagram datagram_;
};

TEST_F(WhyNotRun6, GroupsAreThoseOfTheInterface) {
  EXPECT_EQ(reason(), std::nullopt);
  EXPECT_EQ(reason(test_support::s0), NotRun::other_host) << "no clients are expected there";
  ip_packet_.destination = all_dhcp_servers;
  EXPECT_EQ(reason(), NotRun::other_host);
}

TEST_F(WhyNotRun6, LinkLocalAddressesAreThoseOfTheInterface) {
  ip_packet_.destination = test_support::ip6("fe80::c0");
  EXPECT_EQ(reason(), std::nullopt);
  EXPECT_EQ(reason(test_support::s0), NotRun::other_host);
  ip_packet_.destination = test_support::ip6("2001:db8:5::1");
  EXPECT_EQ(reason(), std::nullopt) << "of s0";
  ip_packet_.source = test_support::ip6("fe80::c0");
  EXPECT_EQ(reason(), NotRun::sent_by_us);
  EXPECT_EQ(reason(test_support::s0), std::nullopt);
}

TEST_F(WhyNotRun6, PortsOfTheFamily) {
  datagram_.destination_port = 546;
  EXPECT_EQ(reason(), NotRun::to_clients);
  datagram_.destination_port = 67;
  EXPECT_EQ(reason(), NotRun::other_port);
}

TEST_F(WhyNotRun6, MoreThanADatagramHolds) {
  const Bytes large(65'528, 1);
  datagram_.payload = large;
  EXPECT_EQ(reason(), NotRun::bad_length);
  datagram_.payload = datagram_.payload.first(65'527);
  EXPECT_EQ(reason(), std::nullopt);
}

}  // namespace
}  // namespace relay::capture
