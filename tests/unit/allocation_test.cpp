// The decisions and the frame builder allocate nothing per message.
#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "relay/capture/verdict_tap.h"
#include "relay/core/bootp.h"
#include "relay/core/delegations.h"
#include "relay/core/frame.h"
#include "relay/core/relay.h"
#include "relay/core/relay_reply6.h"
#include "relay/core/relay_request6.h"
#include "tests/support/delegation6.h"
#include "tests/support/test_network6.h"
#include "tests/unit/allocations.h"

namespace relay {
namespace {

constexpr Ipv4Address server{{10, 9, 0, 2}};
constexpr Ipv4Address gateway{{10, 101, 0, 1}};

[[nodiscard]] Interface downstream_interface(std::uint32_t index, const std::string& name) {
  using options82::Blank;
  Interface interface;
  interface.index = index;
  interface.name = name;
  interface.is_up = interface.is_ethernet = interface.is_downstream = true;
  interface.addresses = {{gateway, 24}};
  interface.giaddr = gateway;
  interface.servers = {server};
  interface.rate_limit = RateLimit{1000, 1000};
  EXPECT_TRUE(interface.agent_information.add(options82::SubOption::circuit_id,
                                              {name + ":", Blank::client_port, "/", Blank::client_hardware_address}));
  EXPECT_TRUE(interface.agent_information.add(options82::SubOption::relay_flags, {Blank::relay_flags}));
  return interface;
}

[[nodiscard]] std::array<std::uint8_t, 1024> message_with(std::uint8_t op) {
  std::array<std::uint8_t, 1024> storage{};
  const auto message = std::span{storage}.first<300>();
  message[0] = op;
  message[1] = bootp::htype_ethernet;
  message[2] = 6;
  message[16] = op == bootp::op_reply ? 10 : 0;  // yiaddr 10.0.0.0
  message[28] = 2;                               // chaddr
  std::ranges::copy(bootp::magic_cookie, message.begin() + bootp::header_size);
  message[bootp::options_offset] = options82::code::end;
  return storage;
}

TEST(Allocation, a_relayed_handshake_allocates_nothing) {
  InterfaceTable table;
  table.put(downstream_interface(2, "d1"));
  table.put(downstream_interface(4, "d2"));  // the same giaddr: transactions are remembered
  Interface upstream;
  upstream.index = 3;
  upstream.is_upstream = true;
  table.put(upstream);
  Policy policy;
  policy.add_agent_information = true;
  Relay relay{table, 1};
  relay.apply(policy);

  const std::size_t before = test_support::allocations();
  for (int round = 0; round < 100; ++round) {
    auto storage = message_with(bootp::op_request);
    MessageBuffer message{storage, 300};
    ASSERT_TRUE(std::holds_alternative<ToServers>(relay.request({2, {}, 68, limited_broadcast}, message)));
    message.octets()[0] = bootp::op_reply;
    message.octets()[16] = 10;
    const Decision decision = relay.reply({3, server, 67, gateway}, message);
    ASSERT_TRUE(std::holds_alternative<ToClient>(decision));
    ASSERT_EQ(frame_headers(FrameAddresses{}, message.octets())[0], 0);
  }
  EXPECT_EQ(test_support::allocations(), before);
}

TEST(Allocation, a_relayed_exchange_of_dhcpv6_allocates_nothing) {
  const test_support::TestNetwork6 network;
  const test_support::Bytes solicit = test_support::solicit6();
  const test_support::Bytes advertise = test_support::relay_reply6(test_support::advertise6());
  const Ingress6 client = test_support::from_client();
  const Ingress6 upstream = test_support::from_server();
  std::array<std::uint8_t, 1024> storage{};
  constexpr std::size_t headroom = 256;

  const std::size_t before = test_support::allocations();
  for (int round = 0; round < 100; ++round) {
    std::ranges::copy(solicit, storage.begin() + headroom);
    MessageBuffer message{storage, solicit.size(), headroom};
    ASSERT_TRUE(
        std::holds_alternative<ToServers6>(relay_request6(network.policy, network.interfaces, client, message)));
    ASSERT_TRUE(std::holds_alternative<ToPeer6>(relay_reply6(network.policy, network.interfaces, upstream, advertise)));
  }
  EXPECT_EQ(test_support::allocations(), before);
}

TEST(Allocation, the_verdicts_on_messages_allocate_nothing) {
  const Interface egress = downstream_interface(2, "d1");
  const std::array<Ipv4Address, 1> servers{server};
  const std::array<Decision, 3> decisions{
      ToServers{servers, gateway}, ToClient{&egress, Delivery::link_broadcast, gateway}, Drop{DropReason::too_short}};
  const auto storage = message_with(bootp::op_request);
  const auto message = std::span{storage}.first<300>();
  const Ingress ingress{2, {}, 68, limited_broadcast};
  capture::VerdictQueue queue{64};
  capture::VerdictTap tap{queue};
  tap.open();

  const std::size_t before = test_support::allocations();
  std::uint64_t serial = 0;
  for (int round = 0; round < 30; ++round) {  // more than the queue holds
    for (const Decision& decision : decisions) {
      ++serial;
      tap.message({MessageStage::received, ingress, &egress, message, nullptr, serial});
      const bool is_dropped = std::holds_alternative<Drop>(decision);
      const MessageEvent event{
          is_dropped ? MessageStage::dropped : MessageStage::forwarded, ingress, &egress, message, &decision, serial};
      is_dropped ? tap.dropped(event) : tap.message(event);
    }
    tap.send_failed({DropReason::send_failed, &egress, server, 101, serial});
  }
  EXPECT_EQ(queue.lost(), 120U - 64U);
  while (queue.front() != nullptr) {
    queue.pop();
  }
  EXPECT_EQ(test_support::allocations(), before);
}

TEST(Allocation, replies_without_new_prefixes_allocate_nothing) {
  using namespace test_support;  // NOLINT(google-build-using-namespace): of messages
  std::size_t renewed = 0;
  Delegations delegations{
      {}, [&renewed](const DelegationEvent& event) { renewed += event.change == DelegationChange::renewed ? 1 : 0; }};
  const Bytes duid{0, 3, 0, 1, 2, 0, 0, 0, 0, 1};
  const Bytes with = message6(7, {client_id6(duid), ia_pd6(7, {ia_prefix6("2001:db8:e1::/56", 10, 20)})});
  const Bytes without = message6(7, {client_id6(duid), option6(3, Bytes(12, 0))});
  const Bytes released = message6(8, {client_id6(duid), ia_pd6(9, {})});
  const Ipv6Address next_hop = ip6("fe80::1");
  delegations.reply_passes("d1", next_hop, with, std::chrono::seconds{1});
  const std::size_t before = allocations();
  for (int second = 2; second < 10; ++second) {
    delegations.reply_passes("d1", next_hop, with, std::chrono::seconds{second});
    delegations.reply_passes("d1", next_hop, without, std::chrono::seconds{second});
    delegations.release_passes("d1", released);
  }
  EXPECT_EQ(allocations(), before);
  EXPECT_EQ(renewed, 8U);
}

TEST(Allocation, the_count_counts) {
  const std::size_t before = test_support::allocations();
  const std::vector<int> some(100);
  EXPECT_EQ(test_support::allocations(), before + 1) << some.size();
  struct alignas(64) Line {};
  const std::vector<Line> lines(100);
  EXPECT_EQ(test_support::allocations(), before + 2) << "what is aligned, too: " << lines.size();
}

}  // namespace
}  // namespace relay
