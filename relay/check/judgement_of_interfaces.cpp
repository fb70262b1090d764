#include "relay/check/judgement_of_interfaces.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "relay/check/judgement_of_dhcpv6.h"
#include "relay/check/wording.h"

namespace relay::check {

namespace {

using Findings = std::vector<Finding>;

/// RFC 2131 section 2: the message that a client has to take, with its headers.
constexpr std::uint32_t least_mtu = 576;

/// Names and patterns that no interface has, and `-U`.
void judge_names(const Facts& facts, Findings& findings) {
  for (const std::string& name : facts.unmatched) {
    bool is_downstream = false;
    for (const auto& [pattern, role] : facts.roles) {
      is_downstream = is_downstream || (pattern == name && role.is_downstream6());
    }
    const FindingKind kind = !is_downstream     ? FindingKind::upstream_missing
                             : is_pattern(name) ? FindingKind::pattern_unmatched
                                                : FindingKind::interface_missing;
    findings.push_back({.kind = kind, .subjects = {name}});
  }
  if (!facts.giaddr_interface_has_address) {
    findings.push_back(
        {.kind = FindingKind::giaddr_interface_missing, .subjects = {facts.giaddr_interface}, .family = Family::ipv4});
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
      findings.push_back({.kind = FindingKind::no_address, .subjects = {interface.name}, .family = Family::ipv4});
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

void judge_server(const InterfaceFacts& interface, const Facts& facts, Family family, Findings& findings) {
  if (facts.unresolved_servers.empty()) {
    findings.push_back({.kind = FindingKind::interface_without_server,
                        .subjects = {interface.name},
                        .other = std::string{protocol_before(facts, family)} + "server",
                        .command = family == Family::ipv4 ? "; the broadcast address of its own subnet is none" : "",
                        .family = family});
  }
}

/// Whether the interface, where it is up, serves clients of the family.
[[nodiscard]] bool judge_downstream_of(Family family, const InterfaceFacts& interface, const Facts& facts,
                                       Findings& findings) {
  const bool has_server = family == Family::ipv4 ? interface.has_server : interface.v6.has_server;
  if (!has_server) {
    judge_server(interface, facts, family, findings);
  }
  const bool is_well =
      family == Family::ipv4 ? judge_giaddr(interface, facts, findings) : judge_downstream6(interface, facts, findings);
  return is_well && has_server;
}

[[nodiscard]] std::string what_servers_know_by(Family family, const InterfaceFacts& interface) {
  if (family == Family::ipv4) {
    return "a giaddr";
  }
  return interface.v6.link_address.is_unspecified() ? "an Interface-Id" : "a link-address";
}

void judge_downstream(const InterfaceFacts& interface, const Facts& facts, Findings& findings) {
  if (interface.is_loopback && !interface.is_named) {
    return;  // nobody meant it
  }
  const auto find = [&](FindingKind kind) { findings.push_back({.kind = kind, .subjects = {interface.name}}); };
  const bool is_working = interface.is_up && interface.has_carrier;
  if (!is_working) {
    find(interface.is_up ? FindingKind::no_carrier : FindingKind::interface_down);
  }
  if (!judge_place(interface, facts, findings)) {
    return;
  }
  if (interface.is_loopback) {
    find(FindingKind::loopback_downstream);
  } else if (!interface.is_ethernet && interface.is_downstream) {
    find(FindingKind::not_ethernet);
  }
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    if (interface.is_downstream_of(family) && judge_downstream_of(family, interface, facts, findings) && is_working &&
        !interface.is_loopback) {
      findings.push_back({.kind = FindingKind::interface_serves,
                          .subjects = {interface.name},
                          .other = what_servers_know_by(family, interface),
                          .family = family});
    }
  }
}

void judge_interface(const InterfaceFacts& interface, const Facts& facts, Findings& findings) {
  if (interface.is_downstream || interface.v6.is_downstream) {
    judge_downstream(interface, facts, findings);
  } else if (!interface.is_up) {
    findings.push_back({.kind = FindingKind::upstream_down, .subjects = {interface.name}});
  } else if (!interface.has_carrier) {
    findings.push_back({.kind = FindingKind::no_carrier, .subjects = {interface.name}});
  }
  const bool is_both =
      (interface.is_downstream && interface.is_upstream) || (interface.v6.is_downstream && interface.v6.is_upstream);
  if (is_both && !interface.is_both_by_one_flag) {
    findings.push_back({.kind = FindingKind::both_sides, .subjects = {interface.name}});
  }
  if ((interface.is_downstream || interface.is_upstream) && interface.mtu < least_mtu) {
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

}  // namespace

void judge_interfaces(const Facts& facts, Findings& findings) {
  judge_names(facts, findings);
  for (const InterfaceFacts& interface : facts.interfaces) {
    judge_interface_gently(interface, facts, findings);
  }
  judge_sharing(facts, findings);
  judge_interface_ids(facts, findings);
}

}  // namespace relay::check
