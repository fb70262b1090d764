#include "relay/check/judgement_of_host.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

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
  const bool is_left_by = std::ranges::any_of(facts.servers, [&interface](const ServerFacts& server) {
    return server.egress.empty() || server.egress == interface.name;
  });
  if (interface.is_upstream && !interface.is_downstream && !is_left_by && !facts.servers.empty() &&
      interface.reverse_path_filter == ReversePathFilter::strict) {
    findings.push_back({.kind = FindingKind::rp_filter_upstream, .subjects = {interface.name}});
  }
}

void judge_forwarding(const InterfaceFacts& interface, const Facts& facts, Findings& findings) {
  if (!interface.is_downstream || interface.is_loopback) {
    return;
  }
  if (!interface.forwards && !facts.overrides_server_id) {
    findings.push_back({.kind = FindingKind::forwarding_off, .subjects = {interface.name}});
  }
  if (interface.forwards_broadcasts) {
    findings.push_back({.kind = FindingKind::broadcast_forwarding, .subjects = {interface.name}});
  }
}

/// How many clients the downstream interfaces have room for; one at least on each.
[[nodiscard]] std::uint64_t room_for_clients(const Facts& facts) {
  std::uint64_t room = 0;
  for (const InterfaceFacts& interface : facts.interfaces) {
    if (!interface.is_downstream || interface.is_loopback) {
      continue;
    }
    std::uint64_t here = 0;
    for (const Ipv4Prefix& prefix : interface.addresses) {
      here += prefix.length < 31 ? (std::uint64_t{1} << (32U - prefix.length)) - 3 : 0;  // less two and our own
    }
    room += std::max<std::uint64_t>(here, 1);
  }
  return room;
}

/// The command that makes room for as many neighbours; gc_thresh2 is half of it, as the kernel has it from the start.
[[nodiscard]] std::string raised(std::uint64_t wanted) {
  constexpr std::uint64_t most_sensible = std::uint64_t{1} << 20U;
  const std::uint64_t most = std::min(std::bit_ceil(wanted), most_sensible);
  return "sysctl -w net.ipv4.neigh.default.gc_thresh3=" + std::to_string(most) +
         " net.ipv4.neigh.default.gc_thresh2=" + std::to_string(most / 2);
}

void judge_neighbours(const Facts& facts, Findings& findings) {
  const NeighbourTable& table = facts.neighbours;
  if (table.most == 0) {
    return;
  }
  if (const std::uint64_t room = room_for_clients(facts); room > table.most) {
    findings.push_back(
        {.kind = FindingKind::neighbours_many, .command = raised(room), .number = room, .limit = table.most});
  }
  if (std::uint64_t{table.entries} * 10 >= std::uint64_t{table.most} * 9) {
    findings.push_back({.kind = FindingKind::neighbours_full,
                        .command = raised(std::uint64_t{table.most} * 4),
                        .number = table.entries,
                        .limit = table.most});
  }
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
  return chain.family == "ip" && std::ranges::find(tables, chain.table) != tables.end() &&
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
             ? "iptables -t " + chain.table + " -I " + chain.name + " -p udp --dport " + number + " -j ACCEPT"
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
                          .most = dropped.most});
      break;
  }
}

[[nodiscard]] bool drops_on(const InterfaceFacts& interface, const Finding& finding) {
  return finding.kind == FindingKind::firewall_drops_requests && finding.subjects.front() == interface.name;
}

/// One that a client on the interface may have: beside the relay's own.
[[nodiscard]] Ipv4Address address_of_client(const InterfaceFacts& interface) {
  const Ipv4Address ours = interface.addresses.empty() ? interface.giaddr.value_or(Ipv4Address{{192, 0, 2, 1}})
                                                       : interface.addresses.front().address;
  Ipv4Address theirs = ours;
  theirs.octets[3] = static_cast<std::uint8_t>(ours.octets[3] ^ 3U);  // of the same subnet up to a length of 30
  return theirs;
}

/// Servers of one interface are told apart by their addresses alone; one line is enough.
void judge_servers(const Facts& facts, Findings& findings) {
  Ipv4Address giaddr = facts.policy.source_address.value_or(Ipv4Address{});
  for (const InterfaceFacts& interface : facts.interfaces) {
    if (interface.is_downstream && interface.giaddr && giaddr.is_unspecified()) {
      giaddr = *interface.giaddr;
    }
  }
  const std::uint16_t ours = facts.ports.relay.value_or(facts.ports.server);
  for (const ServerFacts& server : facts.servers) {
    if (server.is_local || server.is_broadcast || server.egress.empty()) {
      continue;
    }
    const MessageOnWay reply{.ingress = server.egress,
                             .source = server.address,
                             .destination = giaddr,
                             .source_port = facts.ports.server,
                             .destination_port = ours,
                             .is_answer = !facts.policy.replies_from_anyone};
    const MessageOnWay relayed{.egress = server.egress,
                               .source = giaddr,
                               .destination = server.address,
                               .source_port = ours,
                               .destination_port = facts.ports.server};
    judge_passage(facts, "output", relayed, {FindingKind::firewall_drops_relayed}, findings);
    for (const std::string_view hook : {"prerouting", "input"}) {
      judge_passage(facts, hook, reply, {FindingKind::firewall_drops_replies}, findings);
    }
  }
}

}  // namespace

void judge_settings(const Facts& facts, std::vector<Finding>& findings) {
  for (const InterfaceFacts& interface : facts.interfaces) {
    judge_reverse_path(interface, findings);
    judge_way_back(interface, facts, findings);
    judge_forwarding(interface, facts, findings);
  }
  judge_neighbours(facts, findings);
  if (facts.receive_buffer != 0 && facts.receive_buffer < facts.wanted_receive_buffer) {
    findings.push_back(
        {.kind = FindingKind::receive_buffer, .number = facts.receive_buffer, .limit = facts.wanted_receive_buffer});
  }
}

void judge_firewall(const Facts& facts, std::vector<Finding>& findings) {
  for (const InterfaceFacts& interface : facts.interfaces) {
    if (!interface.is_downstream || interface.is_loopback) {
      continue;
    }
    MessageOnWay request{.ingress = interface.name,
                         .destination = limited_broadcast,
                         .source_port = facts.ports.client(),
                         .destination_port = facts.ports.server,
                         .is_broadcast = true};
    const Dropped dropped{FindingKind::firewall_drops_requests,
                          interface.is_named ? Severity::error : Severity::warning};
    for (const std::string_view hook : {"prerouting", "input"}) {
      judge_passage(facts, hook, request, dropped, findings);
    }
    // RFC 2131 section 4.3.2, REBINDING: a broadcast from the client's address. What drops both is told once.
    if (std::ranges::any_of(findings, [&interface](const Finding& finding) { return drops_on(interface, finding); })) {
      continue;
    }
    request.source = address_of_client(interface);
    for (const std::string_view hook : {"prerouting", "input"}) {
      judge_passage(facts, hook, request, {FindingKind::firewall_drops_rebinding}, findings);
    }
  }
  judge_servers(facts, findings);
  if (!facts.early_chains.empty()) {
    findings.push_back(
        {.kind = FindingKind::firewall_ingress, .subjects = facts.early_chains, .number = facts.ports.server});
  }
  if (!facts.firewall_fault.empty()) {
    findings.push_back(
        {.kind = FindingKind::firewall_unread, .subjects = {facts.firewall_fault}, .number = facts.ports.server});
  }
  if (!facts.legacy_tables.empty()) {
    findings.push_back(
        {.kind = FindingKind::firewall_legacy, .subjects = facts.legacy_tables, .number = facts.ports.server});
  }
}

}  // namespace relay::check
