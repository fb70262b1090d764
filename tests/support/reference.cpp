#include "tests/support/reference.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace reference {

namespace {

using Address = std::array<std::uint8_t, 4>;
using relay::ExistingAgentInformation;
using relay::Interface;

constexpr std::size_t header_size = 236;
constexpr std::size_t least_size = 300;  // RFC 951 section 3
constexpr std::uint8_t agent_information = 82;
constexpr Address zero{0, 0, 0, 0};

// Fields of the header (RFC 2131 section 2)

unsigned number(const Bytes& octets, std::size_t offset) {
  return octets.at(offset) * 256U + octets.at(offset + 1);
}

Address address(const Bytes& octets, std::size_t offset) {
  return {octets.at(offset), octets.at(offset + 1), octets.at(offset + 2), octets.at(offset + 3)};
}

Address ciaddr(const Bytes& octets) {
  return address(octets, 12);
}

Address yiaddr(const Bytes& octets) {
  return address(octets, 16);
}

Address giaddr(const Bytes& octets) {
  return address(octets, 24);
}

void set_giaddr(Bytes& octets, const Address& value) {
  std::copy(value.begin(), value.end(), octets.begin() + 24);
}

Bytes hardware_address(const Bytes& octets) {
  Bytes result;
  for (std::size_t i = 0; i < octets.at(2) && i < 16; ++i) {
    result.push_back(octets.at(28 + i));
  }
  return result;
}

// Addresses

/// RFC 1122 section 3.2.1.3: neither this network, nor loopback, nor multicast, nor reserved.
bool can_be_a_hosts(const Address& address) {
  return address[0] != 0 && address[0] != 127 && address[0] < 224;
}

bool bit(const Address& address, unsigned position) {
  return (address.at(position / 8) >> (7 - position % 8) & 1) != 0;
}

bool is_in(const Address& address, const relay::Ipv4Prefix& prefix) {
  for (unsigned position = 0; position < prefix.length; ++position) {
    if (bit(address, position) != bit(prefix.address.octets, position)) {
      return false;
    }
  }
  return true;
}

/// All bits behind the prefix are one; RFC 3021: not with one bit or none.
bool is_broadcast(const Address& address, const relay::Ipv4Prefix& prefix) {
  bool all_ones = prefix.length < 31 && is_in(address, prefix);
  for (unsigned position = prefix.length; position < 32; ++position) {
    all_ones = all_ones && bit(address, position);
  }
  return all_ones;
}

bool has_address(const Interface& interface, const Address& address) {
  return std::any_of(interface.addresses.begin(), interface.addresses.end(),
                     [&](const relay::Ipv4Prefix& prefix) { return prefix.address.octets == address; });
}

bool is_ours(const relay::InterfaceTable& interfaces, const Address& address) {
  return std::any_of(interfaces.all().begin(), interfaces.all().end(),
                     [&](const auto& entry) { return has_address(entry.second, address); });
}

const Interface* interface_of(const relay::InterfaceTable& interfaces, std::uint32_t index) {
  for (const auto& [each, interface] : interfaces.all()) {
    if (each == index) {
      return &interface;
    }
  }
  return nullptr;
}

bool is_server_of(const Interface& interface, const Address& address) {
  return std::any_of(interface.servers.begin(), interface.servers.end(),
                     [&](const relay::Ipv4Address& server) { return server.octets == address; });
}

// Lines of text

std::string text(const Address& address) {
  std::string result;
  for (const std::uint8_t octet : address) {
    result += (result.empty() ? "" : ".") + std::to_string(octet);
  }
  return result;
}

std::string text_of_hardware_address(const Bytes& octets) {
  static const std::string digits = "0123456789abcdef";
  std::string result;
  for (const std::uint8_t octet : octets) {
    result += (result.empty() ? "" : ":") + std::string{digits[octet / 16], digits[octet % 16]};
  }
  return result;
}

// Our option 82

void add(Bytes& to, const std::string& characters) {
  to.insert(to.end(), characters.begin(), characters.end());
}

Bytes filled_in(const OwnSubOption& sub_option, const Facts& facts) {
  Bytes value;
  for (const auto& piece : sub_option.pieces) {
    if (const auto* const octets = std::get_if<Bytes>(&piece)) {
      value.insert(value.end(), octets->begin(), octets->end());
      continue;
    }
    switch (std::get<Blank>(piece)) {
      case Blank::client_hardware_address:
        add(value, text_of_hardware_address(facts.hardware_address));
        break;
      case Blank::client_port:
        add(value, facts.port);
        break;
      case Blank::relay_flags:
        value.push_back(facts.is_unicast ? 0x80 : 0);  // RFC 5010 section 3
        break;
    }
  }
  return value;
}

bool has(const std::vector<OwnSubOption>& information, std::uint8_t code) {
  return std::any_of(information.begin(), information.end(), [code](const OwnSubOption& s) { return s.code == code; });
}

std::vector<OwnSubOption> without(std::vector<OwnSubOption> information, std::uint8_t code) {
  std::erase_if(information, [code](const OwnSubOption& s) { return s.code == code; });
  return information;
}

/// Everything that requests of the client of `reply` can have been given on `interface`.
std::vector<Facts> possible_facts(const Interface& interface, const Bytes& reply) {
  std::vector<std::string> ports = interface.bridge_ports;
  ports.push_back(interface.name);  // where the port was not known
  std::vector<Facts> facts;
  for (const std::string& port : ports) {
    for (const bool is_unicast : {false, true}) {
      facts.push_back({hardware_address(reply), port, is_unicast});
    }
  }
  return facts;
}

/// What is ours in replies to one client of one interface.
struct Own {
  std::set<Bytes> contents;     ///< of option 82
  std::set<Bytes> circuit_ids;  ///< values of sub-option 1
};

Own own_of(const Scene& scene, const Interface& interface, const Bytes& reply) {
  Own own;
  const auto found = scene.information.find(interface.index);
  if (found == scene.information.end() || found->second.own.empty()) {
    return own;
  }
  const std::vector<OwnSubOption>& information = found->second.own;
  for (const Facts& facts : possible_facts(interface, reply)) {
    own.contents.insert(filled_in(information, facts));
    own.contents.insert(filled_in(without(information, 152), facts));  // RFC 6607 section 7.2
    for (const OwnSubOption& sub_option : information) {
      if (sub_option.code == 1) {
        own.circuit_ids.insert(filled_in(sub_option, facts));
      }
    }
  }
  own.contents.erase(Bytes{});
  return own;
}

// What both directions have in common

std::optional<std::string> unreadable(const relay::Policy& policy, const Bytes& message, std::uint8_t op) {
  if (message.size() < header_size || message.size() < policy.min_size) {
    return "too_short";  // RFC 1542 section 2.1
  }
  if (message[2] > 16) {
    return "hlen_too_long";  // RFC 2131 section 2: chaddr has 16 octets
  }
  if (message[0] != op) {
    return "bad_op";  // RFC 1542 section 2.1
  }
  return std::nullopt;
}

Expected drop(const std::string& reason, const Bytes& message) {
  return {"drop " + reason, message};
}

// Requests

std::optional<std::string> request_refused(const Scene& scene, const Interface& interface, const Bytes& octets,
                                           const Message& message) {
  const Address giaddr_of_it = giaddr(octets);
  const bool is_first_hop = giaddr_of_it == zero;
  if (number(octets, 8) < scene.policy.min_secs) {
    return "below_min_secs";
  }
  if (octets[3] > scene.policy.max_hops || octets[3] > 16) {
    return "hops_exceeded";  // RFC 1542 section 4.1.1
  }
  if (!is_first_hop && !can_be_a_hosts(giaddr_of_it)) {
    return "giaddr_invalid";
  }
  if (!is_first_hop && interface.refuses_relayed) {
    return "giaddr_refused";  // TR-101 R-184
  }
  if (is_first_hop && message.message_type() == 10) {
    return "lease_query_unrelayed";  // RFC 4388 section 6.3
  }
  const bool has_option = !message.values_of(agent_information).empty();
  if (is_first_hop && has_option && !interface.is_trusted) {
    return "option82_untrusted";  // RFC 3046 section 2.1
  }
  if (has_option && scene.policy.existing_agent_information == ExistingAgentInformation::discard) {
    return "option82_discarded";
  }
  return std::nullopt;
}

std::optional<std::string> not_ready(const Scene& scene, const Interface& interface, bool is_first_hop) {
  if (is_first_hop && !interface.giaddr) {
    return "no_address";
  }
  if (interface.giaddr && !is_ours(scene.interfaces, interface.giaddr->octets)) {
    return "interface_passive";
  }
  if (interface.servers.empty()) {
    return "no_server";
  }
  return std::nullopt;
}

/// The sub-options for this request; none where it is given no option 82.
std::vector<OwnSubOption> information_for(const Scene& scene, const Interface& interface, bool is_first_hop,
                                          const Message& message) {
  const auto found = scene.information.find(interface.index);
  if (!scene.policy.add_agent_information || !message.has_options || found == scene.information.end()) {
    return {};  // RFC 3046 section 2.1: in packets that are recognized, and only if asked for
  }
  switch (scene.policy.existing_agent_information) {
    case ExistingAgentInformation::append:
    case ExistingAgentInformation::replace:
      break;  // row 4A-17
    case ExistingAgentInformation::by_rfc:
    case ExistingAgentInformation::forward:
    case ExistingAgentInformation::discard:
      if (!is_first_hop || !message.values_of(agent_information).empty()) {
        return {};  // RFC 3046 sections 2.1.1 and 2.1
      }
  }
  return is_first_hop ? found->second.own : found->second.relayed;
}

struct WithOption {
  Bytes octets;
  std::string outcome;
};

WithOption with_option(const Scene& scene, const Bytes& octets, Message message, const Bytes& content,
                       std::size_t capacity) {
  const bool had_option = !message.values_of(agent_information).empty();
  const bool replaces = scene.policy.existing_agent_information == ExistingAgentInformation::replace;
  std::size_t size = octets.size();
  complete(message);
  if (replaces) {
    size -= message.size_of(agent_information);
    message.remove(agent_information);
  }
  append_agent_information(message, content);
  Bytes result = put_together(message);
  result.resize(std::max({result.size(), size, least_size}), 0);
  // RFC 3046 section 2.1: no larger than configured; else never increased beyond the MTU (IPv4 and UDP headers: 28).
  const std::size_t limit = scene.policy.max_request_size
                                ? *scene.policy.max_request_size
                                : std::max(scene.policy.upstream_mtu, octets.size() + 28) - 28;
  if (result.size() > limit || result.size() > capacity || result.size() + 28 > 65'535) {
    return {octets, "did_not_fit"};
  }
  return {result, !had_option ? "added" : replaces ? "replaced" : "appended"};
}

// Replies

/// The downstream interfaces that have `giaddr`, in order of index.
std::map<std::uint32_t, const Interface*> owners_of(const Scene& scene, const Address& giaddr) {
  std::map<std::uint32_t, const Interface*> owners;
  for (const auto& [index, interface] : scene.interfaces.all()) {
    const bool is_its_giaddr = interface.giaddr && interface.giaddr->octets == giaddr;
    if (interface.is_downstream && (is_its_giaddr || has_address(interface, giaddr))) {
      owners[index] = &interface;
    }
  }
  return owners;
}

/// The one owner whose circuit-id is in `content`: the last one there, since ours stands behind others'. Null also
/// where several have that one. More circuit-ids than a few agents write are not looked through.
const Interface* named_owner(const Scene& scene, const std::map<std::uint32_t, const Interface*>& owners,
                             const Bytes& octets, const Bytes& content) {
  std::vector<Option> echoed = sub_options_of(content).all;
  std::erase_if(echoed, [](const Option& sub_option) { return sub_option.code != 1; });
  std::reverse(echoed.begin(), echoed.end());
  constexpr std::size_t most_looked_up = 4;
  echoed.resize(std::min(echoed.size(), most_looked_up));
  for (const Option& sub_option : echoed) {
    std::vector<const Interface*> named;
    for (const auto& [index, interface] : owners) {
      if (own_of(scene, *interface, octets).circuit_ids.contains(sub_option.value)) {
        named.push_back(interface);
      }
    }
    if (!named.empty()) {
      return named.size() == 1 ? named.front() : nullptr;
    }
  }
  return nullptr;
}

/// Which of several interfaces that share a giaddr the client is on: our circuit-id tells, in all instances together
/// (RFC 3396 section 7) or in the last, where somebody else's in front of it is broken; else the transaction does.
const Interface* chosen_owner(const Scene& scene, const std::map<std::uint32_t, const Interface*>& owners,
                              std::optional<std::uint32_t> transaction, const Bytes& octets, const Message& message) {
  if (owners.size() == 1) {
    return owners.begin()->second;
  }
  const std::vector<Bytes> values = message.values_of(agent_information);
  if (const Interface* const owner = named_owner(scene, owners, octets, joined(values))) {
    return owner;
  }
  if (const Interface* const owner = values.empty() ? nullptr : named_owner(scene, owners, octets, values.back())) {
    return owner;
  }
  if (transaction && owners.contains(*transaction)) {
    return owners.at(*transaction);
  }
  return nullptr;
}

/// Takes the last `size` octets out of the values of all option 82s together; those that lie in them wholly go.
void cut_tail(Message& message, std::size_t size) {
  for (auto option = message.options.end(); size > 0 && option != message.options.begin();) {
    --option;
    if (option->code != agent_information) {
      continue;
    }
    const std::size_t cut = std::min(size, option->value.size());
    option->value.resize(option->value.size() - cut);
    size -= cut;
    if (option->value.empty()) {
      option = message.options.erase(option);
    }
  }
}

bool names(const Own& own, const Bytes& content) {
  const SubOptions sub_options = sub_options_of(content);
  for (const Option& sub_option : sub_options.all) {
    if (sub_option.code == 1) {
      return own.circuit_ids.contains(sub_option.value);
    }
  }
  return false;
}

/// Where ours begins in `content`: at a sub-option, behind which there is nothing else.
std::optional<std::size_t> start_of_own(const Own& own, const Bytes& content) {
  for (const std::size_t offset : sub_options_of(content).offsets) {
    if (own.contents.contains({content.begin() + static_cast<std::ptrdiff_t>(offset), content.end()})) {
      return offset;
    }
  }
  return std::nullopt;
}

/// Takes ours out; says whether there was any.
bool remove_own(Message& message, const Own& own, bool by_circuit_id) {
  // RFC 3396 section 7: all instances are one option.
  const Bytes all = joined(message.values_of(agent_information));
  const auto start = start_of_own(own, all);
  if (start == 0U) {
    message.remove(agent_information);
    return true;
  }
  // A server may have doubled it.
  if (std::erase_if(message.options, [&](const Option& option) {
        return option.code == agent_information && own.contents.contains(option.value);
      }) > 0) {
    return true;
  }
  if (start) {
    cut_tail(message, all.size() - *start);
    return true;
  }
  // A server may have changed the rest of it.
  const auto named = std::find_if(message.options.rbegin(), message.options.rend(), [&](const Option& option) {
    return option.code == agent_information && names(own, option.value);
  });
  if (!by_circuit_id || named == message.options.rend()) {
    return false;
  }
  message.options.erase(std::next(named).base());
  return true;
}

/// RFC 6607 sections 5 and 5.1.
std::optional<std::string> wrong_vss(const Scene& scene, const Interface& egress, const Message& message) {
  const auto found = scene.information.find(egress.index);
  std::optional<Bytes> sent;
  if (found != scene.information.end()) {
    for (const OwnSubOption& sub_option : found->second.own) {
      if (sub_option.code == 151) {
        sent = filled_in(sub_option, {});
      }
    }
  }
  std::optional<Bytes> assigned;
  bool has_control = false;
  for (const Option& sub_option : sub_options_of(joined(message.values_of(agent_information))).all) {
    if (sub_option.code == 151) {
      has_control = has_control && !assigned;  // a downstream agent's come first
      assigned = sub_option.value;
    }
    has_control = has_control || sub_option.code == 152;
  }
  if (sent && (!assigned || has_control)) {
    return "vss_unsupported";
  }
  if (assigned && !has_control && assigned != sent) {
    return "vss_unknown";
  }
  return std::nullopt;
}

struct Segment {
  const Interface& interface;
  const relay::InterfaceTable& interfaces;

  /// Whether a client there can have `address`.
  [[nodiscard]] bool can_have(const Address& address) const {
    return can_be_a_hosts(address) && !is_ours(interfaces, address) &&
           std::none_of(interface.addresses.begin(), interface.addresses.end(),
                        [&](const relay::Ipv4Prefix& prefix) { return is_broadcast(address, prefix); });
  }
  [[nodiscard]] bool is_on_link(const Address& address) const {
    return std::any_of(interface.addresses.begin(), interface.addresses.end(),
                       [&](const relay::Ipv4Prefix& prefix) { return is_in(address, prefix); });
  }
};

/// RFC 1542 section 4.1.2: by unicast needs an Ethernet frame to one station.
bool can_be_framed(const Interface& egress, const Bytes& reply) {
  const Bytes chaddr = hardware_address(reply);
  return egress.is_ethernet && reply[1] == 1 && chaddr.size() == 6 && chaddr != Bytes(6, 0) && chaddr[0] % 2 == 0;
}

std::string delivery(const Segment& segment, const Bytes& reply, const Message& message) {
  static const std::string broadcast = "link_broadcast 255.255.255.255 ff:ff:ff:ff:ff:ff";
  const Interface& egress = segment.interface;
  if (egress.reply_delivery == relay::ReplyDelivery::broadcast || message.message_type() == 6) {
    return broadcast;  // RFC 2131 section 4.3.2: DHCPNAK
  }
  if (egress.reply_delivery == relay::ReplyDelivery::automatic && number(reply, 10) >= 0x8000) {
    return broadcast;  // the BROADCAST flag
  }
  const bool has_its_address = ciaddr(reply) != zero && (yiaddr(reply) == zero || yiaddr(reply) == ciaddr(reply));
  const Address destination = has_its_address ? ciaddr(reply) : yiaddr(reply);
  if (!segment.can_have(destination)) {
    return broadcast;
  }
  const bool is_framed = can_be_framed(egress, reply);
  if (has_its_address && !(is_framed && segment.is_on_link(destination))) {
    return "routed " + text(destination);
  }
  if (!is_framed) {
    return broadcast;
  }
  return "link_unicast " + text(destination) + " " + text_of_hardware_address(hardware_address(reply));
}

/// giaddr, where it is an address of the client's segment; else the first that is.
Address source_of(const Interface& egress) {
  const bool has_giaddr = egress.giaddr && has_address(egress, egress.giaddr->octets);
  return has_giaddr || egress.addresses.empty() ? egress.giaddr.value_or(relay::Ipv4Address{}).octets
                                                : egress.addresses.front().address.octets;
}

std::optional<std::string> reply_refused(const Scene& scene, const relay::Ingress& ingress) {
  const Interface* const arrived = interface_of(scene.interfaces, ingress.interface_index);
  if (arrived == nullptr) {
    return "interface_unknown";
  }
  if (!arrived->is_upstream && (scene.policy.upstream_named || arrived->is_downstream)) {
    return "not_upstream";
  }
  bool is_server = scene.policy.replies_from_anyone;
  for (const auto& [index, interface] : scene.interfaces.all()) {
    is_server = is_server || (interface.is_downstream && is_server_of(interface, ingress.source.octets));
  }
  return is_server ? std::nullopt : std::optional<std::string>{"server_unknown"};
}

/// What is wrong with option 82 of a reply for a client of `egress`, whose requests are given ours. `has_own`: ours is
/// there; `names_us`: or what a server made of it, by its circuit-id.
std::optional<std::string> wrong_option(const Scene& scene, const Interface& egress, const Message& message,
                                        bool has_own, bool names_us) {
  if (message.is_damaged) {
    return "options_malformed";  // row 4R-11: what is behind the damage cannot be removed
  }
  const bool is_of_a_switch = egress.is_trusted && !message.values_of(agent_information).empty();
  if (scene.policy.drop_unmatched_replies && !has_own && !is_of_a_switch) {
    return "option82_unmatched";
  }
  if (is_of_a_switch && !names_us) {
    return std::nullopt;  // the request was given none of ours
  }
  return wrong_vss(scene, egress, message);
}

}  // namespace

Bytes filled_in(const std::vector<OwnSubOption>& information, const Facts& facts) {
  Bytes content;
  for (const OwnSubOption& sub_option : information) {
    const Bytes value = filled_in(sub_option, facts);
    content.push_back(sub_option.code);
    content.push_back(static_cast<std::uint8_t>(value.size()));
    content.insert(content.end(), value.begin(), value.end());
  }
  return content;
}

Expected expected_request(const Scene& scene, const relay::Ingress& ingress, const Bytes& message,
                          std::size_t capacity) {
  if (const auto reason = unreadable(scene.policy, message, 1)) {
    return drop(*reason, message);
  }
  const Interface* const interface = interface_of(scene.interfaces, ingress.interface_index);
  if (interface == nullptr) {
    return drop("interface_unknown", message);
  }
  if (can_be_a_hosts(giaddr(message)) && is_ours(scene.interfaces, giaddr(message))) {
    return drop("giaddr_own", message);  // RFC 3046 section 2.1.1
  }
  if (!interface->is_downstream) {
    return drop("not_downstream", message);  // RFC 1542 section 4.1.1: off by default
  }
  const Message apart = taken_apart(message);
  if (const auto reason = request_refused(scene, *interface, message, apart)) {
    return drop(*reason, message);
  }
  const bool is_first_hop = giaddr(message) == zero;
  const std::vector<OwnSubOption> information = information_for(scene, *interface, is_first_hop, apart);
  if (!information.empty() && apart.is_damaged) {
    return drop("options_malformed", message);  // row 4R-11
  }
  if (const auto reason = not_ready(scene, *interface, is_first_hop)) {
    return drop(*reason, message);
  }
  WithOption result{message, "untouched"};
  if (!information.empty()) {
    const Interface* const port =
        ingress.bridge_port_index == 0 ? nullptr : interface_of(scene.interfaces, ingress.bridge_port_index);
    const Facts facts{hardware_address(message), port == nullptr ? interface->name : port->name,
                      is_ours(scene.interfaces, ingress.destination.octets)};
    result = with_option(scene, message, apart, filled_in(information, facts), capacity);
  }
  result.octets[3] = static_cast<std::uint8_t>(message[3] + 1);
  const Address ours = interface->giaddr ? interface->giaddr->octets : zero;
  if (is_first_hop) {
    set_giaddr(result.octets, ours);
  }
  std::string line = "servers";
  for (const relay::Ipv4Address& server : interface->servers) {
    line += " " + text(server.octets);
  }
  line += " from " + text(scene.policy.source_address ? scene.policy.source_address->octets : ours);
  const bool has_ours = result.outcome != "untouched" && result.outcome != "did_not_fit";
  return {line + " " + result.outcome, result.octets, has_ours && has(information, 19)};
}

Expected expected_reply(const Scene& scene, std::optional<std::uint32_t> transaction, const relay::Ingress& ingress,
                        const Bytes& message, std::size_t capacity) {
  if (const auto reason = unreadable(scene.policy, message, 2)) {
    return drop(*reason, message);
  }
  if (const auto reason = reply_refused(scene, ingress)) {
    return drop(*reason, message);
  }
  if (giaddr(message) == zero) {
    return drop("reply_giaddr_zero", message);  // RFC 1542 section 4.1.2
  }
  const Message apart = taken_apart(message);
  const int type = apart.message_type().value_or(0);
  if (type >= 11 && type <= 13) {
    return drop("lease_query_reply", message);  // RFC 4388 section 6.4
  }
  const auto owners = owners_of(scene, giaddr(message));
  if (owners.empty()) {
    return drop("reply_giaddr_unknown", message);  // RFC 1542 section 4.1.2
  }
  const Interface* const egress = chosen_owner(scene, owners, transaction, message, apart);
  if (egress == nullptr) {
    return drop("reply_ambiguous", message);
  }
  if (!scene.policy.replies_from_anyone && !is_server_of(*egress, ingress.source.octets)) {
    return drop("server_unknown", message);
  }
  const Own own = own_of(scene, *egress, message);
  Message stripped = apart;
  complete(stripped);
  bool has_own = false;
  if (scene.policy.add_agent_information && apart.has_options && !own.contents.empty()) {
    Message named = stripped;
    const bool names_us = remove_own(named, own, true);
    has_own = remove_own(stripped, own, !egress->is_trusted);
    if (const auto reason = wrong_option(scene, *egress, apart, has_own, names_us)) {
      return drop(*reason, message);
    }
  }
  if (!egress->is_up) {
    return drop("interface_down", message);
  }
  Bytes result = message;
  if (has_own) {
    const std::size_t size = message.size() - (apart.size_of(agent_information) - stripped.size_of(agent_information));
    result = put_together(stripped);
    result.resize(std::max({result.size(), size, std::min(least_size, capacity)}), 0);
  }
  if (const auto* const other = std::get_if<relay::Ipv4Address>(&scene.policy.reply_giaddr)) {
    set_giaddr(result, other->octets);
  }
  return {
      egress->name + " " + delivery({*egress, scene.interfaces}, message, apart) + " from " + text(source_of(*egress)),
      result};
}

}  // namespace reference
