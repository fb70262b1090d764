// Replies: reception, the way to the client's segment and delivery (RFC 1542 section 4.1.2, RFC 2131 section 4.1).

#include "relay/core/relay_reply.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/guarded_message.h"
#include "tests/support/message_builder.h"
#include "tests/support/test_network.h"

namespace relay {
namespace {

using test_support::ack;
using test_support::agent_information;
using test_support::Bytes;
using test_support::c0;
using test_support::c1;
using test_support::circuit_id;
using test_support::drop;
using test_support::encoded;
using test_support::first_server;
using test_support::ip;
using test_support::joined;
using test_support::lo;
using test_support::MessageBuilder;
using test_support::nak;
using test_support::network_with_agent_information;
using test_support::no_interface;
using test_support::offer;
using test_support::Outcome;
using test_support::s0;
using test_support::second_server;
using test_support::stranger;
using test_support::TestNetwork;

const std::string to_client = "c0 link_unicast 10.1.0.50 02:00:00:00:00:01 from 10.1.0.1";
const std::string to_everyone = "c0 link_broadcast 255.255.255.255 ff:ff:ff:ff:ff:ff from 10.1.0.1";

void expect_dropped(const Outcome& outcome, DropReason reason, const std::string& description = {}) {
  EXPECT_EQ(outcome.decision, drop(reason)) << description;
  EXPECT_TRUE(outcome.is_untouched) << description;
}

void expect_delivered(const Outcome& outcome, const std::string& line, const std::string& description = {}) {
  EXPECT_EQ(outcome.decision, line) << description;
  EXPECT_TRUE(outcome.is_untouched) << description;
}

// Reception

TEST(RelayReply, row_4R_05_op_is_BOOTREPLY) {
  for (const std::uint8_t op : Bytes{0, 1, 3, 128, 255}) {
    expect_dropped(TestNetwork{}.reply(offer().op(op).octets()), DropReason::bad_op, std::to_string(op));
  }
}

TEST(RelayReply, row_4R_05_under_236_octets_is_too_short) {
  const Bytes message = offer().octets();
  for (std::size_t size = 0; size < 236; ++size) {
    expect_dropped(TestNetwork{}.reply(Bytes(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(size)), s0,
                                       first_server, 0),
                   DropReason::too_short, std::to_string(size));
  }
}

TEST(RelayReply, row_4R_05_replies_of_236_to_299_octets_pass) {
  // OPNsense's and Technitium's relays lost them.
  TestNetwork network;
  const Bytes message = offer().octets();
  for (std::size_t size = 236; size < 300; ++size) {
    expect_delivered(
        network.reply(Bytes(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(size)), s0, first_server, 0),
        to_client, std::to_string(size));
  }
  network.policy.min_size = 300;  // --strict-size
  expect_dropped(network.reply(Bytes(message.begin(), message.begin() + 299), s0, first_server, 0),
                 DropReason::too_short);
}

TEST(RelayReply, row_4R_10_hlen_is_16_at_most) {
  for (const std::uint8_t hlen : Bytes{17, 255}) {
    expect_dropped(TestNetwork{}.reply(offer().hlen(hlen).octets()), DropReason::hlen_too_long);
  }
  EXPECT_EQ(TestNetwork{}.reply(offer().hlen(16).octets()).decision, to_everyone);
}

TEST(RelayReply, row_4R_11_damaged_options_are_delivered_as_they_are) {
  const Bytes message = offer().raw({12, 99, 'a'}).without_end().padded_to(0).octets();
  expect_delivered(TestNetwork{}.reply(message, s0, first_server, 0), to_client);
}

TEST(RelayReply, row_4D_16_replies_are_not_accepted_on_the_clients_side) {
  expect_dropped(TestNetwork{}.reply(offer().octets(), c0), DropReason::not_upstream);
  expect_dropped(TestNetwork{}.reply(offer().octets(), c1), DropReason::not_upstream);
  expect_dropped(TestNetwork{}.reply(offer().octets(), no_interface), DropReason::interface_unknown);
  TestNetwork network;
  network.change(c1, [](Interface& interface) { interface.is_upstream = true; });
  expect_delivered(network.reply(offer().octets(), c1), to_client, "downstream and upstream");
}

TEST(RelayReply, row_4D_16_without_a_named_upstream_side_every_other_interface_is_one) {
  TestNetwork network;
  network.change(s0, [](Interface& interface) { interface.is_upstream = false; });
  expect_delivered(network.reply(offer().octets(), s0), to_client);
  expect_delivered(network.reply(offer().octets(), lo), to_client, "a server on this host");
  network.policy.upstream_named = true;
  expect_dropped(network.reply(offer().octets(), s0), DropReason::not_upstream);
  expect_dropped(network.reply(offer().octets(), lo), DropReason::not_upstream);
  network.change(s0, [](Interface& interface) { interface.is_upstream = true; });
  expect_delivered(network.reply(offer().octets(), s0), to_client);
}

TEST(RelayReply, row_4D_12_replies_come_from_the_servers_of_the_clients_interface) {
  TestNetwork network;
  EXPECT_EQ(network.reply(offer().octets(), s0, first_server).decision, to_client);
  EXPECT_EQ(network.reply(offer().octets(), s0, second_server).decision, to_client);
  expect_dropped(network.reply(offer().octets(), s0, stranger), DropReason::server_unknown);

  network.change(c0, [](Interface& interface) { interface.servers = {stranger}; });
  EXPECT_EQ(network.reply(offer().octets(), s0, stranger).decision, to_client);
  expect_dropped(network.reply(offer().octets(), s0, first_server), DropReason::server_unknown, "c1's server");
}

TEST(RelayReply, row_4D_12_replies_from_anyone) {
  TestNetwork network;
  network.policy.replies_from_anyone = true;
  EXPECT_EQ(network.reply(offer().octets(), s0, stranger).decision, to_client);
  network.change(c0, [](Interface& interface) { interface.servers.clear(); });
  EXPECT_EQ(network.reply(offer().octets(), s0, stranger).decision, to_client);
}

// Which segment

TEST(RelayReply, row_4D_01_giaddr_is_ours) {
  expect_dropped(TestNetwork{}.reply(offer().giaddr(ip(10, 9, 9, 9)).octets()), DropReason::reply_giaddr_unknown);
  expect_dropped(TestNetwork{}.reply(offer().giaddr(ip(0, 0, 0, 0)).octets()), DropReason::reply_giaddr_zero);
  for (const Ipv4Address giaddr :
       {ip(224, 0, 0, 1), ip(127, 0, 0, 1), limited_broadcast, ip(192, 0, 2, 1), ip(203, 0, 113, 1)}) {
    expect_dropped(TestNetwork{}.reply(offer().giaddr(giaddr).octets()), DropReason::reply_giaddr_unknown,
                   test_support::described(giaddr));
  }
}

TEST(RelayReply, row_4D_02_giaddr_names_the_interface) {
  EXPECT_EQ(TestNetwork{}.reply(offer().octets()).decision, to_client);
  EXPECT_EQ(TestNetwork{}.reply(offer().giaddr(ip(10, 2, 0, 1)).octets()).decision,
            "c1 link_unicast 10.1.0.50 02:00:00:00:00:01 from 10.2.0.1");
}

/// c0 and c1 with one giaddr, the loopback's.
TestNetwork network_with_shared_giaddr() {
  TestNetwork network = network_with_agent_information();
  for (const std::uint32_t index : {c0, c1}) {
    network.change(index, [](Interface& interface) { interface.giaddr = ip(203, 0, 113, 1); });
  }
  return network;
}

MessageBuilder shared_offer() {
  return offer().giaddr(ip(203, 0, 113, 1));
}

TEST(RelayReply, row_4D_02_a_shared_giaddr_needs_our_circuit_id) {
  const TestNetwork network = network_with_shared_giaddr();
  EXPECT_EQ(network.reply(shared_offer().agent_information(circuit_id("c1")).octets()).decision,
            "c1 link_unicast 10.1.0.50 02:00:00:00:00:01 from 10.2.0.1");
  EXPECT_EQ(network.reply(shared_offer().agent_information(circuit_id("c0")).octets()).decision, to_client);
}

TEST(RelayReply, row_4D_02_a_shared_giaddr_without_our_option_82_is_ambiguous) {
  const TestNetwork network = network_with_shared_giaddr();
  expect_dropped(network.reply(shared_offer().octets()), DropReason::reply_ambiguous, "none");
  expect_dropped(network.reply(shared_offer().agent_information({}).octets()), DropReason::reply_ambiguous, "empty");
  expect_dropped(network.reply(shared_offer().agent_information(circuit_id("c")).octets()), DropReason::reply_ambiguous,
                 "a part of ours");
  expect_dropped(network.reply(shared_offer().agent_information(circuit_id("c11")).octets()),
                 DropReason::reply_ambiguous, "more than ours");
  expect_dropped(network.reply(shared_offer().agent_information({1, 9, 'c', '1'}).octets()),
                 DropReason::reply_ambiguous, "broken");
  expect_dropped(network.reply(shared_offer().agent_information(encoded(2, {'c', '1'})).octets()),
                 DropReason::reply_ambiguous, "another sub-option");
  expect_dropped(network.reply(shared_offer().option(43, encoded(82, circuit_id("c1"))).octets()),
                 DropReason::reply_ambiguous, "row 4R-12: inside option 43");
  expect_dropped(network.reply(shared_offer().file(encoded(82, circuit_id("c1"))).option(52, {1}).octets()),
                 DropReason::reply_ambiguous, "row 4A-11: in file");
  expect_dropped(network.reply(shared_offer().without_cookie().padded_to(300).octets()), DropReason::reply_ambiguous,
                 "no cookie");
}

TEST(RelayReply, row_4D_02_interfaces_with_one_giaddr_and_one_circuit_id_are_ambiguous) {
  TestNetwork network = network_with_shared_giaddr();
  network.change(c1, [](Interface& interface) { interface.agent_information = agent_information(circuit_id("c0")); });
  expect_dropped(network.reply(shared_offer().agent_information(circuit_id("c0")).octets()),
                 DropReason::reply_ambiguous);
}

// RFC 3527 section 3: nothing depends on whether a server echoes link selection.
TEST(RelayReply, row_4S_02_link_selection_names_no_interface) {
  TestNetwork network = network_with_shared_giaddr();
  network.change(c0, [](Interface& interface) {
    interface.agent_information = agent_information(encoded(5, {10, 1, 0, 0}));
  });
  network.change(c1, [](Interface& interface) {
    interface.agent_information = agent_information(encoded(5, {10, 2, 0, 0}));
  });
  expect_dropped(network.reply(shared_offer().agent_information(encoded(5, {10, 2, 0, 0})).octets()),
                 DropReason::reply_ambiguous);
}

TEST(RelayReply, row_4R_14_a_split_option_82_names_the_interface) {
  const TestNetwork network = network_with_shared_giaddr();
  EXPECT_TRUE(network.reply(shared_offer().agent_information({1, 2, 'c'}).agent_information({'1'}).octets())
                  .decision.starts_with("c1 "));
}

TEST(RelayReply, row_4D_02_our_circuit_id_behind_a_downstream_agents) {
  const TestNetwork network = network_with_shared_giaddr();
  const Bytes theirs = circuit_id("port 7");
  EXPECT_TRUE(network.reply(shared_offer().agent_information(theirs).agent_information(circuit_id("c1")).octets())
                  .decision.starts_with("c1 "))
      << "as a second option";
  EXPECT_TRUE(network.reply(shared_offer().agent_information(joined({theirs, circuit_id("c1")})).octets())
                  .decision.starts_with("c1 "))
      << "joined by the server";
}

TEST(RelayReply, row_4D_02_a_downstream_agent_may_use_the_names_of_our_interfaces) {
  TestNetwork network = network_with_shared_giaddr();
  const Bytes theirs = circuit_id("c0");
  EXPECT_TRUE(network.reply(shared_offer().agent_information(theirs).agent_information(circuit_id("c1")).octets())
                  .decision.starts_with("c1 "))
      << "as a second option";
  EXPECT_TRUE(network.reply(shared_offer().agent_information(joined({theirs, circuit_id("c1")})).octets())
                  .decision.starts_with("c1 "))
      << "joined by the server";
}

TEST(RelayReply, row_4D_02_the_egress_is_the_tables_entry) {
  const TestNetwork network;
  test_support::GuardedMessage message{offer().octets()};
  const Decision decision = relay_reply(network.policy, network.interfaces, network.transactions,
                                        {s0, first_server, 67, ip(10, 1, 0, 1)}, message.buffer());
  const auto* to = std::get_if<ToClient>(&decision);
  ASSERT_NE(to, nullptr);
  EXPECT_EQ(to->egress, network.interfaces.find(c0));
}

TEST(RelayReply, an_interface_that_is_no_longer_downstream_gets_no_replies) {
  TestNetwork network;
  network.change(c0, [](Interface& interface) { interface.is_downstream = false; });
  expect_dropped(network.reply(offer().octets()), DropReason::reply_giaddr_unknown);
  network.interfaces.remove(c1);
  expect_dropped(network.reply(offer().giaddr(ip(10, 2, 0, 1)).octets()), DropReason::server_unknown);
  network.policy.replies_from_anyone = true;
  expect_dropped(network.reply(offer().giaddr(ip(10, 2, 0, 1)).octets()), DropReason::reply_giaddr_unknown);
}

TEST(RelayReply, row_4D_02_any_address_of_the_interface_may_be_giaddr) {
  // It was, perhaps, when the request passed.
  EXPECT_TRUE(TestNetwork{}.reply(offer().giaddr(ip(10, 1, 1, 1)).octets()).decision.starts_with("c0 "));
}

TEST(RelayReply, an_interface_that_is_down_gets_no_replies) {
  TestNetwork network;
  network.change(c0, [](Interface& interface) { interface.is_up = false; });
  expect_dropped(network.reply(offer().octets()), DropReason::interface_down);
  network.policy.add_agent_information = true;
  expect_dropped(network.reply(offer().agent_information(circuit_id("c0")).octets()), DropReason::interface_down);
}

struct OrderCase {
  const char* description;
  Bytes message;
  std::uint32_t interface;
  Ipv4Address source;
  DropReason reason;
};

TEST(RelayReply, the_first_rule_that_applies_decides) {
  const TestNetwork network;
  MessageBuilder all_wrong = MessageBuilder{}.op(7).hlen(17).message_type(13);
  MessageBuilder hlen_right = all_wrong;
  hlen_right.hlen(6);
  MessageBuilder op_right = hlen_right;
  op_right.op(2);
  MessageBuilder giaddr_unknown = MessageBuilder{}.op(2).giaddr(ip(10, 9, 9, 9));
  Bytes cut = all_wrong.octets();
  cut.resize(235);
  const std::vector<OrderCase> cases{
      {"too short", cut, no_interface, stranger, DropReason::too_short},
      {"hlen", all_wrong.octets(), no_interface, stranger, DropReason::hlen_too_long},
      {"op", hlen_right.octets(), no_interface, stranger, DropReason::bad_op},
      {"interface", op_right.octets(), no_interface, stranger, DropReason::interface_unknown},
      {"side", op_right.octets(), c0, stranger, DropReason::not_upstream},
      {"server", op_right.octets(), s0, stranger, DropReason::server_unknown},
      {"giaddr zero", op_right.octets(), s0, first_server, DropReason::reply_giaddr_zero},
      {"giaddr unknown", giaddr_unknown.octets(), s0, first_server, DropReason::reply_giaddr_unknown},
  };
  for (const OrderCase& test : cases) {
    expect_dropped(network.reply(test.message, test.interface, test.source), test.reason, test.description);
  }
}

// What is delivered

TEST(RelayReply, row_4D_08_no_field_of_a_reply_is_modified) {
  const Bytes message = offer()
                            .hops(3)
                            .secs(0x1234)
                            .flags(0x7fff)
                            .siaddr(ip(198, 51, 100, 10))
                            .chaddr({2, 0, 0, 0, 0, 1, 9, 9, 9, 9})
                            .sname(Bytes(64, 82))
                            .file(Bytes(128, 255))
                            .option(12, {})
                            .pad(3)
                            .option(43, {82, 255, 0})
                            .tail({1, 2, 3})
                            .padded_to(400)
                            .octets();
  expect_delivered(TestNetwork{}.reply(message), to_client);
}

TEST(RelayReply, row_4D_08_the_operator_may_have_giaddr_changed) {
  TestNetwork network;
  network.policy.reply_giaddr = ip(0, 0, 0, 0);
  Bytes expected = offer().octets();
  std::fill_n(expected.begin() + 24, 4, std::uint8_t{0});
  Outcome outcome = network.reply(offer().octets());
  EXPECT_EQ(outcome.decision, to_client);
  EXPECT_EQ(outcome.message, expected);

  network.policy.reply_giaddr = ip(10, 1, 0, 254);
  std::ranges::copy(ip(10, 1, 0, 254).octets, expected.begin() + 24);
  outcome = network.reply(offer().octets());
  EXPECT_EQ(outcome.decision, to_client);
  EXPECT_EQ(outcome.message, expected);
  expect_dropped(network.reply(offer().octets(), s0, stranger), DropReason::server_unknown);
}

TEST(RelayReply, row_4D_11_answers_to_lease_queries_are_not_for_clients) {
  for (const std::uint8_t type : Bytes{11, 12, 13}) {
    expect_dropped(
        TestNetwork{}.reply(
            MessageBuilder{}.op(2).giaddr(ip(10, 1, 0, 1)).yiaddr(ip(10, 1, 0, 50)).message_type(type).octets()),
        DropReason::lease_query_reply);
  }
}

TEST(RelayReply, row_4F_13_every_other_message_type_is_delivered) {
  for (int type = 0; type <= 255; ++type) {
    if (type == 6 || (type >= 11 && type <= 13)) {
      continue;
    }
    const Bytes message = MessageBuilder{}
                              .op(2)
                              .htype(1)
                              .hlen(6)
                              .chaddr({2, 0, 0, 0, 0, 1})
                              .giaddr(ip(10, 1, 0, 1))
                              .yiaddr(ip(10, 1, 0, 50))
                              .message_type(static_cast<std::uint8_t>(type))
                              .octets();
    expect_delivered(TestNetwork{}.reply(message), to_client, std::to_string(type));
  }
}

TEST(RelayReply, row_4D_13_client_identifier_passes) {
  expect_delivered(TestNetwork{}.reply(offer().option(61, {1, 2, 0, 0, 0, 0, 1}).octets()), to_client);
}

TEST(RelayReply, row_4D_14_large_replies_are_delivered_whole) {
  for (const std::size_t size : {std::size_t{577}, std::size_t{1473}, std::size_t{3000}, std::size_t{65'507}}) {
    expect_delivered(TestNetwork{}.reply(ack().padded_to(size).octets(), s0, first_server, 0), to_client,
                     std::to_string(size));
  }
}

TEST(RelayReply, a_plain_BOOTP_reply_is_delivered) {
  expect_delivered(TestNetwork{}.reply(offer().without_cookie().padded_to(300).octets()), to_client);
}

// How: rows 4D-03 to 4D-07

struct DeliveryCase {
  const char* description;
  Bytes message;
  std::string decision;
};

void expect_deliveries(const TestNetwork& network, const std::vector<DeliveryCase>& cases) {
  for (const DeliveryCase& test : cases) {
    expect_delivered(network.reply(test.message), test.decision, test.description);
  }
}

constexpr Ipv4Address ciaddr = ip(10, 1, 0, 60);
const std::string to_ciaddr = "c0 link_unicast 10.1.0.60 02:00:00:00:00:01 from 10.1.0.1";
constexpr Ipv4Address distant_ciaddr = ip(172, 16, 0, 60);  // in no subnet of c0
const std::string routed = "c0 routed 172.16.0.60 from 10.1.0.1";
const std::string routed_on_link = "c0 routed 10.1.0.60 from 10.1.0.1";
constexpr Ipv4Address zero = ip(0, 0, 0, 0);

TEST(RelayReply, row_4D_03_to_4D_07_automatic_delivery) {
  expect_deliveries(
      TestNetwork{},
      {
          {"4D-04: BROADCAST clear", offer().octets(), to_client},
          {"4D-03: BROADCAST set", offer().flags(0x8000).octets(), to_everyone},
          {"4R-07: all other flags set", offer().flags(0x7fff).octets(), to_client},
          {"4D-03: all flags set", offer().flags(0xffff).octets(), to_everyone},

          {"4D-05: hlen 0", offer().hlen(0).octets(), to_everyone},
          {"4D-05: hlen 5", offer().hlen(5).octets(), to_everyone},
          {"4D-05: hlen 8", offer().hlen(8).octets(), to_everyone},
          {"4D-05: hlen 16", offer().hlen(16).octets(), to_everyone},
          {"4D-05: htype 32, InfiniBand", offer().htype(32).hlen(0).octets(), to_everyone},
          {"4D-05: htype 6", offer().htype(6).octets(), to_everyone},
          {"4D-05: htype 0", offer().htype(0).octets(), to_everyone},

          {"chaddr is zero", offer().chaddr(Bytes(6, 0)).octets(), to_everyone},
          {"chaddr is broadcast", offer().chaddr(Bytes(6, 255)).octets(), to_everyone},
          {"chaddr is multicast", offer().chaddr({1, 0, 0x5e, 0, 0, 1}).octets(), to_everyone},
          {"chaddr has the group bit", offer().chaddr({3, 0, 0, 0, 0, 1}).octets(), to_everyone},

          {"yiaddr 0 and ciaddr 0", ack().yiaddr(zero).octets(), to_everyone},
          {"yiaddr is broadcast", offer().yiaddr(limited_broadcast).octets(), to_everyone},
          {"yiaddr is multicast", offer().yiaddr(ip(224, 0, 0, 1)).octets(), to_everyone},
          {"yiaddr is loopback", offer().yiaddr(ip(127, 0, 0, 1)).octets(), to_everyone},
          {"yiaddr is in 0.0.0.0/8", offer().yiaddr(ip(0, 0, 0, 7)).octets(), to_everyone},
          {"yiaddr is in 240.0.0.0/4", offer().yiaddr(ip(250, 0, 0, 7)).octets(), to_everyone},
          {"yiaddr is the subnet's broadcast", offer().yiaddr(ip(10, 1, 0, 255)).octets(), to_everyone},
          {"yiaddr is the second subnet's broadcast", offer().yiaddr(ip(10, 1, 1, 255)).octets(), to_everyone},
          {"yiaddr is ours", offer().yiaddr(ip(10, 1, 0, 1)).octets(), to_everyone},
          {"yiaddr is ours on another interface", offer().yiaddr(ip(192, 0, 2, 1)).octets(), to_everyone},
          {"yiaddr is in the second subnet", offer().yiaddr(ip(10, 1, 1, 50)).octets(),
           "c0 link_unicast 10.1.1.50 02:00:00:00:00:01 from 10.1.0.1"},
          {"yiaddr is in no subnet of ours", offer().yiaddr(ip(172, 16, 0, 50)).octets(),
           "c0 link_unicast 172.16.0.50 02:00:00:00:00:01 from 10.1.0.1"},

          // RFC 1542 section 4.1.2: chaddr is as good as ARP where the client is on the link; elsewhere it is not its.
          {"4D-06: ACK to INFORM", ack().yiaddr(zero).ciaddr(ciaddr).octets(), to_ciaddr},
          {"4D-06: ACK to INFORM of a client in the second subnet",
           ack().yiaddr(zero).ciaddr(ip(10, 1, 1, 60)).octets(),
           "c0 link_unicast 10.1.1.60 02:00:00:00:00:01 from 10.1.0.1"},
          {"4D-06: ACK to INFORM of a distant client", ack().yiaddr(zero).ciaddr(distant_ciaddr).octets(), routed},
          {"4D-06: ACK to RENEW of a distant client", ack().yiaddr(distant_ciaddr).ciaddr(distant_ciaddr).octets(),
           routed},
          {"4D-06: ACK to RENEW", ack().yiaddr(ciaddr).ciaddr(ciaddr).octets(), to_ciaddr},
          {"4D-06: ciaddr and another yiaddr", ack().ciaddr(ciaddr).octets(), to_client},
          {"4D-06: ACK to INFORM with BROADCAST", ack().yiaddr(zero).ciaddr(ciaddr).flags(0x8000).octets(),
           to_everyone},
          {"4D-06: ACK to INFORM without chaddr", ack().yiaddr(zero).ciaddr(ciaddr).hlen(0).octets(), routed_on_link},
          {"ciaddr is broadcast", ack().yiaddr(zero).ciaddr(limited_broadcast).octets(), to_everyone},
          {"ciaddr is multicast", ack().yiaddr(zero).ciaddr(ip(224, 0, 0, 1)).octets(), to_everyone},
          {"ciaddr is loopback", ack().yiaddr(zero).ciaddr(ip(127, 0, 0, 1)).octets(), to_everyone},
          {"ciaddr is ours", ack().yiaddr(zero).ciaddr(ip(10, 2, 0, 1)).octets(), to_everyone},
          {"ciaddr is the subnet's broadcast", ack().yiaddr(zero).ciaddr(ip(10, 1, 0, 255)).octets(), to_everyone},

          {"4D-07: NAK", nak().octets(), to_everyone},
          {"4D-07: NAK with BROADCAST", nak().flags(0x8000).octets(), to_everyone},
          {"4D-07: NAK with ciaddr", nak().ciaddr(ciaddr).octets(), to_everyone},
          {"4D-07: NAK with yiaddr", nak().yiaddr(ip(10, 1, 0, 50)).octets(), to_everyone},
      });
}

TEST(RelayReply, row_4D_05_an_interface_without_Ethernet_addresses_broadcasts) {
  TestNetwork network;
  network.change(c0, [](Interface& interface) { interface.is_ethernet = false; });
  expect_deliveries(network, {
                                 {"OFFER", offer().octets(), to_everyone},
                                 {"ACK to INFORM", ack().yiaddr(zero).ciaddr(ciaddr).octets(), routed_on_link},
                             });
}

TEST(RelayReply, row_4D_05_always_by_broadcast) {
  TestNetwork network;
  network.change(c0, [](Interface& interface) { interface.reply_delivery = ReplyDelivery::broadcast; });
  expect_deliveries(network, {
                                 {"OFFER", offer().octets(), to_everyone},
                                 {"OFFER with BROADCAST", offer().flags(0x8000).octets(), to_everyone},
                                 {"ACK to INFORM", ack().yiaddr(zero).ciaddr(ciaddr).octets(), to_everyone},
                                 {"NAK", nak().octets(), to_everyone},
                             });
}

TEST(RelayReply, row_4D_05_by_unicast_wherever_possible) {
  TestNetwork network;
  network.change(c0, [](Interface& interface) { interface.reply_delivery = ReplyDelivery::unicast; });
  expect_deliveries(network, {
                                 {"OFFER", offer().octets(), to_client},
                                 {"OFFER with BROADCAST", offer().flags(0x8000).octets(), to_client},
                                 {"ACK to INFORM", ack().yiaddr(zero).ciaddr(ciaddr).flags(0x8000).octets(), to_ciaddr},
                                 {"NAK", nak().octets(), to_everyone},
                                 {"NAK with ciaddr", nak().ciaddr(ciaddr).octets(), to_everyone},
                                 {"no yiaddr", ack().yiaddr(zero).octets(), to_everyone},
                                 {"chaddr is multicast", offer().chaddr({1, 0, 0, 0, 0, 1}).octets(), to_everyone},
                                 {"hlen 0", offer().hlen(0).octets(), to_everyone},
                             });
}

TEST(RelayReply, row_4D_04_the_last_address_of_a_point_to_point_subnet_is_a_clients) {
  TestNetwork network;
  network.change(c0, [](Interface& interface) {
    interface.addresses = {{ip(10, 1, 0, 0), 31}};
    interface.giaddr = ip(10, 1, 0, 0);
  });
  EXPECT_EQ(network.reply(offer().giaddr(ip(10, 1, 0, 0)).yiaddr(ip(10, 1, 0, 1)).octets()).decision,
            "c0 link_unicast 10.1.0.1 02:00:00:00:00:01 from 10.1.0.0");
}

TEST(RelayReply, the_source_is_an_address_of_the_clients_segment) {
  TestNetwork network;
  network.change(c0, [](Interface& interface) { interface.giaddr = ip(10, 1, 1, 1); });
  EXPECT_EQ(network.reply(offer().giaddr(ip(10, 1, 1, 1)).octets()).decision,
            "c0 link_unicast 10.1.0.50 02:00:00:00:00:01 from 10.1.1.1")
      << "giaddr, if the interface has it";
  network.change(c0, [](Interface& interface) { interface.giaddr = ip(203, 0, 113, 1); });
  EXPECT_EQ(network.reply(offer().giaddr(ip(203, 0, 113, 1)).octets()).decision, to_client)
      << "else the interface's primary address";
  network.change(c0, [](Interface& interface) { interface.addresses.clear(); });
  EXPECT_EQ(network.reply(offer().giaddr(ip(203, 0, 113, 1)).octets()).decision,
            "c0 link_unicast 10.1.0.50 02:00:00:00:00:01 from 203.0.113.1")
      << "an unnumbered interface: giaddr";
}

}  // namespace
}  // namespace relay
