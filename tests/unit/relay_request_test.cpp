// Requests: reception and forwarding (RFC 951, RFC 1542 section 4.1.1, RFC 2131), without option 82 of ours.

#include "relay/core/relay_request.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/guarded_message.h"
#include "tests/support/message_builder.h"
#include "tests/support/test_network.h"

namespace relay {
namespace {

using test_support::bootp_request;
using test_support::Bytes;
using test_support::c0;
using test_support::c1;
using test_support::discover;
using test_support::drop;
using test_support::ip;
using test_support::joined;
using test_support::lo;
using test_support::MessageBuilder;
using test_support::no_interface;
using test_support::Outcome;
using test_support::relayed;
using test_support::request;
using test_support::s0;
using test_support::TestNetwork;

void expect_dropped(const Outcome& outcome, DropReason reason, const std::string& description = {}) {
  EXPECT_EQ(outcome.decision, drop(reason)) << description;
  EXPECT_TRUE(outcome.is_untouched) << description;
}

/// What the RFC allows to change in a request without option 82: hops, and giaddr where it was zero.
Bytes forwarded(Bytes message, Ipv4Address giaddr = ip(10, 1, 0, 1)) {
  message[3] = static_cast<std::uint8_t>(message[3] + 1);
  if (message[24] == 0 && message[25] == 0 && message[26] == 0 && message[27] == 0) {
    std::ranges::copy(giaddr.octets, message.begin() + 24);
  }
  return message;
}

void expect_relayed(const TestNetwork& network, const Bytes& message, const std::string& description = {}) {
  const Outcome outcome = network.request(message);
  EXPECT_EQ(outcome.decision, relayed()) << description;
  EXPECT_EQ(outcome.message, forwarded(message)) << description;
  EXPECT_TRUE(outcome.is_intact_beside) << description;
}

// Reception

TEST(RelayRequest, row_4R_01_requests_are_accepted_on_downstream_interfaces_alone) {
  const TestNetwork network;
  EXPECT_EQ(network.request(discover().octets(), c0).decision, relayed());
  expect_dropped(network.request(discover().octets(), s0), DropReason::not_downstream, "upstream");
  expect_dropped(network.request(discover().octets(), lo), DropReason::not_downstream, "neither");
  expect_dropped(network.request(discover().octets(), no_interface), DropReason::interface_unknown);
  expect_dropped(network.request(discover().octets(), 0), DropReason::interface_unknown, "index 0");
}

TEST(RelayRequest, row_4R_01_an_interface_may_be_downstream_and_upstream) {
  TestNetwork network;
  network.change(c0, [](Interface& interface) { interface.is_upstream = true; });
  EXPECT_EQ(network.request(discover().octets()).decision, relayed());
}

TEST(RelayRequest, row_4R_02_and_4R_03_source_and_destination_do_not_matter) {
  const TestNetwork network;
  const std::vector<Ingress> arrivals{
      {c0, ip(0, 0, 0, 0), 68, limited_broadcast},    {c0, ip(10, 1, 0, 50), 68, ip(10, 1, 0, 255)},
      {c0, ip(10, 1, 0, 50), 68, ip(10, 1, 0, 1)},    {c0, ip(10, 9, 0, 1), 67, ip(203, 0, 113, 1)},
      {c0, ip(0, 0, 0, 0), 40'000, ip(224, 0, 0, 1)},  // a client behind address translation
  };
  for (const Ingress& arrival : arrivals) {
    test_support::GuardedMessage message{discover().octets()};
    EXPECT_EQ(test_support::described(relay_request(network.policy, network.interfaces, arrival, message.buffer())),
              relayed());
  }
}

TEST(RelayRequest, row_4R_05_op_is_BOOTREQUEST) {
  const TestNetwork network;
  for (const std::uint8_t op : Bytes{0, 2, 3, 128, 255}) {
    expect_dropped(network.request(discover().op(op).octets()), DropReason::bad_op, std::to_string(op));
  }
}

TEST(RelayRequest, row_4R_05_under_236_octets_is_too_short) {
  const Bytes message = discover().octets();
  for (std::size_t size = 0; size < 236; ++size) {
    // Nothing behind the message: what is not there is not read.
    expect_dropped(
        TestNetwork{}.request(Bytes(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(size)), c0, 0),
        DropReason::too_short, std::to_string(size));
  }
  for (const std::size_t size : {std::size_t{236}, std::size_t{239}, std::size_t{240}, std::size_t{241},
                                 std::size_t{243}, std::size_t{260}, std::size_t{299}}) {
    expect_relayed(TestNetwork{}, Bytes(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(size)),
                   std::to_string(size));
  }
}

TEST(RelayRequest, row_4R_05_the_least_size_can_be_300) {
  TestNetwork network;
  network.policy.min_size = 300;
  expect_dropped(network.request(discover().padded_to(299).octets()), DropReason::too_short);
  EXPECT_EQ(network.request(discover().padded_to(300).octets()).decision, relayed());
}

TEST(RelayRequest, row_4R_05_no_policy_lets_less_than_a_header_pass) {
  TestNetwork network;
  network.policy.min_size = 0;
  expect_dropped(network.request(Bytes(235, 1), c0, 0), DropReason::too_short);
  expect_dropped(network.request({}, c0, 0), DropReason::too_short);
}

TEST(RelayRequest, row_4R_06_larger_messages_are_relayed) {
  for (const std::size_t size :
       {std::size_t{301}, std::size_t{548}, std::size_t{576}, std::size_t{1260}, std::size_t{1472}, std::size_t{1473},
        std::size_t{4000}, std::size_t{8972}, std::size_t{65'507}}) {
    const Bytes message = discover().padded_to(size).octets();
    const Outcome outcome = TestNetwork{}.request(message, c0, 0);
    EXPECT_EQ(outcome.decision, relayed()) << size;
    EXPECT_EQ(outcome.message, forwarded(message)) << size;
  }
}

TEST(RelayRequest, row_4R_07_reserved_flags_are_ignored_and_kept) {
  for (const std::uint16_t flags : std::vector<std::uint16_t>{0x7fff, 0x8000, 0xffff, 0x0001}) {
    expect_relayed(TestNetwork{}, discover().flags(flags).octets());
  }
}

struct HopsCase {
  std::uint8_t max_hops;
  std::uint8_t hops;
  bool is_relayed;
};

TEST(RelayRequest, row_4R_08_hops_above_the_limit_are_dropped) {
  const std::vector<HopsCase> cases{{4, 0, true},    {4, 3, true},     {4, 4, true},   {4, 5, false},  {4, 16, false},
                                    {4, 255, false}, {1, 1, true},     {1, 2, false},  {16, 15, true}, {16, 16, true},
                                    {16, 17, false}, {16, 255, false}, {10, 10, true}, {10, 11, false}};
  for (const HopsCase& test : cases) {
    TestNetwork network;
    network.policy.max_hops = test.max_hops;
    const Outcome outcome = network.request(discover().hops(test.hops).octets());
    EXPECT_EQ(outcome.decision, test.is_relayed ? relayed() : drop(DropReason::hops_exceeded))
        << int{test.max_hops} << " " << int{test.hops};
    EXPECT_EQ(outcome.message[3], test.is_relayed ? test.hops + 1 : test.hops);
  }
}

TEST(RelayRequest, row_4R_08_no_policy_lets_more_than_16_hops_pass) {
  TestNetwork network;
  network.policy.max_hops = 255;
  EXPECT_EQ(network.request(discover().hops(16).octets()).decision, relayed());
  expect_dropped(network.request(discover().hops(17).octets()), DropReason::hops_exceeded);
  expect_dropped(network.request(discover().hops(255).octets()), DropReason::hops_exceeded);
}

TEST(RelayRequest, row_4R_08_the_default_limit_is_4) {
  EXPECT_EQ(Policy{}.max_hops, 4);
}

TEST(RelayRequest, row_4R_09_secs_below_the_threshold_are_dropped) {
  TestNetwork network;
  EXPECT_EQ(network.request(discover().secs(0).octets()).decision, relayed()) << "the default is 0";
  network.policy.min_secs = 3;
  expect_dropped(network.request(discover().secs(0).octets()), DropReason::below_min_secs);
  expect_dropped(network.request(discover().secs(2).octets()), DropReason::below_min_secs);
  EXPECT_EQ(network.request(discover().secs(3).octets()).decision, relayed());
  EXPECT_EQ(network.request(discover().secs(0x0200).octets()).decision, relayed()) << "octets swapped";
  EXPECT_EQ(network.request(discover().secs(0xffff).octets()).decision, relayed());
  network.policy.min_secs = 0xffff;
  expect_dropped(network.request(discover().secs(0xfffe).octets()), DropReason::below_min_secs);
}

TEST(RelayRequest, row_4R_10_hlen_is_16_at_most) {
  for (const std::uint8_t hlen : Bytes{0, 6, 8, 16}) {
    expect_relayed(TestNetwork{}, discover().hlen(hlen).octets(), std::to_string(hlen));
  }
  for (const std::uint8_t hlen : Bytes{17, 128, 255}) {
    expect_dropped(TestNetwork{}.request(discover().hlen(hlen).octets()), DropReason::hlen_too_long);
  }
}

TEST(RelayRequest, row_4R_11_damaged_options_are_relayed_as_they_are) {
  for (const Bytes& damage : std::vector<Bytes>{{12}, {12, 9, 'a'}, {255 - 1, 255}, {53, 200}}) {
    const Bytes message = discover().raw(damage).without_end().padded_to(0).octets();
    const Outcome outcome = TestNetwork{}.request(message, c0, 0);
    EXPECT_EQ(outcome.decision, relayed());
    EXPECT_EQ(outcome.message, forwarded(message));
  }
}

TEST(RelayRequest, row_4R_13_messages_without_a_message_type_are_relayed) {
  expect_relayed(TestNetwork{}, bootp_request().octets(), "no cookie");
  expect_relayed(TestNetwork{}, bootp_request().padded_to(0).octets(), "the header alone");
  expect_relayed(TestNetwork{}, bootp_request().tail({99, 130, 83}).padded_to(0).octets(), "part of a cookie");
  expect_relayed(TestNetwork{}, MessageBuilder{discover()}.cookie({63, 86, 53, 63}).octets(), "a wrong cookie");
  expect_relayed(TestNetwork{}, MessageBuilder{}.op(1).octets(), "no option 53");
  expect_relayed(TestNetwork{}, MessageBuilder{}.op(1).option(53, {}).octets(), "option 53 of no octets");
  expect_relayed(TestNetwork{}, MessageBuilder{}.op(1).option(53, {10, 10}).octets(), "option 53 of two octets");
}

TEST(RelayRequest, row_4R_16_an_interface_can_refuse_relayed_messages) {
  TestNetwork network;
  network.change(c0, [](Interface& interface) { interface.refuses_relayed = true; });
  expect_dropped(network.request(discover().giaddr(ip(10, 9, 9, 9)).octets()), DropReason::giaddr_refused);
  EXPECT_EQ(network.request(discover().octets()).decision, relayed()) << "clients are not meant";
  EXPECT_NE(network.request(discover().giaddr(ip(10, 9, 9, 9)).octets(), c1).decision, drop(DropReason::giaddr_refused))
      << "other interfaces are not meant";
}

TEST(RelayRequest, row_4R_17_a_giaddr_of_our_own_is_dropped) {
  for (const Ipv4Address giaddr :
       {ip(10, 1, 0, 1), ip(10, 1, 1, 1), ip(10, 2, 0, 1), ip(192, 0, 2, 1), ip(203, 0, 113, 1)}) {
    expect_dropped(TestNetwork{}.request(discover().giaddr(giaddr).octets()), DropReason::giaddr_own,
                   test_support::described(giaddr));
  }
}

TEST(RelayRequest, row_4R_17_and_11_a_giaddr_that_no_host_can_have_is_dropped) {
  for (const Ipv4Address giaddr : {ip(0, 0, 0, 1), ip(127, 0, 0, 1), ip(127, 8, 9, 10), ip(224, 0, 0, 1),
                                   ip(239, 255, 255, 255), ip(240, 0, 0, 1), limited_broadcast}) {
    expect_dropped(TestNetwork{}.request(discover().giaddr(giaddr).octets()), DropReason::giaddr_invalid,
                   test_support::described(giaddr));
  }
}

struct OrderCase {
  const char* description;
  Bytes message;
  std::uint32_t interface;
  DropReason reason;
};

TEST(RelayRequest, the_first_rule_that_applies_decides) {
  TestNetwork network;
  network.policy.min_secs = 5;
  network.change(c0, [](Interface& interface) {
    interface.refuses_relayed = true;
    interface.giaddr.reset();
    interface.servers.clear();
  });
  const Bytes with_option = joined({{82, 0}});
  MessageBuilder all_wrong = discover();
  all_wrong.op(7).hlen(17).hops(17).giaddr(ip(127, 0, 0, 1)).raw(with_option);
  MessageBuilder hlen_right = all_wrong;
  hlen_right.hlen(6);
  MessageBuilder op_right = hlen_right;
  op_right.op(1);
  MessageBuilder secs_right = op_right;
  secs_right.secs(5);
  MessageBuilder hops_right = secs_right;
  hops_right.hops(0);
  MessageBuilder giaddr_ours = hops_right;
  giaddr_ours.giaddr(ip(10, 2, 0, 1));
  MessageBuilder giaddr_other = hops_right;
  giaddr_other.giaddr(ip(10, 9, 9, 9));
  MessageBuilder giaddr_zero = hops_right;
  giaddr_zero.giaddr(ip(0, 0, 0, 0));
  MessageBuilder lease_query = MessageBuilder{}.op(1).secs(5).message_type(10).raw(with_option);
  Bytes cut = all_wrong.octets();
  cut.resize(235);
  const std::vector<OrderCase> cases{
      {"too short", cut, no_interface, DropReason::too_short},
      {"hlen", all_wrong.octets(), no_interface, DropReason::hlen_too_long},
      {"op", hlen_right.octets(), no_interface, DropReason::bad_op},
      {"interface", op_right.octets(), no_interface, DropReason::interface_unknown},
      {"giaddr ours", giaddr_ours.octets(), s0, DropReason::giaddr_own},
      {"side", op_right.octets(), s0, DropReason::not_downstream},
      {"secs", op_right.octets(), c0, DropReason::below_min_secs},
      {"hops", secs_right.octets(), c0, DropReason::hops_exceeded},
      {"giaddr", hops_right.octets(), c0, DropReason::giaddr_invalid},
      {"giaddr refused", giaddr_other.octets(), c0, DropReason::giaddr_refused},
      {"lease query", lease_query.octets(), c0, DropReason::lease_query_unrelayed},
      {"option 82", giaddr_zero.octets(), c0, DropReason::option82_untrusted},
      {"address", discover().secs(5).octets(), c0, DropReason::no_address},
  };
  for (const OrderCase& test : cases) {
    expect_dropped(network.request(test.message, test.interface), test.reason, test.description);
  }
}

// Forwarding

TEST(RelayRequest, row_4F_01_giaddr_zero_becomes_the_interfaces) {
  const Outcome on_c0 = TestNetwork{}.request(discover().octets(), c0);
  EXPECT_EQ(on_c0.decision, relayed());
  EXPECT_EQ(on_c0.message, forwarded(discover().octets()));
  const Outcome on_c1 = TestNetwork{}.request(discover().octets(), c1);
  EXPECT_EQ(on_c1.decision, "servers 198.51.100.10 198.51.100.11 from 10.2.0.1 untouched");
  EXPECT_EQ(on_c1.message, forwarded(discover().octets(), ip(10, 2, 0, 1)));
}

TEST(RelayRequest, row_4F_01_giaddr_given_by_the_operator) {
  TestNetwork network;
  network.change(c0, [](Interface& interface) { interface.giaddr = ip(203, 0, 113, 1); });
  const Outcome outcome = network.request(discover().octets());
  EXPECT_EQ(outcome.decision, "servers 198.51.100.10 198.51.100.11 from 203.0.113.1 untouched");
  EXPECT_EQ(outcome.message, forwarded(discover().octets(), ip(203, 0, 113, 1)));
}

TEST(RelayRequest, row_4F_01_without_an_address_there_is_no_giaddr) {
  TestNetwork network;
  network.change(c0, [](Interface& interface) {
    interface.giaddr.reset();
    interface.addresses.clear();
  });
  expect_dropped(network.request(discover().octets()), DropReason::no_address);
  expect_dropped(network.request(bootp_request().octets()), DropReason::no_address);
}

TEST(RelayRequest, row_4F_02_giaddr_is_the_same_every_time) {
  TestNetwork network;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(network.request(discover().octets()).message, forwarded(discover().octets()));
  }
  network.change(c0, [](Interface& interface) { interface.addresses.push_back({ip(10, 0, 0, 1), 24}); });
  EXPECT_EQ(network.request(discover().octets()).message, forwarded(discover().octets()));
  network.change(c0, [](Interface& interface) { interface.addresses.resize(1); });
  EXPECT_EQ(network.request(discover().octets()).message, forwarded(discover().octets()));
}

TEST(RelayRequest, row_4F_03_a_giaddr_that_is_there_stays) {
  expect_relayed(TestNetwork{}, discover().giaddr(ip(10, 50, 0, 1)).octets());
  expect_relayed(TestNetwork{}, bootp_request().giaddr(ip(10, 50, 0, 1)).hops(1).octets());
}

TEST(RelayRequest, row_4F_03_point_to_point_addresses_are_giaddrs) {
  for (const std::uint8_t length : Bytes{31, 32}) {
    TestNetwork network;
    network.change(c0, [length](Interface& interface) {
      interface.addresses = {{ip(10, 1, 0, 1), length}};  // with /31, the address with all host bits set
    });
    EXPECT_EQ(network.request(discover().octets()).message, forwarded(discover().octets()));
  }
}

TEST(RelayRequest, a_giaddr_that_this_host_does_not_hold_makes_the_interface_passive) {
  TestNetwork network;
  network.change(c0, [](Interface& interface) { interface.giaddr = ip(10, 1, 0, 254); });
  expect_dropped(network.request(discover().octets()), DropReason::interface_passive);
  expect_dropped(network.request(discover().giaddr(ip(10, 50, 0, 1)).octets()), DropReason::interface_passive);
  network.change(c0, [](Interface& interface) { interface.addresses.push_back({ip(10, 1, 0, 254), 24}); });
  EXPECT_EQ(network.request(discover().octets()).decision,
            "servers 198.51.100.10 198.51.100.11 from 10.1.0.254 untouched");
}

TEST(RelayRequest, a_giaddr_held_by_another_interface_is_held) {
  TestNetwork network;
  network.change(c0, [](Interface& interface) { interface.giaddr = ip(10, 2, 0, 1); });
  EXPECT_EQ(network.request(discover().octets()).message, forwarded(discover().octets(), ip(10, 2, 0, 1)));
}

TEST(RelayRequest, row_4F_04_hops_are_incremented) {
  EXPECT_EQ(TestNetwork{}.request(discover().hops(0).octets()).message[3], 1);
  EXPECT_EQ(TestNetwork{}.request(discover().hops(3).octets()).message[3], 4);
  EXPECT_EQ(TestNetwork{}.request(discover().hops(3).giaddr(ip(10, 50, 0, 1)).octets()).message[3], 4);
}

TEST(RelayRequest, row_4F_05_every_other_field_and_option_is_kept) {
  Bytes numbers(128);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<std::uint8_t>(i * 37 + 1);
  }
  expect_relayed(TestNetwork{}, MessageBuilder{}
                                    .op(1)
                                    .htype(32)
                                    .hlen(0)
                                    .xid(0xdeadbeef)
                                    .secs(0x1234)
                                    .flags(0x8765)
                                    .ciaddr(ip(1, 2, 3, 4))
                                    .yiaddr(ip(5, 6, 7, 8))
                                    .siaddr(ip(9, 10, 11, 12))
                                    .chaddr(Bytes(16, 0xee))
                                    .sname(Bytes(64, 0xdd))
                                    .file(numbers)
                                    .option(90, Bytes(30, 9))
                                    .pad(3)
                                    .option(61, numbers)
                                    .message_type(3)
                                    .option(43, {82, 255, 0})
                                    .option(12, {})
                                    .tail({1, 2, 3, 255, 82, 7})
                                    .octets());
}

TEST(RelayRequest, row_4F_06_destinations_are_the_interfaces_servers) {
  TestNetwork network;
  network.change(c0, [](Interface& interface) { interface.servers = {ip(198, 51, 100, 20)}; });
  EXPECT_EQ(network.request(discover().octets()).decision, "servers 198.51.100.20 from 10.1.0.1 untouched");
  network.change(c0, [](Interface& interface) {
    interface.servers = {ip(239, 1, 2, 3), ip(192, 0, 2, 255), limited_broadcast};
  });
  EXPECT_EQ(network.request(discover().octets()).decision,
            "servers 239.1.2.3 192.0.2.255 255.255.255.255 from 10.1.0.1 untouched");
  network.change(c0, [](Interface& interface) { interface.servers.clear(); });
  expect_dropped(network.request(discover().octets()), DropReason::no_server);
  expect_dropped(network.request(discover().giaddr(ip(10, 50, 0, 1)).octets()), DropReason::no_server);
}

TEST(RelayRequest, row_4F_06_forty_eight_servers) {
  TestNetwork network;
  network.change(c0, [](Interface& interface) {
    interface.servers.clear();
    for (std::uint8_t i = 1; i <= 48; ++i) {
      interface.servers.push_back(ip(198, 51, 100, i));
    }
  });
  test_support::GuardedMessage message{discover().octets()};
  const Decision decision = relay_request(network.policy, network.interfaces, {c0, {}, 68, {}}, message.buffer());
  const auto* to_servers = std::get_if<ToServers>(&decision);
  ASSERT_NE(to_servers, nullptr);
  const Interface* interface = network.interfaces.find(c0);
  EXPECT_EQ(to_servers->servers.data(), interface->servers.data()) << "borrowed, not copied";
  EXPECT_EQ(to_servers->servers.size(), 48U);
}

TEST(RelayRequest, row_4F_07_every_message_of_a_client_goes_to_the_same_servers) {
  const TestNetwork network;
  for (const Bytes& message : {discover().octets(), request().octets(), discover().xid(7).octets(),
                               request().ciaddr(ip(10, 1, 0, 50)).octets()}) {
    EXPECT_EQ(network.request(message).decision, relayed());
  }
}

TEST(RelayRequest, row_4F_10_source_is_giaddr_or_what_the_operator_chose) {
  TestNetwork network;
  const Bytes already_relayed = discover().giaddr(ip(10, 50, 0, 1)).octets();
  EXPECT_EQ(network.request(discover().octets()).decision, relayed());
  EXPECT_EQ(network.request(already_relayed).decision, relayed()) << "ours, not the other relay agent's";
  network.policy.source_address = ip(203, 0, 113, 1);
  EXPECT_EQ(network.request(discover().octets()).decision,
            "servers 198.51.100.10 198.51.100.11 from 203.0.113.1 untouched");
  EXPECT_EQ(network.request(already_relayed).decision,
            "servers 198.51.100.10 198.51.100.11 from 203.0.113.1 untouched");
}

TEST(RelayRequest, row_4F_10_an_interface_without_address_leaves_the_source_of_relayed_messages_open) {
  TestNetwork network;
  network.change(c0, [](Interface& interface) {
    interface.giaddr.reset();
    interface.addresses.clear();
  });
  const Bytes message = discover().giaddr(ip(10, 50, 0, 1)).octets();
  const Outcome outcome = network.request(message);
  EXPECT_EQ(outcome.decision, "servers 198.51.100.10 198.51.100.11 from 0.0.0.0 untouched");
  EXPECT_EQ(outcome.message, forwarded(message));
}

TEST(RelayRequest, row_4F_12_every_message_type_is_relayed) {
  for (int type = 0; type <= 255; ++type) {
    const Bytes message = MessageBuilder{}.op(1).message_type(static_cast<std::uint8_t>(type)).octets();
    if (type == 10) {
      expect_dropped(TestNetwork{}.request(message), DropReason::lease_query_unrelayed);
    } else {
      expect_relayed(TestNetwork{}, message, std::to_string(type));
    }
  }
}

TEST(RelayRequest, row_4F_16_a_lease_query_needs_the_giaddr_of_its_sender) {
  const Bytes query = MessageBuilder{}.op(1).message_type(10).octets();
  expect_dropped(TestNetwork{}.request(query), DropReason::lease_query_unrelayed);
  expect_relayed(TestNetwork{}, MessageBuilder{}.op(1).giaddr(ip(10, 77, 0, 1)).message_type(10).octets());

  TestNetwork refusing;
  refusing.change(c0, [](Interface& interface) { interface.refuses_relayed = true; });
  expect_dropped(refusing.request(MessageBuilder{}.op(1).giaddr(ip(10, 77, 0, 1)).message_type(10).octets()),
                 DropReason::giaddr_refused);
}

TEST(RelayRequest, an_interface_that_is_down_does_not_lose_requests_that_arrived) {
  TestNetwork network;
  network.change(c0, [](Interface& interface) { interface.is_up = false; });
  EXPECT_EQ(network.request(discover().octets()).decision, relayed());
}

TEST(RelayRequest, a_message_is_never_relayed_with_octets_of_the_one_before_it) {
  // SONiC's patched ISC relay sent the content of the previous message behind a short one.
  const TestNetwork network;
  Bytes storage = discover().octets();
  MessageBuffer first{storage, storage.size()};
  EXPECT_EQ(test_support::described(
                relay_request(network.policy, network.interfaces, {c0, {}, 68, limited_broadcast}, first)),
            relayed());
  MessageBuffer second{storage, 28};
  EXPECT_EQ(test_support::described(
                relay_request(network.policy, network.interfaces, {c0, {}, 68, limited_broadcast}, second)),
            drop(DropReason::too_short));
  EXPECT_EQ(second.size(), 28U);
}

}  // namespace
}  // namespace relay
