// A relay without sockets: where packets of a capture are taken to have arrived, what becomes of them, and what would
// be sent. And the filter that selects packets.
#include "relay/io/replay.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/io/packet_filter.h"
#include "tests/support/message6.h"
#include "tests/support/message_builder.h"
#include "tests/support/packet_octets.h"

namespace relay::io {
namespace {

using capture::CapturedInterface;
using capture::Packet;
using capture::ReplayedMessage;
using capture::SentFrame;
using capture::VerdictKind;
using test_support::Bytes;
using test_support::ip;
using test_support::ip6;
using testing::ElementsAre;
using testing::StartsWith;

constexpr Ipv4Address server = ip(10, 9, 0, 2);

CapturedInterface named(const std::string& name, const std::vector<Ipv4Prefix>& addresses = {}) {
  CapturedInterface interface;
  interface.name = name;
  interface.addresses = addresses;
  return interface;
}

Bytes from_client(const Bytes& message) {
  const test_support::Ipv4Fields fields{.source = {}, .destination = limited_broadcast};
  return test_support::ethernet(0x0800, test_support::ipv4(fields, test_support::udp(fields, 68, 67, message)));
}

Bytes from_server(const Bytes& message, Ipv4Address giaddr) {
  const test_support::Ipv4Fields fields{.source = server, .destination = giaddr};
  return test_support::ethernet(0x0800, test_support::ipv4(fields, test_support::udp(fields, 67, 67, message)));
}

/// d1 is downstream, u1 upstream; requests go to 10.9.0.2.
class ReplayTest : public testing::Test {
 protected:
  ReplayTest() {
    settings_.roles = {{"d*", {.downstream = true}}, {"u1", {.upstream = true}}};
    settings_.servers = {{"*", {server}}};
    policy_.upstream_named = true;
  }

  Replay& begin(const std::vector<Replay::GivenInterface>& given) {
    Replay::Listener listener;
    listener.message = [this](const Packet&, const ReplayedMessage& message) { lines_.push_back(text(message)); };
    listener.sent = [this](const Packet&, const ReplayedMessage&, const SentFrame& sent) {
      lines_.push_back("sent on " + sent.egress.name + ", " + std::to_string(sent.octets.size()) + " octets");
      sent_.emplace_back(sent.octets.begin(), sent.octets.end());
    };
    listener.unfinished = [this](const ReplayedMessage& message) {
      lines_.push_back("unfinished " + std::to_string(message.frame));
    };
    replay_.emplace(Replay::Rules{.policy = policy_, .policy6 = policy6_}, settings_, given, std::move(listener));
    return *replay_;
  }

  std::vector<std::string> run(const Bytes& frame, std::size_t interface = 0) {
    lines_.clear();
    Packet packet;
    packet.interface = interface;
    packet.octets = frame;
    packet.original_size = frame.size();
    replay_->run(packet, ++frame_);
    return lines_;
  }

  static std::string text(const ReplayedMessage& message) {
    const std::string where = " on " + std::string(message.interface);
    if (message.not_run) {
      return "not run " + std::to_string(static_cast<int>(*message.not_run)) + where;
    }
    switch (message.verdict->kind) {
      case VerdictKind::to_servers:
        return "to servers" + where;
      case VerdictKind::to_client:
        return "to client on " + std::string(message.egress) + where;
      case VerdictKind::dropped:
      case VerdictKind::send_failed:
        return std::string(relay::text(message.verdict->reason).name) + where;
    }
    return {};
  }

  InterfaceSettings settings_;
  Policy policy_;
  Policy6 policy6_;
  std::optional<Replay> replay_;
  std::vector<std::string> lines_;
  std::vector<Bytes> sent_;
  std::uint64_t frame_ = 0;
};

const std::vector<Replay::GivenInterface> both{{"u1", {{ip(10, 9, 0, 1), 24}}}, {"d1", {{ip(10, 1, 0, 1), 24}}}};

TEST_F(ReplayTest, WithoutNamesRequestsComeDownstreamAndRepliesUpstream) {
  Replay& replay = begin(both);
  replay.follow({{}});
  EXPECT_TRUE(replay.has_role());
  EXPECT_EQ(replay.find(0), nullptr);
  EXPECT_THAT(run(from_client(test_support::discover().octets())),
              ElementsAre("to servers on d1", "sent on u1, 342 octets"));
  EXPECT_THAT(run(from_server(test_support::offer().octets(), ip(10, 1, 0, 1))),
              ElementsAre("to client on d1 on u1", StartsWith("sent on d1, ")));
}

TEST_F(ReplayTest, WithoutAnUpstreamInterfaceRepliesComeOnOneThatIsNotDownstream) {
  policy_.upstream_named = false;
  begin({{"d1", {{ip(10, 1, 0, 1), 24}}}, {"x1", {{ip(10, 9, 0, 1), 24}}}}).follow({{}});
  EXPECT_THAT(run(from_server(test_support::offer().octets(), ip(10, 1, 0, 1))),
              ElementsAre("to client on d1 on x1", StartsWith("sent on d1, ")));
}

TEST_F(ReplayTest, InterfacesOfTheCapture) {
  Replay& replay = begin({});
  EXPECT_FALSE(replay.has_role());
  replay.follow({named("d1", {{ip(10, 1, 0, 1), 24}})});
  EXPECT_TRUE(replay.has_role());
  EXPECT_THAT(run(from_client(test_support::discover().octets())),
              ElementsAre("to servers on d1", StartsWith("sent on d1, ")));
  // Another section of the file, with another address of the same interface, and `any`, which is none.
  replay.follow(
      {named("d1", {{ip(10, 1, 0, 1), 24}}), named("d1", {{ip(10, 2, 0, 1), 24}}), named("any"), named("x1")});
  EXPECT_EQ(replay.find(1)->giaddr, ip(10, 2, 0, 1));
  EXPECT_EQ(replay.find(0), replay.find(1));
  EXPECT_EQ(replay.find(2), nullptr);
  EXPECT_THAT(run(from_client(test_support::discover().octets()), 3), ElementsAre("not_downstream on x1"));
}

TEST_F(ReplayTest, AddressesOfTheCaptureGoAndComeBack) {
  Replay& replay = begin({});
  const Bytes request = from_client(test_support::discover().octets());
  std::vector<CapturedInterface> interfaces{named("d1", {{ip(10, 1, 0, 1), 24}})};
  replay.follow(interfaces);
  EXPECT_THAT(run(request, 0), ElementsAre("to servers on d1", StartsWith("sent on d1, ")));
  interfaces.push_back(named("d1"));
  replay.follow(interfaces);
  EXPECT_EQ(replay.find(0)->addresses, std::vector<Ipv4Prefix>{});
  EXPECT_EQ(replay.captured(*replay.find(0)), 1U);
  EXPECT_THAT(run(request, 1), ElementsAre("no_address on d1"));
  // The packets of files that were merged come in any order behind all of the interfaces.
  EXPECT_THAT(run(request, 0), ElementsAre("to servers on d1", StartsWith("sent on d1, ")));
  EXPECT_THAT(run(request, 1), ElementsAre("no_address on d1"));
}

TEST_F(ReplayTest, AddressesThatAreNoneAndThoseToldTwice) {
  begin({}).follow({named("d1", {{{}, 0}, {ip(10, 1, 0, 1), 24}, {ip(10, 1, 0, 1), 24}, {ip(127, 0, 0, 1), 8}})});
  EXPECT_EQ(replay_->find(0)->addresses, (std::vector<Ipv4Prefix>{{ip(10, 1, 0, 1), 24}}));
  EXPECT_EQ(replay_->find(0)->giaddr, ip(10, 1, 0, 1));
}

TEST_F(ReplayTest, LinksWithoutFrames) {
  Replay& replay = begin({{"d1", {{ip(10, 1, 0, 1), 24}}}});
  std::vector<CapturedInterface> interfaces{named("d1"), named("d2"), named("d3")};
  interfaces[0].link_type = capture::LinkType::raw;
  interfaces[1].link_type = capture::LinkType::raw;
  interfaces[2].link_type = capture::LinkType::linux_sll;
  replay.follow(interfaces);
  EXPECT_TRUE(replay.find(0)->is_ethernet);  // it is given
  EXPECT_FALSE(replay.find(1)->is_ethernet);
  EXPECT_TRUE(replay.find(2)->is_ethernet);
}

TEST_F(ReplayTest, BroadcastsOfEverySubnetAreForThisHost) {
  begin(both).follow({named("d1")});
  const auto to = [](Ipv4Address destination) {
    const test_support::Ipv4Fields fields{.source = ip(10, 1, 0, 50), .destination = destination};
    return test_support::ethernet(
        0x0800, test_support::ipv4(fields, test_support::udp(fields, 68, 67, test_support::discover().octets())));
  };
  EXPECT_EQ(run(to(ip(10, 1, 0, 255))).front(), "to servers on d1");
  EXPECT_EQ(run(to(ip(10, 9, 0, 255))).front(), "to servers on d1");
  EXPECT_EQ(run(to(ip(10, 8, 0, 255))).front(), "not run 7 on d1");
}

/// As many interfaces as a capture may have, with as many addresses, all the same: this takes seconds, or far too long.
TEST_F(ReplayTest, ManyInterfacesWithManyAddresses) {
  settings_.giaddr_interface = "d0";
  Replay& replay = begin({});
  const Bytes request = from_client(test_support::discover().octets());
  std::vector<Ipv4Prefix> addresses;
  for (std::uint8_t last = 1; last <= 16; ++last) {
    addresses.push_back({ip(10, 1, 0, last), 24});
  }
  std::vector<CapturedInterface> interfaces;
  for (std::size_t number = 0; number < 4096; ++number) {
    const bool is_again = number > 2048;
    interfaces.push_back(named("d" + std::to_string(is_again ? 0 : number), addresses));
    if (is_again) {
      interfaces.back().addresses.resize(1 + number % 2);
    }
    replay.follow(interfaces);
    run(request, number);
  }
  EXPECT_TRUE(replay.has_passed_over_changes());
  EXPECT_EQ(replay.interfaces().size(), 2049U);
  EXPECT_EQ(lines_.front(), "to servers on d0");
}

TEST_F(ReplayTest, WhatIsGivenHidesWhatTheCaptureSays) {
  Replay& replay = begin({{"d1", {{ip(10, 7, 0, 1), 24}, {ip(10, 8, 0, 1), 24}}}});
  replay.follow({named("d1", {{ip(10, 1, 0, 1), 24}})});
  EXPECT_EQ(replay.find(0)->addresses, (std::vector<Ipv4Prefix>{{ip(10, 7, 0, 1), 24}, {ip(10, 8, 0, 1), 24}}));
}

TEST_F(ReplayTest, FramesThatWouldBeSent) {
  begin({{"u1", {{ip(10, 9, 0, 1), 24}}, {{2, 0, 0, 0, 9, 1}}}, {"d1", {{ip(10, 1, 0, 1), 24}}}}).follow({{}});
  run(from_client(test_support::discover().octets()));
  ASSERT_EQ(sent_.size(), 1U);
  const auto ipv4 = capture::ip_packet(capture::LinkType::ethernet, sent_[0]);
  ASSERT_TRUE(ipv4);
  EXPECT_EQ(ipv4->link_source, (MacAddress{{2, 0, 0, 0, 9, 1}}));
  EXPECT_EQ(ipv4->link_destination, MacAddress{});
  EXPECT_TRUE(ipv4->is_header_intact);
  const auto datagram = capture::udp_datagram(*ipv4);
  ASSERT_TRUE(datagram);
  EXPECT_EQ(datagram->source, ip(10, 1, 0, 1));
  EXPECT_EQ(datagram->destination, server);
  EXPECT_EQ(datagram->source_port, 67);
  EXPECT_EQ(datagram->destination_port, 67);
  EXPECT_EQ(datagram->checksum, capture::ChecksumState::right);
  EXPECT_EQ(datagram->payload[3], 1);  // hops
}

TEST_F(ReplayTest, TimeDoesNotGoBack) {
  settings_.rate_limits = {{"*", {1, 1}}};
  begin(both).follow({{}});
  const Bytes frame = from_client(test_support::discover().octets());
  Packet packet;
  packet.octets = frame;
  packet.original_size = frame.size();
  for (const int seconds : {100, 95, 100, 101}) {
    packet.time = std::chrono::seconds{seconds};
    replay_->run(packet, ++frame_);
  }
  EXPECT_THAT(lines_, ElementsAre("to servers on d1", "sent on u1, 342 octets", "rate_limited on d1",
                                  "rate_limited on d1", "to servers on d1", "sent on u1, 342 octets"));
}

TEST_F(ReplayTest, AWrongTimeDoesNotStopTheClock) {
  settings_.rate_limits = {{"*", {1, 1}}};
  begin(both).follow({{}});
  const Bytes frame = from_client(test_support::discover().octets());
  Packet packet;
  packet.octets = frame;
  packet.original_size = frame.size();
  using std::chrono::nanoseconds;
  const nanoseconds now = std::chrono::seconds{1'700'000'000};
  const std::vector<std::pair<nanoseconds, std::string>> cases{
      {now, "to servers on d1"},
      {nanoseconds::max(), "to servers on d1"},
      {now, "rate_limited on d1"},
      {now + std::chrono::seconds{1}, "to servers on d1"},
      {nanoseconds::min(), "rate_limited on d1"},
      {now, "to servers on d1"},
  };
  for (const auto& [time, verdict] : cases) {
    lines_.clear();
    packet.time = time;
    replay_->run(packet, ++frame_);
    EXPECT_EQ(lines_.front(), verdict) << frame_;
  }
}

TEST_F(ReplayTest, UnfinishedMessagesAreToldAtTheEnd) {
  begin(both).follow({{}});
  const Bytes datagram = test_support::udp({}, 68, 67, Bytes(300, 1));
  const Bytes first{datagram.begin(), datagram.begin() + 104};
  EXPECT_THAT(run(test_support::ethernet(0x0800, test_support::ipv4({.more_fragments = true}, first))), ElementsAre());
  replay_->finish();
  EXPECT_THAT(lines_, ElementsAre("unfinished 1"));
}

// DHCPv6

/// The same interfaces with IPv6 addresses; requests go to 2001:db8:53::10.
class Replay6Test : public ReplayTest {
 protected:
  Replay6Test() {
    settings_.v6.servers = {{"*", {{ip6("2001:db8:53::10")}}}};
    policy6_.upstream_named = true;
  }

  static Bytes frame6(const test_support::Ipv6Fields& fields, std::uint16_t source_port, std::uint16_t destination_port,
                      const Bytes& message) {
    return test_support::ethernet(
        0x86dd, test_support::ipv6(fields, test_support::udp6(fields, source_port, destination_port, message)));
  }
  static Bytes from_client6() { return frame6({}, 546, 547, test_support::solicit6()); }
  static Bytes from_server6() {
    return frame6({.source = ip6("2001:db8:53::10"), .destination = ip6("2001:db8:1::1")}, 547, 547,
                  test_support::relay_reply6(test_support::advertise6()));
  }

  [[nodiscard]] capture::UdpDatagram sent(std::size_t number = 0) const {
    const auto ip_packet = capture::ip_packet(capture::LinkType::ethernet, sent_.at(number));
    return capture::udp_datagram(ip_packet.value()).value();
  }

  const std::vector<Replay::GivenInterface> both6_{{"u1", {}, {{2, 0, 0, 0, 9, 1}}, {{ip6("2001:db8:9::1"), 64}}},
                                                   {"d1", {}, {}, {{ip6("2001:db8:1::1"), 64}, {ip6("fe80::d1"), 64}}}};
};

TEST_F(Replay6Test, ARequest) {
  begin(both6_).follow({{}});
  EXPECT_THAT(run(from_client6()), ElementsAre("to servers on d1", StartsWith("sent on u1, ")));
  const capture::UdpDatagram datagram = sent();
  EXPECT_EQ(datagram.source, ip6("2001:db8:1::1"));
  EXPECT_EQ(datagram.destination, ip6("2001:db8:53::10"));
  EXPECT_EQ(datagram.source_port, 547);
  EXPECT_EQ(datagram.destination_port, 547);
  EXPECT_EQ(datagram.checksum, capture::ChecksumState::right);
  const auto forward = test_support::parsed_relay_message6({datagram.payload.begin(), datagram.payload.end()});
  EXPECT_EQ(forward.type, 12);
  EXPECT_EQ(forward.link_address, ip6("2001:db8:1::1"));
  EXPECT_EQ(forward.peer_address, ip6("fe80::1"));
  EXPECT_EQ(forward.options.find(9), test_support::solicit6());
  EXPECT_EQ(forward.options.find(79), (Bytes{0, 1, 2, 0, 0, 0, 0, 9})) << "the source of the frame";
}

TEST_F(Replay6Test, AReply) {
  begin(both6_).follow({{}});
  EXPECT_THAT(run(from_server6()), ElementsAre("to client on d1 on u1", StartsWith("sent on d1, ")));
  const capture::UdpDatagram datagram = sent();
  EXPECT_EQ(datagram.source, ip6("fe80::d1"));
  EXPECT_EQ(datagram.destination, ip6("fe80::1"));
  EXPECT_EQ(datagram.destination_port, 546);
  EXPECT_EQ(datagram.checksum, capture::ChecksumState::right);
  EXPECT_EQ(Bytes(datagram.payload.begin(), datagram.payload.end()), test_support::advertise6());
}

TEST_F(Replay6Test, AGroupOfServersOnALink) {
  settings_.v6.servers = {{"*", {{all_dhcp_servers, "u1"}}}};
  begin(both6_).follow({{}});
  EXPECT_THAT(run(from_client6()), ElementsAre("to servers on d1", StartsWith("sent on u1, ")));
  EXPECT_EQ((Bytes{sent_[0].begin(), sent_[0].begin() + 6}), (Bytes{0x33, 0x33, 0, 1, 0, 3}));
  EXPECT_EQ(sent_[0][14 + 7], 8) << "hop limit";
}

TEST_F(Replay6Test, AddressesOfTheCapture) {
  Replay& replay = begin({});
  CapturedInterface d1 = named("d1");
  d1.addresses6 = {{ip6("2001:db8:1::1"), 64}};
  CapturedInterface again = named("d1");
  again.addresses6 = {{ip6("2001:db8:7::1"), 64}, {{}, 64}};
  replay.follow({d1, again});
  run(from_client6(), 0);
  run(from_client6(), 1);
  ASSERT_EQ(sent_.size(), 2U);
  EXPECT_EQ(sent(0).source, ip6("2001:db8:1::1"));
  EXPECT_EQ(sent(1).source, ip6("2001:db8:7::1"));
}

TEST_F(Replay6Test, WhatIsDroppedOrNotRun) {
  settings_.rate_limits = {{"*", {1, 1}}};
  begin(both6_).follow({named("d1"), named("u1")});
  EXPECT_THAT(run(frame6({}, 546, 547, test_support::advertise6())), ElementsAre("server_message on d1"));
  EXPECT_THAT(run(from_client6()), ElementsAre("rate_limited on d1"));
  EXPECT_THAT(run(from_client6(), 1), ElementsAre("not run 7 on u1")) << "nobody has joined the group there";
  EXPECT_THAT(run(frame6({}, 547, 546, test_support::advertise6())), ElementsAre("not run 5 on d1"));
  Bytes without_checksum = from_client6();
  without_checksum[14 + 40 + 6] = without_checksum[14 + 40 + 7] = 0;
  EXPECT_THAT(run(without_checksum), ElementsAre("not run 9 on d1"));
}

TEST_F(Replay6Test, BothProtocolsInOneCapture) {
  std::vector<Replay::GivenInterface> given = both6_;
  given[0].addresses = {{ip(10, 9, 0, 1), 24}};
  given[1].addresses = {{ip(10, 1, 0, 1), 24}};
  begin(given).follow({{}});
  EXPECT_THAT(run(from_client6()), ElementsAre("to servers on d1", StartsWith("sent on u1, ")));
  EXPECT_THAT(run(from_client(test_support::discover().octets())),
              ElementsAre("to servers on d1", "sent on u1, 342 octets"));
  EXPECT_THAT(run(from_server6()), ElementsAre("to client on d1 on u1", StartsWith("sent on d1, ")));
}

Packet packet_of(const Bytes& octets, capture::LinkType link_type) {
  Packet packet;
  packet.link_type = link_type;
  packet.octets = octets;
  packet.original_size = octets.size();
  return packet;
}

TEST(PacketFilter, SelectsByExpression) {
  PacketFilter filter{"udp and src port 67"};
  const Bytes packet = test_support::ipv4({}, test_support::udp({}, 67, 67, {1, 2, 3}));
  EXPECT_TRUE(filter.selects(packet_of(test_support::ethernet(0x0800, packet), capture::LinkType::ethernet)));
  EXPECT_TRUE(filter.selects(packet_of(packet, capture::LinkType::raw)));
  EXPECT_FALSE(filter.selects(packet_of(packet, capture::LinkType::ethernet)));
  EXPECT_FALSE(filter.selects(packet_of({}, capture::LinkType::raw)));
}

TEST(PacketFilter, SaysWhatIsWrong) {
  EXPECT_THROW(PacketFilter{"src hots"}, FilterError);
  EXPECT_THROW(PacketFilter{"("}, FilterError);
  PacketFilter filter{"vlan"};
  EXPECT_THROW(static_cast<void>(filter.selects(packet_of({}, capture::LinkType::raw))), FilterError);
}

}  // namespace
}  // namespace relay::io
