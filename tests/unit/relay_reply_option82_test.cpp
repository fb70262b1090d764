// Replies and option 82: ours goes, everybody else's stays (RFC 3046 section 2.1, TR-101 R-185), and what holds for
// every reply.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "relay/core/relay_reply.h"
#include "tests/support/guarded_message.h"
#include "tests/support/message_builder.h"
#include "tests/support/test_network.h"

namespace relay {
namespace {

using test_support::ack;
using test_support::agent_information;
using test_support::Bytes;
using test_support::c0;
using test_support::circuit_id;
using test_support::discover;
using test_support::drop;
using test_support::encoded;
using test_support::first_server;
using test_support::GuardedMessage;
using test_support::ip;
using test_support::joined;
using test_support::MessageBuilder;
using test_support::nak;
using test_support::network_with_agent_information;
using test_support::offer;
using test_support::Outcome;
using test_support::parsed_message;
using test_support::s0;
using test_support::stranger;
using test_support::TestNetwork;
using test_support::text;
using test_support::values_of;
using test_support::without_trailing_pad;

const Bytes ours = circuit_id("c0");
const Bytes theirs = joined({encoded(1, text("port 7")), encoded(2, text("dslam"))});
const std::string to_client = "c0 link_unicast 10.1.0.50 02:00:00:00:00:01 from 10.1.0.1";
const std::string to_everyone = "c0 link_broadcast 255.255.255.255 ff:ff:ff:ff:ff:ff from 10.1.0.1";

void expect_dropped(const Outcome& outcome, DropReason reason, const std::string& description = {}) {
  EXPECT_EQ(outcome.decision, drop(reason)) << description;
  EXPECT_TRUE(outcome.is_untouched) << description;
}

/// Delivered with `values` as its option 82s and everything else as it was.
void expect_stripped(const TestNetwork& network, const Bytes& message, const std::vector<Bytes>& values,
                     const std::string& description = {}) {
  const Outcome outcome = network.reply(message);
  EXPECT_EQ(outcome.decision, to_client) << description;
  EXPECT_TRUE(outcome.is_intact_beside) << description;
  EXPECT_EQ(values_of(outcome.message, 82), values) << description;
  EXPECT_TRUE(std::equal(message.begin(), message.begin() + 240, outcome.message.begin())) << description;
  const auto after = parsed_message(outcome.message);
  EXPECT_TRUE(after.has_end) << description;
  EXPECT_FALSE(after.damaged) << description;
  EXPECT_GE(outcome.message.size(), 300U) << description;
  EXPECT_LE(outcome.message.size(), std::max<std::size_t>(message.size(), 300)) << description;
  auto others = parsed_message(message).options;
  auto others_afterwards = after.options;
  std::erase_if(others, [](const auto& option) { return option.code == 82; });
  std::erase_if(others_afterwards, [](const auto& option) { return option.code == 82; });
  EXPECT_EQ(others_afterwards, others) << description;
}

void expect_untouched(const TestNetwork& network, const Bytes& message, const std::string& description = {}) {
  const Outcome outcome = network.reply(message);
  EXPECT_EQ(outcome.decision, to_client) << description;
  EXPECT_TRUE(outcome.is_untouched) << description;
}

TEST(RelayReplyOption82, row_4A_09_ours_is_removed) {
  const TestNetwork network = network_with_agent_information();
  expect_stripped(network, offer().agent_information(ours).octets(), {}, "last");
  expect_stripped(network, offer().agent_information(ours).padded_to(0).octets(), {}, "last, no PAD");
  expect_stripped(network, offer().agent_information(ours).without_end().padded_to(0).octets(), {}, "END missing");
  expect_stripped(network, ack().agent_information(ours).padded_to(576).octets(), {}, "ACK of 576 octets");
  EXPECT_EQ(without_trailing_pad(network.reply(offer().agent_information(ours).octets()).message),
            without_trailing_pad(offer().octets()))
      << "the reply as if there had been none";
}

TEST(RelayReplyOption82, row_4A_09_every_kind_of_reply_is_stripped) {
  const TestNetwork network = network_with_agent_information();
  const Outcome rejection = network.reply(nak().agent_information(ours).octets());
  EXPECT_EQ(rejection.decision, to_everyone);
  EXPECT_EQ(without_trailing_pad(rejection.message), without_trailing_pad(nak().octets()));
  const Outcome broadcast = network.reply(offer().flags(0x8000).agent_information(ours).octets());
  EXPECT_EQ(broadcast.decision, to_everyone);
  EXPECT_EQ(without_trailing_pad(broadcast.message), without_trailing_pad(offer().flags(0x8000).octets()));
  const Outcome inform =
      network.reply(ack().yiaddr(ip(0, 0, 0, 0)).ciaddr(ip(172, 16, 0, 60)).agent_information(ours).octets());
  EXPECT_EQ(inform.decision, "c0 routed 172.16.0.60 from 10.1.0.1");
  EXPECT_TRUE(values_of(inform.message, 82).empty());
}

TEST(RelayReplyOption82, row_4A_09_without_adding_nothing_is_removed) {
  expect_untouched(TestNetwork{}, offer().agent_information(ours).octets());
  expect_untouched(TestNetwork{}, offer().agent_information(theirs).octets());
}

TEST(RelayReplyOption82, row_4D_10_in_the_middle_with_a_longer_option_behind) {
  // sonic-mgmt: 41 octets of option 82, then a vendor class of 53.
  TestNetwork network = network_with_agent_information();
  const Bytes content = joined({encoded(1, text("sonic:Ethernet12:Vlan1000")), encoded(2, Bytes(12, 'm'))});
  ASSERT_EQ(content.size(), 41U);
  network.change(c0, [&](Interface& interface) { interface.agent_information = agent_information(content); });
  const MessageBuilder before = offer();
  const Bytes message =
      MessageBuilder{before}.agent_information(content).option(60, Bytes(53, 'v')).option(12, text("h")).octets();
  expect_stripped(network, message, {});
  EXPECT_EQ(without_trailing_pad(network.reply(message).message),
            without_trailing_pad(MessageBuilder{before}.option(60, Bytes(53, 'v')).option(12, text("h")).octets()));
}

TEST(RelayReplyOption82, row_4R_14_and_4D_10_ours_split_in_two) {
  TestNetwork network = network_with_agent_information();
  const Bytes content = joined({circuit_id("c0"), encoded(2, text("relay"))});
  network.change(c0, [&](Interface& interface) { interface.agent_information = agent_information(content); });
  for (std::ptrdiff_t at = 1; at < static_cast<std::ptrdiff_t>(content.size()); ++at) {
    expect_stripped(network,
                    offer()
                        .agent_information(Bytes(content.begin(), content.begin() + at))
                        .option(60, text("vendor"))
                        .agent_information(Bytes(content.begin() + at, content.end()))
                        .octets(),
                    {}, std::to_string(at));
  }
}

TEST(RelayReplyOption82, row_4A_10_somebody_elses_stays) {
  const TestNetwork network = network_with_agent_information();
  expect_untouched(network, offer().agent_information(theirs).octets(), "theirs");
  expect_untouched(network, offer().agent_information({}).octets(), "an empty one");
  expect_untouched(network, offer().agent_information(circuit_id("c1")).octets(), "c1's");
  expect_stripped(network, offer().agent_information(theirs).agent_information(ours).octets(), {theirs}, "and ours");
  expect_stripped(network, offer().agent_information(joined({theirs, ours})).octets(), {theirs}, "joined with ours");
}

TEST(RelayReplyOption82, row_4A_10_what_an_attacker_made_of_ours_is_not_followed) {
  const TestNetwork network = network_with_agent_information();
  for (const Bytes& value : std::vector<Bytes>{{1, 200, 'c', '0'},
                                               {1},
                                               {1, 2, 'c'},
                                               {1, 3, 'c', '0'},
                                               {0, 0, 0},
                                               {255, 255},
                                               Bytes(255, 1),
                                               Bytes(255, 82)}) {
    expect_untouched(network, offer().agent_information(value).octets(), testing::PrintToString(value));
  }
}

TEST(RelayReplyOption82, row_4A_11_sname_and_file_are_not_looked_at) {
  const Bytes hidden = joined({encoded(82, ours), {255}});
  for (const std::uint8_t overload : Bytes{1, 2, 3}) {
    const MessageBuilder builder = offer().file(hidden).sname(hidden).option(52, {overload});
    expect_untouched(network_with_agent_information(), builder.octets());
    expect_stripped(network_with_agent_information(), MessageBuilder{builder}.agent_information(ours).octets(), {});
  }
}

TEST(RelayReplyOption82, row_4A_12_a_reply_without_it_is_delivered) {
  const TestNetwork network = network_with_agent_information();
  expect_untouched(network, offer().octets());
  expect_untouched(network, offer().padded_to(0).octets(), "under 300 octets");
  expect_untouched(network, offer().without_end().padded_to(0).octets(), "END missing");
  expect_untouched(network, offer().tail(encoded(82, ours)).octets(), "behind END");
  expect_untouched(network, offer().option(43, encoded(82, ours)).octets(), "inside option 43");
}

TEST(RelayReplyOption82, unmatched_replies_can_be_dropped) {
  TestNetwork network = network_with_agent_information();
  network.policy.drop_unmatched_replies = true;
  expect_dropped(network.reply(offer().octets()), DropReason::option82_unmatched, "none");
  expect_dropped(network.reply(offer().agent_information(theirs).octets()), DropReason::option82_unmatched, "theirs");
  expect_dropped(network.reply(offer().agent_information({}).octets()), DropReason::option82_unmatched, "empty");
  expect_dropped(network.reply(offer().agent_information(circuit_id("c1")).octets()), DropReason::option82_unmatched,
                 "c1's");
  expect_stripped(network, offer().agent_information(ours).octets(), {}, "ours");
  expect_stripped(network, offer().agent_information(theirs).agent_information(ours).octets(), {theirs}, "both");
}

TEST(RelayReplyOption82, unmatched_is_not_said_of_messages_that_never_carry_option_82) {
  // Row 4A-16: we add none to BOOTP without the cookie, so that none is missing in the reply.
  TestNetwork network = network_with_agent_information();
  network.policy.drop_unmatched_replies = true;
  expect_untouched(network, offer().without_cookie().padded_to(300).octets());
}

TEST(RelayReplyOption82, row_4R_11_damaged_options_are_dropped_where_ours_would_be_removed) {
  const TestNetwork network = network_with_agent_information();
  for (const Bytes& damage : std::vector<Bytes>{{12}, {12, 99, 'a'}, {82}, {82, 9, 1, 2, 'c', '0'}}) {
    expect_dropped(network.reply(offer().agent_information(ours).raw(damage).without_end().padded_to(0).octets(), s0,
                                 first_server, 0),
                   DropReason::options_malformed, testing::PrintToString(damage));
  }
}

TEST(RelayReplyOption82, where_requests_are_given_none_replies_are_left_alone) {
  TestNetwork network = network_with_agent_information();
  network.policy.drop_unmatched_replies = true;
  network.change(c0, [](Interface& interface) { interface.agent_information = {}; });
  expect_untouched(network, offer().octets(), "none");
  expect_untouched(network, offer().agent_information(theirs).octets(), "theirs");
  expect_untouched(network, offer().raw({12, 99, 'a'}).without_end().padded_to(0).octets(), "damaged");
}

TEST(RelayReplyOption82, row_4S_11_both_sub_options_in_any_order_say_that_the_server_did_not_act) {
  TestNetwork network = network_with_agent_information();
  const Bytes red = encoded(151, {0, 'r', 'e', 'd'});
  const Bytes control = encoded(152, {});
  network.change(c0, [&](Interface& interface) {
    interface.agent_information = agent_information(joined({ours, red, control}));
  });
  expect_dropped(network.reply(offer().agent_information(joined({ours, red, control})).octets()),
                 DropReason::vss_unsupported);
  expect_dropped(network.reply(offer().agent_information(joined({control, red, ours})).octets()),
                 DropReason::vss_unsupported);
  expect_stripped(network, offer().agent_information(joined({ours, red})).octets(), {});
  expect_stripped(network, offer().agent_information(joined({red, control, ours, red})).octets(),
                  {joined({red, control})}, "a downstream agent's, not understood either");
}

TEST(RelayReplyOption82, row_4S_11_a_part_of_a_very_long_option_82_is_not_judged) {
  TestNetwork network = network_with_agent_information();
  const Bytes content = joined({ours, encoded(151, {0, 'r', 'e', 'd'}), encoded(152, {})});
  network.change(c0, [&](Interface& interface) { interface.agent_information = agent_information(content); });
  for (const std::size_t size : {std::size_t{240}, std::size_t{247}, std::size_t{248}, std::size_t{249}}) {
    expect_dropped(network.reply(offer()
                                     .agent_information(encoded(2, Bytes(249, 'x')))
                                     .agent_information(encoded(2, Bytes(size, 'y')))
                                     .agent_information(content)
                                     .octets()),
                   DropReason::vss_unsupported, std::to_string(size));
  }
}

TEST(RelayReplyOption82, row_4S_12_what_a_server_copied_for_a_downstream_agent_assigns_nothing) {
  TestNetwork network = network_with_agent_information();
  network.change(c0, [](Interface& interface) { interface.is_trusted = true; });
  const Bytes blue = encoded(151, {0, 'b', 'l', 'u', 'e'});
  const Bytes control = encoded(152, {});
  expect_stripped(network, offer().agent_information(joined({blue, control})).agent_information(ours).octets(),
                  {joined({blue, control})});
  expect_dropped(network.reply(offer().agent_information(blue).agent_information(ours).octets()),
                 DropReason::vss_unknown);
}

TEST(RelayReplyOption82, ours_is_removed_from_a_message_that_fills_its_buffer) {
  const TestNetwork network = network_with_agent_information();
  for (const bool has_end : {false, true}) {
    MessageBuilder builder = offer().agent_information(ours).padded_to(0);
    const Bytes message = has_end ? builder.octets() : builder.without_end().octets();
    const Outcome outcome = network.reply(message, s0, first_server, 0);
    EXPECT_EQ(outcome.decision, to_client);
    EXPECT_TRUE(outcome.is_intact_beside);
    EXPECT_EQ(without_trailing_pad(outcome.message), without_trailing_pad(offer().octets()));
  }
}

TEST(RelayReplyOption82, two_hundred_option_82s) {
  const TestNetwork network = network_with_agent_information();
  MessageBuilder builder = offer();
  const std::vector<Bytes> others(199, circuit_id("x"));
  for (const Bytes& other : others) {
    builder.agent_information(other);
  }
  expect_untouched(network, builder.octets(), "all theirs");
  expect_stripped(network, builder.agent_information(ours).octets(), others, "the last is ours");
}

TEST(RelayReplyOption82, circuit_ids_of_every_size_around_the_least_message_size) {
  for (std::size_t size = 0; size <= 253; ++size) {
    TestNetwork network = network_with_agent_information();
    const Bytes content = encoded(1, Bytes(size, 'x'));
    network.change(c0, [&](Interface& interface) { interface.agent_information = agent_information(content); });
    for (const std::size_t padded_to : {std::size_t{0}, std::size_t{299}, std::size_t{300}, std::size_t{301}}) {
      const Bytes message = offer().agent_information(content).padded_to(padded_to).octets();
      const Outcome outcome = network.reply(message);
      ASSERT_EQ(without_trailing_pad(outcome.message), without_trailing_pad(offer().octets())) << size;
      ASSERT_GE(outcome.message.size(), 300U) << size;
      ASSERT_LE(outcome.message.size(), std::max<std::size_t>(message.size(), 300)) << size;
    }
  }
}

TEST(RelayReplyOption82, what_the_request_was_given_the_reply_loses) {
  for (std::size_t size = 1; size <= 253; ++size) {
    TestNetwork network = network_with_agent_information();
    network.change(c0, [&](Interface& interface) {
      interface.agent_information = agent_information(encoded(1, Bytes(size, 'x')));
    });
    const Outcome there = network.request(discover().octets());
    const std::vector<Bytes> echoed = values_of(there.message, 82);
    ASSERT_EQ(echoed.size(), 1U);
    const Outcome back = network.reply(offer().agent_information(echoed.front()).octets());
    ASSERT_EQ(back.decision, to_client);
    ASSERT_EQ(without_trailing_pad(back.message), without_trailing_pad(offer().octets())) << size;
  }
}

TEST(RelayReplyOption82, giaddr_may_be_changed_as_well) {
  TestNetwork network = network_with_agent_information();
  network.policy.reply_giaddr = ip(0, 0, 0, 0);
  const Outcome outcome = network.reply(offer().agent_information(ours).octets());
  EXPECT_EQ(outcome.decision, to_client);
  EXPECT_EQ(without_trailing_pad(outcome.message), without_trailing_pad(offer().giaddr(ip(0, 0, 0, 0)).octets()));
}

// What holds for every reply

Bytes random_reply(std::mt19937& random) {
  const auto one_in = [&random](unsigned count) { return random() % count == 0; };
  const std::vector<Ipv4Address> addresses{ip(0, 0, 0, 0),    ip(10, 1, 0, 50), ip(10, 1, 0, 50),
                                           ip(10, 1, 0, 255), ip(224, 0, 0, 1), limited_broadcast,
                                           ip(127, 0, 0, 1),  ip(10, 1, 0, 1),  ip(192, 0, 2, 1)};
  const std::vector<Ipv4Address> giaddrs{ip(10, 1, 0, 1), ip(10, 1, 0, 1), ip(10, 1, 0, 1),
                                         ip(10, 2, 0, 1), ip(0, 0, 0, 0),  ip(10, 9, 9, 9)};
  const std::vector<Bytes> contents{ours,        ours, theirs, joined({theirs, ours}), {}, {1, 9}, circuit_id("c1"),
                                    {1, 2, 'c'}, {'0'}};
  MessageBuilder builder;
  builder.op(one_in(20) ? static_cast<std::uint8_t>(random()) : 2)
      .htype(one_in(6) ? 32 : 1)
      .hlen(one_in(6) ? static_cast<std::uint8_t>(random() % 20) : 6)
      .flags(one_in(4) ? static_cast<std::uint16_t>(random()) : 0)
      .ciaddr(addresses[random() % addresses.size()])
      .yiaddr(addresses[random() % addresses.size()])
      .giaddr(giaddrs[random() % giaddrs.size()])
      .chaddr({static_cast<std::uint8_t>(random() % 4), 0, 0, 0, 0, static_cast<std::uint8_t>(random() % 2)})
      .sname(Bytes(64, 82));
  builder.message_type(static_cast<std::uint8_t>(one_in(3) ? random() % 15 : 2 + random() % 5));
  const std::size_t count = random() % 6;
  for (std::size_t i = 0; i < count; ++i) {
    if (one_in(2)) {
      builder.agent_information(contents[random() % contents.size()]);
    } else {
      builder.option(static_cast<std::uint8_t>(1 + random() % 80), Bytes(random() % 30, 82));
    }
    builder.pad(one_in(5) ? random() % 4 : 0);
  }
  if (one_in(8)) {
    builder.raw({static_cast<std::uint8_t>(random()), static_cast<std::uint8_t>(random())});
  }
  if (one_in(6)) {
    builder.without_end();
  }
  if (one_in(12)) {
    builder.cookie({63, 86, 53, 63});
  }
  builder.padded_to(one_in(2) ? 300 : 0);
  Bytes message = builder.octets();
  if (one_in(15)) {
    message.resize(random() % (message.size() + 1));
  }
  return message;
}

TestNetwork random_network(std::mt19937& random) {
  constexpr std::array deliveries{ReplyDelivery::automatic, ReplyDelivery::broadcast, ReplyDelivery::unicast};
  TestNetwork network;
  network.policy.add_agent_information = random() % 4 != 0;
  network.policy.drop_unmatched_replies = random() % 4 == 0;
  network.policy.replies_from_anyone = random() % 2 == 0;
  network.change(c0,
                 [&](Interface& interface) { interface.reply_delivery = deliveries[random() % deliveries.size()]; });
  return network;
}

void check_invariants(const Bytes& message, const Outcome& outcome, std::size_t room) {
  ASSERT_TRUE(outcome.is_intact_beside);
  if (outcome.is_untouched) {
    return;
  }
  ASSERT_FALSE(outcome.decision.starts_with("drop"));
  ASSERT_LE(outcome.message.size(), message.size() + room);
  ASSERT_LE(outcome.message.size(), std::max<std::size_t>(message.size(), 300));
  ASSERT_TRUE(std::equal(message.begin(), message.begin() + 240, outcome.message.begin())) << "row 4D-08";
  auto before = parsed_message(message);
  auto after = parsed_message(outcome.message);
  ASSERT_FALSE(before.damaged);
  ASSERT_FALSE(after.damaged);
  ASSERT_TRUE(after.has_end);
  std::erase_if(before.options, [](const auto& option) { return option.code == 82; });
  std::erase_if(after.options, [](const auto& option) { return option.code == 82; });
  ASSERT_EQ(after.options, before.options);
}

TEST(RelayReplyProperties, edits_hold_for_random_messages) {
  std::mt19937 random{2131};  // the same messages in every run
  std::size_t delivered = 0;
  for (int scene = 0; scene < 400; ++scene) {
    const TestNetwork network = random_network(random);
    for (int round = 0; round < 50; ++round) {
      const Bytes message = random_reply(random);
      const std::size_t room = random() % 3 == 0 ? 0 : random() % 100;
      const Outcome outcome = network.reply(message, s0, random() % 8 == 0 ? stranger : first_server, room);
      check_invariants(message, outcome, room);
      if (HasFatalFailure()) {
        FAIL() << outcome.decision << " " << room << " " << testing::PrintToString(message);
      }
      delivered += outcome.decision.starts_with("drop") ? 0U : 1U;
    }
  }
  EXPECT_GT(delivered, 2'000U) << "the messages are too wrong to tell anything";
}

TEST(RelayReplyProperties, no_reply_is_sent_to_an_address_that_is_no_clients) {
  std::mt19937 random{1542};  // the same messages in every run
  for (int scene = 0; scene < 200; ++scene) {
    const TestNetwork network = random_network(random);
    for (int round = 0; round < 50; ++round) {
      GuardedMessage guarded{random_reply(random)};
      const Decision decision = relay_reply(network.policy, network.interfaces, network.transactions,
                                            {s0, first_server, 67, ip(10, 1, 0, 1)}, guarded.buffer());
      const auto* to = std::get_if<ToClient>(&decision);
      if (to == nullptr) {
        continue;
      }
      ASSERT_NE(to->egress, nullptr);
      ASSERT_TRUE(to->egress->is_downstream);
      ASSERT_TRUE(network.interfaces.is_local(to->source));
      switch (to->delivery) {
        case Delivery::link_unicast:
          ASSERT_TRUE(to->link_destination.is_station());
          [[fallthrough]];
        case Delivery::routed:
          ASSERT_TRUE(to->destination.is_host());
          ASSERT_FALSE(network.interfaces.is_local(to->destination));
          for (const Ipv4Prefix& prefix : to->egress->addresses) {
            ASSERT_FALSE(prefix.is_broadcast(to->destination));
          }
          break;
        case Delivery::link_broadcast:
          ASSERT_EQ(to->destination, limited_broadcast);
          ASSERT_EQ(to->link_destination, broadcast_mac);
          break;
      }
    }
  }
}

TEST(RelayReplyProperties, nothing_comes_from_outside_the_message_and_the_configuration) {
  std::mt19937 random{14494};  // the same messages in every run
  for (int scene = 0; scene < 100; ++scene) {
    const TestNetwork network = random_network(random);
    for (int round = 0; round < 50; ++round) {
      const Bytes message = random_reply(random);
      std::vector<Bytes> results;
      for (const std::uint8_t canary : Bytes{0xa5, 0x5a, 0x00}) {
        GuardedMessage guarded{message, 300, canary};
        (void)relay_reply(network.policy, network.interfaces, network.transactions,
                          {s0, first_server, 67, ip(10, 1, 0, 1)}, guarded.buffer());
        results.push_back(guarded.octets());
      }
      ASSERT_EQ(results[0], results[1]) << testing::PrintToString(message);
      ASSERT_EQ(results[0], results[2]) << testing::PrintToString(message);
    }
  }
}

TEST(RelayReplyProperties, a_message_cut_at_every_octet_is_handled) {
  const TestNetwork network = network_with_agent_information();
  const Bytes whole =
      offer().option(43, {82, 255, 0, 1}).agent_information(ours).option(60, text("vendor")).padded_to(0).octets();
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const Bytes message(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    for (const std::size_t room : {std::size_t{0}, std::size_t{300}}) {
      check_invariants(message, network.reply(message, s0, first_server, room), room);
    }
  }
}

TEST(RelayReplyProperties, after_any_bad_messages_a_good_one_is_delivered) {
  std::mt19937 random{1111};  // the same messages in every run
  const TestNetwork network = network_with_agent_information();
  for (int round = 0; round < 2'000; ++round) {
    Bytes garbage(random() % 600);
    std::ranges::generate(garbage, [&] { return static_cast<std::uint8_t>(random()); });
    (void)network.reply(garbage, s0, first_server, 0);
    (void)network.reply(random_reply(random), s0, first_server, random() % 10);
    const Outcome good = network.reply(offer().agent_information(ours).octets());
    ASSERT_EQ(good.decision, to_client);
    ASSERT_EQ(without_trailing_pad(good.message), without_trailing_pad(offer().octets()));
  }
}

}  // namespace
}  // namespace relay
