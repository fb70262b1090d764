// The relay and the slow reference decide on the same messages, and leave the same octets: random ones, and what other
// projects recorded.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/random_arrivals.h"
#include "tests/support/recorded_messages.h"
#include "tests/support/reference_network.h"

namespace reference {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t random_rounds = 20'000;
#else
constexpr std::size_t random_rounds = 200'000;
#endif

/// More or fewer of them, for a long search: DHCP_RELAY_ROUNDS.
std::size_t rounds() {
  const char* const wanted = std::getenv("DHCP_RELAY_ROUNDS");
  return wanted == nullptr ? random_rounds : std::strtoul(wanted, nullptr, 10);
}

/// Without sname and file.
std::string hexadecimal(const Bytes& octets) {
  std::string result;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (i < 44 || i >= 236) {
      std::array<char, 3> digits{};
      std::snprintf(digits.data(), digits.size(), "%02x", octets[i]);
      result += digits.data();
    }
  }
  return result;
}

/// A decision without addresses: what a drop is for, what became of option 82, how a reply goes.
std::string kind_of(const Expected& outcome, const Bytes& before) {
  const std::string& line = outcome.decision;
  if (line.starts_with("drop")) {
    return line;
  }
  if (line.starts_with("servers")) {
    return line.substr(line.rfind(' ') + 1);
  }
  const std::size_t delivery = line.find(' ') + 1;
  return line.substr(delivery, line.find(' ', delivery) - delivery) + (outcome.message == before ? "" : ", edited");
}

/// Compares, counts by kind of decision, and keeps one example of each kind of difference.
class Comparison {
 public:
  void compare(const Network& network, const Arrival& arrival, const std::string& where) {
    const Expected relayed = network.relayed(arrival);
    const Expected expected = network.expected(arrival);
    ++count_;
    ++kinds_[kind_of(relayed, arrival.message)];
    if (relayed.decision != expected.decision || relayed.message != expected.message ||
        relayed.from_relay_port != expected.from_relay_port) {
      differences_.try_emplace(kind_of(relayed, arrival.message) + " instead of " + kind_of(expected, arrival.message),
                               where + ": " + relayed.decision + "\n  instead of " + expected.decision +
                                   "\n  before  " + hexadecimal(arrival.message) + "\n  after   " +
                                   hexadecimal(relayed.message) + "\n  instead " + hexadecimal(expected.message));
    }
  }

  /// Prints what was compared, and fails where there was a difference.
  void conclude(const std::string& what) const {
    std::printf("compared %zu %s\n", count_, what.c_str());
    for (const auto& [kind, times] : kinds_) {
      std::printf("  %7zu %s\n", times, kind.c_str());
    }
    for (const auto& [kind, example] : differences_) {
      ADD_FAILURE() << kind << ", such as\n" << example;
    }
  }

  [[nodiscard]] bool has(const std::string& kind) const { return kinds_.contains(kind); }

 private:
  std::size_t count_ = 0;
  std::map<std::string, std::size_t> kinds_;
  std::map<std::string, std::string> differences_;
};

TEST(Reference, a_message_taken_apart_and_put_together_is_what_it_was) {
  Random random{951};  // the same messages in every run
  Network network = random_network(random);
  for (int round = 0; round < 5'000; ++round) {
    const Arrival arrival = random_arrival(random, network, round % 2 == 0 ? Direction::request : Direction::reply);
    ASSERT_EQ(put_together(taken_apart(arrival.message)), arrival.message) << hexadecimal(arrival.message);
  }
}

Comparison compared_random(Direction direction, std::uint32_t seed) {
  Comparison comparison;
  Random random{seed};  // the same messages in every run
  Network network;
  for (std::size_t round = 0; round < rounds(); ++round) {
    if (round % 50 == 0) {
      network = random_network(random);
    }
    comparison.compare(network, random_arrival(random, network, direction), "round " + std::to_string(round));
  }
  return comparison;
}

/// Fails where the messages did not lead to all of `kinds`: they would tell nothing of those.
void expect_kinds(const Comparison& comparison, const std::vector<std::string>& kinds) {
  for (const std::string& kind : kinds) {
    EXPECT_TRUE(comparison.has(kind)) << kind << " never came";
  }
}

TEST(Reference, random_requests_are_decided_alike) {
  const Comparison comparison = compared_random(Direction::request, 1542);
  comparison.conclude("random requests");
  expect_kinds(comparison, {"untouched",
                            "added",
                            "appended",
                            "replaced",
                            "did_not_fit",
                            "drop too_short",
                            "drop hlen_too_long",
                            "drop bad_op",
                            "drop interface_unknown",
                            "drop giaddr_own",
                            "drop not_downstream",
                            "drop below_min_secs",
                            "drop hops_exceeded",
                            "drop giaddr_invalid",
                            "drop giaddr_refused",
                            "drop lease_query_unrelayed",
                            "drop option82_untrusted",
                            "drop option82_discarded",
                            "drop options_malformed",
                            "drop no_address",
                            "drop interface_passive",
                            "drop no_server"});
}

TEST(Reference, random_replies_are_decided_alike) {
  const Comparison comparison = compared_random(Direction::reply, 3046);
  comparison.conclude("random replies");
  expect_kinds(comparison, {"link_unicast",
                            "link_unicast, edited",
                            "link_broadcast",
                            "link_broadcast, edited",
                            "routed",
                            "routed, edited",
                            "drop too_short",
                            "drop hlen_too_long",
                            "drop bad_op",
                            "drop interface_unknown",
                            "drop not_upstream",
                            "drop server_unknown",
                            "drop reply_giaddr_zero",
                            "drop lease_query_reply",
                            "drop reply_giaddr_unknown",
                            "drop reply_ambiguous",
                            "drop options_malformed",
                            "drop option82_unmatched",
                            "drop vss_unsupported",
                            "drop vss_unknown",
                            "drop interface_down"});
}

/// A recorded message with the fields of its header that decide on its way as the network has them, or as they are.
Bytes adapted(Random& random, const Bytes& recorded, const Arrival& model) {
  Bytes message = recorded;
  if (message.size() < 236 || random() % 4 == 0) {
    return message;
  }
  message[0] = model.direction == Direction::request ? 1 : 2;
  for (std::size_t i = 24; i < 28 && model.message.size() > 28; ++i) {
    message[i] = model.message[i];  // giaddr
  }
  return message;
}

TEST(Reference, recorded_messages_are_decided_alike) {
  if (!test_support::has_recorded_messages()) {
    GTEST_SKIP() << "DHCP_RELAY_SHARED names no folder with recorded messages";
  }
  Random random{2131};
  Network network;
  Comparison requests;
  Comparison replies;
  const auto messages = test_support::recorded_messages();
  for (const auto& [file, recorded] : messages) {
    for (const Direction direction : {Direction::request, Direction::reply}) {
      for (int round = 0; round < 2; ++round) {
        network = random_network(random);
        Arrival arrival = random_arrival(random, network, direction);
        arrival.message = adapted(random, recorded, arrival);
        (direction == Direction::request ? requests : replies).compare(network, arrival, file);
      }
    }
  }
  std::printf("%zu recorded messages\n", messages.size());
  requests.conclude("recorded messages as requests");
  replies.conclude("recorded messages as replies");
  EXPECT_GT(messages.size(), 1'500U);
}

}  // namespace
}  // namespace reference
