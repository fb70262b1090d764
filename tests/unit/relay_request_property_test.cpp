// Requests: what holds for every message. Decisions are compared with a slow twin that is written from the rules, and
// messages with what went in.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "relay/core/relay_request.h"
#include "tests/support/message_builder.h"
#include "tests/support/test_network.h"

namespace relay {
namespace {

using test_support::agent_information;
using test_support::Bytes;
using test_support::c0;
using test_support::circuit_id;
using test_support::discover;
using test_support::drop;
using test_support::encoded;
using test_support::GuardedMessage;
using test_support::ip;
using test_support::joined;
using test_support::MessageBuilder;
using test_support::network_with_agent_information;
using test_support::Outcome;
using test_support::parsed_field;
using test_support::ParsedField;
using test_support::relayed;
using test_support::TestNetwork;
using test_support::text;
using test_support::without_trailing_pad;

using Existing = ExistingAgentInformation;
using Kept = AgentInformationOutcome;

constexpr std::array<std::uint8_t, 4> cookie{99, 130, 83, 99};

bool has_cookie(const Bytes& message) {
  return message.size() >= 240 && std::equal(cookie.begin(), cookie.end(), message.begin() + 236);
}

/// The decision on a request on c0 of the reference network, its interface held and its servers there. Rules as in
/// RFC 1542 section 4.1.1 and RFC 3046 sections 2.1 and 2.1.1, in the words of the requirements.
std::string expected_decision(const TestNetwork& network, const Bytes& message) {
  const Policy& policy = network.policy;
  const Interface& interface = *network.interfaces.find(c0);
  if (message.size() < std::max<std::size_t>(policy.min_size, 236)) {
    return drop(DropReason::too_short);
  }
  if (message[2] > 16) {
    return drop(DropReason::hlen_too_long);
  }
  if (message[0] != 1) {
    return drop(DropReason::bad_op);
  }
  const Ipv4Address giaddr = ip(message[24], message[25], message[26], message[27]);
  const bool is_valid = giaddr.octets[0] != 0 && giaddr.octets[0] != 127 && giaddr.octets[0] < 224;
  if (is_valid && network.interfaces.is_local(giaddr)) {
    return drop(DropReason::giaddr_own);
  }
  if (message[8] * 256 + message[9] < policy.min_secs) {
    return drop(DropReason::below_min_secs);
  }
  if (message[3] > std::min<int>(policy.max_hops, 16)) {
    return drop(DropReason::hops_exceeded);
  }
  const bool is_first_hop = giaddr == ip(0, 0, 0, 0);
  if (!is_first_hop) {
    if (!is_valid) {
      return drop(DropReason::giaddr_invalid);
    }
    if (interface.refuses_relayed) {
      return drop(DropReason::giaddr_refused);
    }
  }
  ParsedField field;
  if (has_cookie(message)) {
    field = parsed_field(std::span{message}.subspan(240));
  }
  const auto first_type =
      std::ranges::find_if(field.options, [](const auto& o) { return o.code == 53 && o.value.size() == 1; });
  if (is_first_hop && first_type != field.options.end() && first_type->value[0] == 10) {
    return drop(DropReason::lease_query_unrelayed);
  }
  const bool has_option82 = std::ranges::any_of(field.options, [](const auto& o) { return o.code == 82; });
  if (is_first_hop && has_option82 && !interface.is_trusted) {
    return drop(DropReason::option82_untrusted);
  }
  if (has_option82 && policy.existing_agent_information == Existing::discard) {
    return drop(DropReason::option82_discarded);
  }
  const bool goes_beyond_the_rfc =
      policy.existing_agent_information == Existing::append || policy.existing_agent_information == Existing::replace;
  const bool edits =
      policy.add_agent_information && has_cookie(message) && (goes_beyond_the_rfc || (is_first_hop && !has_option82));
  if (!edits) {
    return relayed(Kept::untouched);
  }
  if (field.damaged) {
    return drop(DropReason::options_malformed);
  }
  std::size_t taken = 0;
  if (policy.existing_agent_information == Existing::replace) {
    for (const auto& option : field.options) {
      taken += option.code == 82 ? 2 + option.value.size() : 0;
    }
  }
  // Without a configured maximum, the message must not grow beyond the MTU; what exceeds it already may stay so.
  const std::size_t limit =
      policy.max_request_size.value_or(std::max<std::size_t>(policy.upstream_mtu - 28, message.size()));
  // What stands behind END is kept (RFC 1542 section 4.1.1), PADs at the end of the message apart.
  std::size_t behind = 1;
  if (field.has_end) {
    behind = without_trailing_pad(message).size() - 240 - field.end_offset;
  }
  const std::size_t needed = 240 + field.end_offset - taken + 2 + interface.agent_information.octets().size() + behind;
  if (std::max({needed, message.size() - taken, std::size_t{300}}) > limit) {
    return relayed(Kept::did_not_fit);
  }
  if (!has_option82) {
    return relayed(Kept::added);
  }
  return relayed(policy.existing_agent_information == Existing::append ? Kept::appended : Kept::replaced);
}

/// The invariants of every outcome.
void check_invariants(const TestNetwork& network, const Bytes& message, const Outcome& outcome, std::size_t room) {
  ASSERT_TRUE(outcome.is_intact_beside);
  if (outcome.decision.starts_with("drop")) {
    ASSERT_TRUE(outcome.is_untouched);
    return;
  }
  ASSERT_LE(outcome.message.size(), message.size() + room);
  const std::size_t limit = network.policy.max_request_size.value_or(network.policy.upstream_mtu - 28);
  ASSERT_LE(outcome.message.size(), std::max(limit, message.size()));

  // The fixed fields: hops one more, giaddr as it was or the interface's.
  Bytes header(message.begin(), message.begin() + 236);
  header[3] = static_cast<std::uint8_t>(header[3] + 1);
  if (std::all_of(header.begin() + 24, header.begin() + 28, [](std::uint8_t octet) { return octet == 0; })) {
    std::ranges::copy(network.interfaces.find(c0)->giaddr->octets, header.begin() + 24);
  }
  ASSERT_EQ(Bytes(outcome.message.begin(), outcome.message.begin() + 236), header);

  if (outcome.decision.ends_with("untouched") || outcome.decision.ends_with("did_not_fit")) {
    ASSERT_EQ(outcome.message.size(), message.size());
    ASSERT_TRUE(std::equal(message.begin() + 236, message.end(), outcome.message.begin() + 236));
    return;
  }
  ParsedField before = parsed_field(std::span{message}.subspan(240));
  ParsedField after = parsed_field(std::span{outcome.message}.subspan(240));
  const auto ours = network.interfaces.find(c0)->agent_information.octets();
  ASSERT_FALSE(after.damaged);
  ASSERT_TRUE(after.has_end);
  ASSERT_FALSE(after.options.empty());
  ASSERT_EQ(after.options.back().code, 82);
  ASSERT_EQ(after.options.back().value, Bytes(ours.begin(), ours.end()));
  ASSERT_GE(outcome.message.size(), 300U);
  if (outcome.decision.ends_with("replaced")) {
    std::erase_if(before.options, [](const auto& option) { return option.code == 82; });
  } else {
    ASSERT_TRUE(std::equal(message.begin() + 240,
                           message.begin() + 240 + static_cast<std::ptrdiff_t>(before.end_offset),
                           outcome.message.begin() + 240));
  }
  after.options.pop_back();
  ASSERT_EQ(after.options, before.options);
}

std::vector<std::uint8_t> interesting_codes() {
  return {1, 12, 43, 53, 55, 60, 61, 80, 82, 82, 90, 125, 254};
}

/// A request that is mostly right, and wrong in every way now and then.
Bytes random_request(std::mt19937& random) {
  const auto one_in = [&random](unsigned count) { return random() % count == 0; };
  MessageBuilder builder;
  builder.op(one_in(20) ? static_cast<std::uint8_t>(random()) : 1)
      .hlen(one_in(10) ? static_cast<std::uint8_t>(random() % 20) : 6)
      .hops(one_in(4) ? static_cast<std::uint8_t>(random() % 20) : 0)
      .secs(static_cast<std::uint16_t>(random() % 6))
      .xid(static_cast<std::uint32_t>(random()))
      .file(Bytes(128, static_cast<std::uint8_t>(random())));
  const std::vector<Ipv4Address> giaddrs{ip(10, 50, 0, 1), ip(10, 50, 0, 1), ip(10, 50, 0, 1), ip(10, 2, 0, 1),
                                         ip(224, 0, 0, 1), ip(127, 0, 0, 1), ip(0, 1, 2, 3)};
  if (one_in(2)) {
    builder.giaddr(giaddrs[random() % giaddrs.size()]);
  }
  const auto codes = interesting_codes();
  const std::size_t count = random() % 8;
  for (std::size_t i = 0; i < count; ++i) {
    Bytes value(one_in(10) ? random() % 256 : random() % 12);
    std::ranges::generate(value, [&] { return static_cast<std::uint8_t>(one_in(3) ? 82 : random() % 14); });
    builder.option(codes[random() % codes.size()], value).pad(one_in(5) ? random() % 4 : 0);
  }
  if (one_in(2)) {
    builder.message_type(static_cast<std::uint8_t>(random() % 12));
  }
  if (one_in(8)) {
    builder.raw({static_cast<std::uint8_t>(random()), static_cast<std::uint8_t>(random())});
  }
  if (one_in(6)) {
    builder.without_end();
  }
  if (one_in(10)) {
    builder.tail({82, 4, 1, 2, 'x', 'x', 255, 53});
  }
  if (one_in(12)) {
    builder.cookie({63, 86, 53, 63});
  }
  builder.padded_to(one_in(2) ? 300 : 0);
  Bytes message = builder.octets();
  if (one_in(15)) {
    message.resize(random() % (message.size() + 1));
  }
  if (one_in(15) && !message.empty()) {
    message[random() % message.size()] = static_cast<std::uint8_t>(random());
  }
  return message;
}

TestNetwork random_network(std::mt19937& random) {
  constexpr std::array policies{Existing::by_rfc, Existing::append, Existing::replace, Existing::forward,
                                Existing::discard};
  TestNetwork network;
  network.policy.add_agent_information = random() % 4 != 0;
  network.policy.existing_agent_information = policies[random() % policies.size()];
  network.policy.max_hops = random() % 2 == 0 ? 4 : 16;
  network.policy.min_secs = random() % 4 == 0 ? 3 : 0;
  network.policy.min_size = random() % 8 == 0 ? 300 : 236;
  if (random() % 4 == 0) {
    network.policy.max_request_size = 290 + random() % 60;
  }
  network.policy.upstream_mtu = random() % 4 == 0 ? 576 : 1500;
  network.change(c0, [&](Interface& interface) {
    interface.is_trusted = random() % 2 == 0;
    interface.refuses_relayed = random() % 8 == 0;
    interface.agent_information = agent_information(encoded(1, Bytes(1 + random() % 60, 'c')));
    interface.relayed_agent_information = interface.agent_information;
  });
  return network;
}

TEST(RelayRequestProperties, decisions_and_edits_hold_for_random_messages) {
  std::mt19937 random{2131};  // the same messages in every run
  for (int scene = 0; scene < 400; ++scene) {
    const TestNetwork network = random_network(random);
    for (int round = 0; round < 50; ++round) {
      const Bytes message = random_request(random);
      const Outcome outcome = network.request(message, c0, 400);
      ASSERT_EQ(outcome.decision, expected_decision(network, message)) << testing::PrintToString(message);
      check_invariants(network, message, outcome, 400);
      if (HasFatalFailure()) {
        FAIL() << testing::PrintToString(message);
      }
    }
  }
}

TEST(RelayRequestProperties, edits_stay_in_their_buffer_however_small_it_is) {
  std::mt19937 random{4095};  // the same messages in every run
  for (int scene = 0; scene < 200; ++scene) {
    const TestNetwork network = random_network(random);
    for (int round = 0; round < 50; ++round) {
      const Bytes message = random_request(random);
      const std::size_t room = random() % 3 == 0 ? 0 : random() % 80;
      const Outcome outcome = network.request(message, c0, room);
      check_invariants(network, message, outcome, room);
      if (HasFatalFailure()) {
        FAIL() << room << " " << testing::PrintToString(message);
      }
    }
  }
}

TEST(RelayRequestProperties, nothing_comes_from_outside_the_message_and_the_configuration) {
  std::mt19937 random{14494};  // the same messages in every run
  for (int scene = 0; scene < 100; ++scene) {
    const TestNetwork network = random_network(random);
    for (int round = 0; round < 50; ++round) {
      const Bytes message = random_request(random);
      std::vector<Bytes> results;
      std::vector<std::string> decisions;
      for (const std::uint8_t canary : Bytes{0xa5, 0x5a, 0x00}) {
        GuardedMessage guarded{message, 300, canary};
        decisions.push_back(test_support::described(
            relay_request(network.policy, network.interfaces, {c0, {}, 68, limited_broadcast}, guarded.buffer())));
        results.push_back(guarded.octets());
      }
      ASSERT_EQ(decisions[0], decisions[1]);
      ASSERT_EQ(results[0], results[1]) << testing::PrintToString(message);
      ASSERT_EQ(results[0], results[2]) << testing::PrintToString(message);
    }
  }
}

TEST(RelayRequestProperties, a_message_cut_at_every_octet_is_decided_like_any_other) {
  for (const bool is_trusted : {false, true}) {
    TestNetwork network = network_with_agent_information();
    network.change(c0, [is_trusted](Interface& interface) { interface.is_trusted = is_trusted; });
    const Bytes whole = discover()
                            .option(43, {82, 255, 0, 1})
                            .agent_information(circuit_id("x"))
                            .option(60, text("vendor"))
                            .padded_to(0)
                            .octets();
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      const Bytes message(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      for (const std::size_t room : {std::size_t{0}, std::size_t{300}}) {
        const Outcome outcome = network.request(message, c0, room);
        check_invariants(network, message, outcome, room);
        if (room == 300) {
          ASSERT_EQ(outcome.decision, expected_decision(network, message)) << size;
        }
      }
    }
  }
}

TEST(RelayRequestProperties, after_any_bad_messages_a_good_one_is_relayed) {
  std::mt19937 random{1111};  // the same messages in every run
  const TestNetwork network = network_with_agent_information();
  const Outcome first = network.request(discover().octets());
  ASSERT_EQ(first.decision, relayed(Kept::added));
  for (int round = 0; round < 2'000; ++round) {
    Bytes garbage(random() % 600);
    std::ranges::generate(garbage, [&] { return static_cast<std::uint8_t>(random()); });
    (void)network.request(garbage, c0, 0);
    (void)network.request(random_request(random), c0, random() % 10);
    const Outcome good = network.request(discover().octets());
    ASSERT_EQ(good.decision, first.decision);
    ASSERT_EQ(good.message, first.message);
  }
}

TEST(RelayRequestProperties, the_decision_table_of_giaddr_option82_policy_trust_and_hops) {
  const std::vector<Ipv4Address> giaddrs{ip(0, 0, 0, 0), ip(10, 50, 0, 1), ip(10, 1, 0, 1), ip(10, 2, 0, 1)};
  const std::vector<Bytes> options{{},
                                   {82, 0},
                                   encoded(82, circuit_id("x")),
                                   joined({encoded(82, circuit_id("x")), encoded(82, circuit_id("y"))}),
                                   {82, 200, 1}};
  std::size_t cases = 0;
  for (const bool adds : {false, true}) {
    for (const Existing existing :
         {Existing::by_rfc, Existing::append, Existing::replace, Existing::forward, Existing::discard}) {
      for (const bool is_trusted : {false, true}) {
        TestNetwork network;
        network.policy.add_agent_information = adds;
        network.policy.existing_agent_information = existing;
        network.policy.max_hops = 16;
        network.change(c0, [is_trusted](Interface& interface) { interface.is_trusted = is_trusted; });
        for (const Ipv4Address giaddr : giaddrs) {
          for (const Bytes& option : options) {
            for (const std::uint8_t hops : Bytes{0, 15, 16, 17, 255}) {
              MessageBuilder builder = discover();
              builder.giaddr(giaddr).hops(hops).raw(option).padded_to(0);
              if (option.size() == 3) {
                builder.without_end();
              }
              const Outcome outcome = network.request(builder.octets());
              ASSERT_EQ(outcome.decision, expected_decision(network, builder.octets())) << cases;
              check_invariants(network, builder.octets(), outcome, 1000);
              ++cases;
            }
          }
        }
      }
    }
  }
  EXPECT_EQ(cases, 2000U);
}

}  // namespace
}  // namespace relay
