// DHCPv6 messages on their way to the servers (RFC 8415 section 19.1).

#include "relay/core/relay_request6.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/test_network6.h"

namespace relay {
namespace {

using test_support::advertise6;
using test_support::Bytes;
using test_support::c0;
using test_support::c1;
using test_support::drop;
using test_support::forwarded6;
using test_support::from_client;
using test_support::from_relay;
using test_support::ip6;
using test_support::lo;
using test_support::message6;
using test_support::no_interface;
using test_support::no_templates;
using test_support::option6;
using test_support::Outcome;
using test_support::parsed_relay_message6;
using test_support::ParsedRelayMessage6;
using test_support::relay_message6;
using test_support::relayed6;
using test_support::s0;
using test_support::solicit6;
using test_support::TestNetwork6;
using test_support::text;

void expect_dropped(const Outcome& outcome, DropReason reason, const std::string& description = {}) {
  EXPECT_EQ(outcome.decision, drop(reason)) << description;
  EXPECT_TRUE(outcome.is_untouched) << description;
}

/// What a message of fe80::1 on c0 becomes, with `options` in front of Relay Message.
Bytes wrapped(const Bytes& message, std::initializer_list<Bytes> options = {}) {
  Bytes result = relay_message6(12, 0, ip6("2001:db8:1::1"), ip6("fe80::1"), options);
  const Bytes last = option6(9, message);
  result.insert(result.end(), last.begin(), last.end());
  return result;
}

Bytes client_mac_option() {
  return option6(79, {0, 1, 2, 0, 0, 0, 0, 1});
}

void expect_relayed(const Bytes& message, const std::string& description = {}) {
  const Outcome outcome = TestNetwork6{}.request(message);
  EXPECT_EQ(outcome.decision, relayed6()) << description;
  EXPECT_EQ(outcome.message, wrapped(message, {client_mac_option()})) << description;
  EXPECT_TRUE(outcome.is_intact_beside) << description;
}

TestNetwork6 trusting_network() {
  TestNetwork6 network;
  network.change(c0, [](Interface& interface) { interface.is_trusted = true; });
  return network;
}

// Reception

TEST(RelayRequest6, row_6R_01_messages_are_accepted_on_downstream_interfaces_alone) {
  const TestNetwork6 network;
  EXPECT_EQ(network.request(solicit6(), from_client(c0)).decision, relayed6());
  expect_dropped(network.request(solicit6(), from_client(s0)), DropReason::not_downstream, "upstream");
  expect_dropped(network.request(solicit6(), from_client(lo)), DropReason::not_downstream, "neither");
  expect_dropped(network.request(solicit6(), from_client(no_interface)), DropReason::interface_unknown);
  expect_dropped(network.request(solicit6(), from_client(0)), DropReason::interface_unknown, "index 0");
}

TEST(RelayRequest6, row_6R_01_multicast_and_unicast_are_the_same) {
  Ingress6 ingress = from_client();
  for (const char* destination : {"ff02::1:2", "2001:db8:1::1", "fe80::c0", "ff05::1:3"}) {
    ingress.destination = ip6(destination);
    EXPECT_EQ(TestNetwork6{}.request(solicit6(), ingress).decision, relayed6()) << destination;
  }
}

TEST(RelayRequest6, row_6R_02_and_6R_07_what_servers_send_is_dropped) {
  for (const std::uint8_t type : Bytes{2, 7, 10}) {
    expect_dropped(TestNetwork6{}.request(message6(type)), DropReason::server_message, std::to_string(type));
    expect_dropped(trusting_network().request(message6(type)), DropReason::server_message, std::to_string(type));
  }
  expect_dropped(trusting_network().request(test_support::relay_reply6(advertise6())), DropReason::server_message);
}

TEST(RelayRequest6, row_6D_11_an_answer_to_what_was_not_asked_is_dropped) {
  expect_dropped(trusting_network().request(message6(19)), DropReason::server_message);
}

TEST(RelayRequest6, row_6R_03_unknown_types_are_relayed) {
  for (int type = 0; type < 256; ++type) {
    const bool is_known = type == 2 || type == 7 || type == 10 || (type >= 12 && type <= 14) || type == 19;
    if (!is_known) {
      expect_relayed(message6(static_cast<std::uint8_t>(type), {option6(1, text("client"))}), std::to_string(type));
    }
  }
}

TEST(RelayRequest6, row_6R_04_unknown_options_do_not_matter) {
  expect_relayed(message6(1, {option6(65000, text("unknown")), option6(300, {})}));
}

TEST(RelayRequest6, row_6R_05_no_option_is_looked_into) {
  expect_relayed(message6(1), "the header alone");
  expect_relayed(message6(1, {{0}}), "a part of a code");
  expect_relayed(message6(1, {{0, 3, 0, 40, 0, 0, 0, 1}}), "a cut IA_NA");
  expect_relayed(message6(1, {{0, 1, 0xff, 0xff}}), "a length that lies");
  expect_relayed(message6(1, {option6(9, solicit6())}), "an option of relay messages");
}

TEST(RelayRequest6, row_6R_05_a_message_cut_at_every_octet_is_relayed_if_it_has_its_header) {
  const Bytes client = solicit6();
  for (std::size_t size = 0; size <= client.size(); ++size) {
    const Bytes cut(client.begin(), client.begin() + static_cast<std::ptrdiff_t>(size));
    if (size < 4) {
      expect_dropped(TestNetwork6{}.request(cut), DropReason::header_too_short, std::to_string(size));
    } else {
      expect_relayed(cut, std::to_string(size));
    }
  }
  const Bytes relay = forwarded6(0, client);
  for (std::size_t size = 0; size <= relay.size(); ++size) {
    const Bytes cut(relay.begin(), relay.begin() + static_cast<std::ptrdiff_t>(size));
    const Outcome outcome = trusting_network().request(cut, from_relay("fe80::99"));
    EXPECT_EQ(outcome.decision, size < 34 ? drop(DropReason::header_too_short) : relayed6()) << size;
  }
}

TEST(RelayRequest6, row_6R_06_relay_agents_are_behind_trusted_interfaces) {
  const Bytes message = forwarded6(0, solicit6());
  expect_dropped(TestNetwork6{}.request(message, from_relay("fe80::99")), DropReason::relay_forward_untrusted);
  EXPECT_EQ(trusting_network().request(message, from_relay("fe80::99")).decision, relayed6());
}

struct HopCase {
  std::uint8_t limit;
  std::uint8_t hop_count;
  bool is_relayed;
};

TEST(RelayRequest6, row_6R_08_a_hop_count_that_has_reached_the_limit_is_dropped) {
  const std::vector<HopCase> cases{{8, 0, true},    {8, 7, true},    {8, 8, false},   {8, 31, false},
                                   {8, 255, false}, {1, 0, true},    {1, 1, false},   {32, 31, true},
                                   {32, 32, false}, {255, 31, true}, {255, 32, false}};
  for (const HopCase& test : cases) {
    TestNetwork6 network = trusting_network();
    network.policy.hop_count_limit = test.limit;
    const Outcome outcome = network.request(forwarded6(test.hop_count, solicit6()), from_relay("fe80::99"));
    EXPECT_EQ(outcome.decision, test.is_relayed ? relayed6() : drop(DropReason::hop_count_reached))
        << int{test.limit} << " " << int{test.hop_count};
    EXPECT_EQ(outcome.message[1], test.is_relayed ? test.hop_count + 1 : test.hop_count);
  }
  EXPECT_EQ(Policy6{}.hop_count_limit, 8);
}

TEST(RelayRequest6, row_6R_08_the_hop_count_is_that_of_relay_forwards_alone) {
  expect_relayed({1, 255, 255, 255}, "a transaction-id in its place");
}

TEST(RelayRequest6, row_6R_09_queries_of_leases_come_from_trusted_interfaces) {
  expect_dropped(TestNetwork6{}.request(message6(14)), DropReason::lease_query_untrusted);
  EXPECT_EQ(trusting_network().request(message6(14)).decision, relayed6());
}

TEST(RelayRequest6, row_6R_10_relay_supplied_options_are_found_at_any_level) {
  TestNetwork6 network = trusting_network();
  const Bytes with = relay_message6(12, 0, {}, {}, {option6(66, {}), option6(9, solicit6())});
  const Bytes behind = relay_message6(12, 0, {}, {}, {option6(9, solicit6()), option6(66, text("x"))});
  const Ingress6 ingress = from_relay("fe80::99");
  for (const Bytes& message : {with, behind, forwarded6(1, with), forwarded6(2, forwarded6(1, behind))}) {
    network.policy.relays_relay_supplied_options = true;
    EXPECT_EQ(network.request(message, ingress).decision, relayed6()) << "the default";
    network.policy.relays_relay_supplied_options = false;
    expect_dropped(network.request(message, ingress), DropReason::relay_supplied_options_refused);
  }
  const Bytes of_client = message6(1, {option6(66, text("x"))});
  EXPECT_EQ(network.request(forwarded6(0, of_client), ingress).decision, relayed6()) << "supplied by no relay agent";
  EXPECT_EQ(network.request(forwarded6(0, {}), ingress).decision, relayed6()) << "nothing in it";
}

TEST(RelayRequest6, row_6R_10_what_could_hide_relay_supplied_options_is_dropped_with_them) {
  TestNetwork6 network = trusting_network();
  network.policy.relays_relay_supplied_options = false;
  const Ingress6 ingress = from_relay("fe80::99");
  const Bytes doubled = relay_message6(12, 0, {}, {}, {option6(9, solicit6()), option6(9, solicit6())});
  expect_dropped(network.request(forwarded6(1, doubled), ingress), DropReason::relay_message_doubled);
  const Bytes broken = relay_message6(12, 0, {}, {}, {{0, 9, 0, 9, 1}});
  expect_dropped(network.request(forwarded6(1, broken), ingress), DropReason::relay_options_malformed);
  expect_dropped(network.request(forwarded6(1, Bytes(33, 12)), ingress), DropReason::header_too_short);
}

TEST(RelayRequest6, row_6R_10_nesting_as_deep_as_a_datagram_is_walked) {
  Bytes message = relay_message6(12, 0, {}, {}, {option6(66, {})});
  std::size_t levels = 1;
  while (message.size() + 38 <= 65'000) {
    message = relay_message6(12, 0, {}, {}, {option6(9, message)});
    ++levels;
  }
  EXPECT_EQ(levels, 1710U);
  TestNetwork6 network = trusting_network();
  EXPECT_EQ(network.request(message, from_relay("fe80::99")).decision, relayed6());
  network.policy.relays_relay_supplied_options = false;
  expect_dropped(network.request(message, from_relay("fe80::99")), DropReason::relay_supplied_options_refused);
}

TEST(RelayRequest6, row_6R_11_requests_to_reconfigure_can_be_refused) {
  TestNetwork6 network;
  EXPECT_EQ(network.request(message6(18)).decision, relayed6());
  network.policy.relays_reconfigure_requests = false;
  expect_dropped(network.request(message6(18)), DropReason::reconfigure_request_refused);
}

TEST(RelayRequest6, a_source_that_cannot_be_answered_is_dropped) {
  TestNetwork6 network;
  for (const char* source : {"::", "::1", "ff02::1", "ff05::1:3", "::ffff:10.1.0.1", "2001:db8:1::1", "2001:db8:2::1",
                             "2001:db8:ff::1", "fe80::c0"}) {
    Ingress6 ingress = from_client();
    ingress.source = ip6(source);
    expect_dropped(network.request(solicit6(), ingress), DropReason::source_invalid, source);
  }
  Ingress6 ingress = from_client();
  ingress.source = ip6("fe80::c1");  // c1's own, of which c0's link knows nothing
  EXPECT_EQ(network.request(solicit6(), ingress).decision, relayed6());
}

struct OrderCase {
  const char* description;
  Bytes message;
  Ingress6 ingress;
  DropReason reason;
};

TEST(RelayRequest6, the_first_rule_that_applies_decides) {
  TestNetwork6 network;
  network.change(c0, [](Interface& interface) { interface.v6.servers.clear(); });
  const auto arriving_at = [](std::uint32_t index, const char* source) {
    return Ingress6{index, ip6(source), 547, ip6("ff02::1:2")};
  };
  const Bytes all_wrong = relay_message6(13, 9, {}, {}, {});
  const Bytes relay_forward = relay_message6(12, 9, {}, {}, {});
  const std::vector<OrderCase> cases{
      {"header", {13, 1, 2}, arriving_at(no_interface, "::"), DropReason::header_too_short},
      {"interface", all_wrong, arriving_at(no_interface, "::"), DropReason::interface_unknown},
      {"side", all_wrong, arriving_at(s0, "::"), DropReason::not_downstream},
      {"type", all_wrong, arriving_at(c0, "::"), DropReason::server_message},
      {"source", relay_forward, arriving_at(c0, "::"), DropReason::source_invalid},
      {"trust", relay_forward, arriving_at(c0, "fe80::1"), DropReason::relay_forward_untrusted},
      {"servers", solicit6(), arriving_at(c0, "fe80::1"), DropReason::no_server},
  };
  for (const OrderCase& test : cases) {
    expect_dropped(network.request(test.message, test.ingress, 0), test.reason, test.description);
  }
}

// Forwarding

TEST(RelayRequest6, row_6F_01_a_message_becomes_a_relay_forward_that_ends_with_it) {
  for (const std::uint8_t type : Bytes{1, 3, 4, 5, 6, 8, 9, 11}) {
    expect_relayed(message6(type, {option6(1, text("client")), option6(8, {0, 0})}), std::to_string(type));
  }
  const Outcome outcome = TestNetwork6{}.request(solicit6());
  const ParsedRelayMessage6 sent = parsed_relay_message6(outcome.message);
  EXPECT_EQ(sent.type, 12);
  EXPECT_EQ(sent.hop_count, 0);
  EXPECT_EQ(sent.link_address, ip6("2001:db8:1::1"));
  EXPECT_EQ(sent.peer_address, ip6("fe80::1"));
  EXPECT_EQ(sent.options.find(9), solicit6());
  EXPECT_FALSE(sent.options.is_damaged);
}

TEST(RelayRequest6, row_6F_02_link_address_is_the_one_that_was_chosen) {
  TestNetwork6 network;
  network.change(c0, [](Interface& interface) { choose_addresses(interface.v6, ip6("2001:db8:abc::1")); });
  const ParsedRelayMessage6 sent = parsed_relay_message6(network.request(solicit6()).message);
  EXPECT_EQ(sent.link_address, ip6("2001:db8:abc::1"));
  EXPECT_EQ(sent.options.find(18), std::nullopt) << "which no other interface has";
}

TEST(RelayRequest6, row_6F_02_and_6F_03_without_an_address_interface_id_tells_the_link) {
  TestNetwork6 network;
  network.change(c0, [](Interface& interface) {
    interface.v6.addresses = {{{ip6("fe80::c0"), 64}}};
    choose_addresses(interface.v6, std::nullopt);
  });
  const Outcome outcome = network.request(solicit6());
  EXPECT_EQ(outcome.decision, "servers 2001:db8:53::10 2001:db8:53::11 from ::");
  const ParsedRelayMessage6 sent = parsed_relay_message6(outcome.message);
  EXPECT_EQ(sent.link_address, ip6("::"));
  EXPECT_EQ(sent.options.find(18), text("c0"));
}

TEST(RelayRequest6, row_6F_03_interface_id_is_sent_where_link_address_is_shared) {
  TestNetwork6 network;
  EXPECT_EQ(parsed_relay_message6(network.request(solicit6()).message).options.find(18), std::nullopt);
  network.change(c1, [](Interface& interface) {
    interface.v6.addresses.push_back({{ip6("2001:db8:1::1"), 64}});
    choose_addresses(interface.v6, std::nullopt);
  });
  const ParsedRelayMessage6 sent = parsed_relay_message6(network.request(solicit6()).message);
  EXPECT_EQ(sent.link_address, ip6("2001:db8:1::1"));
  EXPECT_EQ(sent.options.find(18), text("c0"));
}

TEST(RelayRequest6, row_6F_03_interface_id_can_be_sent_always) {
  TestNetwork6 network = trusting_network();
  RelayForwardSettings settings;
  settings.interface_id = true;
  network.encode(settings);
  EXPECT_EQ(parsed_relay_message6(network.request(solicit6()).message).options.find(18), text("c0"));
  const Bytes relayed = network.request(forwarded6(0, solicit6()), from_relay("2001:db8:1::99")).message;
  EXPECT_EQ(parsed_relay_message6(relayed).options.find(18), text("c0"));
}

TEST(RelayRequest6, row_6F_05_a_relay_agent_with_a_global_address_needs_no_link) {
  const TestNetwork6 network = trusting_network();
  for (const char* source : {"2001:db8:1::99", "fd00::99"}) {
    const Outcome outcome = network.request(forwarded6(3, solicit6()), from_relay(source));
    EXPECT_EQ(outcome.decision, relayed6());
    EXPECT_EQ(outcome.message, relay_message6(12, 4, ip6("::"), ip6(source), {option6(9, forwarded6(3, solicit6()))}));
  }
}

TEST(RelayRequest6, row_6F_05_a_relay_agent_with_a_link_local_address_needs_one) {
  TestNetwork6 network = trusting_network();
  EXPECT_EQ(network.request(forwarded6(0, solicit6()), from_relay("fe80::99")).message,
            relay_message6(12, 1, ip6("2001:db8:1::1"), ip6("fe80::99"), {option6(9, forwarded6(0, solicit6()))}));
  network.change(c0, [](Interface& interface) { interface.v6.link_address = {}; });
  EXPECT_EQ(network.request(forwarded6(0, solicit6()), from_relay("fe80::99")).message,
            relay_message6(12, 1, ip6("::"), ip6("fe80::99"),
                           {option6(18, text("c0")), option6(9, forwarded6(0, solicit6()))}));
}

TEST(RelayRequest6, row_6F_06_without_a_server_nothing_is_relayed) {
  TestNetwork6 network;
  network.change(c0, [](Interface& interface) { interface.v6.servers.clear(); });
  expect_dropped(network.request(solicit6()), DropReason::no_server);
  network.change(c0, [](Interface& interface) { interface.v6.lacks_server = true; });
  expect_dropped(network.request(solicit6()), DropReason::server_interface_missing);
  network.change(c0, [](Interface& interface) { interface.v6.servers = {{all_dhcp_servers, s0}}; });
  EXPECT_EQ(network.request(solicit6()).decision, "servers ff05::1:3 from 2001:db8:1::1");
}

TEST(RelayRequest6, row_6F_07_the_hop_limit_is_8_for_multicast) {
  EXPECT_EQ((Server6{all_dhcp_servers, s0}.hop_limit()), 8);
  EXPECT_EQ((Server6{ip6("ff08::1")}.hop_limit()), 8);
  EXPECT_EQ((Server6{ip6("2001:db8:53::10")}.hop_limit()), 64);
}

TEST(RelayRequest6, the_source_can_be_given) {
  TestNetwork6 network;
  network.policy.source_address = ip6("2001:db8:ff::1");
  EXPECT_EQ(network.request(solicit6()).decision, "servers 2001:db8:53::10 2001:db8:53::11 from 2001:db8:ff::1");
}

TEST(RelayRequest6, row_6F_09_levels_below_stay_as_they_are) {
  const TestNetwork6 network = trusting_network();
  const Bytes message = forwarded6(1, forwarded6(0, solicit6()));
  const Outcome outcome = network.request(message, from_relay("2001:db8:1::99"));
  EXPECT_EQ(parsed_relay_message6(outcome.message).options.find(9), message);
}

TEST(RelayRequest6, row_6F_10_the_link_layer_address_is_that_of_the_frame) {
  TestNetwork6 network;
  Ingress6 ingress = from_client();
  ingress.link_source = MacAddress{{2, 0, 0, 0, 0, 0xee}};
  EXPECT_EQ(network.request(solicit6(), ingress).message,
            wrapped(solicit6(), {option6(79, {0, 1, 2, 0, 0, 0, 0, 0xee})}))
      << "and not that of the client's DUID or address";
  ingress.link_source.reset();
  EXPECT_EQ(network.request(solicit6(), ingress).message, wrapped(solicit6())) << "nobody looked";
  network.change(c0, [](Interface& interface) { interface.is_ethernet = false; });
  EXPECT_EQ(network.request(solicit6()).message, wrapped(solicit6())) << "a tunnel";
}

TEST(RelayRequest6, row_6F_10_the_link_layer_address_of_a_relay_agent_is_not_the_clients) {
  const Bytes sent = trusting_network().request(forwarded6(0, solicit6()), from_relay("fe80::99")).message;
  EXPECT_EQ(parsed_relay_message6(sent).options.find(79), std::nullopt);
}

TEST(RelayRequest6, row_6F_10_the_link_layer_address_can_be_left_out) {
  TestNetwork6 network;
  network.policy.client_link_layer_address = false;
  EXPECT_EQ(network.request(solicit6()).message, wrapped(solicit6()));
}

TEST(RelayRequest6, row_6F_11_to_6F_15_the_options_of_the_interface_come_first_and_the_message_last) {
  TestNetwork6 network;
  RelayForwardSettings settings;
  settings.interface_id = true;
  settings.enterprise = 0x01020304;
  settings.relay_id = std::string{"\0\3\0\1\2\0\0\0\0\x0a", 10};
  settings.vss = std::string{"\0red", 4};
  settings.options = {{65001, "first"}, {65000, ""}};
  RelayForwardTemplates templates = no_templates();
  templates.remote_id = std::get<options82::Template>(options82::Template::parse("r-%i"));
  templates.subscriber_id = std::get<options82::Template>(options82::Template::parse("s-%i"));
  network.encode(settings, templates);
  network.policy.ports.relay = 1000;
  const Outcome outcome = network.request(solicit6());
  EXPECT_EQ(outcome.decision, relayed6() + " and the relay port");
  EXPECT_EQ(outcome.message,
            wrapped(solicit6(),
                    {option6(18, text("c0")), option6(37, {1, 2, 3, 4, 'r', '-', 'c', '0'}), option6(38, text("s-c0")),
                     option6(53, {0, 3, 0, 1, 2, 0, 0, 0, 0, 10}), option6(68, {0, 'r', 'e', 'd'}),
                     option6(65001, text("first")), option6(65000, {}), client_mac_option(), option6(135, {0, 0})}));
}

struct PortCase {
  const char* description;
  std::optional<std::uint16_t> own;
  std::uint16_t downstream;
  std::optional<Bytes> option;
};

TEST(RelayRequest6, row_6F_19_ports_other_than_547_are_told) {
  const std::vector<PortCase> cases{
      {"neither", std::nullopt, 547, std::nullopt},
      {"ours", 1000, 547, Bytes{0, 0}},
      {"the relay agent's", std::nullopt, 2000, Bytes{7, 208}},
      {"both", 1000, 2000, Bytes{7, 208}},
      {"ours, which is no other", 547, 547, std::nullopt},
  };
  for (const PortCase& test : cases) {
    TestNetwork6 network = trusting_network();
    network.policy.ports.relay = test.own;
    const Outcome outcome = network.request(forwarded6(0, solicit6()), from_relay("2001:db8:1::99", test.downstream));
    EXPECT_EQ(parsed_relay_message6(outcome.message).options.find(135), test.option) << test.description;
    const bool is_ours = test.own && *test.own != 547;
    EXPECT_EQ(outcome.decision, relayed6() + (is_ours ? " and the relay port" : "")) << test.description;
  }
}

TEST(RelayRequest6, row_6F_19_the_port_of_a_client_is_nobodys_business) {
  Ingress6 ingress = from_client();
  ingress.source_port = 40'000;
  EXPECT_EQ(TestNetwork6{}.request(solicit6(), ingress).message, wrapped(solicit6(), {client_mac_option()}));
}

TEST(RelayRequest6, row_6F_21_a_client_with_a_global_address_is_a_client) {
  Ingress6 ingress = from_client();
  ingress.source = ip6("2001:db8:1::77");
  const Outcome outcome = TestNetwork6{}.request(message6(36), ingress);
  EXPECT_EQ(outcome.message, relay_message6(12, 0, ip6("2001:db8:1::1"), ip6("2001:db8:1::77"),
                                            {client_mac_option(), option6(9, message6(36))}));
}

// Sizes

TEST(RelayRequest6, the_headroom_that_is_asked_for_is_enough) {
  TestNetwork6 network = trusting_network();
  RelayForwardSettings settings;
  settings.interface_id = true;
  network.encode(settings);
  network.policy.ports.relay = 1000;
  const std::size_t enough = relay_forward_headroom(network.interfaces.find(c0)->v6);
  EXPECT_EQ(network.request(solicit6(), from_client(), enough).decision, relayed6() + " and the relay port");
  for (std::size_t headroom = 0; headroom < enough; ++headroom) {
    expect_dropped(network.request(solicit6(), from_client(), headroom), DropReason::wrapped_too_large,
                   std::to_string(headroom));
  }
}

TEST(RelayRequest6, a_datagram_is_filled_and_not_exceeded) {
  const std::size_t ours = 34 + 12 + 4;
  for (const std::size_t size : {std::size_t{1452}, std::size_t{9000}, 65'527 - ours}) {
    Bytes message = solicit6();
    message.resize(size, 7);
    const Outcome outcome = TestNetwork6{}.request(message);
    EXPECT_EQ(outcome.decision, relayed6()) << size;
    EXPECT_EQ(outcome.message, wrapped(message, {client_mac_option()})) << size;
  }
  for (const std::size_t size : {65'527 - ours + 1, std::size_t{65'527}}) {
    expect_dropped(TestNetwork6{}.request(Bytes(size, 1)), DropReason::wrapped_too_large, std::to_string(size));
  }
}

TEST(RelayRequest6, the_message_is_not_moved) {
  Bytes storage(200 + solicit6().size());
  MessageBuffer message{storage, solicit6().size(), 200};
  std::ranges::copy(solicit6(), message.octets().begin());
  const std::uint8_t* const before = message.octets().data();
  const TestNetwork6 network;
  EXPECT_EQ(test_support::described(relay_request6(network.policy, network.interfaces, from_client(), message)),
            relayed6());
  EXPECT_EQ(message.octets().data() + message.size(), before + solicit6().size());
  EXPECT_EQ(message.octets().last(solicit6().size()).data(), before);
}

}  // namespace
}  // namespace relay
