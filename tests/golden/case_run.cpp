#include "tests/golden/case_run.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>
#include <variant>

#include "relay/config/configuration.h"
#include "relay/core/bootp.h"
#include "relay/core/drop_reason.h"
#include "relay/core/interface_table.h"
#include "relay/core/policy.h"
#include "relay/core/policy6.h"
#include "relay/core/protocols.h"
#include "relay/core/relay.h"
#include "relay/core/relay_reply6.h"
#include "relay/core/relay_request6.h"
#include "relay/io/interface_view.h"
#include "relay/io/resolve.h"
#include "relay/io/sockets.h"
#include "tests/golden/line_diff.h"
#include "tests/support/guarded_message.h"
#include "tests/support/message6.h"
#include "tests/support/message_text6.h"

namespace golden {

namespace {

using test_support::address_text;
using test_support::Bytes;
using test_support::Lines;

constexpr std::size_t buffer_size = 65536 + 512;  // as for messages that are received
constexpr std::size_t headroom = 1024;            // of one of DHCPv6

/// The configuration that the command line gives, servers looked up.
[[nodiscard]] relay::Configuration configuration_of(const std::vector<std::string>& flags) {
  auto read = relay::read_configuration(flags, {});
  auto* const configuration = std::get_if<relay::Configuration>(&read);
  if (configuration == nullptr) {
    throw relay::UsageError("expected flags that start a relay agent");
  }
  relay::InterfaceSettings& interfaces = configuration->interfaces;
  auto servers = relay::io::resolve(configuration->servers, configuration->families, relay::io::look_up);
  interfaces.servers = std::move(servers.ipv4);
  interfaces.v6.servers = std::move(servers.ipv6);
  interfaces.agent_information.host_name = interfaces.v6.relay_forward.host_name = "relay.example";
  return std::move(*configuration);
}

/// A relay agent without sockets.
class Agent {
 public:
  Agent(const relay::Configuration& configuration, std::size_t route_mtu)
      : ports_{configuration.port, configuration.relay_port},
        policy6_{configuration.policy6},
        view_(table_, configuration.interfaces, {}) {
    relay::Policy policy = configuration.policy;
    policy.upstream_mtu = route_mtu;
    relay_.apply(policy);
  }

  void learn(const std::vector<relay::io::Link>& links) { view_.synchronise(links); }

  /// As the sockets sort: a message that begins with BOOTREPLY's op is a reply, everything else a request.
  [[nodiscard]] relay::Decision decide(const relay::Ingress& ingress, relay::MessageBuffer& message) {
    const auto octets = std::as_const(message).octets();
    return !octets.empty() && octets[0] == relay::bootp::op_reply ? relay_.reply(ingress, message)
                                                                  : relay_.request(ingress, message);
  }

  [[nodiscard]] relay::Decision6 decide(const relay::Ingress6& ingress, relay::MessageBuffer& message) const {
    const auto octets = std::as_const(message).octets();
    return relay::Dhcpv6::is_reply(octets) ? relay::relay_reply6(policy6_, table_, ingress, octets)
                                           : relay::relay_request6(policy6_, table_, ingress, message);
  }

  [[nodiscard]] const relay::Ports& ports() const noexcept { return ports_; }
  [[nodiscard]] const relay::Ports6& ports6() const noexcept { return policy6_.ports; }
  [[nodiscard]] const relay::InterfaceTable& interfaces() const noexcept { return table_; }

 private:
  relay::Ports ports_;
  relay::Policy6 policy6_;
  relay::InterfaceTable table_;
  relay::io::InterfaceView view_;
  relay::Relay relay_{table_, 0};
};

[[nodiscard]] std::string endpoint(relay::Ipv4Address address, std::uint16_t port) {
  return address_text(address) + ':' + std::to_string(port);
}

[[nodiscard]] std::string endpoint(const relay::Ipv6Address& address, std::uint16_t port,
                                   const std::string& zone = {}) {
  return '[' + test_support::described(address) + zone + "]:" + std::to_string(port);
}

[[nodiscard]] std::string_view outcome_text(relay::AgentInformationOutcome outcome) {
  using enum relay::AgentInformationOutcome;
  switch (outcome) {
    case untouched:
      return "";
    case added:
      return ", option 82 added";
    case appended:
      return ", option 82 appended";
    case replaced:
      return ", option 82 replaced";
    case did_not_fit:
      return ", option 82 did not fit";
  }
  return "?";
}

/// A decision as one line.
struct DecisionText {
  const relay::Ports& ports;

  std::string operator()(const relay::Drop& drop) const { return "-> drop " + std::string(text(drop.reason).name); }
  std::string operator()(const relay::ToServers& to) const {
    std::string line = "-> servers";
    for (const relay::Ipv4Address server : to.servers) {
      line += ' ' + endpoint(server, ports.server);
    }
    const std::uint16_t source_port = to.from_relay_port ? ports.relay.value_or(0) : ports.server;
    return line + " from " + endpoint(to.source, source_port) + std::string(outcome_text(to.agent_information));
  }
  std::string operator()(const relay::ToClient& to) const {
    const std::string line = "-> client on " + to.egress->name + ' ' + endpoint(to.destination, ports.client()) +
                             " from " + endpoint(to.source, ports.server);
    if (to.delivery == relay::Delivery::routed || !to.egress->is_ethernet) {
      return line + ", by datagram";
    }
    return line + ", by frame to " + test_support::colon_text(to.link_destination.octets);
  }
};

/// The same of DHCPv6.
struct DecisionText6 {
  const Agent& agent;

  std::string operator()(const relay::Drop& drop) const { return "-> drop " + std::string(text(drop.reason).name); }
  std::string operator()(const relay::ToServers6& to) const {
    const relay::Ports6& ports = agent.ports6();
    std::string line = "-> servers";
    for (const relay::Server6& server : to.servers) {
      const relay::Interface* const interface = agent.interfaces().find(server.interface_index);
      line += ' ' + endpoint(server.address, ports.server, interface == nullptr ? "" : '%' + interface->name);
    }
    return line + " from " + endpoint(to.source, to.from_relay_port ? ports.relay.value_or(0) : ports.server);
  }
  std::string operator()(const relay::ToPeer6& to) const {
    return (to.egress == nullptr ? "-> peer where routes lead " : "-> peer on " + to.egress->name + ' ') +
           endpoint(to.destination, to.destination_port) + " from " + endpoint(to.source, agent.ports6().server);
  }
};

/// How the message that leaves differs from the one that came: fixed fields that do; and if anything behind them does,
/// all of it.
[[nodiscard]] Lines changes(const Bytes& before, const Bytes& after) {
  Lines lines;
  if (before.size() != after.size()) {
    lines.push_back("  size " + std::to_string(before.size()) + " -> " + std::to_string(after.size()));
  }
  const auto old_text = test_support::message_text(before);
  const auto new_text = test_support::message_text(after);
  for (const std::string& line : line_diff(old_text.header, new_text.header)) {
    if (!line.starts_with(' ')) {
      lines.push_back("  " + line);
    }
  }
  if (old_text.body != new_text.body) {
    std::ranges::transform(line_diff(old_text.body, new_text.body), std::back_inserter(lines),
                           [](const std::string& line) { return "  " + line; });
  }
  if (lines.empty()) {
    lines.emplace_back("  unchanged");
  }
  return lines;
}

void check_octets(const test_support::GuardedMessage& message, bool is_dropped) {
  if (is_dropped ? !message.is_untouched() : !message.is_intact_beside()) {
    throw test_support::TextError("octets were written beside the message, or in a message that is dropped");
  }
}

[[nodiscard]] Lines run(const Agent& agent, const Exchange& exchange, const relay::Ingress6& ingress) {
  test_support::GuardedMessage message{exchange.message, 0, 0xa5, headroom};
  const relay::Decision6 decision = agent.decide(ingress, message.buffer());
  Lines lines{std::visit(DecisionText6{agent}, decision)};
  check_octets(message, std::holds_alternative<relay::Drop>(decision));
  Bytes sent;
  if (std::holds_alternative<relay::ToServers6>(decision)) {
    sent = message.octets();
  } else if (const auto* const to = std::get_if<relay::ToPeer6>(&decision)) {
    sent.assign(to->message.begin(), to->message.end());
  }
  std::ranges::transform(test_support::message6_text(sent, exchange.message), std::back_inserter(lines),
                         [](const std::string& line) { return "  " + line; });
  return lines;
}

[[nodiscard]] Lines run(Agent& agent, const Exchange& exchange) {
  agent.learn(exchange.links);
  if (const auto* const ingress6 = std::get_if<relay::Ingress6>(&exchange.ingress)) {
    return run(agent, exchange, *ingress6);
  }
  test_support::GuardedMessage message{exchange.message, buffer_size - exchange.message.size()};
  const relay::Decision decision = agent.decide(std::get<relay::Ingress>(exchange.ingress), message.buffer());
  Lines lines{std::visit(DecisionText{agent.ports()}, decision)};
  const bool is_dropped = std::holds_alternative<relay::Drop>(decision);
  check_octets(message, is_dropped);
  if (!is_dropped) {
    const Lines changed = changes(exchange.message, message.octets());
    lines.insert(lines.end(), changed.begin(), changed.end());
  }
  return lines;
}

[[nodiscard]] CaseError fault(const std::string& name, std::size_t line, const std::exception& error) {
  return CaseError(name + ':' + std::to_string(line + 1) + ": " + error.what());
}

}  // namespace

std::vector<Lines> run_case(const std::string& name, const Case& to_run) {
  const auto configuration = [&] {
    try {
      return configuration_of(to_run.flags);
    } catch (const std::runtime_error& error) {
      throw fault(name, to_run.flags_line, error);
    }
  }();
  Agent agent{configuration, to_run.route_mtu};
  std::vector<Lines> results;
  for (const Exchange& exchange : to_run.exchanges) {
    try {
      results.push_back(run(agent, exchange));
    } catch (const test_support::TextError& error) {
      throw fault(name, exchange.expected_line, error);
    }
  }
  return results;
}

}  // namespace golden
