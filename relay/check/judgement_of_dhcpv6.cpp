#include "relay/check/judgement_of_dhcpv6.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace relay::check {

namespace {

using Findings = std::vector<Finding>;

/// RFC 8200 section 5: of every link that has IPv6; from one with less the kernel takes it away.
constexpr std::uint32_t least_ipv6_mtu = 1280;

void find(FindingKind kind, const InterfaceFacts& interface, Findings& findings) {
  findings.push_back({.kind = kind, .subjects = {interface.name}, .family = Family::ipv6});
}

/// What comes and goes with carrier, as addresses do, says nothing without.
[[nodiscard]] bool is_working(const InterfaceFacts& interface) {
  return interface.is_up && interface.has_carrier;
}

/// Whether clients on the link are heard, and answered: Linux routes to no link-local address where it has none itself.
[[nodiscard]] bool judge_link(const InterfaceFacts& interface, Findings& findings) {
  if (interface.v6.is_disabled) {
    find(FindingKind::ipv6_disabled, interface, findings);
    return false;
  }
  if (interface.mtu < least_ipv6_mtu) {
    findings.push_back({.kind = FindingKind::ipv6_mtu,
                        .subjects = {interface.name},
                        .number = interface.mtu,
                        .limit = least_ipv6_mtu,
                        .family = Family::ipv6});
    return false;
  }
  const bool has_link_local =
      std::ranges::any_of(interface.v6.addresses, [](const Ipv6Prefix& each) { return each.address.is_link_local(); });
  if (!has_link_local && is_working(interface)) {
    find(FindingKind::no_link_local, interface, findings);
    return false;
  }
  return true;
}

/// Whether the address is on the interface's link, by prefixes that are not every link's.
[[nodiscard]] bool is_on_link(const Ipv6Address& address, const InterfaceFacts& interface) {
  return std::ranges::any_of(interface.v6.addresses, [&address](const Ipv6Prefix& each) {
    return each.address.is_globally_scoped() && each.contains(address);
  });
}

/// Whether link-address is on another interface's link, and not on that of this one, which has one of its own.
[[nodiscard]] bool is_of_another_link(const InterfaceFacts& interface, const Facts& facts) {
  const Ipv6Address& address = interface.v6.link_address;
  const bool has_own = std::ranges::any_of(interface.v6.addresses,
                                           [](const Ipv6Prefix& each) { return each.address.is_globally_scoped(); });
  return has_own && !is_on_link(address, interface) &&
         std::ranges::any_of(facts.interfaces,
                             [&address](const InterfaceFacts& other) { return is_on_link(address, other); });
}

}  // namespace

bool judge_downstream6(const InterfaceFacts& interface, const Facts& facts, Findings& findings) {
  if (facts.lacks_ipv6 || !judge_link(interface, findings)) {
    return false;
  }
  if (interface.v6.link_address.is_unspecified()) {
    if (is_working(interface)) {
      find(FindingKind::no_link_address, interface, findings);
    }
  } else if (is_of_another_link(interface, facts)) {
    findings.push_back({.kind = FindingKind::link_address_foreign,
                        .subjects = {interface.name},
                        .address = interface.v6.link_address,
                        .family = Family::ipv6});
  }
  if (!interface.v6.is_trusted) {
    find(FindingKind::relay_agents_untrusted, interface, findings);
  }
  if (facts.makes_routes && interface.master_kind == MasterKind::vrf) {
    findings.push_back({.kind = FindingKind::routes_beside_vrf,
                        .subjects = {interface.name},
                        .other = interface.master,
                        .family = Family::ipv6});
  }
  return true;
}

void judge_interface_ids(const Facts& facts, Findings& findings) {
  std::map<std::pair<std::vector<std::uint8_t>, Ipv6Address>, std::vector<const InterfaceFacts*>> links;
  for (const InterfaceFacts& interface : facts.interfaces) {
    if (interface.v6.is_downstream && !interface.is_loopback) {
      links[{interface.v6.interface_id, interface.v6.link_address}].push_back(&interface);
    }
  }
  for (const auto& [link, interfaces] : links) {
    if (interfaces.size() < 2) {
      continue;
    }
    Finding finding{.kind = FindingKind::shared_interface_id, .family = Family::ipv6};
    for (const InterfaceFacts* const interface : interfaces) {
      finding.subjects.push_back(interface->name);
      finding.most = interface->is_named ? finding.most : Severity::warning;
    }
    findings.push_back(std::move(finding));
  }
}

}  // namespace relay::check
