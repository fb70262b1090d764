// Which segment a reply belongs to where giaddr alone does not tell, and which virtual subnet: circuit-ids that depend
// on the client, transactions, and sub-options 151 and 152 (RFC 6607 section 5).

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "relay/core/bootp.h"
#include "tests/support/message_builder.h"
#include "tests/support/test_network.h"

namespace relay {
namespace {

using options82::AgentInformationForm;
using options82::Blank;
using options82::FormValue;
using options82::SubOption;
using test_support::ack;
using test_support::agent_information;
using test_support::Bytes;
using test_support::c0;
using test_support::c1;
using test_support::circuit_id;
using test_support::drop;
using test_support::encoded;
using test_support::ip;
using test_support::joined;
using test_support::MessageBuilder;
using test_support::nak;
using test_support::network_with_agent_information;
using test_support::offer;
using test_support::Outcome;
using test_support::TestNetwork;
using test_support::text;
using test_support::values_of;
using test_support::without_trailing_pad;

const std::string to_c0 = "c0 link_unicast 10.1.0.50 02:00:00:00:00:01 from 10.1.0.1";
const std::string to_c1 = "c1 link_unicast 10.1.0.50 02:00:00:00:00:01 from 10.2.0.1";
const std::string ambiguous = drop(DropReason::reply_ambiguous);
const std::string client_text = "02:00:00:00:00:01";
const std::string other_client_text = "02:00:00:00:00:02";
const Bytes theirs = joined({encoded(1, text("port 7")), encoded(2, text("dslam"))});

void expect_dropped(const Outcome& outcome, DropReason reason, const std::string& description = {}) {
  EXPECT_EQ(outcome.decision, drop(reason)) << description;
  EXPECT_TRUE(outcome.is_untouched) << description;
}

/// Delivered on c0 as if it had never had an option 82.
void expect_stripped(const TestNetwork& network, const Bytes& own, const std::string& description = {}) {
  const Outcome outcome = network.reply(offer().agent_information(own).octets());
  EXPECT_EQ(outcome.decision, to_c0) << description;
  EXPECT_EQ(without_trailing_pad(outcome.message), without_trailing_pad(offer().octets())) << description;
}

// RFC 6607 section 5: virtual subnets

const Bytes red = encoded(151, {0, 'r', 'e', 'd'});
const Bytes blue = encoded(151, {0, 'b', 'l', 'u', 'e'});
const Bytes control{152, 0};
const Bytes ours = circuit_id("c0");

/// c0 with sub-options 151, for VRF red, and 152 behind its circuit-id.
TestNetwork network_on_red() {
  TestNetwork network = network_with_agent_information();
  network.change(c0, [](Interface& interface) {
    interface.agent_information = agent_information(joined({ours, red, control}));
    interface.relayed_agent_information = agent_information(ours);
  });
  return network;
}

TEST(RelayReplySegments, row_4S_11_a_server_that_copies_did_not_select) {
  const TestNetwork network = network_on_red();
  for (const auto& builder : {offer(), ack(), nak()}) {
    expect_dropped(network.reply(MessageBuilder{builder}.agent_information(joined({ours, red, control})).octets()),
                   DropReason::vss_unsupported);
  }
  const auto dropped = [&network](const Bytes& content, const std::string& description) {
    expect_dropped(network.reply(offer().agent_information(content).octets()), DropReason::vss_unsupported,
                   description);
  };
  dropped(joined({ours, red, {152, 1, 7}}), "152 with a value");
  dropped(joined({ours, control, red}), "in another order");
  dropped(joined({control, ours, red}), "and in front of all");
  dropped(joined({ours, red, encoded(12, text("x")), control}), "with another one between");
  dropped(joined({ours, blue, control}), "another subnet that was copied is not understood either");
  dropped(joined({ours, control}), "152 alone");
  expect_dropped(
      network.reply(
          offer().agent_information(joined({ours, red})).option(60, text("v")).agent_information(control).octets()),
      DropReason::vss_unsupported, "split (RFC 3396 section 7)");
}

TEST(RelayReplySegments, row_4S_11_a_server_without_151_did_not_select) {
  const TestNetwork network = network_on_red();
  expect_dropped(network.reply(offer().octets()), DropReason::vss_unsupported, "no option 82");
  expect_dropped(network.reply(offer().agent_information(ours).octets()), DropReason::vss_unsupported, "no 151");
  expect_dropped(network.reply(offer().agent_information({}).octets()), DropReason::vss_unsupported, "an empty one");
  expect_dropped(network.reply(offer().agent_information(theirs).octets()), DropReason::vss_unsupported, "theirs");
}

TEST(RelayReplySegments, row_4S_11_a_server_that_takes_152_out_selected) {
  const TestNetwork network = network_on_red();
  expect_stripped(network, joined({ours, red}));
  expect_stripped(network, joined({ours, red, encoded(12, text("x"))}), "changed elsewhere: told by the circuit-id");
  TestNetwork strict = network_on_red();
  strict.policy.drop_unmatched_replies = true;
  expect_stripped(strict, joined({ours, red}), "with -D");
  expect_dropped(strict.reply(offer().octets()), DropReason::option82_unmatched);
}

TEST(RelayReplySegments, row_4S_11_behind_a_downstream_agents_option_82) {
  const TestNetwork network = network_on_red();
  const Outcome outcome = network.reply(offer().agent_information(joined({theirs, ours, red})).octets());
  EXPECT_EQ(outcome.decision, to_c0);
  EXPECT_EQ(values_of(outcome.message, 82), std::vector<Bytes>{theirs});
  EXPECT_EQ(network.reply(offer().agent_information(joined({theirs, blue, ours, red})).octets()).decision, to_c0)
      << "the last one is ours";
}

TEST(RelayReplySegments, row_4S_12_a_subnet_that_the_server_assigned) {
  const TestNetwork network = network_on_red();
  const auto unknown = [&network](const Bytes& content, const std::string& description) {
    expect_dropped(network.reply(offer().agent_information(content).octets()), DropReason::vss_unknown, description);
  };
  unknown(joined({ours, blue}), "another name");
  unknown(joined({ours, encoded(151, {0, 'r', 'e'})}), "the start of ours");
  unknown(joined({ours, encoded(151, {0, 'r', 'e', 'd', 0})}), "ours with a zero behind it");
  unknown(joined({ours, encoded(151, {1, 'r', 'e', 'd'})}), "another type");
  unknown(joined({ours, encoded(151, {255})}), "global");
  unknown(joined({ours, encoded(151, {})}), "nothing at all");
  unknown(joined({theirs, blue}), "in an option 82 that is not ours");
}

TEST(RelayReplySegments, row_4S_12_we_have_no_virtual_subnet) {
  const TestNetwork network = network_with_agent_information();
  expect_dropped(network.reply(offer().agent_information(joined({ours, red})).octets()), DropReason::vss_unknown);
  expect_dropped(network.reply(offer().agent_information(red).octets()), DropReason::vss_unknown);
  expect_stripped(network, joined({ours, red, control}), "152 says that the server acted on none");
  expect_stripped(network, ours, "and the server assigned none");
  expect_stripped(network, joined({ours, control}), "152 alone says nothing");
}

TEST(RelayReplySegments, row_4S_12_a_switch_on_a_trusted_circuit_speaks_for_itself) {
  for (TestNetwork network : {network_on_red(), network_with_agent_information()}) {
    network.change(c0, [](Interface& interface) { interface.is_trusted = true; });
    for (const Bytes& content : {theirs, joined({theirs, blue}), joined({theirs, red, control})}) {
      const Outcome outcome = network.reply(offer().agent_information(content).octets());
      EXPECT_EQ(outcome.decision, to_c0);
      EXPECT_TRUE(outcome.is_untouched);
    }
  }
  TestNetwork network = network_on_red();
  network.change(c0, [](Interface& interface) { interface.is_trusted = true; });
  expect_stripped(network, joined({ours, red}), "ours is looked at there, too");
  expect_dropped(network.reply(offer().agent_information(joined({ours, red, control})).octets()),
                 DropReason::vss_unsupported);
  expect_dropped(network.reply(offer().octets()), DropReason::vss_unsupported);
}

TEST(RelayReplySegments, row_4S_11_and_4S_12_ours_is_looked_at_on_a_trusted_circuit_however_a_server_changed_it) {
  TestNetwork network = network_on_red();
  network.change(c0, [](Interface& interface) { interface.is_trusted = true; });
  const auto expect = [&](const Bytes& content, DropReason reason, const char* description) {
    expect_dropped(network.reply(offer().agent_information(content).octets()), reason, description);
  };
  expect(joined({ours, blue}), DropReason::vss_unknown, "another one assigned");
  expect(joined({red, control, ours}), DropReason::vss_unsupported, "in another order");
  expect(joined({ours, control}), DropReason::vss_unsupported, "152 alone");
  expect(ours, DropReason::vss_unsupported, "neither of them");
}

TEST(RelayReplySegments, row_4S_12_without_adding_option_82_nothing_is_asked) {
  TestNetwork network = network_on_red();
  network.policy.add_agent_information = false;
  for (const Bytes& content : {joined({ours, red, control}), joined({ours, blue}), ours}) {
    const Outcome outcome = network.reply(offer().agent_information(content).octets());
    EXPECT_EQ(outcome.decision, to_c0);
    EXPECT_TRUE(outcome.is_untouched);
  }
  EXPECT_EQ(network.reply(offer().octets()).decision, to_c0);
}

TEST(RelayReplySegments, row_4A_16_BOOTP_without_options_has_no_virtual_subnet) {
  const TestNetwork network = network_on_red();
  EXPECT_EQ(network.reply(offer().without_cookie().padded_to(300).octets()).decision, to_c0);
}

// Circuit-ids that depend on the client

AgentInformationForm form_with(const FormValue& circuit) {
  AgentInformationForm form;
  EXPECT_TRUE(form.add(SubOption::circuit_id, circuit));
  return form;
}

/// c0 and c1 with the giaddr 10.1.0.1 and these circuit-ids.
TestNetwork network_that_shares(const FormValue& of_c0, const FormValue& of_c1) {
  TestNetwork network = network_with_agent_information();
  network.change(c0, [&](Interface& interface) {
    interface.agent_information = form_with(of_c0);
    interface.bridge_ports = {"swp1", "swp10"};
  });
  network.change(c1, [&](Interface& interface) {
    interface.giaddr = ip(10, 1, 0, 1);
    interface.agent_information = form_with(of_c1);
    interface.bridge_ports = {"swp2"};
  });
  return network;
}

std::string decision_on(const TestNetwork& network, std::string_view circuit) {
  return network.reply(offer().agent_information(circuit_id(circuit)).octets()).decision;
}

TEST(RelayReplySegments, row_4A_14_by_a_circuit_id_with_the_clients_port) {
  const TestNetwork network = network_that_shares({Blank::client_port}, {Blank::client_port});
  EXPECT_EQ(decision_on(network, "swp1"), to_c0);
  EXPECT_EQ(decision_on(network, "swp10"), to_c0);
  EXPECT_EQ(decision_on(network, "c0"), to_c0) << "no port was known: the interface itself";
  EXPECT_EQ(decision_on(network, "swp2"), to_c1);
  EXPECT_EQ(decision_on(network, "c1"), to_c1);
  EXPECT_EQ(decision_on(network, "swp3"), ambiguous);
  EXPECT_EQ(decision_on(network, "swp"), ambiguous);
  EXPECT_EQ(network.reply(offer().octets()).decision, ambiguous);
}

TEST(RelayReplySegments, row_4A_14_by_a_circuit_id_with_the_clients_address) {
  const TestNetwork network =
      network_that_shares({"c0/", Blank::client_hardware_address}, {"c1/", Blank::client_hardware_address});
  EXPECT_EQ(decision_on(network, "c0/" + client_text), to_c0);
  EXPECT_EQ(decision_on(network, "c1/" + client_text), to_c1);
  EXPECT_EQ(decision_on(network, "c0/" + other_client_text), ambiguous) << "not this reply's client";
  EXPECT_EQ(decision_on(network, "c0/"), ambiguous);
  EXPECT_EQ(network.reply(offer().hlen(0).agent_information(circuit_id("c1/")).octets()).decision,
            "c1 link_broadcast 255.255.255.255 ff:ff:ff:ff:ff:ff from 10.2.0.1")
      << "a client without a hardware address";
}

TEST(RelayReplySegments, row_4A_14_the_same_circuit_id_on_two_interfaces_is_ambiguous) {
  const TestNetwork both = network_that_shares({Blank::client_hardware_address}, {Blank::client_hardware_address});
  EXPECT_EQ(decision_on(both, client_text), ambiguous);
  const TestNetwork constant_and_blank = network_that_shares({"swp2"}, {Blank::client_port});
  EXPECT_EQ(decision_on(constant_and_blank, "swp2"), ambiguous);
  EXPECT_EQ(decision_on(constant_and_blank, "c1"), to_c1);
  const TestNetwork different = network_that_shares({"c0"}, {"c1/", Blank::client_port});
  EXPECT_EQ(decision_on(different, "c0"), to_c0);
  EXPECT_EQ(decision_on(different, "c1/swp2"), to_c1);
  EXPECT_EQ(decision_on(different, "c1/swp1"), ambiguous) << "c0's port";
}

TEST(RelayReplySegments, row_4A_14_interfaces_of_another_giaddr_do_not_count) {
  TestNetwork network = network_that_shares({Blank::client_port}, {Blank::client_port});
  Interface other = *network.interfaces.find(c1);
  other.index = 50;
  other.name = "c50";
  other.addresses = {{ip(10, 50, 0, 1), 24}};
  other.giaddr = ip(10, 50, 0, 1);
  network.interfaces.put(other);
  EXPECT_EQ(decision_on(network, "swp2"), to_c1) << "c50 has the same port's name and another giaddr";
  EXPECT_EQ(decision_on(network, "c50"), ambiguous);
}

TEST(RelayReplySegments, row_4A_09_ours_is_removed_with_its_blanks_filled_in) {
  const TestNetwork network =
      network_that_shares({"c0/", Blank::client_port, "/", Blank::client_hardware_address}, {"c1"});
  expect_stripped(network, circuit_id("c0/swp10/" + client_text));
  expect_stripped(network, circuit_id("c0/c0/" + client_text));
}

TEST(RelayReplySegments, row_4S_08_flags_of_either_value_are_ours) {
  TestNetwork network = network_with_agent_information();
  network.policy.drop_unmatched_replies = true;
  network.change(c0, [](Interface& interface) {
    interface.is_trusted = true;  // so that the whole of it has to be ours
    interface.agent_information = agent_information(ours);
    EXPECT_TRUE(interface.agent_information.add(SubOption::relay_flags, {Blank::relay_flags}));
  });
  expect_stripped(network, joined({ours, {10, 1, 0}}));
  expect_stripped(network, joined({ours, {10, 1, 0x80}}));
  const Outcome other = network.reply(offer().agent_information(joined({ours, {10, 1, 1}})).octets());
  EXPECT_TRUE(other.is_untouched) << "a flag that we never set";
}

TEST(RelayReplySegments, row_4A_10_another_clients_echo_is_not_ours) {
  TestNetwork network = network_with_agent_information();
  network.change(c0, [](Interface& interface) {
    interface.agent_information = form_with({"c0/", Blank::client_hardware_address});
  });
  expect_stripped(network, circuit_id("c0/" + client_text));
  EXPECT_TRUE(network.reply(offer().agent_information(circuit_id("c0/" + other_client_text)).octets()).is_untouched);
  network.policy.drop_unmatched_replies = true;
  expect_dropped(network.reply(offer().agent_information(circuit_id("c0/" + other_client_text)).octets()),
                 DropReason::option82_unmatched);
}

// Transactions

void remember(TestNetwork& network, const MessageBuilder& request, std::uint32_t index) {
  const Bytes octets = request.octets();
  network.transactions.remember(std::span{octets}.first<bootp::header_size>(), index, std::chrono::nanoseconds{0});
}

TEST(RelayReplySegments, row_4A_12_without_an_echo_the_transaction_tells) {
  TestNetwork network = network_that_shares({"c0"}, {"c1"});
  EXPECT_EQ(network.reply(offer().octets()).decision, ambiguous);
  remember(network, test_support::discover(), c1);
  EXPECT_EQ(network.reply(offer().octets()).decision, to_c1);
  EXPECT_EQ(network.reply(ack().octets()).decision, to_c1) << "and again";
  EXPECT_EQ(network.reply(offer().xid(9).octets()).decision, ambiguous);
  EXPECT_EQ(network.reply(offer().chaddr({2, 0, 0, 0, 0, 9}).octets()).decision, ambiguous);
  EXPECT_EQ(network.reply(offer().agent_information(theirs).octets()).decision, to_c1) << "an echo that names nobody";
}

TEST(RelayReplySegments, row_4A_14_the_echo_comes_before_the_transaction) {
  TestNetwork network = network_that_shares({"c0"}, {"c1"});
  remember(network, test_support::discover(), c1);
  EXPECT_EQ(decision_on(network, "c0"), to_c0);
}

TEST(RelayReplySegments, a_transaction_of_two_interfaces_is_ambiguous) {
  TestNetwork network = network_that_shares({"c0"}, {"c1"});
  remember(network, test_support::discover(), c0);
  remember(network, test_support::discover(), c1);
  EXPECT_EQ(network.reply(offer().octets()).decision, ambiguous);
  EXPECT_EQ(decision_on(network, "c1"), to_c1) << "unless the echo tells";
}

TEST(RelayReplySegments, a_transaction_does_not_lead_to_an_interface_of_another_giaddr) {
  TestNetwork network = network_that_shares({"c0"}, {"c1"});
  Interface other = *network.interfaces.find(c1);
  other.index = 50;
  other.giaddr = ip(10, 50, 0, 1);
  other.addresses = {{ip(10, 50, 0, 1), 24}};
  network.interfaces.put(other);
  remember(network, test_support::discover(), 50);
  EXPECT_EQ(network.reply(offer().octets()).decision, ambiguous);
  EXPECT_EQ(network.reply(offer().giaddr(ip(10, 2, 0, 1)).octets()).decision, to_c1)
      << "and giaddr of one interface alone does not ask";
}

TEST(RelayReplySegments, a_giaddr_of_one_interface_needs_no_transaction) {
  TestNetwork network = network_with_agent_information();
  remember(network, test_support::discover(), c1);
  EXPECT_EQ(network.reply(offer().octets()).decision, to_c0);
}

}  // namespace
}  // namespace relay
