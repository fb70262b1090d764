#include "relay/io/firewall.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>

#include <boost/property_tree/json_parser.hpp>
#include <boost/property_tree/ptree.hpp>

#include "relay/io/program_output.h"
#include "relay/io/socket_address.h"

namespace relay::io {

namespace {

namespace ptree = boost::property_tree;
using check::Chain;
using check::Condition;
using check::FieldValue;
using check::PacketField;
using check::Rule;
using check::RuleVerdict;
using Tree = ptree::ptree;

constexpr std::size_t most_octets = 16U << 20U;
constexpr std::array<const char*, 3> nft_paths{"/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft"};

/// Elements of named sets and maps, by family, table and name.
using Sets = std::map<std::string, const Tree*>;

[[nodiscard]] std::string text_of(const Tree& tree, const char* key) {
  return tree.get<std::string>(key, "");
}

[[nodiscard]] std::string key_of(const Tree& tree, const std::string& name) {
  return text_of(tree, "family") + " " + text_of(tree, "table") + " " + name;
}

// --- conditions
// ---------------------------------------------------------------------------------------------------------

[[nodiscard]] PacketField field_in_meta(const std::string& key) {
  constexpr std::array<std::pair<std::string_view, PacketField>, 8> fields{
      {{"iif", PacketField::ingress},
       {"iifname", PacketField::ingress},
       {"oif", PacketField::egress},
       {"oifname", PacketField::egress},
       {"nfproto", PacketField::network_protocol},
       {"protocol", PacketField::network_protocol},
       {"l4proto", PacketField::transport_protocol},
       {"pkttype", PacketField::packet_type}}};
  const auto* const found = std::ranges::find(fields, key, &std::pair<std::string_view, PacketField>::first);
  return found == fields.end() ? PacketField::unknown : found->second;
}

[[nodiscard]] PacketField field_in_payload(const std::string& protocol, const std::string& field) {
  if (protocol == "ip" || protocol == "ip6") {
    return field == "saddr"                            ? PacketField::source
           : field == "daddr"                          ? PacketField::destination
           : field == "protocol" || field == "nexthdr" ? PacketField::transport_protocol
                                                       : PacketField::unknown;
  }
  if (protocol == "udp" || protocol == "th") {
    return field == "sport"   ? PacketField::source_port
           : field == "dport" ? PacketField::destination_port
                              : PacketField::unknown;
  }
  return PacketField::unknown;
}

/// What a message of DHCP does not have: headers of other protocols.
[[nodiscard]] bool is_foreign(const std::string& protocol) {
  constexpr std::array<std::string_view, 9> foreign{"tcp", "sctp", "dccp", "icmp",   "icmpv6",
                                                    "arp", "esp",  "ah",   "udplite"};
  return std::ranges::find(foreign, protocol) != foreign.end();
}

/// That the message is of the family whose header `left` looks at; nft does not print it where that follows.
[[nodiscard]] std::optional<Condition> family_in(const Tree& left) {
  const auto protocol = left.get_optional<std::string>("payload.protocol");
  if (!protocol || (*protocol != "ip" && *protocol != "ip6")) {
    return std::nullopt;
  }
  return Condition{PacketField::network_protocol, false, {{*protocol == "ip" ? "ipv4" : "ipv6", 0, 0}}};
}

/// The left side of a match; nothing where no message of DHCP has what it looks at.
[[nodiscard]] std::optional<PacketField> field_in(const Tree& left) {
  if (const auto meta = left.get_optional<std::string>("meta.key")) {
    return field_in_meta(*meta);
  }
  if (const auto protocol = left.get_optional<std::string>("payload.protocol")) {
    return is_foreign(*protocol) ? std::nullopt
                                 : std::optional{field_in_payload(*protocol, text_of(left, "payload.field"))};
  }
  if (left.get<std::string>("ct.key", "") == "state") {
    return PacketField::connection;
  }
  if (const auto flags = left.get_child_optional("fib.flags");
      flags && left.get<std::string>("fib.result", "") == "type" && flags->size() == 1 &&
      flags->front().second.data() == "daddr") {
    return PacketField::destination_type;
  }
  return PacketField::unknown;
}

[[nodiscard]] std::optional<std::uint64_t> number_in(const std::string& text) {
  in_addr address{};
  if (::inet_pton(AF_INET, text.c_str(), &address) == 1) {
    return from_in_addr(address).host_order();
  }
  const bool is_number =
      !text.empty() && text.size() < 12 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  return is_number ? std::optional<std::uint64_t>{std::stoull(text)} : std::nullopt;
}

[[nodiscard]] std::optional<Ipv6Address> address6_in(const std::string& text) {
  in6_addr address{};
  return ::inet_pton(AF_INET6, text.c_str(), &address) == 1 ? std::optional{from_in_addr(address)} : std::nullopt;
}

[[nodiscard]] FieldValue of_addresses(const Ipv6Address& first, const Ipv6Address& last) {
  return {{}, 0, 0, check::Ipv6Range{first, last}};
}

[[nodiscard]] FieldValue single_value(const std::string& text) {
  if (const auto address = address6_in(text)) {
    return of_addresses(*address, *address);
  }
  const auto number = number_in(text);
  return number ? FieldValue{{}, *number, *number}
                : FieldValue{text == "ip"    ? "ipv4"
                             : text == "ip6" ? "ipv6"
                                             : text,
                             0, 0};
}

/// From the first to the second of what stands for a range; nothing where it is not understood.
[[nodiscard]] std::optional<FieldValue> range_in(const Tree& range) {
  if (range.size() != 2) {
    return std::nullopt;
  }
  const std::string& first = range.front().second.data();
  const std::string& last = range.back().second.data();
  if (const auto from = address6_in(first), to = address6_in(last); from && to) {
    return of_addresses(*from, *to);
  }
  const auto from = number_in(first);
  const auto to = number_in(last);
  return from && to ? std::optional{FieldValue{{}, *from, *to}} : std::nullopt;
}

[[nodiscard]] std::optional<FieldValue> prefix_in(const Tree& prefix) {
  const std::string text = text_of(prefix, "addr");
  const auto length = prefix.get<unsigned>("len", 129);
  if (const auto address = address6_in(text); address && length <= 128) {
    const Ipv6Prefix network = Ipv6Prefix{*address, static_cast<std::uint8_t>(length)}.network();
    return of_addresses(network.address, network.last());
  }
  const auto address = number_in(text);
  if (!address || length > 32) {
    return std::nullopt;
  }
  const std::uint64_t hosts = (std::uint64_t{1} << (32U - length)) - 1;
  return FieldValue{{}, *address & ~hosts, *address | hosts};
}

/// The values of a right side; nothing where one of them is not understood.
[[nodiscard]] bool read_values(const Tree& right, std::vector<FieldValue>& values) {
  if (right.empty()) {
    values.push_back(single_value(right.data()));
    return !right.data().empty();
  }
  const auto take = [&values](std::optional<FieldValue> value) {
    if (!value) {
      return false;
    }
    values.push_back(*std::move(value));
    return true;
  };
  if (const auto range = right.get_child_optional("range")) {
    return take(range_in(*range));
  }
  if (const auto prefix = right.get_child_optional("prefix")) {
    return take(prefix_in(*prefix));
  }
  if (const auto element = right.get_child_optional("elem.val")) {
    return read_values(*element, values);
  }
  const auto set = right.get_child_optional("set");
  const Tree& list = set ? *set : right;
  return std::ranges::all_of(
      list, [&values](const auto& each) { return each.first.empty() && read_values(each.second, values); });
}

/// Fills in the condition's values; a named set's are its elements.
[[nodiscard]] bool read_right(const Tree& right, const Sets& sets, const Tree& rule, std::vector<FieldValue>& values) {
  if (right.empty() && right.data().starts_with('@')) {
    const auto set = sets.find(key_of(rule, right.data().substr(1)));
    return set != sets.end() && read_values(*set->second, values);
  }
  return read_values(right, values);
}

[[nodiscard]] Condition condition_in(const Tree& match, const Sets& sets, const Tree& rule) {
  Condition condition;
  const auto left = match.get_child_optional("left");
  const auto right = match.get_child_optional("right");
  const std::string op = text_of(match, "op");
  if (!left || !right) {
    return condition;
  }
  const auto field = field_in(*left);
  if (!field) {
    return {PacketField::network_protocol, false, {}};  // is none of these, and never holds
  }
  const bool is_comparison = op == "==" || op == "!=" || op == "in";
  if (is_comparison && read_right(*right, sets, rule, condition.values)) {
    condition.field = *field;
    condition.is_negated = op == "!=";
  }
  if (*field == PacketField::ingress || *field == PacketField::egress) {
    for (FieldValue& value : condition.values) {  // an interface may be called by a number
      value.text = value.text.empty() ? std::to_string(value.first) : value.text;
    }
  }
  return condition;
}

// --- rules
// --------------------------------------------------------------------------------------------------------------

void add_family(const Tree& left, Rule& rule) {
  if (auto condition = family_in(left)) {
    rule.conditions.push_back(*std::move(condition));
  }
}

[[nodiscard]] bool read_verdict(const std::string& name, const Tree& value, Rule& rule) {
  constexpr std::array<std::pair<std::string_view, RuleVerdict>, 7> verdicts{{{"accept", RuleVerdict::accept},
                                                                              {"drop", RuleVerdict::drop},
                                                                              {"reject", RuleVerdict::drop},
                                                                              {"return", RuleVerdict::go_back},
                                                                              {"jump", RuleVerdict::jump},
                                                                              {"goto", RuleVerdict::go_to},
                                                                              {"queue", RuleVerdict::accept}}};
  const auto* const found = std::ranges::find(verdicts, name, &std::pair<std::string_view, RuleVerdict>::first);
  if (found == verdicts.end()) {
    return false;
  }
  rule.verdict = found->second;
  rule.target = text_of(value, "target");
  return true;
}

/// The rule with a verdict that is not known.
void add_doubt(Rule rule, std::vector<Rule>& rules) {
  rule.conditions.emplace_back();
  rule.verdict = RuleVerdict::drop;
  rules.push_back(rule);
  rule.verdict = RuleVerdict::accept;
  rules.push_back(std::move(rule));
}

/// `{"vmap": {"key": ..., "data": {"set": [[value, {verdict}], ...]}}}` is a rule for each of its entries.
/// The data may be the name of a map instead, as in `"data": "@services"`. What cannot be read may drop or accept.
void read_verdict_map(const Tree& map, const Sets& sets, const Tree& tree, const Rule& before,
                      std::vector<Rule>& rules) {
  const auto key = map.get_child_optional("key");
  const auto field = key ? field_in(*key) : PacketField::unknown;
  if (!field) {
    return;
  }
  const std::string data = text_of(map, "data");
  const auto named = data.starts_with('@') ? sets.find(key_of(tree, data.substr(1))) : sets.end();
  const auto in_place = map.get_child_optional("data.set");
  const Tree* const entries = in_place ? &*in_place : named != sets.end() ? named->second : nullptr;
  if (entries == nullptr) {
    add_doubt(before, rules);
    return;
  }
  for (const auto& [unnamed, entry] : *entries) {
    Rule rule = before;
    Condition condition;
    if (entry.size() != 2 || entry.back().second.empty()) {
      add_doubt(before, rules);
      continue;
    }
    if (read_values(entry.front().second, condition.values)) {
      condition.field = *field;
    }
    if (key) {
      add_family(*key, rule);
    }
    rule.conditions.push_back(std::move(condition));
    const auto& [verdict, value] = entry.back().second.front();
    if (read_verdict(verdict, value, rule)) {
      rules.push_back(std::move(rule));
    }
  }
}

/// What iptables could not say in nftables' own terms, of which nft prints the name alone: with what states `conntrack`
/// matches is not told.
void read_extension(const Tree& extension, Rule& rule) {
  const std::string name = text_of(extension, "name");
  if (text_of(extension, "type") == "target") {
    rule.verdict = name == "REJECT" || name == "DROP" ? RuleVerdict::drop : rule.verdict;
  } else if (name != "comment") {
    rule.conditions.emplace_back();
  }
}

void read_rule(const Tree& tree, const Sets& sets, std::vector<Rule>& rules) {
  // What only limits how often a rule applies, or depends on what was before.
  constexpr std::array<std::string_view, 4> conditional{"limit", "quota", "ct count", "meter"};
  Rule rule;
  rule.handle = tree.get<std::uint64_t>("handle", 0);
  const auto expressions = tree.get_child_optional("expr");
  if (!expressions) {
    return;
  }
  for (const auto& [unnamed, statement] : *expressions) {
    if (statement.empty()) {
      continue;
    }
    const auto& [name, value] = statement.front();
    if (name == "match") {
      if (const auto left = value.get_child_optional("left")) {
        add_family(*left, rule);
      }
      rule.conditions.push_back(condition_in(value, sets, tree));
    } else if (name == "vmap") {
      read_verdict_map(value, sets, tree, rule, rules);
    } else if (name == "xt") {
      read_extension(value, rule);
    } else if (std::ranges::find(conditional, name) != conditional.end()) {
      rule.conditions.emplace_back();
    } else {
      static_cast<void>(read_verdict(name, value, rule));
    }
  }
  if (rule.verdict != RuleVerdict::none) {
    rules.push_back(std::move(rule));
  }
}

[[nodiscard]] Chain chain_in(const Tree& tree) {
  Chain chain;
  chain.family = text_of(tree, "family");
  chain.table = text_of(tree, "table");
  chain.name = text_of(tree, "name");
  chain.hook = text_of(tree, "hook");
  chain.priority = tree.get<int>("prio", 0);
  chain.drops_by_policy = text_of(tree, "policy") == "drop";
  return chain;
}

[[nodiscard]] bool sees_ip(const Tree& tree) {
  const std::string family = text_of(tree, "family");
  return family == "ip" || family == "ip6" || family == "inet";
}

/// Whether it is a base chain of a family or at a hook that sees frames.
[[nodiscard]] bool is_early(const Tree& tree) {
  const std::string family = text_of(tree, "family");
  const std::string hook = text_of(tree, "hook");
  return !hook.empty() && (family == "netdev" || family == "bridge" || hook == "ingress");
}

}  // namespace

Firewall firewall_in(const std::string& json) {
  Firewall firewall;
  Tree tree;
  try {
    std::istringstream stream{json};
    ptree::read_json(stream, tree);
  } catch (const ptree::json_parser_error& error) {
    firewall.fault = "nft prints what is no JSON: " + error.message();
    return firewall;
  }
  const auto objects = tree.get_child_optional("nftables");
  if (!objects) {
    firewall.fault = "nft prints JSON of another kind";
    return firewall;
  }
  Sets sets;
  std::map<std::string, std::size_t> places;
  for (const auto& [unnamed, object] : *objects) {
    for (const char* const kind : {"set", "map"}) {
      if (const auto set = object.get_child_optional(kind); set && set->get_child_optional("elem")) {
        sets[key_of(*set, text_of(*set, "name"))] = &set->get_child("elem");
      }
    }
    if (const auto chain = object.get_child_optional("chain"); chain && is_early(*chain)) {
      firewall.early_chains.push_back(text_of(*chain, "family") + " " + text_of(*chain, "table") + " " +
                                      text_of(*chain, "name"));
    } else if (chain && sees_ip(*chain)) {
      places[key_of(*chain, text_of(*chain, "name"))] = firewall.ruleset.size();
      firewall.ruleset.push_back(chain_in(*chain));
    }
  }
  for (const auto& [unnamed, object] : *objects) {
    if (const auto rule = object.get_child_optional("rule")) {
      if (const auto place = places.find(key_of(*rule, text_of(*rule, "chain"))); place != places.end()) {
        read_rule(*rule, sets, firewall.ruleset[place->second].rules);
      }
    }
  }
  return firewall;
}

Firewall read_firewall() {
  std::error_code error;
  const auto* const nft =
      std::ranges::find_if(nft_paths, [&error](const char* path) { return std::filesystem::exists(path, error); });
  if (nft == nft_paths.end()) {
    return {{}, {}, "there is no nft"};
  }
  const ProgramOutput output = output_of({*nft, "-j", "list", "ruleset"}, most_octets);
  return output.fault.empty() ? firewall_in(output.text) : Firewall{{}, {}, "nft: " + output.fault};
}

std::vector<std::string> legacy_tables(Family family) {
  std::ifstream file{family == Family::ipv4 ? "/proc/thread-self/net/ip_tables_names"
                                            : "/proc/thread-self/net/ip6_tables_names"};
  std::vector<std::string> tables;
  std::string name;
  while (std::getline(file, name)) {
    if (name != "nat") {
      tables.push_back(name);
    }
  }
  return tables;
}

}  // namespace relay::io
