#include "relay/check/judgement_of_host.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "relay/check/wording.h"

namespace relay::check {

namespace {

using Findings = std::vector<Finding>;

void judge_reverse_path(const InterfaceFacts& interface, Findings& findings) {
  if (!interface.is_downstream || interface.is_loopback || interface.reverse_path_filter == ReversePathFilter::off) {
    return;
  }
  // Where the interface has no address the kernel looks up no route (fib_validate_source), so loose does not help.
  if (interface.addresses.empty()) {
    if (interface.giaddr) {
      findings.push_back({.kind = FindingKind::rp_filter_no_address, .subjects = {interface.name}});
    }
  } else if (interface.reverse_path_filter == ReversePathFilter::strict) {
    findings.push_back({.kind = FindingKind::rp_filter_strict, .subjects = {interface.name}});
  }
}

/// Replies by another way than the requests went.
void judge_way_back(const InterfaceFacts& interface, const Facts& facts, Findings& findings) {
  const auto is_ipv4 = [](const ServerFacts& server) { return family_of(server.address) == Family::ipv4; };
  const bool is_left_by = std::ranges::any_of(facts.servers, [&](const ServerFacts& server) {
    return is_ipv4(server) && (server.egress.empty() || server.egress == interface.name);
  });
  if (interface.is_upstream && !interface.is_downstream && !is_left_by && std::ranges::any_of(facts.servers, is_ipv4) &&
      interface.reverse_path_filter == ReversePathFilter::strict) {
    findings.push_back({.kind = FindingKind::rp_filter_upstream, .subjects = {interface.name}});
  }
}

void judge_forwarding(const InterfaceFacts& interface, const Facts& facts, Findings& findings) {
  if (!interface.is_downstream || interface.is_loopback) {
    return;
  }
  if (!interface.forwards && !facts.overrides_server_id) {
    // Of a host that forwards, to set ip_forward again changes no interface.
    findings.push_back(
        {.kind = FindingKind::forwarding_off,
         .subjects = {interface.name},
         .command = facts.forwards_ipv4 ? "net/ipv4/conf/" + interface.name + "/forwarding" : "net.ipv4.ip_forward"});
  }
  if (interface.forwards_broadcasts) {
    findings.push_back({.kind = FindingKind::broadcast_forwarding, .subjects = {interface.name}});
  }
}

/// Whether the clients of the prefix at `position` are those of another one too: it is in that, or has the same subnet
/// and comes later, as the second address of a router does.
[[nodiscard]] bool is_within_another(const std::vector<Ipv4Prefix>& prefixes, std::size_t position) {
  const Ipv4Prefix& inner = prefixes[position];
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    const Ipv4Prefix& outer = prefixes[i];
    if ((outer.length < inner.length || (outer.length == inner.length && i < position)) &&
        outer.network() == Ipv4Prefix{inner.address, outer.length}.network()) {
      return true;
    }
  }
  return false;
}

/// How many clients the downstream interfaces have room for; one at least on each.
[[nodiscard]] std::uint64_t room_for_clients(const Facts& facts) {
  std::uint64_t room = 0;
  for (const InterfaceFacts& interface : facts.interfaces) {
    if (!interface.is_downstream || interface.is_loopback) {
      continue;
    }
    std::uint64_t here = 0;
    for (std::size_t i = 0; i < interface.addresses.size(); ++i) {
      const std::uint8_t length = interface.addresses[i].length;
      if (length < 31 && !is_within_another(interface.addresses, i)) {
        here += (std::uint64_t{1} << (32U - length)) - 3;  // less two and our own
      }
    }
    room += std::max<std::uint64_t>(here, 1);
  }
  return room;
}

/// The command that makes room for as many neighbours; gc_thresh2 is half of it, as the kernel has it from the start.
[[nodiscard]] std::string raised(std::uint64_t wanted, Family family) {
  constexpr std::uint64_t most_possible = std::uint64_t{1} << 30U;  // it is an int
  const std::uint64_t most = std::min(std::bit_ceil(wanted), most_possible);
  const std::string settings = family == Family::ipv4 ? "net.ipv4.neigh.default." : "net.ipv6.neigh.default.";
  return "sysctl -w " + settings + "gc_thresh3=" + std::to_string(most) + " " + settings +
         "gc_thresh2=" + std::to_string(most / 2);
}

void judge_fullness(const NeighbourTable& table, Family family, Findings& findings) {
  if (table.most != 0 && std::uint64_t{table.entries} * 10 >= std::uint64_t{table.most} * 9) {
    findings.push_back({.kind = family == Family::ipv4 ? FindingKind::neighbours_full : FindingKind::neighbours6_full,
                        .command = raised(std::uint64_t{table.most} * 4, family),
                        .number = table.entries,
                        .limit = table.most});
  }
}

/// For how many clients of DHCPv6 there is room, no prefix tells.
void judge_neighbours(const Facts& facts, Findings& findings) {
  constexpr std::uint64_t most_sensible = std::uint64_t{1} << 20U;  // of 10.0.0.0/8 few addresses are clients'
  const NeighbourTable& table = facts.neighbours;
  if (const std::uint64_t room = room_for_clients(facts);
      table.most != 0 && table.most < most_sensible && room > table.most) {
    findings.push_back({.kind = FindingKind::neighbours_many,
                        .command = raised(std::min(room, most_sensible), Family::ipv4),
                        .number = room,
                        .limit = table.most});
  }
  judge_fullness(table, Family::ipv4, findings);
  judge_fullness(facts.neighbours6, Family::ipv6, findings);
}

[[nodiscard]] std::string table_text(const Chain& chain) {
  return chain.family + " " + chain.table;
}

/// iptables keeps its chains in tables of nftables that it calls so. A table of that name may be somebody else's: then
/// the hooks' chains are not in capitals.
[[nodiscard]] bool is_of_iptables(const Chain& chain) {
  constexpr std::array<std::string_view, 5> tables{"filter", "mangle", "raw", "nat", "security"};
  const bool is_named_by_hook = std::ranges::equal(chain.name, chain.hook, [](char name, char hook) {
    return name == (hook >= 'a' && hook <= 'z' ? hook - 32 : hook);
  });
  return (chain.family == "ip" || chain.family == "ip6") && std::ranges::find(tables, chain.table) != tables.end() &&
         (chain.hook.empty() || is_named_by_hook);
}

[[nodiscard]] std::string place_text(const FirewallAnswer& answer) {
  const std::string place = "of chain " + answer.chain->name + " in table " + table_text(*answer.chain);
  return answer.rule == nullptr
             ? "the firewall's policy " + place
             : "the firewall's rule with handle " + std::to_string(answer.rule->handle) + " " + place;
}

[[nodiscard]] std::string accepting_command(const Chain& chain, std::uint16_t port) {
  const std::string number = std::to_string(port);
  return is_of_iptables(chain)
             ? (chain.family == "ip" ? "iptables -t " : "ip6tables -t ") + chain.table + " -I " + chain.name +
                   " -p udp --dport " + number + " -j ACCEPT"
             : "nft insert rule " + table_text(chain) + " " + chain.name + " udp dport " + number + " accept";
}

/// What it means that a message is dropped.
struct Dropped {
  FindingKind kind;
  Severity most = Severity::error;
};

void judge_passage(const Facts& facts, std::string_view hook, const MessageOnWay& message, const Dropped& dropped,
                   Findings& findings) {
  const FirewallAnswer answer = ask_firewall(facts.firewall, hook, message);
  const std::string& interface = message.ingress.empty() ? message.egress : message.ingress;
  switch (answer.passage) {
    case Passage::passes:
      break;
    case Passage::may_be_dropped:
      findings.push_back({.kind = FindingKind::firewall_may_drop,
                          .subjects = {interface},
                          .other = place_text(answer),
                          .command = "nft -a list table " + table_text(*answer.chain)});
      break;
    case Passage::is_dropped:
      findings.push_back({.kind = dropped.kind,
                          .subjects = {interface},
                          .other = place_text(answer),
                          .command = accepting_command(*answer.chain, message.destination_port),
                          .most = dropped.most,
                          .family = family_of(message.destination)});
      break;
  }
}

[[nodiscard]] bool drops_on(const InterfaceFacts& interface, const Finding& finding) {
  return finding.kind == FindingKind::firewall_drops_requests && finding.family == Family::ipv4 &&
         finding.subjects.front() == interface.name;
}

/// One that a client on the interface may have: beside the relay's own.
[[nodiscard]] Ipv4Address address_of_client(const InterfaceFacts& interface) {
  const Ipv4Address ours = interface.addresses.empty() ? interface.giaddr.value_or(Ipv4Address{{192, 0, 2, 1}})
                                                       : interface.addresses.front().address;
  Ipv4Address theirs = ours;
  theirs.octets[3] = static_cast<std::uint8_t>(ours.octets[3] ^ 3U);  // of the same subnet up to a length of 30
  return theirs;
}

/// What requests of DHCPv4 leave with, and those of DHCPv6, as far as it is known here.
struct Sources {
  Ipv4Address ipv4;
  Ipv6Address ipv6;
};

[[nodiscard]] Sources sources_of(const Facts& facts) {
  Sources sources{facts.policy.source_address.value_or(Ipv4Address{}),
                  facts.policy6.source_address.value_or(Ipv6Address{})};
  for (const InterfaceFacts& interface : facts.interfaces) {
    if (interface.is_downstream && interface.giaddr && sources.ipv4.is_unspecified()) {
      sources.ipv4 = *interface.giaddr;
    }
    if (interface.v6.is_downstream && sources.ipv6.is_unspecified()) {
      sources.ipv6 = interface.v6.link_address;
    }
  }
  return sources;
}

/// Who answers in place of a group is not known: any host.
[[nodiscard]] IpAddress answering_address(const IpAddress& server) {
  constexpr Ipv6Address any_host{{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}};  // RFC 3849
  const auto* const ipv6 = std::get_if<Ipv6Address>(&server);
  return ipv6 != nullptr && ipv6->is_multicast() ? IpAddress{any_host} : server;
}

/// Servers of one interface are told apart by their addresses alone; one line is enough.
void judge_servers(const Facts& facts, Findings& findings) {
  const Sources sources = sources_of(facts);
  for (const ServerFacts& server : facts.servers) {
    if (server.is_local || server.is_broadcast || server.egress.empty()) {
      continue;
    }
    const bool is_ipv4 = family_of(server.address) == Family::ipv4;
    const IpAddress source = is_ipv4 ? IpAddress{sources.ipv4} : IpAddress{sources.ipv6};
    const std::uint16_t theirs = is_ipv4 ? facts.ports.server : facts.policy6.ports.server;
    const std::uint16_t ours = (is_ipv4 ? facts.ports.relay : facts.policy6.ports.relay).value_or(theirs);
    const MessageOnWay reply{
        .ingress = server.egress,
        .source = answering_address(server.address),
        .destination = source,
        .source_port = theirs,
        .destination_port = ours,
        .is_answer = is_ipv4 ? !facts.policy.replies_from_anyone : !facts.policy6.replies_from_anyone};
    const MessageOnWay relayed{.egress = server.egress,
                               .source = source,
                               .destination = server.address,
                               .source_port = ours,
                               .destination_port = theirs};
    for (const std::string_view hook : {"output", "postrouting"}) {
      judge_passage(facts, hook, relayed, {FindingKind::firewall_drops_relayed}, findings);
    }
    for (const std::string_view hook : {"prerouting", "input"}) {
      judge_passage(facts, hook, reply, {FindingKind::firewall_drops_replies}, findings);
    }
  }
}

[[nodiscard]] Severity gravest_on(const InterfaceFacts& interface) {
  return interface.is_named ? Severity::error : Severity::warning;
}

void judge_clients(const InterfaceFacts& interface, const Facts& facts, Findings& findings) {
  MessageOnWay request{.ingress = interface.name,
                       .destination = limited_broadcast,
                       .source_port = facts.ports.client(),
                       .destination_port = facts.ports.server,
                       .is_broadcast = true};
  for (const std::string_view hook : {"prerouting", "input"}) {
    judge_passage(facts, hook, request, {FindingKind::firewall_drops_requests, gravest_on(interface)}, findings);
  }
  // RFC 2131 section 4.3.2, REBINDING: a broadcast from the client's address. What drops both is told once.
  if (std::ranges::any_of(findings, [&interface](const Finding& finding) { return drops_on(interface, finding); })) {
    return;
  }
  request.source = address_of_client(interface);
  for (const std::string_view hook : {"prerouting", "input"}) {
    judge_passage(facts, hook, request, {FindingKind::firewall_drops_rebinding}, findings);
  }
}

/// Whether what is delivered to DHCPv6 clients leaves in frames, past the firewall, as it does to clients of DHCPv4.
[[nodiscard]] bool delivers_frames6(const InterfaceFacts& interface, const Facts& facts) {
  return facts.policy6.client_link_layer_address && interface.is_ethernet;
}

/// All that a client sends comes from its link-local address (RFC 8415 section 13.1), where the answers go.
void judge_clients6(const InterfaceFacts& interface, const Facts& facts, Findings& findings) {
  constexpr Ipv6Address client{{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 0x0c}};
  const auto ours =
      std::ranges::find_if(interface.v6.addresses, [](const Ipv6Prefix& each) { return each.address.is_link_local(); });
  const Ports6& ports = facts.policy6.ports;
  const MessageOnWay request{.ingress = interface.name,
                             .source = client,
                             .destination = all_dhcp_relay_agents_and_servers,
                             .source_port = ports.client(),
                             .destination_port = ports.server};
  const MessageOnWay reply{.egress = interface.name,
                           .source = ours == interface.v6.addresses.end() ? Ipv6Address{} : ours->address,
                           .destination = client,
                           .source_port = ports.server,
                           .destination_port = ports.client()};
  for (const std::string_view hook : {"prerouting", "input"}) {
    judge_passage(facts, hook, request, {FindingKind::firewall_drops_requests, gravest_on(interface)}, findings);
  }
  if (delivers_frames6(interface, facts)) {
    return;
  }
  for (const std::string_view hook : {"output", "postrouting"}) {
    judge_passage(facts, hook, reply, {FindingKind::firewall_drops_delivered, gravest_on(interface)}, findings);
  }
}

void judge_legacy(const std::vector<std::string>& tables, const std::string& program, std::uint16_t port,
                  Findings& findings) {
  if (!tables.empty()) {
    findings.push_back({.kind = FindingKind::firewall_legacy, .subjects = tables, .other = program, .number = port});
  }
}

}  // namespace

void judge_settings(const Facts& facts, std::vector<Finding>& findings) {
  for (const InterfaceFacts& interface : facts.interfaces) {
    judge_reverse_path(interface, findings);
    judge_way_back(interface, facts, findings);
    judge_forwarding(interface, facts, findings);
  }
  if (facts.makes_routes && !facts.forwards_ipv6 && !facts.lacks_ipv6) {
    findings.push_back({.kind = FindingKind::forwarding6_off, .family = Family::ipv6});
  }
  judge_neighbours(facts, findings);
  if (facts.receive_buffer != 0 && facts.receive_buffer < facts.wanted_receive_buffer) {
    findings.push_back(
        {.kind = FindingKind::receive_buffer, .number = facts.receive_buffer, .limit = facts.wanted_receive_buffer});
  }
}

void judge_firewall(const Facts& facts, std::vector<Finding>& findings) {
  for (const InterfaceFacts& interface : facts.interfaces) {
    if (interface.is_downstream && !interface.is_loopback) {
      judge_clients(interface, facts, findings);
    }
    if (interface.v6.is_downstream && !interface.is_loopback) {
      judge_clients6(interface, facts, findings);
    }
  }
  judge_servers(facts, findings);
  const std::string ports = server_ports_text(facts);
  if (!facts.early_chains.empty()) {
    findings.push_back({.kind = FindingKind::firewall_ingress, .subjects = facts.early_chains, .other = ports});
  }
  if (!facts.firewall_fault.empty()) {
    findings.push_back({.kind = FindingKind::firewall_unread, .subjects = {facts.firewall_fault}, .other = ports});
  }
  judge_legacy(facts.legacy_tables, "iptables", facts.ports.server, findings);
  judge_legacy(facts.legacy_tables6, "ip6tables", facts.policy6.ports.server, findings);
}

}  // namespace relay::check
