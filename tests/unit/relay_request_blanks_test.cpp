// What of our option 82 depends on the request: the client's address, its bridge port, and how the request came.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "relay/core/relay_request.h"
#include "tests/support/guarded_message.h"
#include "tests/support/message_builder.h"
#include "tests/support/test_network.h"

namespace relay {
namespace {

using options82::AgentInformationForm;
using options82::Blank;
using options82::FormValue;
using options82::SubOption;
using test_support::Bytes;
using test_support::c0;
using test_support::circuit_id;
using test_support::described;
using test_support::discover;
using test_support::encoded;
using test_support::GuardedMessage;
using test_support::ip;
using test_support::joined;
using test_support::MessageBuilder;
using test_support::network_with_agent_information;
using test_support::relayed;
using test_support::TestNetwork;
using test_support::text;
using test_support::values_of;

using Kept = AgentInformationOutcome;

constexpr std::uint32_t swp1 = 21;
constexpr std::uint32_t longest_port = 22;
constexpr Ipv4Address other_relay = ip(10, 50, 0, 1);

AgentInformationForm form_with(SubOption code, const FormValue& value) {
  AgentInformationForm form;
  EXPECT_TRUE(form.add(code, value));
  return form;
}

/// A network with `-a` whose c0 adds `own`, and `for_relayed` where another relay agent was first; two bridge ports.
TestNetwork network_with(const AgentInformationForm& own, const AgentInformationForm& for_relayed = {}) {
  TestNetwork network = network_with_agent_information();
  network.change(c0, [&](Interface& interface) {
    interface.agent_information = own;
    interface.relayed_agent_information = for_relayed;
  });
  for (const auto& [index, name] : {std::pair{swp1, "swp1"}, std::pair{longest_port, "swp345678901234"}}) {
    Interface port;
    port.index = index;
    port.name = name;
    network.interfaces.put(port);
  }
  return network;
}

Ingress ingress_on_c0() {
  return {c0, ip(0, 0, 0, 0), 68, limited_broadcast};
}

struct Relayed {
  std::string decision;
  std::vector<Bytes> values;  ///< of option 82
};

Relayed request(const TestNetwork& network, const Bytes& message, const Ingress& ingress = ingress_on_c0()) {
  GuardedMessage guarded{message, 600};
  const std::string decision = described(relay_request(network.policy, network.interfaces, ingress, guarded.buffer()));
  EXPECT_TRUE(guarded.is_intact_beside());
  return {decision, values_of(guarded.octets(), 82)};
}

void expect_added(const Relayed& found, const Bytes& content, const std::string& description = {}) {
  EXPECT_EQ(found.decision, relayed(Kept::added)) << description;
  EXPECT_EQ(found.values, std::vector<Bytes>{content}) << description;
}

TEST(RelayRequestBlanks, row_4S_08_flags_say_whether_the_request_came_by_unicast) {
  const TestNetwork network = network_with(form_with(SubOption::relay_flags, {Blank::relay_flags}));
  struct Case {
    const char* description;
    Ipv4Address destination;
    std::uint8_t flags;
  };
  for (const auto& [description, destination, flags] : std::vector<Case>{
           {"the limited broadcast", limited_broadcast, 0},
           {"the subnet's broadcast", ip(10, 1, 0, 255), 0},
           {"the second subnet's broadcast", ip(10, 1, 1, 255), 0},
           {"an all-zeros broadcast", ip(10, 1, 0, 0), 0},
           {"multicast", ip(224, 0, 0, 1), 0},
           {"unspecified", ip(0, 0, 0, 0), 0},
           {"its primary address", ip(10, 1, 0, 1), 0x80},
           {"its second address", ip(10, 1, 1, 1), 0x80},
           {"another interface's address", ip(10, 2, 0, 1), 0x80},
           {"an address on lo", ip(203, 0, 113, 1), 0x80},
           {"another host's", ip(10, 1, 0, 99), 0},
       }) {
    Ingress ingress = ingress_on_c0();
    ingress.destination = destination;
    expect_added(request(network, discover().octets(), ingress), {10, 1, flags}, description);
    expect_added(request(network, discover().flags(0x8000).octets(), ingress), {10, 1, flags},
                 std::string(description) + ", and the BROADCAST flag is about the reply");
  }
}

TEST(RelayRequestBlanks, row_4S_09_a_renewal_by_unicast_is_given_flags_and_giaddr) {
  AgentInformationForm form = form_with(SubOption::relay_flags, {Blank::relay_flags});
  ASSERT_TRUE(form.add(SubOption::server_id_override, {std::string("\x0a\1\0\1", 4)}));
  const TestNetwork network = network_with(form);
  Ingress ingress = ingress_on_c0();
  ingress.source = test_support::client_address;
  ingress.destination = ip(10, 1, 0, 1);
  for (const std::uint8_t type : Bytes{3, 4, 7, 8}) {
    MessageBuilder builder;
    builder.op(1).htype(1).hlen(6).ciaddr(test_support::client_address).message_type(type).padded_to(300);
    expect_added(request(network, builder.octets(), ingress), {10, 1, 0x80, 11, 4, 10, 1, 0, 1}, std::to_string(type));
  }
}

TEST(RelayRequestBlanks, the_clients_hardware_address) {
  const TestNetwork network =
      network_with(form_with(SubOption::circuit_id, {"<", Blank::client_hardware_address, ">"}));
  struct Case {
    std::uint8_t hlen;
    const char* expected;
  };
  const Bytes chaddr{0x02, 0x00, 0xab, 0xcd, 0xef, 0x09, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0xff};
  for (const auto& [hlen, expected] : std::vector<Case>{
           {0, "<>"},
           {1, "<02>"},
           {6, "<02:00:ab:cd:ef:09>"},
           {8, "<02:00:ab:cd:ef:09:10:11>"},
           {16, "<02:00:ab:cd:ef:09:10:11:12:13:14:15:16:17:18:ff>"},
       }) {
    expect_added(request(network, discover().hlen(hlen).chaddr(chaddr).octets()), circuit_id(expected), expected);
  }
}

TEST(RelayRequestBlanks, the_clients_bridge_port) {
  const TestNetwork network = network_with(form_with(SubOption::remote_id, {"p=", Blank::client_port, "!"}));
  struct Case {
    std::uint32_t port;
    const char* expected;
  };
  for (const auto& [port, expected] : std::vector<Case>{
           {swp1, "p=swp1!"}, {longest_port, "p=swp345678901234!"}, {0, "p=c0!"}, {77, "p=c0!"}, {c0, "p=c0!"}}) {
    Ingress ingress = ingress_on_c0();
    ingress.bridge_port_index = port;
    expect_added(request(network, discover().octets(), ingress), encoded(2, text(expected)), expected);
  }
}

TEST(RelayRequestBlanks, all_at_once_and_per_message) {
  AgentInformationForm form =
      form_with(SubOption::circuit_id, {Blank::client_port, "/", Blank::client_hardware_address});
  ASSERT_TRUE(form.add(SubOption::remote_id, {"relay"}));
  ASSERT_TRUE(form.add(SubOption::relay_flags, {Blank::relay_flags}));
  const TestNetwork network = network_with(form);
  Ingress ingress = ingress_on_c0();
  ingress.bridge_port_index = swp1;
  ingress.destination = ip(10, 1, 0, 1);
  const Bytes remote_id = encoded(2, text("relay"));
  expect_added(request(network, discover().octets(), ingress),
               joined({circuit_id("swp1/02:00:00:00:00:01"), remote_id, {10, 1, 0x80}}));
  expect_added(request(network, discover().chaddr({2, 0, 0, 0, 0, 2}).octets()),
               joined({circuit_id("c0/02:00:00:00:00:02"), remote_id, {10, 1, 0}}));
}

TEST(RelayRequestBlanks, row_4A_06_and_4A_17_relayed_requests_are_given_the_form_for_them) {
  const Bytes theirs = encoded(1, text("port 7"));
  const AgentInformationForm own = form_with(SubOption::link_selection, {std::string("\x0a\1\0\0", 4)});
  const AgentInformationForm for_relayed = form_with(SubOption::circuit_id, {"c0/", Blank::client_hardware_address});
  const Bytes expected = circuit_id("c0/02:00:00:00:00:01");
  TestNetwork network = network_with(own, for_relayed);
  const Bytes already = discover().giaddr(other_relay).octets();
  const Bytes with_theirs = discover().giaddr(other_relay).agent_information(theirs).octets();

  network.policy.existing_agent_information = ExistingAgentInformation::append;
  expect_added(request(network, already), expected);
  Relayed found = request(network, with_theirs);
  EXPECT_EQ(found.decision, relayed(Kept::appended));
  EXPECT_EQ(found.values, (std::vector<Bytes>{theirs, expected}));

  network.policy.existing_agent_information = ExistingAgentInformation::replace;
  expect_added(request(network, already), expected);
  found = request(network, with_theirs);
  EXPECT_EQ(found.decision, relayed(Kept::replaced));
  EXPECT_EQ(found.values, std::vector<Bytes>{expected});

  expect_added(request(network, discover().octets()), {5, 4, 10, 1, 0, 0}, "giaddr is ours");

  network.change(c0, [](Interface& interface) { interface.relayed_agent_information = {}; });
  found = request(network, with_theirs);
  EXPECT_EQ(found.decision, relayed(Kept::untouched)) << "there is nothing to put in its place";
  EXPECT_EQ(found.values, std::vector<Bytes>{theirs});
}

TEST(RelayRequestBlanks, row_4A_07_the_size_is_that_of_what_is_filled_in) {
  TestNetwork network = network_with(form_with(SubOption::circuit_id, {Blank::client_port}));
  const Bytes message = discover().padded_to(0).octets();
  const std::size_t size = std::max<std::size_t>(300, message.size());
  network.policy.max_request_size = size;
  MessageBuilder builder = discover().padded_to(0);
  // As large as still leaves room for option 82 with the shortest name, of two octets.
  builder.option(43, Bytes(size - message.size() - 2 - (2 + 2 + 2), 1));
  ASSERT_EQ(builder.octets().size(), size - 6);
  EXPECT_EQ(request(network, builder.octets()).decision, relayed(Kept::added));
  Ingress ingress = ingress_on_c0();
  ingress.bridge_port_index = swp1;
  EXPECT_EQ(request(network, builder.octets(), ingress).decision, relayed(Kept::did_not_fit));
}

TEST(RelayRequestBlanks, row_4S_14_relay_port_only_where_sub_option_19_is_carried) {
  AgentInformationForm own = form_with(SubOption::circuit_id, {Blank::client_port});
  ASSERT_TRUE(own.add(SubOption::source_port, FormValue{}));
  TestNetwork network = network_with(own, form_with(SubOption::circuit_id, {"c0"}));
  network.policy.existing_agent_information = ExistingAgentInformation::append;
  const auto from_relay_port = [&network](const Bytes& message) {
    GuardedMessage guarded{message, 600};
    const Decision decision = relay_request(network.policy, network.interfaces, ingress_on_c0(), guarded.buffer());
    return std::get<ToServers>(decision).from_relay_port;
  };
  EXPECT_TRUE(from_relay_port(discover().octets()));
  EXPECT_FALSE(from_relay_port(discover().giaddr(other_relay).octets())) << "its answers go to another relay agent";
  EXPECT_FALSE(from_relay_port(test_support::bootp_request().octets())) << "which is given no option 82";
  network.policy.max_request_size = 300;
  EXPECT_FALSE(from_relay_port(discover().option(43, Bytes(200, 1)).octets())) << "it did not fit";
}

}  // namespace
}  // namespace relay
