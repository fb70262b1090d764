#include "relay/check/judgement.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "relay/check/judgement_of_host.h"
#include "relay/check/judgement_of_interfaces.h"
#include "relay/check/wording.h"

namespace relay::check {

namespace {

using Findings = std::vector<Finding>;

/// RFC 2131 section 2: the message that servers and relay agents have to take, with its headers.
constexpr std::size_t least_request_size = 576;

/// How to be rid of a program that has the port of DHCP, by the name of its process.
struct Remedy {
  std::string_view process;
  std::string_view advice;
};
constexpr std::array<Remedy, 11> remedies{{
    {"dhcrelay", "stop ISC's relay for good: systemctl disable --now isc-dhcp-relay"},
    {"dhcpd", "a host relays or serves: systemctl disable --now isc-dhcp-server"},
    {"kea-dhcp4", "a host relays or serves: systemctl disable --now kea-dhcp4-server"},
    {"kea-dhcp6", "a host relays or serves: systemctl disable --now kea-dhcp6-server"},
    {"dhcp6s", "a host relays or serves: systemctl disable --now wide-dhcpv6-server"},
    {"dhcp6relay", "stop the other relay for good: systemctl disable --now wide-dhcpv6-relay"},
    {"dnsmasq", "take dhcp-range and dhcp-relay out of its configuration, or: systemctl disable --now dnsmasq"},
    {"systemd-network", "take DHCPServer= out of the .network files and: systemctl restart systemd-networkd"},
    {"udhcpd", "a host relays or serves: systemctl disable --now udhcpd"},
    {"dhcp-helper", "stop the other relay for good: systemctl disable --now dhcp-helper"},
    {"xinetd", "take bootps out of its configuration and restart it"},
}};

[[nodiscard]] std::string remedy_of(const PortHolder& holder) {
  if (holder.process.empty()) {
    return "repeat this as root to see which, and end it: ss -lunp sport = :" + std::to_string(holder.port);
  }
  const auto* const known = std::ranges::find(remedies, holder.process, &Remedy::process);
  if (known != remedies.end()) {
    return std::string{known->advice};
  }
  return "end it and keep it from starting again: systemctl status " + std::to_string(holder.pid) +
         " tells which unit it belongs to";
}

[[nodiscard]] std::string holder_text(const PortHolder& holder) {
  if (holder.process.empty()) {
    return "a process of user " + std::to_string(holder.user) + " that cannot be seen from here";
  }
  return holder.process + " (process " + std::to_string(holder.pid) + ")";
}

[[nodiscard]] bool is_relay(const PortHolder& holder) {
  return holder.process == "dhcp-relay";
}

[[nodiscard]] bool is_about(const Finding& finding, Family family) {
  return !finding.family || finding.family == family;
}

/// Whether the finding says that requests which arrive on an interface are lost.
[[nodiscard]] bool is_loss(const Finding& finding, Family family) {
  constexpr std::array losses{
      FindingKind::interface_down, FindingKind::no_address,  FindingKind::interface_without_server,
      FindingKind::port_of_bridge, FindingKind::port_of_vrf, FindingKind::firewall_drops_requests,
      FindingKind::ipv6_disabled,  FindingKind::ipv6_mtu,    FindingKind::no_link_local};
  return is_about(finding, family) && std::ranges::find(losses, finding.kind) != losses.end();
}

void judge_port(const PortHolder& holder, Findings& findings) {
  findings.push_back(
      {.kind = is_relay(holder) ? FindingKind::port_taken_by_relay : FindingKind::port_taken,
       .subjects = {holder_text(holder)},
       .command = is_relay(holder) ? "to have it read its configuration again: kill -HUP " + std::to_string(holder.pid)
                                   : remedy_of(holder),
       .number = holder.port});
}

/// What the relay does when it is no longer the user that starts it.
void judge_account(const Facts& facts, Findings& findings) {
  const std::string account = facts.account.empty() ? "this user" : facts.account + ", which the relay becomes";
  for (const FileFault& each : facts.unreadable) {
    findings.push_back(
        {.kind = FindingKind::file_unreadable, .subjects = {each.file}, .other = account + " (" + each.why + ")"});
  }
  if (!facts.bound_capture.empty()) {
    findings.push_back({.kind = FindingKind::capture_in_one_file, .subjects = {facts.bound_capture}, .other = account});
  }
  if (!facts.state_fault.empty()) {
    findings.push_back({.kind = FindingKind::state_unkept, .subjects = {facts.state_fault}, .family = Family::ipv6});
  }
  if (!facts.unkept_state.empty()) {
    findings.push_back(
        {.kind = FindingKind::state_unkept,
         .subjects = {"no file can be made in the directory of " + facts.unkept_state + " by " + account},
         .family = Family::ipv6});
  }
  if (!facts.missing_state_directory.empty()) {
    findings.push_back({.kind = FindingKind::state_directory_missing,
                        .subjects = {facts.missing_state_directory},
                        .family = Family::ipv6});
  }
  if (!facts.account_fault.empty()) {
    findings.push_back({.kind = FindingKind::account_out_of_reach, .subjects = {facts.account_fault}});
  }
}

void judge_capabilities(const Facts& facts, Findings& findings) {
  const std::string remedy =
      facts.is_root ? "let root have it: CapabilityBoundingSet= of a systemd unit, --cap-add of a container"
                    : "start as root, or with AmbientCapabilities=CAP_NET_RAW CAP_NET_BIND_SERVICE in the systemd unit";
  if (facts.lacks_net_raw && facts.families.ipv4) {
    findings.push_back({.kind = FindingKind::capability_missing,
                        .subjects = {"CAP_NET_RAW"},
                        .other = "no packet socket can be opened for replies to clients",
                        .command = remedy});
  } else if (facts.lacks_net_raw && facts.policy6.client_link_layer_address) {
    findings.push_back({.kind = FindingKind::capability_missing,
                        .subjects = {"CAP_NET_RAW"},
                        .other =
                            "no packet socket can be opened to see the hardware addresses of clients, and to answer "
                            "them there",
                        .command = remedy + "; or do without them: --client-link-layer-address no"});
  }
  if (facts.lacks_net_admin) {
    findings.push_back({.kind = FindingKind::capability_missing,
                        .subjects = {"CAP_NET_ADMIN"},
                        .other = "no route to a delegated prefix can be made",
                        .command = facts.is_root ? remedy : "start as root; or do without them: leave out --routes",
                        .family = Family::ipv6});
  }
  if (facts.lacks_bind_service) {
    findings.push_back({.kind = FindingKind::capability_missing,
                        .subjects = {"CAP_NET_BIND_SERVICE"},
                        .other = "the relay cannot listen on UDP port " + server_ports_text(facts),
                        .command = remedy});
  }
}

/// RFC 8357 lets the relay have it, and then it hears what is meant for clients.
void judge_relay_port(const Facts& facts, Findings& findings) {
  const auto judge_one = [&findings](const auto& ports, Family family) {
    if (ports.relay && *ports.relay == ports.client()) {
      findings.push_back({.kind = FindingKind::relay_port_of_clients, .number = *ports.relay, .family = family});
    }
  };
  if (facts.families.ipv4) {
    judge_one(facts.ports, Family::ipv4);
  }
  if (facts.families.ipv6) {
    judge_one(facts.policy6.ports, Family::ipv6);
  }
}

/// As ss(8) takes it: `sport = :67 or sport = :547`.
[[nodiscard]] std::string filter_of_ports(const Facts& facts) {
  std::string filter;
  for (const std::uint16_t port : server_ports(facts)) {
    filter += (filter.empty() ? "sport = :" : " or sport = :") + std::to_string(port);
  }
  return filter;
}

void judge_start(const Facts& facts, Findings& findings) {
  for (const std::string& warning : facts.warnings) {
    findings.push_back({.kind = FindingKind::flag_without_effect, .subjects = {warning}});
  }
  for (const std::string& sentence : facts.unresolved_servers) {
    findings.push_back({.kind = FindingKind::server_unresolved, .subjects = {sentence}});
  }
  for (const FileFault& each : facts.unwritable) {
    findings.push_back({.kind = FindingKind::file_unwritable, .subjects = {each.file}, .other = each.why});
  }
  // Where a relay runs already the port is most likely its own.
  if (!facts.metrics_fault.empty() &&
      std::ranges::none_of(facts.port_holders, [](const PortHolder& holder) { return is_relay(holder); })) {
    findings.push_back({.kind = FindingKind::metrics_unservable, .subjects = {facts.metrics_fault}});
  }
  if (!facts.log_fault.empty()) {
    findings.push_back({.kind = FindingKind::log_unheard, .subjects = {facts.log_fault}});
  }
  judge_relay_port(facts, findings);
  judge_account(facts, findings);
  judge_capabilities(facts, findings);
  for (const PortHolder& holder : facts.port_holders) {
    judge_port(holder, findings);
  }
  if (!facts.port_holders_fault.empty()) {
    findings.push_back({.kind = FindingKind::port_holders_unread,
                        .subjects = {facts.port_holders_fault},
                        .command = filter_of_ports(facts)});
  }
  if (facts.lacks_ipv6 && facts.families.ipv6) {
    findings.push_back({.kind = FindingKind::ipv6_missing});
  }
}

[[nodiscard]] const InterfaceFacts* find_interface(const Facts& facts, std::string_view name) {
  const auto found = std::ranges::find(facts.interfaces, name, &InterfaceFacts::name);
  return found == facts.interfaces.end() ? nullptr : &*found;
}

[[nodiscard]] bool upstream_is_named(const Facts& facts, Family family) {
  return family == Family::ipv4 ? facts.policy.upstream_named : facts.policy6.upstream_named;
}

/// What is said of a server, with its address.
[[nodiscard]] Finding about(const ServerFacts& server, FindingKind kind) {
  Finding finding{.kind = kind, .address = server.address, .family = family_of(server.address)};
  finding.zone = server.egress.empty() ? server.interface : server.egress;
  return finding;
}

/// Why replies that come back the way the requests went are not accepted; nothing where they are.
[[nodiscard]] std::optional<Finding> obstacle_on_way_back(const ServerFacts& server, const Facts& facts) {
  const Family family = family_of(server.address);
  const InterfaceFacts* const egress = find_interface(facts, server.egress);
  if (egress != nullptr && egress->is_upstream_of(family)) {
    return std::nullopt;
  }
  const bool is_downstream = egress != nullptr && egress->is_downstream_of(family);
  if (!is_downstream && !upstream_is_named(facts, family)) {
    return std::nullopt;
  }
  Finding finding = about(server, is_downstream ? FindingKind::server_downstream : FindingKind::server_beyond_upstream);
  finding.subjects = {server.egress};
  finding.other = family == Family::ipv4 ? "-iu and -i" : "-iu, -u and -i";
  finding.command = family == Family::ipv4 ? "-iu" : "-iu and -u";
  return finding;
}

/// A Relay-forward leaves in fragments where it has to.
void judge_route_mtu(const ServerFacts& server, const Facts& facts, Findings& findings) {
  const std::size_t wanted = least_request_size + facts.agent_information_size;
  if (family_of(server.address) == Family::ipv4 && server.mtu && *server.mtu < wanted) {
    Finding finding = about(server, FindingKind::route_mtu);
    finding.number = *server.mtu;
    finding.limit = wanted;
    findings.push_back(std::move(finding));
  }
}

/// Why nothing reaches the server, or comes back from it, wherever it is; nothing where no such reason is known.
[[nodiscard]] std::optional<Finding> obstacle(const ServerFacts& server, const Facts& facts) {
  if (server.lacks_interface) {
    Finding finding = about(server, FindingKind::server_interface_missing);
    finding.subjects = {server.interface};
    return finding;
  }
  if (server.is_local) {
    return about(server, FindingKind::server_is_local);
  }
  if (!server.refusing_route.empty()) {
    Finding finding = about(server, FindingKind::server_refused);
    finding.other = server.refusing_route;
    finding.number = family_of(server.address) == Family::ipv4 ? 32 : 128;
    return finding;
  }
  if (!server.route_fault.empty()) {
    Finding finding = about(server, FindingKind::server_unreachable);
    finding.other = server.route_fault;
    return finding;
  }
  if (server.is_broadcast && !facts.policy.replies_from_anyone) {
    return about(server, FindingKind::server_is_broadcast);
  }
  return std::nullopt;
}

void judge_server(const ServerFacts& server, const Facts& facts, Findings& findings) {
  if (auto finding = obstacle(server, facts)) {
    findings.push_back(*std::move(finding));
    return;
  }
  const bool is_ipv4 = family_of(server.address) == Family::ipv4;
  auto on_way_back = obstacle_on_way_back(server, facts);
  const bool is_reached = !on_way_back && server.egress_has_carrier && !server.next_hop_has_failed;
  if (on_way_back) {
    findings.push_back(*std::move(on_way_back));
  }
  if (!server.egress_has_carrier) {
    findings.push_back({.kind = FindingKind::no_carrier, .subjects = {server.egress}});
  }
  if (server.next_hop_has_failed) {
    Finding finding = about(server, FindingKind::server_not_answering);
    finding.subjects = {server.egress};
    finding.other = is_ipv4 ? "ARP" : "neighbour discovery";
    finding.next_hop = server.gateway.value_or(server.address);
    findings.push_back(std::move(finding));
  }
  judge_route_mtu(server, facts, findings);
  if (is_reached && (is_ipv4 ? facts.source_is_local : facts.source6_is_local)) {
    Finding finding = about(server, FindingKind::server_reached);
    finding.subjects = {server.egress};
    finding.other = is_ipv4 ? "giaddr" : "that of the clients' link";
    finding.next_hop = server.gateway.value_or(server.address);
    finding.number = is_ipv4 ? facts.ports.server : facts.policy6.ports.server;
    if (is_ipv4) {
      finding.source = facts.policy.source_address;
    } else {
      finding.source = facts.policy6.source_address;
    }
    findings.push_back(std::move(finding));
  }
}

void judge_servers(const Facts& facts, Findings& findings) {
  if (facts.policy.source_address && !facts.source_is_local) {
    findings.push_back({.kind = FindingKind::source_missing, .address = facts.policy.source_address});
  }
  if (facts.policy6.source_address && !facts.source6_is_local) {
    findings.push_back({.kind = FindingKind::source_missing, .address = facts.policy6.source_address});
  }
  for (const ServerFacts& server : facts.servers) {
    if (family_of(server.address) == Family::ipv4 || !facts.lacks_ipv6) {
      judge_server(server, facts, findings);
    }
  }
}

/// Whether there are servers of the family, and it is certain of each that nothing gets there or comes back. One that
/// does not answer ARP may be there in a moment.
[[nodiscard]] bool has_no_server_in_reach(const Facts& facts, Family family) {
  const auto is_ours = [family](const ServerFacts& server) { return family_of(server.address) == family; };
  return std::ranges::any_of(facts.servers, is_ours) &&
         std::ranges::none_of(facts.servers, [&](const ServerFacts& server) {
           return is_ours(server) && server.egress_has_carrier && !obstacle(server, facts) &&
                  !obstacle_on_way_back(server, facts);
         });
}

/// `interface_down, interface_missing`: kinds of those findings that `is_one`, each once.
template <typename Predicate>
[[nodiscard]] std::vector<std::string> names_of(const Findings& findings, const Predicate& is_one) {
  std::vector<std::string> names;
  for (const Finding& finding : findings) {
    const std::string name{text(finding.kind).name};
    if (is_one(finding) && std::ranges::find(names, name) == names.end()) {
      names.push_back(name);
    }
  }
  return names;
}

/// Where an error says already what is wrong with a server, that is enough.
void judge_reach(const Facts& facts, Family family, Findings& findings) {
  const bool lacks_source = family == Family::ipv4 ? !facts.source_is_local : !facts.source6_is_local;
  const bool lacks_family = family == Family::ipv6 && facts.lacks_ipv6;
  if (lacks_source || lacks_family || !has_no_server_in_reach(facts, family)) {
    return;
  }
  constexpr std::array obstacles{FindingKind::server_interface_missing, FindingKind::server_unreachable,
                                 FindingKind::server_refused,           FindingKind::server_is_local,
                                 FindingKind::server_is_broadcast,      FindingKind::server_downstream,
                                 FindingKind::server_beyond_upstream};
  const auto is_obstacle = [family, &obstacles](const Finding& finding) {
    return finding.family == family && std::ranges::find(obstacles, finding.kind) != obstacles.end();
  };
  if (std::ranges::any_of(findings, [&is_obstacle](const Finding& finding) {
        return is_obstacle(finding) && severity_of(finding) == Severity::error;
      })) {
    return;
  }
  findings.push_back({.kind = FindingKind::no_server_reached,
                      .subjects = names_of(findings,
                                           [&is_obstacle](const Finding& finding) {
                                             return is_obstacle(finding) || finding.kind == FindingKind::no_carrier;
                                           }),
                      .other = std::string{protocol_before(facts, family)},
                      .family = family});
}

/// Whether requests that arrive on the interface are lost.
[[nodiscard]] bool is_lost(const InterfaceFacts& interface, Family family, const Findings& findings) {
  const bool has_all = family == Family::ipv4 ? interface.giaddr && interface.has_server : interface.v6.has_server;
  return !interface.is_downstream_of(family) || interface.is_loopback || !has_all ||
         std::ranges::any_of(findings, [&interface, family](const Finding& finding) {
           return is_loss(finding, family) &&
                  std::ranges::find(finding.subjects, interface.name) != finding.subjects.end();
         });
}

/// It names what the findings are called that say why.
[[nodiscard]] Finding nothing_served(const Facts& facts, Family family, const Findings& findings) {
  const auto is_cause = [family](const Finding& finding) {
    return is_loss(finding, family) || finding.kind == FindingKind::interface_missing ||
           finding.kind == FindingKind::pattern_unmatched || finding.kind == FindingKind::loopback_downstream;
  };
  const std::vector<std::string> causes = names_of(findings, is_cause);
  const std::string protocol{protocol_before(facts, family)};
  std::string other = protocol.empty() ? "" : " of " + protocol.substr(0, protocol.size() - 1);
  for (std::size_t i = 0; i < causes.size(); ++i) {
    other += (i == 0 ? ", for what " : ", ") + causes[i];
  }
  if (!causes.empty()) {
    other += causes.size() == 1 ? " tells" : " tell";
  }
  const std::string known_by = family == Family::ipv4 ? "a giaddr" : "a link-local address";
  return {.kind = FindingKind::nothing_served,
          .other = std::move(other),
          .command = causes.empty() ? "name one for them that is there and up, with " + known_by + " and a server"
                                    : "follow the advice there, for one interface at least",
          .family = family};
}

/// Where an error says already why an interface does not serve, that is enough.
void judge_whole(const Facts& facts, Family family, Findings& findings) {
  const bool is_told = std::ranges::any_of(findings, [family](const Finding& finding) {
    return severity_of(finding) == Severity::error && is_about(finding, family) &&
           (is_loss(finding, family) || finding.kind == FindingKind::server_unresolved ||
            finding.kind == FindingKind::giaddr_interface_missing || finding.kind == FindingKind::ipv6_missing);
  });
  if (!is_told && std::ranges::all_of(facts.interfaces, [&](const InterfaceFacts& interface) {
        return is_lost(interface, family, findings);
      })) {
    findings.push_back(nothing_served(facts, family, findings));
  }
}

/// An interface has what it takes, and clients on it are not served for what another finding says.
void take_back_what_is_well(const Facts& facts, Family family, Findings& findings) {
  const bool lacks_source = family == Family::ipv4 ? !facts.source_is_local : !facts.source6_is_local;
  const bool is_all = lacks_source || has_no_server_in_reach(facts, family);
  std::vector<std::string> lost;
  for (const InterfaceFacts& interface : facts.interfaces) {
    if (is_all || is_lost(interface, family, findings)) {
      lost.push_back(interface.name);
    }
  }
  std::erase_if(findings, [&lost, family](const Finding& finding) {
    return finding.kind == FindingKind::interface_serves && finding.family == family &&
           std::ranges::find(lost, finding.subjects.front()) != lost.end();
  });
}

[[nodiscard]] auto all_but_subjects(const Finding& finding) {
  return std::tie(finding.kind, finding.other, finding.command, finding.address, finding.next_hop, finding.source,
                  finding.zone, finding.number, finding.limit, finding.most);
}

/// Puts together what differs in its subject alone, in the order of kinds.
[[nodiscard]] Findings joined(Findings findings) {
  std::ranges::stable_sort(findings, {}, &Finding::kind);
  Findings result;
  std::size_t kind_begins = 0;
  for (Finding& finding : findings) {
    if (result.empty() || result.back().kind != finding.kind) {
      kind_begins = result.size();
    }
    const auto same =
        std::find_if(result.begin() + static_cast<std::ptrdiff_t>(kind_begins), result.end(),
                     [&finding](const Finding& other) { return all_but_subjects(other) == all_but_subjects(finding); });
    if (same == result.end()) {
      result.push_back(std::move(finding));
    } else {
      std::ranges::copy_if(finding.subjects, std::back_inserter(same->subjects), [&same](const std::string& subject) {
        return std::ranges::find(same->subjects, subject) == same->subjects.end();
      });
    }
  }
  return result;
}

}  // namespace

std::vector<Finding> judge(const Facts& facts) {
  Findings findings;
  judge_start(facts, findings);
  judge_interfaces(facts, findings);
  judge_servers(facts, findings);
  judge_settings(facts, findings);
  judge_firewall(facts, findings);
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const bool is_relayed = family == Family::ipv4 ? facts.families.ipv4 : facts.families.ipv6;
    if (is_relayed) {
      judge_whole(facts, family, findings);
      judge_reach(facts, family, findings);
      take_back_what_is_well(facts, family, findings);
    }
  }
  return joined(std::move(findings));
}

std::vector<Finding> judge_servers_at_start(const Facts& facts) {
  constexpr std::array told{FindingKind::relay_port_of_clients, FindingKind::server_is_local,
                            FindingKind::server_is_broadcast, FindingKind::server_downstream};
  Findings findings;
  judge_relay_port(facts, findings);
  judge_servers(facts, findings);
  std::erase_if(findings,
                [&told](const Finding& finding) { return std::ranges::find(told, finding.kind) == told.end(); });
  return findings;
}

Severity worst(const std::vector<Finding>& findings) noexcept {
  Severity result = Severity::ok;
  for (const Finding& finding : findings) {
    result = std::max(result, severity_of(finding));
  }
  return result;
}

}  // namespace relay::check
