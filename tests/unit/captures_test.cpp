// What clients and servers really sent passes through the relay and differs from what it was in nothing but what the
// RFCs tell a relay agent to change: hops and giaddr (RFC 1542 section 4.1.1), and option 82 with -a (RFC 3046).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/message_builder.h"
#include "tests/support/recorded_messages.h"
#include "tests/support/test_network.h"

namespace relay {
namespace {

using test_support::Bytes;
using test_support::circuit_id;
using test_support::encoded;
using test_support::ip;
using test_support::joined;
using test_support::Outcome;
using test_support::parsed_message;
using test_support::RecordedMessage;
using test_support::TestNetwork;
using test_support::without_trailing_pad;

constexpr std::size_t header_size = 236;
constexpr std::size_t options_offset = 240;
const Bytes cookie{99, 130, 83, 99};

bool has_cookie(const Bytes& message) {
  return message.size() >= options_offset && std::equal(cookie.begin(), cookie.end(), message.begin() + header_size);
}

/// The recorded messages with this op whose fixed header is whole.
std::vector<RecordedMessage> recorded_with_op(std::uint8_t op) {
  std::vector<RecordedMessage> messages = test_support::recorded_messages();
  std::erase_if(messages, [op](const RecordedMessage& message) {
    return message.octets.size() < header_size || message.octets[0] != op;
  });
  return messages;
}

/// A relay that refuses nothing for its hops.
TestNetwork network_with(bool adds) {
  TestNetwork network;
  network.policy.max_hops = 16;
  network.policy.add_agent_information = adds;
  network.policy.replies_from_anyone = true;
  return network;
}

/// hops one more, giaddr c0's where it was zero.
Bytes forwarded(Bytes message) {
  ++message[3];
  if (std::all_of(message.begin() + 24, message.begin() + 28, [](std::uint8_t octet) { return octet == 0; })) {
    std::ranges::copy(ip(10, 1, 0, 1).octets, message.begin() + 24);
  }
  return message;
}

/// The options field up to END without any option 82, octet by octet, then END and what was behind it.
Bytes without_option82(const Bytes& message) {
  Bytes result(message.begin(), message.begin() + options_offset);
  std::size_t at = options_offset;
  while (at < message.size() && message[at] != 255) {
    const std::size_t size = message[at] == 0 ? 1 : 2U + message[at + 1];
    if (message[at] != 82) {
      result.insert(result.end(), message.begin() + static_cast<std::ptrdiff_t>(at),
                    message.begin() + static_cast<std::ptrdiff_t>(at + size));
    }
    at += size;
  }
  if (at == message.size()) {
    result = without_trailing_pad(result);
    result.push_back(255);  // RFC 3046 section 2.1: before END, which an edited field has
  }
  result.insert(result.end(), message.begin() + static_cast<std::ptrdiff_t>(at), message.end());
  return without_trailing_pad(result);
}

/// Counts what was compared, and what was not, by reason.
struct Tally {
  std::size_t compared = 0;
  std::size_t edited = 0;
  std::size_t dropped = 0;

  void print(const char* what) const {
    std::printf("%s: %zu compared, %zu of them edited, %zu dropped\n", what, compared, edited, dropped);
  }
};

class Captures : public testing::Test {
 protected:
  void SetUp() override {
    if (!test_support::has_recorded_messages()) {
      GTEST_SKIP() << "DHCP_RELAY_SHARED names no folder with recorded messages";
    }
  }
};

TEST_F(Captures, row_4F_05_requests_differ_in_hops_and_giaddr_alone) {
  const TestNetwork network = network_with(false);
  Tally tally;
  for (const auto& [file, message] : recorded_with_op(1)) {
    const Outcome outcome = network.request(message);
    if (outcome.decision.starts_with("drop")) {
      EXPECT_TRUE(outcome.is_untouched) << file;
      ++tally.dropped;
      continue;
    }
    EXPECT_EQ(outcome.message, forwarded(message)) << file;
    ++tally.compared;
  }
  tally.print("requests without -a");
  EXPECT_GT(tally.compared, 900U);
}

TEST_F(Captures, row_4F_05_requests_with_agent_information_differ_in_option_82_besides) {
  const TestNetwork network = network_with(true);
  const Bytes ours = encoded(82, circuit_id("c0"));
  Tally tally;
  for (const auto& [file, message] : recorded_with_op(1)) {
    const Outcome outcome = network.request(message);
    if (outcome.decision.starts_with("drop")) {
      EXPECT_TRUE(outcome.is_untouched) << file;
      ++tally.dropped;
      continue;
    }
    ++tally.compared;
    if (!outcome.decision.ends_with("added")) {
      EXPECT_EQ(outcome.message, forwarded(message)) << file;
      continue;
    }
    ++tally.edited;
    // Row 4A-02: all that was there up to END, ours, END and all that was behind it.
    const Bytes expected = forwarded(message);
    const auto end = static_cast<std::ptrdiff_t>(options_offset + parsed_message(message).end_offset);
    const Bytes behind{expected.begin() + end, expected.end()};
    const Bytes up_to_end{expected.begin(), expected.begin() + end};
    const Bytes whole = joined({up_to_end, ours, parsed_message(message).has_end ? behind : Bytes{255}});
    EXPECT_EQ(without_trailing_pad(outcome.message), without_trailing_pad(whole)) << file;
    EXPECT_EQ(without_option82(outcome.message), without_option82(expected)) << file;
    EXPECT_GE(outcome.message.size(), 300U) << file;
    EXPECT_LE(outcome.message.size(), std::max<std::size_t>({message.size(), whole.size(), 300})) << file;
  }
  tally.print("requests with -a");
  EXPECT_GT(tally.edited, 800U);
}

/// A recorded reply, addressed to us.
Bytes addressed(Bytes reply) {
  std::ranges::copy(ip(10, 1, 0, 1).octets, reply.begin() + 24);
  return reply;
}

TEST_F(Captures, row_4D_08_replies_are_delivered_as_they_are) {
  Tally tally;
  for (const bool adds : {false, true}) {
    const TestNetwork network = network_with(adds);
    for (const auto& [file, reply] : recorded_with_op(2)) {
      const Outcome outcome = network.reply(addressed(reply));
      EXPECT_TRUE(outcome.is_untouched) << file << ": none has an option 82 of ours";
      ++(outcome.decision.starts_with("drop") ? tally.dropped : tally.compared);
    }
  }
  tally.print("replies without ours, without and with -a");
  EXPECT_GT(tally.compared, 2 * 700U);
}

TEST_F(Captures, row_4A_09_replies_lose_our_option_82_alone) {
  const TestNetwork network = network_with(true);
  Tally tally;
  for (const auto& [file, reply] : recorded_with_op(2)) {
    const auto field = has_cookie(reply) ? parsed_message(reply) : test_support::ParsedField{};
    if (!field.has_end) {
      continue;
    }
    // As a server echoes it: the last option.
    const auto end = reply.begin() + static_cast<std::ptrdiff_t>(options_offset + field.end_offset);
    const Bytes before = addressed(reply);
    Bytes echoed = before;
    echoed.resize(options_offset + field.end_offset);
    echoed = joined({echoed, encoded(82, circuit_id("c0")), Bytes{end, reply.end()}});
    const Outcome outcome = network.reply(echoed);
    if (outcome.decision.starts_with("drop")) {
      EXPECT_TRUE(outcome.is_untouched) << file;
      ++tally.dropped;
      continue;
    }
    EXPECT_EQ(without_trailing_pad(outcome.message), without_trailing_pad(before)) << file;
    EXPECT_GE(outcome.message.size(), std::min<std::size_t>(300, reply.size())) << file;
    ++tally.compared;
    ++tally.edited;
  }
  tally.print("replies with ours");
  EXPECT_GT(tally.edited, 700U);
}

}  // namespace
}  // namespace relay
