#include "tests/support/test_network6.h"

#include <cassert>
#include <charconv>
#include <utility>
#include <variant>

#include "relay/core/relay_reply6.h"
#include "relay/core/relay_request6.h"

namespace test_support {

namespace {

/// `2001:db8::1/64`.
relay::InterfaceAddress6 interface_address(const std::string& text) {
  const std::size_t slash = text.find('/');
  relay::InterfaceAddress6 result;
  result.prefix.address = ip6(text.substr(0, slash));
  std::from_chars(text.data() + slash + 1, text.data() + text.size(), result.prefix.length);
  return result;
}

relay::Interface downstream(std::uint32_t index, const std::string& name, const std::vector<std::string>& addresses) {
  relay::Interface interface = interface6(index, name, addresses);
  interface.is_downstream = true;
  interface.v6.servers = {{ip6("2001:db8:53::10")}, {ip6("2001:db8:53::11")}};
  return interface;
}

struct Line6 {
  std::string operator()(const relay::Drop& each) const { return drop(each.reason); }
  std::string operator()(const relay::ToServers6& to) const {
    std::string result = "servers";
    for (const relay::Server6& server : to.servers) {
      result += " " + test_support::described(server.address);
    }
    return result + " from " + test_support::described(to.source) + (to.from_relay_port ? " and the relay port" : "");
  }
  std::string operator()(const relay::ToPeer6& to) const {
    return (to.egress == nullptr ? "routed" : to.egress->name) + " " + test_support::described(to.destination) +
           " port " + std::to_string(to.destination_port) + " from " + test_support::described(to.source);
  }
};

}  // namespace

relay::RelayForwardTemplates no_templates() {
  return {};
}

relay::Interface interface6(std::uint32_t index, const std::string& name, const std::vector<std::string>& addresses) {
  relay::Interface interface;
  interface.index = index;
  interface.name = name;
  interface.is_up = true;
  interface.is_ethernet = name != "lo";
  for (const std::string& address : addresses) {
    interface.v6.addresses.push_back(interface_address(address));
  }
  relay::choose_addresses(interface.v6, std::nullopt);
  relay::encode_relay_forward(interface, no_templates(), {});
  return interface;
}

relay::Ingress6 from_client(std::uint32_t index) {
  return {index, ip6("fe80::1"), 546, ip6("ff02::1:2"), relay::MacAddress{client_mac}};
}

relay::Ingress6 from_relay(const std::string& source, std::uint16_t port) {
  return {c0, ip6(source), port, ip6("2001:db8:1::1"), relay::MacAddress{{2, 0, 0, 0, 0, 0x99}}};
}

relay::Ingress6 from_server(std::uint32_t index) {
  return {index, ip6("2001:db8:53::10"), 547, ip6("2001:db8:1::1"), relay::MacAddress{{2, 0, 0, 0, 0, 0x53}}};
}

TestNetwork6::TestNetwork6() {
  interfaces.put(interface6(lo, "lo", {"::1/128", "2001:db8:ff::1/128"}));
  interfaces.put(downstream(c0, "c0", {"2001:db8:1::1/64", "fe80::c0/64"}));
  interfaces.put(downstream(c1, "c1", {"2001:db8:2::1/64", "fe80::c1/64"}));
  relay::Interface upstream = interface6(s0, "s0", {"2001:db8:5::1/64", "fe80::50/64"});
  upstream.is_upstream = true;
  interfaces.put(std::move(upstream));
}

void TestNetwork6::change(std::uint32_t index, const std::function<void(relay::Interface&)>& edit) {
  const relay::Interface* present = interfaces.find(index);
  assert(present != nullptr);
  relay::Interface changed = *present;
  edit(changed);
  interfaces.put(std::move(changed));
}

void TestNetwork6::encode(const relay::RelayForwardSettings& settings, const relay::RelayForwardTemplates& templates) {
  change(c0, [&](relay::Interface& interface) { relay::encode_relay_forward(interface, templates, settings); });
}

Outcome TestNetwork6::request(const Bytes& message, const relay::Ingress6& ingress, std::size_t headroom) const {
  GuardedMessage guarded{message, 0, 0xa5, headroom};
  const std::string decision = described(relay::relay_request6(policy, interfaces, ingress, guarded.buffer()));
  return {decision, guarded.octets(), guarded.is_untouched(), guarded.is_intact_beside()};
}

Outcome TestNetwork6::reply(const Bytes& message, const relay::Ingress6& ingress) const {
  const relay::Decision6 decision = relay::relay_reply6(policy, interfaces, ingress, message);
  Outcome outcome{described(decision), message, true, true};  // which is const
  if (const auto* to_peer = std::get_if<relay::ToPeer6>(&decision)) {
    outcome.message = {to_peer->message.begin(), to_peer->message.end()};
  }
  return outcome;
}

std::string described(const relay::Decision6& decision) {
  return std::visit(Line6{}, decision);
}

std::string relayed6() {
  return "servers 2001:db8:53::10 2001:db8:53::11 from 2001:db8:1::1";
}

}  // namespace test_support
