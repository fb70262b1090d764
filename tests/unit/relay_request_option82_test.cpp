// Requests and option 82: RFC 3046 sections 2.0 to 2.1.1, and the policies that go beyond them.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "relay/core/relay_request.h"
#include "tests/support/message_builder.h"
#include "tests/support/test_network.h"

namespace relay {
namespace {

using test_support::agent_information;
using test_support::bootp_request;
using test_support::Bytes;
using test_support::c0;
using test_support::circuit_id;
using test_support::discover;
using test_support::drop;
using test_support::encoded;
using test_support::ip;
using test_support::joined;
using test_support::MessageBuilder;
using test_support::network_with_agent_information;
using test_support::Outcome;
using test_support::parsed_message;
using test_support::relayed;
using test_support::TestNetwork;
using test_support::text;
using test_support::values_of;
using test_support::without_trailing_pad;

using Existing = ExistingAgentInformation;
using Kept = AgentInformationOutcome;

const Bytes ours = circuit_id("c0");
const Bytes theirs = joined({encoded(1, text("port 7")), encoded(2, text("dslam"))});
constexpr Ipv4Address other_relay = ip(10, 50, 0, 1);

TestNetwork network_with(Existing existing, bool is_trusted) {
  TestNetwork network = network_with_agent_information();
  network.policy.existing_agent_information = existing;
  network.change(c0, [is_trusted](Interface& interface) { interface.is_trusted = is_trusted; });
  return network;
}

void expect_dropped(const Outcome& outcome, DropReason reason, const std::string& description = {}) {
  EXPECT_EQ(outcome.decision, drop(reason)) << description;
  EXPECT_TRUE(outcome.is_untouched) << description;
}

/// hops and giaddr as after relaying on c0.
Bytes forwarded(Bytes message) {
  message[3] = static_cast<std::uint8_t>(message[3] + 1);
  if (std::all_of(message.begin() + 24, message.begin() + 28, [](std::uint8_t octet) { return octet == 0; })) {
    std::ranges::copy(ip(10, 1, 0, 1).octets, message.begin() + 24);
  }
  return message;
}

/// Relayed with nothing changed but hops and giaddr.
void expect_without_ours(const TestNetwork& network, const Bytes& message, Kept outcome,
                         const std::string& description = {}, std::size_t room = 1000) {
  const Outcome result = network.request(message, c0, room);
  EXPECT_EQ(result.decision, relayed(outcome)) << description;
  EXPECT_EQ(result.message, forwarded(message)) << description;
  EXPECT_TRUE(result.is_intact_beside) << description;
}

/// Relayed with `values` as its option 82s, ours the last option before END, and nothing else changed in front of it.
void expect_with_ours(const TestNetwork& network, const Bytes& message, Kept outcome, const std::vector<Bytes>& values,
                      const std::string& description = {}) {
  const Outcome result = network.request(message);
  EXPECT_EQ(result.decision, relayed(outcome)) << description;
  EXPECT_EQ(values_of(result.message, 82), values) << description;
  EXPECT_TRUE(result.is_intact_beside) << description;
  const auto field = parsed_message(result.message);
  ASSERT_TRUE(field.has_end && !field.damaged && !field.options.empty()) << description;
  EXPECT_EQ(field.options.back().code, 82) << description;
  EXPECT_GE(result.message.size(), 300U) << description;

  auto others = parsed_message(message).options;
  std::erase_if(others, [](const auto& option) { return option.code == 82; });
  auto others_afterwards = field.options;
  std::erase_if(others_afterwards, [](const auto& option) { return option.code == 82; });
  EXPECT_EQ(others_afterwards, others) << description;
  const Bytes expected = forwarded(message);
  EXPECT_TRUE(std::equal(expected.begin(), expected.begin() + 240, result.message.begin())) << description;
}

TEST(RelayRequestOption82, row_4A_01_nothing_is_added_unless_asked_for) {
  EXPECT_FALSE(Policy{}.add_agent_information);
  expect_without_ours(TestNetwork{}, discover().octets(), Kept::untouched);
}

TEST(RelayRequestOption82, row_4A_01_what_is_added_is_what_the_interface_says) {
  TestNetwork network = network_with_agent_information();
  expect_with_ours(network, discover().octets(), Kept::added, {ours});
  const Bytes more = joined({circuit_id("c0"), encoded(2, text("relay")), encoded(5, {10, 1, 0, 0}), encoded(19, {})});
  network.change(c0, [&](Interface& interface) { interface.agent_information = agent_information(more); });
  expect_with_ours(network, discover().octets(), Kept::added, {more});
}

TEST(RelayRequestOption82, row_4A_03_an_option_82_without_sub_options_is_not_sent) {
  TestNetwork network = network_with_agent_information();
  network.change(c0, [](Interface& interface) { interface.agent_information = {}; });
  expect_without_ours(network, discover().octets(), Kept::untouched);
}

TEST(RelayRequestOption82, row_4R_11_damaged_options_are_relayed_where_there_is_nothing_to_add) {
  TestNetwork network = network_with_agent_information();
  network.change(c0, [](Interface& interface) { interface.agent_information = {}; });
  expect_without_ours(network, discover().raw({12, 99, 'a'}).without_end().padded_to(0).octets(), Kept::untouched);
}

TEST(RelayRequestOption82, row_4A_02_is_the_last_option_before_END) {
  const TestNetwork network = network_with_agent_information();
  expect_with_ours(network, discover().octets(), Kept::added, {ours}, "END there");
  expect_with_ours(network, discover().without_end().octets(), Kept::added, {ours}, "END missing");
  expect_with_ours(network, discover().without_end().padded_to(0).octets(), Kept::added, {ours}, "END missing, no PAD");
  expect_with_ours(network, MessageBuilder{}.op(1).octets(), Kept::added, {ours}, "END first");
  expect_with_ours(network, MessageBuilder{}.op(1).without_end().octets(), Kept::added, {ours}, "240 octets");
  expect_with_ours(network, MessageBuilder{}.op(1).pad(5).message_type(1).pad(5).octets(), Kept::added, {ours}, "PADs");
}

TEST(RelayRequestOption82, row_4R_12_opaque_options_are_not_looked_into) {
  const TestNetwork network = network_with_agent_information();
  for (const std::uint8_t code : Bytes{43, 60, 61, 125}) {
    expect_with_ours(network, discover().option(code, {82, 4, 1, 2, 'x', 'y', 255, 255}).octets(), Kept::added, {ours},
                     std::to_string(code));
  }
}

TEST(RelayRequestOption82, row_4R_11_damaged_options_are_dropped_where_ours_would_be_added) {
  const TestNetwork network = network_with_agent_information();
  for (const Bytes& damage : std::vector<Bytes>{{12}, {12, 9, 'a'}, {254, 255}, {82}, {82, 9, 1}}) {
    const Bytes message = discover().raw(damage).without_end().padded_to(0).octets();
    expect_dropped(network.request(message), DropReason::options_malformed, testing::PrintToString(damage));
    expect_dropped(network.request(message, c0, 0), DropReason::options_malformed, testing::PrintToString(damage));
  }
}

TEST(RelayRequestOption82, row_4R_11_damaged_options_are_relayed_where_nothing_is_edited) {
  const Bytes damaged = discover().giaddr(other_relay).raw({12, 99, 'a'}).without_end().padded_to(0).octets();
  expect_without_ours(network_with_agent_information(), damaged, Kept::untouched, "giaddr set");
  const Bytes with_theirs = discover().agent_information(theirs).raw({12, 99, 'a'}).without_end().padded_to(0).octets();
  expect_without_ours(network_with(Existing::by_rfc, true), with_theirs, Kept::untouched, "trusted");
  expect_dropped(network_with(Existing::replace, true).request(with_theirs), DropReason::options_malformed);
  expect_dropped(network_with(Existing::append, true).request(with_theirs), DropReason::options_malformed);
}

TEST(RelayRequestOption82, row_4R_13_and_4A_16_only_messages_with_the_cookie_get_it) {
  const TestNetwork network = network_with_agent_information();
  expect_without_ours(network, bootp_request().octets(), Kept::untouched, "no cookie");
  expect_without_ours(network, bootp_request().padded_to(0).octets(), Kept::untouched, "the header alone");
  expect_without_ours(network, bootp_request().tail({99, 130, 83}).padded_to(0).octets(), Kept::untouched,
                      "239 octets");
  expect_without_ours(network, discover().cookie({63, 86, 53, 63}).octets(), Kept::untouched, "a wrong cookie");
  expect_with_ours(network, MessageBuilder{}.op(1).option(12, text("bootp")).octets(), Kept::added, {ours},
                   "BOOTP with vendor extensions");
  expect_with_ours(network, MessageBuilder{}.op(1).option(53, {}).octets(), Kept::added, {ours}, "type unknown");
}

TEST(RelayRequestOption82, without_a_cookie_nothing_is_an_option_82) {
  const Bytes message = bootp_request().tail({63, 86, 53, 63, 82, 2, 1, 0, 255}).octets();
  expect_without_ours(network_with_agent_information(), message, Kept::untouched);
  expect_without_ours(network_with(Existing::discard, false), message, Kept::untouched);
}

TEST(RelayRequestOption82, row_4R_15_option_82_in_file_or_sname_is_not_there) {
  const Bytes hidden = joined({encoded(82, theirs), {255}});
  for (const std::uint8_t overload : Bytes{1, 2, 3}) {
    const Bytes message = discover().file(hidden).sname(hidden).option(52, {overload}).octets();
    expect_without_ours(TestNetwork{}, message, Kept::untouched);
    expect_with_ours(network_with_agent_information(), message, Kept::added, {ours});
  }
}

TEST(RelayRequestOption82, row_4A_08_no_room_is_made_by_option_52) {
  TestNetwork network = network_with_agent_information();
  network.policy.max_request_size = 548;
  MessageBuilder full = MessageBuilder{}.op(1).message_type(1).option(43, Bytes(255, 1));
  const Bytes message = full.option(43, Bytes(548 - full.octets().size() - 2, 2)).octets();
  ASSERT_EQ(message.size(), 548U);
  expect_without_ours(network, message, Kept::did_not_fit);
}

TEST(RelayRequestOption82, row_4A_04_option_82_from_an_untrusted_circuit_is_dropped) {
  for (const bool adds : {false, true}) {
    for (const Existing existing :
         {Existing::by_rfc, Existing::append, Existing::replace, Existing::forward, Existing::discard}) {
      TestNetwork network = network_with(existing, false);
      network.policy.add_agent_information = adds;
      for (const Bytes& value : {theirs, ours, Bytes{}, Bytes{1, 9}}) {
        expect_dropped(network.request(discover().agent_information(value).octets()), DropReason::option82_untrusted);
      }
      expect_dropped(network.request(discover().agent_information(theirs).agent_information(theirs).octets()),
                     DropReason::option82_untrusted);
    }
  }
}

TEST(RelayRequestOption82, row_4A_04_option_82_counts_in_front_of_damage_but_not_behind_END) {
  const TestNetwork network;
  expect_dropped(
      network.request(discover().agent_information(theirs).raw({12, 99, 'a'}).without_end().padded_to(0).octets()),
      DropReason::option82_untrusted);
  expect_without_ours(network, discover().tail(encoded(82, theirs)).octets(), Kept::untouched, "behind END");
}

TEST(RelayRequestOption82, row_4A_04_what_a_client_hides_behind_END_never_becomes_an_option) {
  const Outcome outcome =
      network_with_agent_information().request(discover().tail(encoded(82, theirs)).padded_to(0).octets());
  EXPECT_EQ(outcome.decision, relayed(Kept::added));
  EXPECT_EQ(values_of(outcome.message, 82), std::vector<Bytes>{ours});
}

TEST(RelayRequestOption82, row_4A_05_on_a_trusted_circuit_it_stays_the_only_one) {
  for (const bool adds : {false, true}) {
    TestNetwork network = network_with(Existing::by_rfc, true);
    network.policy.add_agent_information = adds;
    expect_without_ours(network, discover().agent_information(theirs).octets(), Kept::untouched);
    expect_without_ours(network, discover().agent_information({}).octets(), Kept::untouched, "an empty one");
  }
  expect_with_ours(network_with(Existing::by_rfc, true), discover().octets(), Kept::added, {ours}, "without one");
}

TEST(RelayRequestOption82, row_4A_06_relayed_messages_are_forwarded_as_they_are) {
  for (const bool is_trusted : {false, true}) {
    const TestNetwork network = network_with(Existing::by_rfc, is_trusted);
    expect_without_ours(network, discover().giaddr(other_relay).octets(), Kept::untouched);
    expect_without_ours(network, discover().giaddr(other_relay).agent_information(theirs).octets(), Kept::untouched);
    expect_without_ours(network, discover().giaddr(other_relay).agent_information({}).octets(), Kept::untouched);
  }
}

struct MatrixCase {
  Existing existing;
  bool is_relayed_already;
  bool is_trusted;
  bool has_option;
  std::string decision;
  std::vector<Bytes> values;  ///< of option 82 afterwards
};

TEST(RelayRequestOption82, row_4A_17_policy_matrix) {
  const std::string untrusted = drop(DropReason::option82_untrusted);
  const std::string discarded = drop(DropReason::option82_discarded);
  const std::string as_it_was = relayed(Kept::untouched);
  const std::string added = relayed(Kept::added);
  const std::string appended = relayed(Kept::appended);
  const std::string replaced = relayed(Kept::replaced);
  const std::vector<MatrixCase> cases{
      // policy, giaddr != 0, trusted, option 82
      {Existing::by_rfc, false, false, false, added, {ours}},
      {Existing::by_rfc, false, false, true, untrusted, {theirs}},
      {Existing::by_rfc, false, true, false, added, {ours}},
      {Existing::by_rfc, false, true, true, as_it_was, {theirs}},
      {Existing::by_rfc, true, false, false, as_it_was, {}},
      {Existing::by_rfc, true, false, true, as_it_was, {theirs}},
      {Existing::by_rfc, true, true, false, as_it_was, {}},
      {Existing::by_rfc, true, true, true, as_it_was, {theirs}},
      {Existing::append, false, false, false, added, {ours}},
      {Existing::append, false, false, true, untrusted, {theirs}},
      {Existing::append, false, true, false, added, {ours}},
      {Existing::append, false, true, true, appended, {theirs, ours}},
      {Existing::append, true, false, false, added, {ours}},
      {Existing::append, true, false, true, appended, {theirs, ours}},
      {Existing::append, true, true, false, added, {ours}},
      {Existing::append, true, true, true, appended, {theirs, ours}},
      {Existing::replace, false, false, false, added, {ours}},
      {Existing::replace, false, false, true, untrusted, {theirs}},
      {Existing::replace, false, true, false, added, {ours}},
      {Existing::replace, false, true, true, replaced, {ours}},
      {Existing::replace, true, false, false, added, {ours}},
      {Existing::replace, true, false, true, replaced, {ours}},
      {Existing::replace, true, true, false, added, {ours}},
      {Existing::replace, true, true, true, replaced, {ours}},
      {Existing::forward, false, false, false, added, {ours}},
      {Existing::forward, false, false, true, untrusted, {theirs}},
      {Existing::forward, false, true, false, added, {ours}},
      {Existing::forward, false, true, true, as_it_was, {theirs}},
      {Existing::forward, true, false, false, as_it_was, {}},
      {Existing::forward, true, false, true, as_it_was, {theirs}},
      {Existing::forward, true, true, false, as_it_was, {}},
      {Existing::forward, true, true, true, as_it_was, {theirs}},
      {Existing::discard, false, false, false, added, {ours}},
      {Existing::discard, false, false, true, untrusted, {theirs}},
      {Existing::discard, false, true, false, added, {ours}},
      {Existing::discard, false, true, true, discarded, {theirs}},
      {Existing::discard, true, false, false, as_it_was, {}},
      {Existing::discard, true, false, true, discarded, {theirs}},
      {Existing::discard, true, true, false, as_it_was, {}},
      {Existing::discard, true, true, true, discarded, {theirs}},
  };
  for (const MatrixCase& test : cases) {
    SCOPED_TRACE(std::to_string(static_cast<int>(test.existing)) + " relayed " +
                 std::to_string(test.is_relayed_already) + " trusted " + std::to_string(test.is_trusted) +
                 " option 82 " + std::to_string(test.has_option));
    MessageBuilder builder = discover();
    if (test.is_relayed_already) {
      builder.giaddr(other_relay).hops(1);
    }
    if (test.has_option) {
      builder.agent_information(theirs);
    }
    const TestNetwork network = network_with(test.existing, test.is_trusted);
    if (test.decision.starts_with("drop")) {
      expect_dropped(network.request(builder.octets()),
                     test.decision == untrusted ? DropReason::option82_untrusted : DropReason::option82_discarded);
    } else if (test.decision == as_it_was) {
      expect_without_ours(network, builder.octets(), Kept::untouched);
      EXPECT_EQ(values_of(network.request(builder.octets()).message, 82), test.values);
    } else {
      const Kept outcome = test.decision == added      ? Kept::added
                           : test.decision == appended ? Kept::appended
                                                       : Kept::replaced;
      expect_with_ours(network, builder.octets(), outcome, test.values);
    }
  }
}

TEST(RelayRequestOption82, row_4A_17_without_adding_ours_nothing_is_replaced_or_appended) {
  for (const Existing existing : {Existing::append, Existing::replace, Existing::forward}) {
    TestNetwork network = network_with(existing, true);
    network.policy.add_agent_information = false;
    expect_without_ours(network, discover().agent_information(theirs).octets(), Kept::untouched);
    expect_without_ours(network, discover().giaddr(other_relay).agent_information(theirs).octets(), Kept::untouched);
    expect_without_ours(network, discover().octets(), Kept::untouched);
  }
}

TEST(RelayRequestOption82, row_4A_17_replacing_takes_every_instance) {
  const TestNetwork network = network_with(Existing::replace, true);
  expect_with_ours(network,
                   discover().agent_information(theirs).option(60, text("vendor")).agent_information({}).octets(),
                   Kept::replaced, {ours}, "two");
  MessageBuilder builder = discover();
  for (int i = 0; i < 200; ++i) {
    builder.agent_information({1, 1, 'x'});
  }
  expect_with_ours(network, builder.octets(), Kept::replaced, {ours}, "two hundred");
}

TEST(RelayRequestOption82, row_4A_17_appending_goes_behind_every_instance) {
  const TestNetwork network = network_with(Existing::append, true);
  MessageBuilder builder = discover();
  for (int i = 0; i < 200; ++i) {
    builder.agent_information({1, 1, 'x'});
  }
  std::vector<Bytes> values(200, Bytes{1, 1, 'x'});
  values.push_back(ours);
  const Outcome outcome = network.request(builder.octets());
  EXPECT_EQ(values_of(outcome.message, 82), values);
}

TEST(RelayRequestOption82, row_4A_17_broken_sub_options_of_others_are_not_our_business) {
  const Bytes broken{1, 200, 'x'};
  expect_without_ours(network_with(Existing::by_rfc, true), discover().agent_information(broken).octets(),
                      Kept::untouched);
  expect_with_ours(network_with(Existing::append, true), discover().agent_information(broken).octets(), Kept::appended,
                   {broken, ours});
  expect_with_ours(network_with(Existing::replace, true), discover().agent_information(broken).octets(), Kept::replaced,
                   {ours});
  expect_with_ours(network_with(Existing::append, true), discover().agent_information(Bytes(255, 9)).octets(),
                   Kept::appended, {Bytes(255, 9), ours});
}

// Sizes: row 4A-07

/// A DISCOVER of exactly `size` octets, END being the last.
Bytes discover_of(std::size_t size) {
  MessageBuilder builder = MessageBuilder{}.op(1).message_type(1);
  std::size_t left = size - builder.octets().size();
  while (left > 257) {
    builder.option(43, Bytes(200, 1));
    left -= 202;
  }
  builder.option(43, Bytes(left - 2, 2));
  return builder.octets();
}

struct SizeCase {
  const char* description;
  std::size_t upstream_mtu;
  std::optional<std::size_t> max_request_size;
  std::size_t size;
  bool fits;
};

TEST(RelayRequestOption82, row_4A_07_the_message_grows_to_the_limit_and_no_further) {
  const std::size_t growth = 2 + ours.size();  // 6
  const std::vector<SizeCase> cases{
      {"exactly the MTU", 1500, std::nullopt, 1472 - growth, true},
      {"one more", 1500, std::nullopt, 1472 - growth + 1, false},
      {"full already", 1500, std::nullopt, 1472, false},
      {"larger than the MTU already", 1500, std::nullopt, 1473, false},
      {"a jumbo MTU", 9000, std::nullopt, 1472, true},
      {"a jumbo message in a small MTU", 1500, std::nullopt, 4000, false},
      {"an MTU of 576", 576, std::nullopt, 548 - growth, true},
      {"one more", 576, std::nullopt, 548 - growth + 1, false},
      {"a maximum of 576", 1500, 576, 576 - growth, true},
      {"one more", 1500, 576, 576 - growth + 1, false},
      {"exactly the maximum already", 1500, 576, 576, false},
      {"above the maximum already", 1500, 576, 577, false},
      {"a maximum above the MTU", 1500, 4000, 3000, true},
      {"the largest message there is", 65'535, 65'507, 65'507, false},
      {"almost the largest message there is", 65'535, 65'507, 65'507 - growth, true},
  };
  for (const SizeCase& test : cases) {
    TestNetwork network = network_with_agent_information();
    network.policy.upstream_mtu = test.upstream_mtu;
    network.policy.max_request_size = test.max_request_size;
    const Bytes message = discover_of(test.size);
    ASSERT_EQ(message.size(), test.size);
    if (test.fits) {
      expect_with_ours(network, message, Kept::added, {ours}, test.description);
      EXPECT_EQ(network.request(message).message.size(), test.size + growth) << test.description;
    } else {
      expect_without_ours(network, message, Kept::did_not_fit, test.description);
    }
  }
}

TEST(RelayRequestOption82, row_4A_07_a_request_of_1460_octets_and_30_of_ours) {
  TestNetwork network = network_with_agent_information();
  network.change(
      c0, [](Interface& interface) { interface.agent_information = agent_information(encoded(1, Bytes(26, 'x'))); });
  expect_without_ours(network, discover_of(1460), Kept::did_not_fit);
}

TEST(RelayRequestOption82, row_4A_07_PADs_give_room) {
  TestNetwork network = network_with_agent_information();
  Bytes message = discover_of(1472 - 2 - ours.size());
  message.resize(1472, 0);
  expect_with_ours(network, message, Kept::added, {ours});
  EXPECT_EQ(network.request(message).message.size(), 1472U);
}

TEST(RelayRequestOption82, row_4A_07_PADs_give_room_beyond_the_MTU_too) {
  // RFC 3046 section 2.1 forbids growing past the MTU; this one was past it as it came and does not grow.
  TestNetwork network = network_with_agent_information();
  Bytes message = discover_of(1600);
  message.resize(1700, 0);
  expect_with_ours(network, message, Kept::added, {ours});
  EXPECT_EQ(network.request(message).message.size(), 1700U);
  network.policy.max_request_size = 1472;
  expect_without_ours(network, message, Kept::did_not_fit);
}

TEST(RelayRequestOption82, row_4A_07_a_message_that_cannot_be_300_octets_is_left_alone) {
  TestNetwork network = network_with_agent_information();
  network.policy.max_request_size = 290;
  const Bytes message = MessageBuilder{}.op(1).message_type(1).octets();
  const Outcome outcome = network.request(message);
  EXPECT_LE(outcome.message.size(), 290U);
}

TEST(RelayRequestOption82, row_4A_07_replacing_takes_the_size_afterwards) {
  TestNetwork network = network_with(Existing::replace, true);
  Bytes message = discover_of(1472 - 2 - theirs.size());
  message.pop_back();
  message = joined({message, encoded(82, theirs), {255}});
  ASSERT_EQ(message.size(), 1472U);
  expect_with_ours(network, message, Kept::replaced, {ours}, "ours is shorter");
  network.change(
      c0, [](Interface& interface) { interface.agent_information = agent_information(encoded(1, Bytes(100, 'x'))); });
  expect_without_ours(network, message, Kept::did_not_fit, "ours is longer: theirs stays");
}

TEST(RelayRequestOption82, row_4A_07_appending_that_does_not_fit_keeps_theirs) {
  TestNetwork network = network_with(Existing::append, true);
  network.policy.max_request_size = 320;
  const Bytes message = discover().agent_information(Bytes(60, 3)).octets();
  ASSERT_GT(message.size() + 2 + ours.size(), 320U);
  expect_without_ours(network, message, Kept::did_not_fit);
}

TEST(RelayRequestOption82, row_4A_07_the_buffers_end_is_a_limit_too) {
  const TestNetwork network = network_with_agent_information();
  const std::size_t growth = 2 + ours.size();
  const Bytes message = discover_of(400);
  for (std::size_t room = 0; room < growth + 3; ++room) {
    const Outcome outcome = network.request(message, c0, room);
    EXPECT_EQ(outcome.decision, relayed(room < growth ? Kept::did_not_fit : Kept::added)) << room;
    EXPECT_TRUE(outcome.is_intact_beside) << room;
    if (room < growth) {
      EXPECT_EQ(outcome.message, forwarded(message)) << room;
    } else {
      EXPECT_EQ(outcome.message.size(), 400 + growth) << room;
    }
  }
}

TEST(RelayRequestOption82, row_4A_07_no_room_to_become_300_octets) {
  const TestNetwork network = network_with_agent_information();
  const Bytes message = MessageBuilder{}.op(1).message_type(1).octets();
  expect_without_ours(network, message, Kept::did_not_fit, "no room at all", 0);
  expect_without_ours(network, message, Kept::did_not_fit, "one octet less than 300", 299 - message.size());
  EXPECT_EQ(network.request(message, c0, 300 - message.size()).decision, relayed(Kept::added));
}

TEST(RelayRequestOption82, circuit_ids_of_every_size) {
  for (std::size_t size = 0; size <= 253; ++size) {
    TestNetwork network = network_with_agent_information();
    const Bytes content = encoded(1, Bytes(size, 'x'));
    network.change(c0, [&](Interface& interface) { interface.agent_information = agent_information(content); });
    const Bytes message = discover().octets();
    const Outcome outcome = network.request(message);
    ASSERT_EQ(outcome.decision, relayed(Kept::added)) << size;
    ASSERT_EQ(values_of(outcome.message, 82), std::vector<Bytes>{content}) << size;
    ASSERT_EQ(outcome.message.size(), std::max(message.size(), without_trailing_pad(message).size() + 2 + size + 2))
        << size;
  }
}

TEST(RelayRequestOption82, drops_behind_the_rules_of_option_82_leave_the_message_alone) {
  TestNetwork network = network_with_agent_information();
  network.change(c0, [](Interface& interface) { interface.servers.clear(); });
  expect_dropped(network.request(discover().octets()), DropReason::no_server);
  network.change(c0, [](Interface& interface) { interface.giaddr = ip(10, 1, 0, 254); });
  expect_dropped(network.request(discover().octets()), DropReason::interface_passive);
  network.change(c0, [](Interface& interface) { interface.giaddr.reset(); });
  expect_dropped(network.request(discover().octets()), DropReason::no_address);

  TestNetwork replacing = network_with(Existing::replace, true);
  replacing.change(c0, [](Interface& interface) { interface.servers.clear(); });
  expect_dropped(replacing.request(discover().agent_information(theirs).octets()), DropReason::no_server);
}

}  // namespace
}  // namespace relay
