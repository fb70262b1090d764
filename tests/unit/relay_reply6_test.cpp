// DHCPv6 messages on their way from the servers (RFC 8415 section 19.2).

#include "relay/core/relay_reply6.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
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
using test_support::from_server;
using test_support::ip6;
using test_support::lo;
using test_support::message6;
using test_support::no_interface;
using test_support::option6;
using test_support::Outcome;
using test_support::relay_message6;
using test_support::s0;
using test_support::TestNetwork6;
using test_support::text;

constexpr const char* to_client = "c0 fe80::1 port 546 from fe80::c0";

void expect_dropped(const Outcome& outcome, DropReason reason, const std::string& description = {}) {
  EXPECT_EQ(outcome.decision, drop(reason)) << description;
  EXPECT_TRUE(outcome.is_untouched) << description;
}

/// A Relay-reply with these addresses and options, and a message at its end.
Bytes reply_to(const char* link_address, const char* peer_address, std::initializer_list<Bytes> options = {},
               const Bytes& message = advertise6()) {
  Bytes result = relay_message6(13, 0, ip6(link_address), ip6(peer_address), options);
  const Bytes last = option6(9, message);
  result.insert(result.end(), last.begin(), last.end());
  return result;
}

// Reception

TEST(RelayReply6, row_6R_07_relay_replies_come_from_upstream) {
  TestNetwork6 network;
  const Bytes message = test_support::relay_reply6(advertise6());
  EXPECT_EQ(network.reply(message, from_server(s0)).decision, to_client);
  expect_dropped(network.reply(message, from_server(c0)), DropReason::not_upstream);
  expect_dropped(network.reply(message, from_server(no_interface)), DropReason::interface_unknown);
  EXPECT_EQ(network.reply(message, from_server(lo)).decision, to_client) << "neither, and none is named";
  network.policy.upstream_named = true;
  expect_dropped(network.reply(message, from_server(lo)), DropReason::not_upstream);
}

TEST(RelayReply6, nothing_but_a_relay_reply_is_for_a_relay_agent) {
  for (int type = 0; type < 256; ++type) {
    Bytes message = test_support::relay_reply6(advertise6());
    message[0] = static_cast<std::uint8_t>(type);
    EXPECT_EQ(TestNetwork6{}.reply(message).decision, type == 13 ? to_client : drop(DropReason::not_relay_reply))
        << type;
  }
}

TEST(RelayReply6, row_6D_10_relay_replies_come_from_configured_servers) {
  TestNetwork6 network;
  Ingress6 ingress = from_server();
  ingress.source = ip6("2001:db8:bad::1");
  expect_dropped(network.reply(test_support::relay_reply6(advertise6()), ingress), DropReason::server_unknown);
  network.policy.replies_from_anyone = true;
  EXPECT_EQ(network.reply(test_support::relay_reply6(advertise6()), ingress).decision, to_client);
}

TEST(RelayReply6, row_6D_10_relay_replies_come_from_servers_of_their_interface) {
  TestNetwork6 network;
  network.change(c0, [](Interface& interface) { interface.v6.servers = {{ip6("2001:db8:53::11")}}; });
  expect_dropped(network.reply(test_support::relay_reply6(advertise6())), DropReason::server_unknown, "one of c1's");
}

TEST(RelayReply6, row_6D_10_a_link_local_server_answers_on_its_link) {
  constexpr std::uint32_t s1 = 90;
  TestNetwork6 network;
  Interface other = test_support::interface6(s1, "s1", {"2001:db8:6::1/64", "fe80::51/64"});
  other.is_upstream = true;
  network.interfaces.put(other);
  const auto answer = [&](std::uint32_t arrives_on) {
    Ingress6 ingress = from_server(arrives_on);
    ingress.source = ip6("fe80::53");
    return network.reply(test_support::relay_reply6(advertise6()), ingress);
  };
  network.change(c0, [](Interface& interface) { interface.v6.servers = {{ip6("fe80::53"), s0}}; });
  EXPECT_EQ(answer(s0).decision, to_client);
  expect_dropped(answer(s1), DropReason::server_unknown, "somebody else with its address");
  network.change(c1, [](Interface& interface) { interface.v6.servers = {{ip6("fe80::53"), s1}}; });
  expect_dropped(answer(s1), DropReason::server_unknown, "one of c1's");
  network.policy.replies_from_anyone = true;
  EXPECT_EQ(answer(s1).decision, to_client);
}

TEST(RelayReply6, row_6D_07_a_message_cut_at_every_octet_is_dropped) {
  const Bytes whole = test_support::relay_reply6(advertise6(), {option6(18, text("c0")), option6(68, {})});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Outcome outcome =
        TestNetwork6{}.reply(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    const bool is_between_options = size == 34 || size == 40 || size == 44;
    expect_dropped(outcome,
                   size < 34            ? DropReason::header_too_short
                   : is_between_options ? DropReason::relay_message_missing
                                        : DropReason::relay_options_malformed,
                   std::to_string(size));
  }
}

TEST(RelayReply6, row_6D_07_there_has_to_be_a_message_and_no_more_than_one) {
  const TestNetwork6 network;
  const auto with = [](std::initializer_list<Bytes> options) {
    return relay_message6(13, 0, ip6("2001:db8:1::1"), ip6("fe80::1"), options);
  };
  expect_dropped(network.reply(with({})), DropReason::relay_message_missing);
  expect_dropped(network.reply(with({option6(18, text("c0"))})), DropReason::relay_message_missing);
  expect_dropped(network.reply(with({option6(9, {})})), DropReason::relay_message_missing);
  expect_dropped(network.reply(with({option6(9, advertise6()), option6(9, advertise6())})),
                 DropReason::relay_message_doubled);
  expect_dropped(network.reply(with({option6(9, {}), option6(9, {})})), DropReason::relay_message_doubled);
}

TEST(RelayReply6, row_6D_07_lengths_that_lie) {
  const TestNetwork6 network;
  for (const Bytes& damage : std::vector<Bytes>{{0}, {0, 18, 0}, {0, 18, 0, 1}, {0, 18, 0xff, 0xff, 'c', '0'}}) {
    expect_dropped(
        network.reply(relay_message6(13, 0, ip6("2001:db8:1::1"), ip6("fe80::1"), {option6(9, advertise6()), damage})),
        DropReason::relay_options_malformed);
    expect_dropped(
        network.reply(relay_message6(13, 0, ip6("2001:db8:1::1"), ip6("fe80::1"), {damage, option6(9, advertise6())})),
        DropReason::relay_options_malformed);
  }
}

TEST(RelayReply6, row_6D_13_the_hop_count_does_not_matter) {
  for (const std::uint8_t hop_count : Bytes{0, 8, 32, 200, 255}) {
    Bytes message = test_support::relay_reply6(advertise6());
    message[1] = hop_count;
    EXPECT_EQ(TestNetwork6{}.reply(message).decision, to_client) << int{hop_count};
  }
}

// Delivery

TEST(RelayReply6, row_6D_01_the_message_is_sent_as_it_is) {
  for (const Bytes& inner : std::vector<Bytes>{advertise6(), {7}, {7, 1, 2, 3, 0, 1, 0xff, 0xff}, Bytes(60'000, 2)}) {
    const Outcome outcome = TestNetwork6{}.reply(test_support::relay_reply6(inner));
    EXPECT_EQ(outcome.decision, to_client);
    EXPECT_EQ(outcome.message, inner);
  }
}

TEST(RelayReply6, row_6D_02_and_6D_06_whatever_is_in_it_goes_to_the_client_port_but_a_relay_reply) {
  for (int type = 0; type < 256; ++type) {
    const Outcome outcome = TestNetwork6{}.reply(test_support::relay_reply6(message6(static_cast<std::uint8_t>(type))));
    EXPECT_EQ(outcome.decision, type == 13 ? "c0 fe80::1 port 547 from fe80::c0" : to_client) << type;
  }
}

TEST(RelayReply6, row_6D_02_ports_that_were_chosen_otherwise) {
  TestNetwork6 network;
  network.policy.ports.server = 5547;
  EXPECT_EQ(network.reply(test_support::relay_reply6(advertise6())).decision, "c0 fe80::1 port 5546 from fe80::c0");
  EXPECT_EQ(network.reply(test_support::relay_reply6(test_support::relay_reply6(advertise6()))).decision,
            "c0 fe80::1 port 5547 from fe80::c0");
}

TEST(RelayReply6, row_6D_03_the_port_of_the_next_relay_agent) {
  const TestNetwork6 network;
  const Bytes next = test_support::relay_reply6(advertise6());
  const auto with = [&](const Bytes& inner, const Bytes& port) {
    return network.reply(test_support::relay_reply6(inner, {option6(135, port)})).decision;
  };
  EXPECT_EQ(with(next, {7, 208}), "c0 fe80::1 port 2000 from fe80::c0");
  EXPECT_EQ(with(next, {0, 0}), "c0 fe80::1 port 547 from fe80::c0");
  EXPECT_EQ(with(advertise6(), {7, 208}), to_client) << "which is for relay agents";
  for (const Bytes& port : std::vector<Bytes>{{}, {7}, {7, 208, 0}}) {
    EXPECT_EQ(with(next, port), drop(DropReason::relay_options_malformed));
  }
}

TEST(RelayReply6, row_6D_04_interface_id_tells_the_link_before_link_address_does) {
  const TestNetwork6 network;
  EXPECT_EQ(network.reply(reply_to("2001:db8:1::1", "fe80::1", {option6(18, text("c1"))})).decision,
            "c1 fe80::1 port 546 from fe80::c1");
  EXPECT_EQ(network.reply(reply_to("::", "fe80::1", {option6(18, text("c1"))})).decision,
            "c1 fe80::1 port 546 from fe80::c1");
  EXPECT_EQ(network.reply(reply_to("2001:db8:2::1", "fe80::1")).decision, "c1 fe80::1 port 546 from fe80::c1");
}

TEST(RelayReply6, row_6D_04_an_interface_id_that_is_not_ours) {
  const TestNetwork6 network;
  for (const Bytes& interface_id : {text("c9"), text("c"), text("c0 "), text("s0"), Bytes{}, Bytes(65'000, 'c')}) {
    expect_dropped(network.reply(reply_to("2001:db8:1::1", "fe80::1", {option6(18, interface_id)})),
                   DropReason::interface_id_unknown);
  }
  EXPECT_EQ(
      network.reply(reply_to("2001:db8:1::1", "fe80::1", {option6(18, text("c0")), option6(18, text("c1"))})).decision,
      to_client)
      << "the first counts";
}

TEST(RelayReply6, row_6D_04_an_interface_id_of_two_interfaces) {
  TestNetwork6 network;
  network.change(c1, [&](Interface& interface) { interface.v6.options = network.interfaces.find(c0)->v6.options; });
  const Bytes id = option6(18, text("c0"));
  EXPECT_EQ(network.reply(reply_to("2001:db8:1::1", "fe80::1", {id})).decision, to_client);
  EXPECT_EQ(network.reply(reply_to("2001:db8:2::1", "fe80::1", {id})).decision, "c1 fe80::1 port 546 from fe80::c1");
  expect_dropped(network.reply(reply_to("::", "fe80::1", {id})), DropReason::interface_id_ambiguous);
  expect_dropped(network.reply(reply_to("2001:db8:9::1", "fe80::1", {id})), DropReason::interface_id_ambiguous);
}

TEST(RelayReply6, row_6D_04_link_address_is_an_address_of_the_link) {
  TestNetwork6 network;
  EXPECT_EQ(network.reply(reply_to("2001:db8:1::abcd", "fe80::1")).decision, to_client)
      << "from a server that begins the conversation";
  expect_dropped(network.reply(reply_to("2001:db8:9::1", "fe80::1")), DropReason::link_address_unknown);
  expect_dropped(network.reply(reply_to("2001:db8:5::1", "fe80::1")), DropReason::link_address_unknown, "upstream");
  expect_dropped(network.reply(reply_to("fe80::c0", "fe80::1")), DropReason::link_address_unknown);
  network.change(c1, [](Interface& interface) { interface.v6.addresses.push_back({{ip6("2001:db8:1::2"), 64}}); });
  EXPECT_EQ(network.reply(reply_to("2001:db8:1::1", "fe80::1")).decision, to_client) << "c0 alone has it";
  EXPECT_EQ(network.reply(reply_to("2001:db8:1::2", "fe80::1")).decision, "c1 fe80::1 port 546 from fe80::c1");
  expect_dropped(network.reply(reply_to("2001:db8:1::abcd", "fe80::1")), DropReason::link_address_ambiguous);
}

TEST(RelayReply6, row_6D_05_without_a_link_the_peer_has_to_be_routed_to) {
  const TestNetwork6 network;
  const Bytes next = test_support::relay_reply6(advertise6());
  EXPECT_EQ(network.reply(reply_to("::", "2001:db8:1::99", {}, next)).decision,
            "routed 2001:db8:1::99 port 547 from ::");
  EXPECT_EQ(network.reply(reply_to("::", "fd00::99", {}, next)).decision, "routed fd00::99 port 547 from ::");
  expect_dropped(network.reply(reply_to("::", "fe80::1", {}, next)), DropReason::link_unnamed);
}

TEST(RelayReply6, row_6D_05_where_anyone_may_answer_only_relay_agents_are_routed_to) {
  TestNetwork6 network;
  const Bytes message = reply_to("::", "2001:db8:1::99", {}, test_support::relay_reply6(advertise6()));
  network.policy.replies_from_anyone = true;
  expect_dropped(network.reply(message), DropReason::link_unnamed, "nobody's answer is like that");
  network.change(s0, [](Interface& interface) { interface.is_trusted = true; });
  expect_dropped(network.reply(message), DropReason::link_unnamed, "no relay agent is there");
  network.change(c1, [](Interface& interface) { interface.is_trusted = true; });
  EXPECT_EQ(network.reply(message).decision, "routed 2001:db8:1::99 port 547 from ::");
  network.interfaces.remove(c1);
  expect_dropped(network.reply(message), DropReason::link_unnamed);
}

TEST(RelayReply6, row_6D_08_other_options_go_no_further) {
  const TestNetwork6 network;
  const Bytes before = option6(79, {0, 1, 2, 0, 0, 0, 0, 1});
  const Bytes inner = advertise6();
  for (const Bytes& message :
       {test_support::relay_reply6(inner, {before, option6(37, text("....r")), option6(38, text("s"))}),
        relay_message6(13, 0, ip6("2001:db8:1::1"), ip6("fe80::1"),
                       {option6(9, inner), before, option6(18, text("c0")), option6(65000, Bytes(300, 1))})}) {
    const Outcome outcome = network.reply(message);
    EXPECT_EQ(outcome.decision, to_client);
    EXPECT_EQ(outcome.message, inner);
  }
}

TEST(RelayReply6, row_6D_09_a_link_local_peer_is_answered_from_a_link_local_address) {
  TestNetwork6 network;
  EXPECT_EQ(network.reply(reply_to("2001:db8:1::1", "2001:db8:1::77")).decision,
            "c0 2001:db8:1::77 port 546 from 2001:db8:1::1");
  network.change(c0, [](Interface& interface) {
    interface.v6.addresses.pop_back();
    choose_addresses(interface.v6, std::nullopt);
  });
  EXPECT_EQ(network.reply(reply_to("2001:db8:1::1", "fe80::1")).decision, "c0 fe80::1 port 546 from ::");
}

TEST(RelayReply6, a_peer_address_that_is_nobodys_or_ours_is_dropped) {
  const TestNetwork6 network;
  for (const char* peer : {"::", "::1", "ff02::1", "ff05::1:3", "::ffff:10.1.0.1", "2001:db8:1::1", "2001:db8:5::1",
                           "2001:db8:ff::1", "fe80::c0"}) {
    expect_dropped(network.reply(reply_to("2001:db8:1::1", peer)), DropReason::peer_address_invalid, peer);
    if (std::string{peer} != "fe80::c0") {
      expect_dropped(network.reply(reply_to("::", peer)), DropReason::peer_address_invalid, peer);
    }
  }
  EXPECT_EQ(network.reply(reply_to("2001:db8:1::1", "fe80::c1")).decision, "c0 fe80::c1 port 546 from fe80::c0")
      << "ours on another link, and somebody's on this one";
}

TEST(RelayReply6, row_6F_14_options_that_are_not_echoed_change_nothing) {
  TestNetwork6 network;
  RelayForwardSettings settings;
  settings.enterprise = 1;
  settings.options = {{43, std::string{"\0\x25", 2}}};
  network.encode(settings);
  EXPECT_EQ(network.reply(test_support::relay_reply6(advertise6())).decision, to_client);
}

TEST(RelayReply6, row_6F_15_a_virtual_subnet_that_was_selected_has_to_be_confirmed) {
  TestNetwork6 network;
  const auto with = [&](std::initializer_list<Bytes> options) {
    return network.reply(test_support::relay_reply6(advertise6(), options)).decision;
  };
  const Bytes red = option6(68, {0, 'r', 'e', 'd'});
  const Bytes blue = option6(68, {0, 'b', 'l', 'u', 'e'});
  EXPECT_EQ(with({red}), drop(DropReason::vss_unknown)) << "where none was selected";
  RelayForwardSettings settings;
  settings.vss = std::string{"\0red", 4};
  network.encode(settings);
  EXPECT_EQ(with({red}), to_client);
  EXPECT_EQ(with({}), drop(DropReason::vss_unsupported));
  EXPECT_EQ(with({blue}), drop(DropReason::vss_unknown));
  EXPECT_EQ(with({option6(68, {})}), drop(DropReason::vss_unknown));
}

TEST(RelayReply6, row_6F_15_a_virtual_subnet_is_checked_by_the_interface_id) {
  TestNetwork6 network;
  const auto with = [&](std::initializer_list<Bytes> options) {
    return network.reply(reply_to("::", "2001:db8:1::99", options)).decision;
  };
  const Bytes red = option6(68, {0, 'r', 'e', 'd'});
  EXPECT_EQ(with({red}), drop(DropReason::vss_unknown)) << "where none was selected";
  RelayForwardSettings settings;
  settings.vss = std::string{"\0red", 4};
  network.encode(settings);
  EXPECT_EQ(with({red}), drop(DropReason::link_unnamed));
  EXPECT_EQ(with({}), drop(DropReason::link_unnamed));
  EXPECT_EQ(with({red, option6(18, text("c0"))}), "c0 2001:db8:1::99 port 546 from 2001:db8:1::1");
  network.encode({});
  EXPECT_EQ(with({}), "routed 2001:db8:1::99 port 546 from ::");
}

TEST(RelayReply6, an_interface_that_is_down) {
  TestNetwork6 network;
  network.change(c0, [](Interface& interface) { interface.is_up = false; });
  expect_dropped(network.reply(test_support::relay_reply6(advertise6())), DropReason::interface_down);
}

TEST(RelayReply6, what_was_relayed_comes_back_to_who_sent_it) {
  TestNetwork6 network;
  network.change(c0, [](Interface& interface) { interface.is_trusted = true; });
  for (const Ingress6& ingress : {test_support::from_client(c0), test_support::from_relay("fe80::99"),
                                  test_support::from_relay("2001:db8:1::99", 2000)}) {
    const bool is_relay = ingress.source_port != 546;
    const Bytes message = is_relay ? test_support::forwarded6(0, test_support::solicit6()) : test_support::solicit6();
    Bytes sent = network.request(message, ingress).message;
    sent[0] = 13;  // as a server answers: the same header, the same options, another message
    const Bytes answer = is_relay ? test_support::relay_reply6(advertise6()) : advertise6();
    sent.resize(sent.size() - message.size() - 4);
    const Bytes last = option6(9, answer);
    sent.insert(sent.end(), last.begin(), last.end());
    const Outcome outcome = network.reply(sent);
    const std::string port = is_relay ? std::to_string(ingress.source_port) : "546";
    EXPECT_NE(outcome.decision.find(test_support::described(ingress.source) + " port " + port), std::string::npos)
        << outcome.decision;
    EXPECT_EQ(outcome.message, answer);
  }
}

struct OrderCase {
  const char* description;
  Bytes message;
  Ingress6 ingress;
  DropReason reason;
};

TEST(RelayReply6, the_first_rule_that_applies_decides) {
  TestNetwork6 network;
  RelayForwardSettings settings;
  settings.vss = "x";
  network.encode(settings);
  network.change(c0, [](Interface& interface) { interface.is_up = false; });
  const auto arriving_at = [](std::uint32_t index, const char* source) {
    return Ingress6{index, ip6(source), 547, ip6("2001:db8:1::1")};
  };
  const Ingress6 right = from_server();
  const Bytes all_wrong = relay_message6(12, 0, ip6("::"), ip6("::"), {{0, 9}});
  const Bytes type_right = relay_message6(13, 0, ip6("::"), ip6("::"), {{0, 9}});
  const std::vector<OrderCase> cases{
      {"header", {12}, arriving_at(no_interface, "::"), DropReason::header_too_short},
      {"type", all_wrong, arriving_at(no_interface, "::"), DropReason::not_relay_reply},
      {"interface", type_right, arriving_at(no_interface, "::"), DropReason::interface_unknown},
      {"side", type_right, arriving_at(c0, "::"), DropReason::not_upstream},
      {"server", type_right, arriving_at(s0, "::"), DropReason::server_unknown},
      {"options", type_right, right, DropReason::relay_options_malformed},
      {"message", relay_message6(13, 0, ip6("::"), ip6("::"), {}), right, DropReason::relay_message_missing},
      {"peer", reply_to("::", "::"), right, DropReason::peer_address_invalid},
      {"link", reply_to("::", "fe80::c0"), right, DropReason::link_unnamed},
      {"peer on the link", reply_to("2001:db8:1::1", "fe80::c0"), right, DropReason::peer_address_invalid},
      {"virtual subnet", reply_to("2001:db8:1::1", "fe80::1"), right, DropReason::vss_unsupported},
      {"interface down", reply_to("2001:db8:1::1", "fe80::1", {option6(68, {'x'})}), right, DropReason::interface_down},
  };
  for (const OrderCase& test : cases) {
    expect_dropped(network.reply(test.message, test.ingress), test.reason, test.description);
  }
}

}  // namespace
}  // namespace relay
