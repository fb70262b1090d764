#include "relay/check/judgement.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "relay/check/judgement_of_host.h"

namespace relay::check {

namespace {

using Findings = std::vector<Finding>;

/// RFC 2131 section 2: the message that a client has to take, with its headers.
constexpr std::uint32_t least_mtu = 576;

/// How to be rid of a program that has the port of DHCP, by the name of its process.
struct Remedy {
  std::string_view process;
  std::string_view advice;
};
constexpr std::array<Remedy, 8> remedies{{
    {"dhcrelay", "stop ISC's relay for good: systemctl disable --now isc-dhcp-relay"},
    {"dhcpd", "a host relays or serves: systemctl disable --now isc-dhcp-server"},
    {"kea-dhcp4", "a host relays or serves: systemctl disable --now kea-dhcp4-server"},
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

/// Whether the finding says that requests which arrive on an interface are lost.
[[nodiscard]] bool is_loss(FindingKind kind) {
  constexpr std::array losses{
      FindingKind::interface_down, FindingKind::no_address,  FindingKind::interface_without_server,
      FindingKind::port_of_bridge, FindingKind::port_of_vrf, FindingKind::firewall_drops_requests};
  return std::ranges::find(losses, kind) != losses.end();
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
  if (!facts.account_fault.empty()) {
    findings.push_back({.kind = FindingKind::account_out_of_reach, .subjects = {facts.account_fault}});
  }
}

void judge_capabilities(const Facts& facts, Findings& findings) {
  const std::string remedy =
      facts.is_root ? "let root have it: CapabilityBoundingSet= of a systemd unit, --cap-add of a container"
                    : "start as root, or with AmbientCapabilities=CAP_NET_RAW CAP_NET_BIND_SERVICE in the systemd unit";
  if (facts.lacks_net_raw) {
    findings.push_back({.kind = FindingKind::capability_missing,
                        .subjects = {"CAP_NET_RAW"},
                        .other = "no packet socket can be opened for replies to clients",
                        .command = remedy});
  }
  if (facts.lacks_bind_service) {
    findings.push_back({.kind = FindingKind::capability_missing,
                        .subjects = {"CAP_NET_BIND_SERVICE"},
                        .other = "the relay cannot listen on UDP port " + std::to_string(facts.ports.server),
                        .command = remedy});
  }
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
  judge_account(facts, findings);
  judge_capabilities(facts, findings);
  for (const PortHolder& holder : facts.port_holders) {
    judge_port(holder, findings);
  }
  if (!facts.port_holders_fault.empty()) {
    findings.push_back({.kind = FindingKind::port_holders_unread,
                        .subjects = {facts.port_holders_fault},
                        .number = facts.ports.server});
  }
}

/// Names and patterns that no interface has, and `-U`.
void judge_names(const Facts& facts, Findings& findings) {
  for (const std::string& name : facts.unmatched) {
    bool is_downstream = false;
    for (const auto& [pattern, role] : facts.roles) {
      is_downstream = is_downstream || (pattern == name && role.downstream);
    }
    const FindingKind kind = !is_downstream     ? FindingKind::upstream_missing
                             : is_pattern(name) ? FindingKind::pattern_unmatched
                                                : FindingKind::interface_missing;
    findings.push_back({.kind = kind, .subjects = {name}});
  }
  if (!facts.giaddr_interface_has_address) {
    findings.push_back({.kind = FindingKind::giaddr_interface_missing, .subjects = {facts.giaddr_interface}});
  }
}

/// Whether IP sees what arrives on the interface.
[[nodiscard]] bool judge_place(const InterfaceFacts& interface, const Facts& facts, Findings& findings) {
  switch (interface.master_kind) {
    case MasterKind::none:
      return true;
    case MasterKind::takes_frames:
      findings.push_back(
          {.kind = FindingKind::port_of_bridge, .subjects = {interface.name}, .other = interface.master});
      return false;
    case MasterKind::vrf:
      if (!facts.hears_vrfs) {
        findings.push_back({.kind = FindingKind::port_of_vrf, .subjects = {interface.name}, .other = interface.master});
      }
      return facts.hears_vrfs;
  }
  return true;
}

/// Whether giaddr is in none of the interface's subnets, and the interface has some or another one has that.
[[nodiscard]] bool is_of_another_segment(Ipv4Address giaddr, const InterfaceFacts& interface, const Facts& facts) {
  const auto has = [giaddr](const InterfaceFacts& each) {
    return std::ranges::any_of(each.addresses, [giaddr](const Ipv4Prefix& prefix) {
      return prefix.network() == Ipv4Prefix{giaddr, prefix.length}.network();
    });
  };
  return !has(interface) && (!interface.addresses.empty() || std::ranges::any_of(facts.interfaces, has));
}

/// Whether the interface has what its requests are given: giaddr and servers.
[[nodiscard]] bool judge_giaddr(const InterfaceFacts& interface, const Facts& facts, Findings& findings) {
  if (!interface.giaddr) {
    if (facts.giaddr_interface.empty()) {
      findings.push_back({.kind = FindingKind::no_address, .subjects = {interface.name}});
    }
    return false;
  }
  if (!interface.giaddr_is_local) {
    findings.push_back(
        {.kind = FindingKind::giaddr_passive, .subjects = {interface.name}, .address = interface.giaddr});
  }
  if (!facts.policy.add_agent_information && is_of_another_segment(*interface.giaddr, interface, facts)) {
    findings.push_back(
        {.kind = FindingKind::giaddr_foreign, .subjects = {interface.name}, .address = interface.giaddr});
  }
  return interface.giaddr_is_local;
}

void judge_downstream(const InterfaceFacts& interface, const Facts& facts, Findings& findings) {
  if (interface.is_loopback && !interface.is_named) {
    return;  // nobody meant it
  }
  const auto find = [&](FindingKind kind) { findings.push_back({.kind = kind, .subjects = {interface.name}}); };
  bool serves = true;
  if (!interface.is_up) {
    find(FindingKind::interface_down);
    serves = false;
  } else if (!interface.has_carrier) {
    find(FindingKind::no_carrier);
    serves = false;
  }
  if (!judge_place(interface, facts, findings)) {
    return;
  }
  serves = judge_giaddr(interface, facts, findings) && serves;
  if (!interface.has_server) {
    serves = false;
    if (facts.unresolved_servers.empty()) {
      find(FindingKind::interface_without_server);
    }
  }
  if (interface.is_loopback) {
    find(FindingKind::loopback_downstream);
    serves = false;
  } else if (!interface.is_ethernet) {
    find(FindingKind::not_ethernet);
  }
  if (serves) {
    find(FindingKind::interface_serves);
  }
}

void judge_interface(const InterfaceFacts& interface, const Facts& facts, Findings& findings) {
  if (interface.is_downstream) {
    judge_downstream(interface, facts, findings);
  } else if (!interface.is_up) {
    findings.push_back({.kind = FindingKind::upstream_down, .subjects = {interface.name}});
  } else if (!interface.has_carrier) {
    findings.push_back({.kind = FindingKind::no_carrier, .subjects = {interface.name}});
  }
  if (interface.is_downstream && interface.is_upstream && !interface.is_both_by_one_flag) {
    findings.push_back({.kind = FindingKind::both_sides, .subjects = {interface.name}});
  }
  if (interface.mtu < least_mtu) {
    findings.push_back({.kind = FindingKind::interface_mtu,
                        .subjects = {interface.name},
                        .number = interface.mtu,
                        .limit = least_mtu});
  }
}

/// What is wrong with an interface that only a pattern matches may be so because it is not used.
void judge_interface_gently(const InterfaceFacts& interface, const Facts& facts, Findings& findings) {
  const auto before = static_cast<std::ptrdiff_t>(findings.size());
  judge_interface(interface, facts, findings);
  const auto make_gentle = [](Finding& finding) {
    if (severity_of(finding) == Severity::error) {
      finding.most = Severity::warning;
    }
  };
  if (!interface.is_named) {
    std::for_each(findings.begin() + before, findings.end(), make_gentle);
  }
}

/// giaddrs and subnets that several downstream interfaces have.
void judge_sharing(const Facts& facts, Findings& findings) {
  std::map<Ipv4Address, std::vector<std::string>> by_giaddr;
  std::map<std::pair<Ipv4Address, std::uint8_t>, std::vector<std::string>> by_subnet;
  for (const InterfaceFacts& interface : facts.interfaces) {
    if (!interface.is_downstream || interface.is_loopback) {
      continue;
    }
    if (interface.giaddr) {
      by_giaddr[*interface.giaddr].push_back(interface.name);
    }
    for (const Ipv4Prefix& prefix : interface.addresses) {
      auto& names = by_subnet[{prefix.network(), prefix.length}];
      if (prefix.length < 32 && std::ranges::find(names, interface.name) == names.end()) {
        names.push_back(interface.name);
      }
    }
  }
  for (auto& [giaddr, names] : by_giaddr) {
    if (names.size() > 1 && !facts.policy.add_agent_information) {
      findings.push_back({.kind = FindingKind::shared_giaddr, .subjects = std::move(names), .address = giaddr});
    }
  }
  for (auto& [subnet, names] : by_subnet) {
    if (names.size() > 1) {
      findings.push_back({.kind = FindingKind::shared_subnet,
                          .subjects = std::move(names),
                          .other = "/" + std::to_string(subnet.second),
                          .address = subnet.first});
    }
  }
}

[[nodiscard]] const InterfaceFacts* find_interface(const Facts& facts, std::string_view name) {
  const auto found = std::ranges::find(facts.interfaces, name, &InterfaceFacts::name);
  return found == facts.interfaces.end() ? nullptr : &*found;
}

/// Whether replies that come back the way the requests went are accepted.
[[nodiscard]] bool judge_way_back(const ServerFacts& server, const Facts& facts, Findings& findings) {
  const InterfaceFacts* const egress = find_interface(facts, server.egress);
  if (egress != nullptr && egress->is_upstream) {
    return true;
  }
  const bool is_downstream = egress != nullptr && egress->is_downstream;
  if (!is_downstream && !facts.policy.upstream_named) {
    return true;
  }
  findings.push_back({.kind = is_downstream ? FindingKind::server_downstream : FindingKind::server_beyond_upstream,
                      .subjects = {server.egress},
                      .address = server.address});
  return false;
}

void judge_route_mtu(const ServerFacts& server, const Facts& facts, Findings& findings) {
  const std::size_t wanted = least_mtu + facts.agent_information_size;
  if (server.mtu && *server.mtu < wanted) {
    findings.push_back(
        {.kind = FindingKind::route_mtu, .address = server.address, .number = *server.mtu, .limit = wanted});
  }
}

void judge_server(const ServerFacts& server, const Facts& facts, Findings& findings) {
  if (server.is_local) {
    findings.push_back({.kind = FindingKind::server_is_local, .address = server.address});
    return;
  }
  if (!server.refusing_route.empty()) {
    findings.push_back(
        {.kind = FindingKind::server_refused, .other = server.refusing_route, .address = server.address});
    return;
  }
  if (!server.route_fault.empty()) {
    findings.push_back(
        {.kind = FindingKind::server_unreachable, .other = server.route_fault, .address = server.address});
    return;
  }
  if (server.is_broadcast && !facts.policy.replies_from_anyone) {
    findings.push_back({.kind = FindingKind::server_is_broadcast, .address = server.address});
    return;
  }
  const bool is_reached = judge_way_back(server, facts, findings) && !server.next_hop_has_failed;
  if (server.next_hop_has_failed) {
    findings.push_back({.kind = FindingKind::server_not_answering,
                        .subjects = {server.egress},
                        .address = server.address,
                        .next_hop = server.gateway.value_or(server.address)});
  }
  judge_route_mtu(server, facts, findings);
  if (is_reached && (!facts.policy.source_address || facts.source_is_local)) {
    findings.push_back({.kind = FindingKind::server_reached,
                        .subjects = {server.egress},
                        .address = server.address,
                        .next_hop = server.gateway.value_or(server.address),
                        .source = facts.policy.source_address});
  }
}

/// Whether requests that arrive on the interface are lost.
[[nodiscard]] bool is_lost(const InterfaceFacts& interface, const Findings& findings) {
  return !interface.is_downstream || interface.is_loopback || !interface.giaddr || !interface.has_server ||
         std::ranges::any_of(findings, [&interface](const Finding& finding) {
           return is_loss(finding.kind) &&
                  std::ranges::find(finding.subjects, interface.name) != finding.subjects.end();
         });
}

/// Where an error says already why an interface does not serve, that is enough.
void judge_whole(const Facts& facts, Findings& findings) {
  const bool is_told = std::ranges::any_of(findings, [](const Finding& finding) {
    return severity_of(finding) == Severity::error &&
           (is_loss(finding.kind) || finding.kind == FindingKind::server_unresolved ||
            finding.kind == FindingKind::giaddr_interface_missing);
  });
  if (!is_told && std::ranges::all_of(facts.interfaces, [&findings](const InterfaceFacts& interface) {
        return is_lost(interface, findings);
      })) {
    findings.push_back({.kind = FindingKind::nothing_served});
  }
}

[[nodiscard]] auto all_but_subjects(const Finding& finding) {
  return std::tie(finding.kind, finding.other, finding.command, finding.address, finding.next_hop, finding.source,
                  finding.number, finding.limit, finding.most);
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
  judge_names(facts, findings);
  for (const InterfaceFacts& interface : facts.interfaces) {
    judge_interface_gently(interface, facts, findings);
  }
  judge_sharing(facts, findings);
  if (facts.policy.source_address && !facts.source_is_local) {
    findings.push_back({.kind = FindingKind::source_missing, .address = facts.policy.source_address});
  }
  for (const ServerFacts& server : facts.servers) {
    judge_server(server, facts, findings);
  }
  judge_settings(facts, findings);
  judge_firewall(facts, findings);
  judge_whole(facts, findings);
  return joined(std::move(findings));
}

Severity worst(const std::vector<Finding>& findings) noexcept {
  Severity result = Severity::ok;
  for (const Finding& finding : findings) {
    result = std::max(result, severity_of(finding));
  }
  return result;
}

}  // namespace relay::check
