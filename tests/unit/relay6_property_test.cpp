// DHCPv6: what holds for every message in both directions. Decisions are compared with a slow twin that is written from
// the rules, and messages with what went in. Messages are random, and those that clients and servers really sent.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "relay/core/relay_reply6.h"
#include "relay/core/relay_request6.h"
#include "tests/support/recorded_messages.h"
#include "tests/support/test_network6.h"

namespace relay {
namespace {

using test_support::Bytes;
using test_support::c0;
using test_support::c1;
using test_support::described;
using test_support::drop;
using test_support::from_client;
using test_support::from_relay;
using test_support::GuardedMessage;
using test_support::ip6;
using test_support::message6;
using test_support::option6;
using test_support::Outcome;
using test_support::parsed_relay_message6;
using test_support::ParsedOptions6;
using test_support::ParsedRelayMessage6;
using test_support::RecordedMessage;
using test_support::relay_message6;
using test_support::solicit6;
using test_support::TestNetwork6;

constexpr std::size_t headroom = 200;

/// 6R-10 in a slow and obvious way.
std::optional<DropReason> expected_of_levels(const Bytes& message) {
  if (message.empty() || message[0] != 12) {
    return std::nullopt;
  }
  if (message.size() < 34) {
    return DropReason::header_too_short;
  }
  const ParsedRelayMessage6 level = parsed_relay_message6(message);
  int count = 0;
  for (const auto& option : level.options.options) {
    count += option.code == 9 ? 1 : 0;
    if (option.code == 66) {
      return DropReason::relay_supplied_options_refused;
    }
    if (count > 1) {
      return DropReason::relay_message_doubled;
    }
  }
  if (level.options.is_damaged) {
    return DropReason::relay_options_malformed;
  }
  return expected_of_levels(level.options.find(9).value_or(Bytes{}));
}

/// The decision on a message on c0 of the reference network: rules as in RFC 8415 section 19.1, in the words of the
/// requirements.
std::string expected_request(const TestNetwork6& network, const Bytes& message, const Ingress6& ingress) {
  const Policy6& policy = network.policy;
  const bool is_trusted = network.interfaces.find(c0)->is_trusted;
  const std::size_t least = !message.empty() && (message[0] == 12 || message[0] == 13) ? 34 : 4;
  if (message.size() < least) {
    return drop(DropReason::header_too_short);
  }
  const int type = message[0];
  if (type == 2 || type == 7 || type == 10 || type == 13 || type == 19) {
    return drop(DropReason::server_message);
  }
  if (type == 12) {
    if (!is_trusted) {
      return drop(DropReason::relay_forward_untrusted);
    }
    if (message[1] >= std::min<int>(policy.hop_count_limit, 32)) {
      return drop(DropReason::hop_count_reached);
    }
    const auto reason = expected_of_levels(message);
    if (!policy.relays_relay_supplied_options && reason) {
      return drop(*reason);
    }
  }
  if (type == 14 && !is_trusted) {
    return drop(DropReason::lease_query_untrusted);
  }
  if (type == 18 && !policy.relays_reconfigure_requests) {
    return drop(DropReason::reconfigure_request_refused);
  }
  std::size_t ours = 34 + 4 + network.interfaces.find(c0)->v6.options.without_interface_id().size();
  const bool is_routed = type == 12 && described(ingress.source).starts_with("2001:");
  const bool is_told = is_routed || !network.interfaces.find(c0)->v6.link_address.is_unspecified();
  if (!is_told || network.interfaces.find(c0)->v6.options.has_interface_id_always) {
    ours += 4 + 2;  // "c0"
  }
  if (type != 12 && policy.client_link_layer_address) {
    ours += 4 + 8;
  }
  if ((type == 12 && ingress.source_port != 547) || policy.ports.relay) {
    ours += 4 + 2;
  }
  if (ours > headroom || ours + message.size() > 65'527) {
    return drop(DropReason::wrapped_too_large);
  }
  return "servers 2001:db8:53::10 2001:db8:53::11 from " + described(network.interfaces.find(c0)->v6.source) +
         (policy.ports.relay ? " and the relay port" : "");
}

void check_request(const TestNetwork6& network, const Bytes& message, const Ingress6& ingress) {
  const Outcome outcome = network.request(message, ingress, headroom);
  ASSERT_EQ(outcome.decision, expected_request(network, message, ingress));
  ASSERT_TRUE(outcome.is_intact_beside);
  if (outcome.decision.starts_with("drop")) {
    ASSERT_TRUE(outcome.is_untouched);
    return;
  }
  const ParsedRelayMessage6 sent = parsed_relay_message6(outcome.message);
  const bool was_relayed = message[0] == 12;
  ASSERT_EQ(sent.type, 12);
  ASSERT_EQ(sent.hop_count, was_relayed ? message[1] + 1 : 0);
  ASSERT_EQ(sent.peer_address, ingress.source);
  ASSERT_FALSE(sent.options.is_damaged);
  ASSERT_EQ(sent.options.options.back().code, 9);
  ASSERT_EQ(sent.options.options.back().value, message) << "the message is the end, octet for octet";
  ASSERT_TRUE(sent.link_address.is_unspecified() || sent.link_address == network.interfaces.find(c0)->v6.link_address);
  ASSERT_TRUE(!sent.link_address.is_unspecified() || sent.options.find(18) || ingress.source.is_globally_scoped())
      << "the link can be told from the answer";
}

/// The decision on a message of the first server on s0: rules as in RFC 8415 section 19.2.
std::string expected_reply(const TestNetwork6& network, const Bytes& message) {
  const std::size_t least = !message.empty() && (message[0] == 12 || message[0] == 13) ? 34 : 4;
  if (message.size() < least) {
    return drop(DropReason::header_too_short);
  }
  if (message[0] != 13) {
    return drop(DropReason::not_relay_reply);
  }
  const ParsedRelayMessage6 reply = parsed_relay_message6(message);
  const ParsedOptions6& options = reply.options;
  const auto port = options.find(135);
  if (options.is_damaged || (port && port->size() != 2)) {
    return drop(DropReason::relay_options_malformed);
  }
  if (std::ranges::count(options.codes(), 9) > 1) {
    return drop(DropReason::relay_message_doubled);
  }
  const Bytes inner = options.find(9).value_or(Bytes{});
  if (inner.empty()) {
    return drop(DropReason::relay_message_missing);
  }
  if (!reply.peer_address.is_host() || network.interfaces.is_local(reply.peer_address)) {
    return drop(DropReason::peer_address_invalid);
  }
  std::uint16_t to_port = 546;
  if (inner[0] == 13) {
    to_port = port && *port != Bytes{0, 0} ? static_cast<std::uint16_t>((*port)[0] * 256 + (*port)[1]) : 547;
  }
  const std::string to = " " + described(reply.peer_address) + " port " + std::to_string(to_port) + " from ";
  const Interface* egress = nullptr;
  const auto is_on = [&](const Ipv6Address& network_address) {
    return std::ranges::equal(std::span{reply.link_address.octets}.first(8),
                              std::span{network_address.octets}.first(8));
  };
  if (const auto interface_id = options.find(18)) {
    const std::string name{interface_id->begin(), interface_id->end()};
    if (name != "c0" && name != "c1") {
      return drop(DropReason::interface_id_unknown);
    }
    egress = network.interfaces.find(name == "c0" ? c0 : c1);
  } else if (!reply.link_address.is_unspecified()) {
    const bool is_of_c0 = is_on(ip6("2001:db8:1::"));
    if (!is_of_c0 && !is_on(ip6("2001:db8:2::"))) {
      return drop(DropReason::link_address_unknown);
    }
    egress = network.interfaces.find(is_of_c0 ? c0 : c1);
  } else if (reply.peer_address.is_link_local() || !network.interfaces.find(c0)->v6.options.vss().empty() ||
             (network.policy.replies_from_anyone && !network.interfaces.find(c0)->is_trusted)) {
    return drop(DropReason::link_unnamed);
  }
  const auto vss = options.find(68);
  if (egress == nullptr) {
    return vss && !vss->empty() ? drop(DropReason::vss_unknown) : "routed" + to + "::";
  }
  if (egress->v6.has(reply.peer_address)) {
    return drop(DropReason::peer_address_invalid);
  }
  const bool selects = !egress->v6.options.vss().empty();
  if (selects && !vss) {
    return drop(DropReason::vss_unsupported);
  }
  if (vss && *vss != (selects ? Bytes{0, 'r'} : Bytes{})) {
    return drop(DropReason::vss_unknown);
  }
  return egress->name + to + described(reply.peer_address.is_link_local() ? egress->v6.link_local : egress->v6.source);
}

void check_reply(const TestNetwork6& network, const Bytes& message) {
  const Outcome outcome = network.reply(message);
  ASSERT_EQ(outcome.decision, expected_reply(network, message));
  if (outcome.decision.starts_with("drop")) {
    ASSERT_TRUE(outcome.is_untouched);
  } else {
    ASSERT_EQ(outcome.message, parsed_relay_message6(message).options.find(9));
  }
}

// Random scenes

bool one_in(std::mt19937& random, unsigned count) {
  return random() % count == 0;
}

Bytes random_octets(std::mt19937& random, std::size_t size) {
  Bytes octets(size);
  std::ranges::generate(octets, [&] { return static_cast<std::uint8_t>(random()); });
  return octets;
}

Ipv6Address random_address(std::mt19937& random) {
  static const std::vector<std::string> addresses{"fe80::1",
                                                  "fe80::1",
                                                  "2001:db8:1::99",
                                                  "2001:db8:1::1",
                                                  "2001:db8:1::1",
                                                  "2001:db8:2::1",
                                                  "2001:db8:2::77",
                                                  "2001:db8:9::1",
                                                  "::",
                                                  "::",
                                                  "ff02::1",
                                                  "::1",
                                                  "fe80::c0",
                                                  "::ffff:10.1.0.1",
                                                  "2001:db8:5::1",
                                                  "fe80::7"};
  return ip6(addresses[random() % addresses.size()]);
}

Bytes random_relay_message(std::mt19937& random, std::uint8_t type, unsigned depth) {
  Bytes inner;
  if (depth > 0 && one_in(random, 2)) {
    inner = random_relay_message(random, type, depth - 1);
  } else {
    inner = one_in(random, 2) ? solicit6() : message6(static_cast<std::uint8_t>(random()));
  }
  std::vector<Bytes> options{option6(9, one_in(random, 20) ? Bytes{} : inner)};
  const auto add = [&](unsigned rarity, const Bytes& option) {
    if (one_in(random, rarity)) {
      options.push_back(option);
    }
  };
  add(3, option6(18, test_support::text(one_in(random, 2) ? "c0" : "c1")));
  add(12, option6(18, random_octets(random, random() % 4)));
  add(3, option6(68, one_in(random, 2) ? Bytes{0, 'r'} : random_octets(random, random() % 3)));
  add(5, option6(135, random_octets(random, one_in(random, 8) ? random() % 5 : 2)));
  add(8, option6(66, {}));
  add(4, option6(static_cast<std::uint16_t>(random()), random_octets(random, random() % 10)));
  add(15, option6(9, inner));
  add(15, random_octets(random, random() % 6));
  if (one_in(random, 20)) {
    options.erase(options.begin());
  }
  std::ranges::shuffle(options, random);
  const std::uint8_t hop_count = one_in(random, 4) ? static_cast<std::uint8_t>(random() % 40) : 1;
  Bytes message = relay_message6(type, hop_count, random_address(random), random_address(random), {});
  for (const Bytes& option : options) {
    message.insert(message.end(), option.begin(), option.end());
  }
  return message;
}

Bytes damaged(std::mt19937& random, Bytes message) {
  if (one_in(random, 12)) {
    message.resize(random() % (message.size() + 1));
  }
  if (one_in(random, 12) && !message.empty()) {
    message[random() % message.size()] = static_cast<std::uint8_t>(random());
  }
  return message;
}

Bytes random_message(std::mt19937& random, std::uint8_t relay_type) {
  if (one_in(random, 2)) {
    return damaged(random, random_relay_message(random, relay_type, 4));
  }
  return damaged(random, message6(static_cast<std::uint8_t>(random() % 40), {random_octets(random, random() % 30)}));
}

TestNetwork6 random_network(std::mt19937& random) {
  TestNetwork6 network;
  RelayForwardSettings settings;
  settings.interface_id = one_in(random, 4);
  settings.vss = one_in(random, 4) ? std::string{"\0r", 2} : std::string{};
  settings.relay_id = std::string(random() % 3, 'd');
  settings.options.emplace_back(65000, std::string(one_in(random, 8) ? 300 : 3, 'o'));
  network.encode(settings);
  network.change(c0, [&](Interface& interface) {
    interface.is_trusted = !one_in(random, 3);
    if (one_in(random, 4)) {
      interface.v6.link_address = {};
    }
  });
  network.policy.relays_relay_supplied_options = one_in(random, 2);
  network.policy.relays_reconfigure_requests = one_in(random, 2);
  network.policy.client_link_layer_address = one_in(random, 2);
  network.policy.replies_from_anyone = one_in(random, 3);
  network.policy.hop_count_limit = one_in(random, 4) ? 255 : 8;
  if (one_in(random, 3)) {
    network.policy.ports.relay = 1000;
  }
  return network;
}

Ingress6 random_ingress(std::mt19937& random) {
  if (one_in(random, 2)) {
    return from_client();
  }
  return from_relay(one_in(random, 2) ? "fe80::99" : "2001:db8:1::99",
                    one_in(random, 4) ? std::uint16_t{2000} : std::uint16_t{547});
}

TEST(Relay6Properties, decisions_and_wrappings_hold_for_random_messages) {
  std::mt19937 random{8415};  // the same messages in every run
  for (int scene = 0; scene < 200; ++scene) {
    const TestNetwork6 network = random_network(random);
    for (int round = 0; round < 50; ++round) {
      const Bytes message = random_message(random, 12);
      check_request(network, message, random_ingress(random));
      if (HasFatalFailure()) {
        FAIL() << testing::PrintToString(message);
      }
    }
  }
}

TEST(Relay6Properties, decisions_on_replies_hold_for_random_messages) {
  std::mt19937 random{9915};  // the same messages in every run
  for (int scene = 0; scene < 200; ++scene) {
    const TestNetwork6 network = random_network(random);
    for (int round = 0; round < 50; ++round) {
      const Bytes message = random_message(random, 13);
      check_reply(network, message);
      if (HasFatalFailure()) {
        FAIL() << testing::PrintToString(message);
      }
    }
  }
}

TEST(Relay6Properties, nothing_comes_from_outside_the_message_and_the_configuration) {
  std::mt19937 random{14494};  // the same messages in every run
  for (int scene = 0; scene < 100; ++scene) {
    const TestNetwork6 network = random_network(random);
    for (int round = 0; round < 20; ++round) {
      const Bytes message = random_message(random, 12);
      const Ingress6 ingress = random_ingress(random);
      std::vector<Bytes> results;
      for (const std::uint8_t canary : Bytes{0xa5, 0x5a, 0x00}) {
        GuardedMessage guarded{message, 0, canary, headroom};
        (void)relay_request6(network.policy, network.interfaces, ingress, guarded.buffer());
        results.push_back(guarded.octets());
      }
      ASSERT_EQ(results[0], results[1]) << testing::PrintToString(message);
      ASSERT_EQ(results[0], results[2]) << testing::PrintToString(message);
    }
  }
}

TEST(Relay6Properties, after_any_bad_messages_a_good_one_is_relayed) {
  std::mt19937 random{1111};  // the same messages in every run
  const TestNetwork6 network;
  const Outcome first = network.request(solicit6());
  ASSERT_EQ(first.decision, test_support::relayed6());
  for (int round = 0; round < 2'000; ++round) {
    (void)network.request(random_octets(random, random() % 300), from_client(), random() % 100);
    (void)network.request(random_message(random, 12), from_client(), random() % 100);
    (void)network.reply(random_message(random, 13));
    const Outcome good = network.request(solicit6());
    ASSERT_EQ(good.decision, first.decision);
    ASSERT_EQ(good.message, first.message);
  }
}

TEST(Relay6Properties, row_6D_01_and_6F_09_what_was_really_sent_passes_octet_for_octet) {
  if (!test_support::has_recorded_messages()) {
    GTEST_SKIP() << "DHCP_RELAY_SHARED names no folder with recorded messages";
  }
  TestNetwork6 network;
  network.change(c0, [](Interface& interface) { interface.is_trusted = true; });
  network.policy.hop_count_limit = 32;
  std::size_t relayed = 0;
  const std::vector<RecordedMessage> messages = test_support::recorded_messages6();
  for (const RecordedMessage& message : messages) {
    const Ingress6 ingress = from_client();
    check_request(network, message.octets, ingress);
    check_reply(network, message.octets);
    if (!message.octets.empty()) {
      const Outcome outcome = network.reply(test_support::relay_reply6(message.octets));
      EXPECT_EQ(outcome.message, message.octets);
    }
    relayed += network.request(message.octets, ingress).decision.starts_with("servers") ? 1U : 0U;
    if (HasFatalFailure()) {
      FAIL() << message.file;
    }
  }
  EXPECT_GT(messages.size(), 239U) << "the corpus and more";
  EXPECT_GT(relayed, messages.size() / 4);
}

}  // namespace
}  // namespace relay
