#include "tests/support/test_network.h"

#include <cassert>
#include <cstdio>
#include <utility>
#include <variant>

#include "relay/core/drop_reason.h"
#include "relay/core/relay_reply.h"
#include "relay/core/relay_request.h"
#include "tests/support/own_information.h"

namespace test_support {

namespace {

using relay::AgentInformationOutcome;
using relay::Delivery;

relay::Interface ethernet(std::uint32_t index, std::string name, std::vector<relay::Ipv4Prefix> addresses) {
  relay::Interface interface;
  interface.index = index;
  interface.name = std::move(name);
  interface.is_up = true;
  interface.is_ethernet = true;
  interface.mac = {{2, 0, 0, 0, 0, static_cast<std::uint8_t>(0xc0 + index)}};
  interface.addresses = std::move(addresses);
  return interface;
}

relay::Interface downstream(std::uint32_t index, std::string name, std::vector<relay::Ipv4Prefix> addresses) {
  relay::Interface interface = ethernet(index, std::move(name), std::move(addresses));
  interface.is_downstream = true;
  interface.giaddr = interface.addresses.front().address;
  interface.servers = {first_server, second_server};
  interface.agent_information = agent_information(circuit_id(interface.name));
  interface.relayed_agent_information = interface.agent_information;
  return interface;
}

std::string described(AgentInformationOutcome outcome) {
  switch (outcome) {
    case AgentInformationOutcome::untouched:
      return "untouched";
    case AgentInformationOutcome::added:
      return "added";
    case AgentInformationOutcome::appended:
      return "appended";
    case AgentInformationOutcome::replaced:
      return "replaced";
    case AgentInformationOutcome::did_not_fit:
      return "did_not_fit";
  }
  return "?";
}

std::string described(Delivery delivery) {
  switch (delivery) {
    case Delivery::link_unicast:
      return "link_unicast";
    case Delivery::link_broadcast:
      return "link_broadcast";
    case Delivery::routed:
      return "routed";
  }
  return "?";
}

std::string described(relay::MacAddress mac) {
  std::string result;
  for (const std::uint8_t octet : mac.octets) {
    std::array<char, 4> digits{};
    std::snprintf(digits.data(), digits.size(), "%s%02x", result.empty() ? "" : ":", octet);
    result += digits.data();
  }
  return result;
}

struct Line {
  std::string operator()(const relay::Drop& drop) const { return "drop " + std::string(relay::text(drop.reason).name); }
  std::string operator()(const relay::ToServers& to) const {
    std::string result = "servers";
    for (const relay::Ipv4Address server : to.servers) {
      result += " " + test_support::described(server);
    }
    return result + " from " + test_support::described(to.source) + " " + described(to.agent_information);
  }
  std::string operator()(const relay::ToClient& to) const {
    std::string result = (to.egress == nullptr ? "null" : to.egress->name) + " " + described(to.delivery) + " " +
                         test_support::described(to.destination);
    if (to.delivery != Delivery::routed) {
      result += " " + described(to.link_destination);
    }
    return result + " from " + test_support::described(to.source);
  }
};

}  // namespace

options82::AgentInformationForm agent_information(const Bytes& content) {
  options82::AgentInformationForm form = form_of(content);
  assert(form.empty() == content.empty());
  return form;
}

Bytes circuit_id(std::string_view name) {
  return encoded(1, text(name));
}

TestNetwork::TestNetwork() {
  relay::Interface loopback;
  loopback.index = lo;
  loopback.name = "lo";
  loopback.is_up = true;
  loopback.mtu = 65536;
  loopback.addresses = {{ip(127, 0, 0, 1), 8}, {ip(203, 0, 113, 1), 32}};
  interfaces.put(std::move(loopback));
  interfaces.put(downstream(c0, "c0", {{ip(10, 1, 0, 1), 24}, {ip(10, 1, 1, 1), 24}}));
  interfaces.put(downstream(c1, "c1", {{ip(10, 2, 0, 1), 24}}));
  relay::Interface upstream = ethernet(s0, "s0", {{ip(192, 0, 2, 1), 24}});
  upstream.is_upstream = true;
  interfaces.put(std::move(upstream));
}

void TestNetwork::change(std::uint32_t index, const std::function<void(relay::Interface&)>& edit) {
  const relay::Interface* present = interfaces.find(index);
  assert(present != nullptr);
  relay::Interface changed = *present;
  edit(changed);
  interfaces.put(std::move(changed));
}

Outcome TestNetwork::request(const Bytes& message, std::uint32_t index, std::size_t room) const {
  GuardedMessage guarded{message, room};
  const relay::Ingress ingress{index, ip(0, 0, 0, 0), 68, relay::limited_broadcast};
  const std::string decision = described(relay::relay_request(policy, interfaces, ingress, guarded.buffer()));
  return {decision, guarded.octets(), guarded.is_untouched(), guarded.is_intact_beside()};
}

Outcome TestNetwork::reply(const Bytes& message, std::uint32_t index, relay::Ipv4Address source,
                           std::size_t room) const {
  GuardedMessage guarded{message, room};
  const relay::Ingress ingress{index, source, 67, ip(10, 1, 0, 1)};
  const std::string decision =
      described(relay::relay_reply(policy, interfaces, transactions, ingress, guarded.buffer()));
  return {decision, guarded.octets(), guarded.is_untouched(), guarded.is_intact_beside()};
}

TestNetwork network_with_agent_information() {
  TestNetwork network;
  network.policy.add_agent_information = true;
  return network;
}

std::string described(const relay::Decision& decision) {
  return std::visit(Line{}, decision);
}

std::string described(relay::Ipv4Address address) {
  std::string result;
  for (const std::uint8_t octet : address.octets) {
    result += (result.empty() ? "" : ".") + std::to_string(octet);
  }
  return result;
}

std::string drop(relay::DropReason reason) {
  return "drop " + std::string(relay::text(reason).name);
}

std::string relayed(AgentInformationOutcome outcome) {
  return "servers 198.51.100.10 198.51.100.11 from 10.1.0.1 " + described(outcome);
}

}  // namespace test_support
