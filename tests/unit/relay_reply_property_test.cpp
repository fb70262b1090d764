// What holds for every reply, and for a request and its reply together, where option 82 has blanks and interfaces share
// a giaddr: what the request was given the reply loses, on its way to where the request came from.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "relay/core/relay.h"
#include "relay/core/relay_reply.h"
#include "relay/core/relay_request.h"
#include "tests/support/guarded_message.h"
#include "tests/support/message_builder.h"
#include "tests/support/random_arrivals.h"
#include "tests/support/test_network.h"

namespace relay {
namespace {

using reference::Arrival;
using reference::Blank;
using reference::Direction;
using reference::OwnSubOption;
using reference::Random;
using test_support::Bytes;
using test_support::c0;
using test_support::c1;
using test_support::described;
using test_support::discover;
using test_support::first_server;
using test_support::GuardedMessage;
using test_support::ip;
using test_support::joined;
using test_support::MessageBuilder;
using test_support::parsed_message;
using test_support::s0;
using test_support::TestNetwork;
using test_support::text;
using test_support::values_of;
using test_support::without_trailing_pad;

constexpr Ipv4Address shared_giaddr = ip(203, 0, 113, 1);
constexpr std::uint32_t first_port = 20;
constexpr std::uint32_t second_port = 21;

/// A description of option 82 that tells c0 from c1.
using Information = std::vector<OwnSubOption>;

std::vector<Information> informations(const std::string& name) {
  const OwnSubOption flags{10, {Blank::relay_flags}};
  const OwnSubOption vss{151, {text(std::string("\0red", 4))}};
  const OwnSubOption vss_control{152, {}};
  return {
      {{1, {text(name)}}},
      {{1, {text(name + "/"), Blank::client_hardware_address}}},
      {{1, {Blank::client_port, text("@" + name)}}},
      {{1, {text(name), Blank::client_port, text("-"), Blank::client_hardware_address}},
       {2, {Blank::client_hardware_address, Blank::client_hardware_address}},
       flags},
      {{1, {text(name)}}, {2, {Blank::client_port}}, {6, {text("x"), Blank::client_port, text("y")}}, flags},
      {{1, {text(name)}}, {5, {Bytes{10, 1, 0, 0}}}, flags, {19, {}}, vss, vss_control},
      {{1, {text(name)}}, {12, {Bytes(150, 'i')}}, flags},
  };
}

/// c0 and c1 with one giaddr and a bridge of two ports each. On trusted circuits ours is told by its very octets.
reference::Network network_with(std::size_t information, bool is_trusted) {
  TestNetwork plain;
  reference::Network network;
  network.policy.add_agent_information = true;
  for (const auto& [index, interface] : plain.interfaces.all()) {
    Interface copy = interface;
    Information own;
    if (index == c0 || index == c1) {
      copy.giaddr = shared_giaddr;
      copy.is_trusted = is_trusted;
      copy.bridge_ports = {"p0", "p1"};
      own = informations(copy.name)[information];
    }
    network.put(std::move(copy), {own, {}});
  }
  for (const std::uint32_t index : {first_port, second_port}) {
    Interface port;
    port.index = index;
    port.name = index == first_port ? "p0" : "p1";
    network.put(std::move(port), {});
  }
  return network;
}

/// A request without option 82 whose options can be read, of any size, with or without END.
Bytes random_request(Random& random) {
  MessageBuilder builder;
  Bytes chaddr(16);
  std::ranges::generate(chaddr, [&] { return static_cast<std::uint8_t>(random()); });
  builder.op(1)
      .htype(1)
      .hlen(static_cast<std::uint8_t>(random() % 4 == 0 ? random() % 17 : 6))
      .chaddr(chaddr)
      .xid(static_cast<std::uint32_t>(random()))
      .yiaddr(test_support::client_address)
      .file(Bytes(128, 82))
      .message_type(static_cast<std::uint8_t>(1 + random() % 5));
  for (std::size_t count = random() % 6; count > 0; --count) {
    Bytes value(random() % 40);
    std::ranges::generate(value, [&] { return static_cast<std::uint8_t>(random() % 3 == 0 ? 82 : random()); });
    const auto code = static_cast<std::uint8_t>(83 + random() % 170);
    builder.option(code, value).pad(random() % 4 == 0 ? random() % 4 : 0);
  }
  if (random() % 4 == 0) {
    builder.without_end();
  }
  return builder.padded_to(random() % 2 == 0 ? 240 + random() % 200 : 0).octets();
}

/// What a server makes of a relayed request: op 2, option 82 echoed as it is, or without sub-option 152 where it acted
/// on sub-option 151 (RFC 6607 section 7.2).
Bytes answered(Bytes relayed) {
  relayed[0] = 2;
  auto apart = reference::taken_apart(relayed);
  for (auto& option : apart.options) {
    const Bytes control{152, 0};
    if (option.code == 82 && option.value.size() > 2 &&
        std::equal(control.begin(), control.end(), option.value.end() - 2)) {
      option.value.erase(option.value.end() - 2, option.value.end());
    }
  }
  return reference::put_together(apart);
}

TEST(RelayReplyProperties, row_4A_09_what_a_request_was_given_its_reply_loses_where_it_came_from) {
  Random random{3046};  // the same messages in every run
  std::size_t pairs = 0;
  for (std::size_t choice = 0; choice < 2 * informations("").size(); ++choice) {
    const std::size_t information = choice / 2;
    const reference::Network network = network_with(information, choice % 2 == 0);
    for (int round = 0; round < 200; ++round) {
      Arrival there{Direction::request, {}, random_request(random), 600};
      there.ingress.interface_index = random() % 2 == 0 ? c0 : c1;
      there.ingress.destination = random() % 2 == 0 ? limited_broadcast : ip(10, 1, 0, 1);
      there.ingress.bridge_port_index = std::vector<std::uint32_t>{0, first_port, second_port}[random() % 3];
      const auto relayed = network.relayed(there);
      ASSERT_TRUE(relayed.decision.ends_with(" added")) << relayed.decision;
      ASSERT_EQ(values_of(relayed.message, 82).size(), 1U);

      Arrival back{Direction::reply, {s0, first_server, 67, shared_giaddr}, answered(relayed.message), 0};
      const auto delivered = network.relayed(back);
      const std::string name = network.interfaces.find(there.ingress.interface_index)->name;
      ASSERT_TRUE(delivered.decision.starts_with(name + " ")) << delivered.decision << information;
      Bytes expected = there.message;
      expected[0] = 2;
      expected[3] = 1;
      std::ranges::copy(shared_giaddr.octets, expected.begin() + 24);
      if (!parsed_message(there.message).has_end) {
        const auto end = static_cast<std::ptrdiff_t>(240 + parsed_message(there.message).end_offset);
        expected = joined({Bytes{expected.begin(), expected.begin() + end}, {255}});
      }
      ASSERT_EQ(without_trailing_pad(delivered.message), without_trailing_pad(expected)) << information;
      ++pairs;
    }
  }
  EXPECT_EQ(pairs, 2'800U);
}

TEST(RelayReplyProperties, row_4A_10_what_another_client_was_given_stays) {
  // With the client's address in every sub-option, an echo of somebody else's request is not this client's.
  const reference::Network network = network_with(1, false);
  const Bytes request = discover().octets();
  Arrival there{Direction::request, {c0, {}, 68, limited_broadcast}, request, 600};
  Bytes reply = answered(network.relayed(there).message);
  reply[28 + 5] ^= 1U;
  Arrival back{Direction::reply, {s0, first_server, 67, shared_giaddr}, reply, 0};
  EXPECT_EQ(network.relayed(back).decision, test_support::drop(DropReason::reply_ambiguous));
}

TEST(RelayReplyProperties, drops_change_nothing_and_edits_stay_in_bounds) {
  Random random{1542};  // the same messages in every run
  for (int scene = 0; scene < 200; ++scene) {
    reference::Network network = reference::random_network(random);
    for (int round = 0; round < 30; ++round) {
      const Arrival arrival = reference::random_arrival(random, network, Direction::reply);
      std::vector<Bytes> results;
      for (const std::uint8_t canary : Bytes{0xa5, 0x5a}) {
        GuardedMessage message{arrival.message, arrival.room, canary};
        const Decision decision =
            relay_reply(network.policy, network.interfaces, network.transactions, arrival.ingress, message.buffer());
        ASSERT_TRUE(message.is_intact_beside());
        ASSERT_TRUE(!std::holds_alternative<Drop>(decision) || message.is_untouched()) << described(decision);
        ASSERT_LE(message.octets().size(), std::max<std::size_t>(arrival.message.size(), 300));
        results.push_back(message.octets());
      }
      ASSERT_EQ(results[0], results[1]) << "an octet from outside the message";
    }
  }
}

/// A good exchange through `relay`, whose reply carries no option 82: the transaction alone tells its way.
void expect_good_exchange(Relay& relay, std::uint32_t index, std::uint32_t xid, std::chrono::nanoseconds now) {
  const Bytes request = discover().xid(xid).octets();
  GuardedMessage there{request, 600};
  Ingress ingress{index, {}, 68, limited_broadcast};
  ingress.arrival = now;
  ASSERT_TRUE(std::holds_alternative<ToServers>(relay.request(ingress, there.buffer())));
  const Bytes reply = test_support::offer().xid(xid).giaddr(shared_giaddr).octets();
  GuardedMessage back{reply};
  Ingress from_server{s0, first_server, 67, shared_giaddr};
  from_server.arrival = now;
  const Decision decision = relay.reply(from_server, back.buffer());
  const auto* const to = std::get_if<ToClient>(&decision);
  ASSERT_NE(to, nullptr) << described(decision);
  ASSERT_EQ(to->egress->index, index);
  ASSERT_EQ(back.octets(), reply);
}

TEST(RelayReplyProperties, after_any_bad_messages_a_good_exchange_succeeds) {
  Random random{1111};  // the same messages in every run
  reference::Network network = network_with(3, false);
  reference::Network others = reference::random_network(random);
  Relay relay{network.interfaces, 1};
  relay.apply(network.policy);
  for (std::uint32_t round = 0; round < 2'000; ++round) {
    const auto now = std::chrono::seconds{round / 10};
    for (const Direction direction : {Direction::request, Direction::reply}) {
      Arrival bad = reference::random_arrival(random, others, direction);
      if (round % 3 == 0) {
        std::ranges::generate(bad.message, [&] { return static_cast<std::uint8_t>(random()); });
      }
      bad.ingress.interface_index = direction == Direction::reply ? s0 : random() % 2 == 0 ? c0 : c1;
      bad.ingress.arrival = now;
      GuardedMessage message{bad.message, bad.room};
      (void)(direction == Direction::request ? relay.request(bad.ingress, message.buffer())
                                             : relay.reply(bad.ingress, message.buffer()));
      ASSERT_TRUE(message.is_intact_beside());
    }
    expect_good_exchange(relay, random() % 2 == 0 ? c0 : c1, 0x10000 + round, now);
    ASSERT_FALSE(HasFatalFailure()) << round;
  }
}

}  // namespace
}  // namespace relay
