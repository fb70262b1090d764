#include "relay/core/relay_reply.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>
#include <variant>

#include "options82/agent_information_form.h"
#include "options82/edit.h"
#include "options82/options.h"
#include "relay/core/bootp.h"

namespace relay {

namespace {

/// A reply's interface, or why there is none.
using Egress = std::variant<DropReason, const Interface*>;

/// Rules on the fixed header and on where the reply arrived.
[[nodiscard]] std::optional<DropReason> check_arrival(const Policy& policy, const InterfaceTable& interfaces,
                                                      const Ingress& ingress, bootp::Header header) noexcept {
  // RFC 2131 section 2: chaddr has 16 octets.
  if (bootp::hlen(header) > bootp::max_hlen) {
    return DropReason::hlen_too_long;
  }
  // RFC 1542 section 2.1: op is 1 or 2; this is the reply side.
  if (bootp::op(header) != bootp::op_reply) {
    return DropReason::bad_op;
  }
  const Interface* interface = interfaces.find(ingress.interface_index);
  if (interface == nullptr) {
    return DropReason::interface_unknown;
  }
  // Servers are upstream: a reply from the clients' side is a rogue server's.
  if (!interface->is_upstream && (interface->is_downstream || policy.upstream_named)) {
    return DropReason::not_upstream;
  }
  if (!policy.replies_from_anyone && !interfaces.is_server(ingress.source)) {
    return DropReason::server_unknown;
  }
  return std::nullopt;
}

/// What our option 82 in an answer to a client of `egress` looks like.
[[nodiscard]] options82::OwnInformation own_information(const Interface& egress, bootp::Header header) noexcept {
  using options82::Recognition;
  const auto& form = egress.agent_information;
  options82::EchoFacts facts{bootp::hardware_address(header), {}, {}};
  if (form.has_blanks()) {
    facts.interface_name = egress.name;
    facts.ports = egress.bridge_ports;
  }
  // On a trusted circuit somebody else's option 82 is to be expected, perhaps with the same circuit-id.
  return {form, facts, egress.is_trusted ? Recognition::exact : Recognition::by_circuit_id};
}

/// Calls `consider(index)` for each index in both spans, which are in order, as often as the shorter one is long.
template <typename Consider>
void for_each_common(std::span<const std::uint32_t> some, std::span<const std::uint32_t> others,
                     Consider&& consider) noexcept {
  if (some.size() > others.size()) {
    std::swap(some, others);
  }
  for (const std::uint32_t index : some) {
    if (std::ranges::binary_search(others, index)) {
      consider(index);
    }
  }
}

/// The one among the interfaces `of_giaddr` that has `circuit_id`; null where there are more; nothing where none has.
[[nodiscard]] std::optional<const Interface*> find_named(const InterfaceTable& interfaces,
                                                         std::span<const std::uint32_t> of_giaddr,
                                                         options82::Octets circuit_id, bootp::Header header) noexcept {
  std::optional<const Interface*> named;
  const auto add = [&](const Interface* interface) { named = named ? nullptr : interface; };
  for_each_common(interfaces.downstream_by_circuit_id(circuit_id), of_giaddr,
                  [&](std::uint32_t index) { add(interfaces.find(index)); });
  interfaces.downstream_by_client().for_each_candidates(circuit_id, [&](std::span<const std::uint32_t> candidates) {
    for_each_common(candidates, of_giaddr, [&](std::uint32_t index) {
      const Interface* const interface = interfaces.find(index);
      const auto own = own_information(*interface, header);
      if (own.form.matches_circuit_id(circuit_id, own.facts)) {
        add(interface);
      }
    });
  });
  return named;
}

/// The one among the interfaces `of_giaddr` whose circuit-id `content` echoes last; null where there is none, or more.
/// RFC 3046 section 2.1: ours is the last; what comes before it, a downstream agent wrote, who may use the same names.
/// Of more circuit-ids than a few agents write only the last few are looked up, since each look-up may meet many
/// interfaces.
[[nodiscard]] const Interface* find_echoed(const InterfaceTable& interfaces, std::span<const std::uint32_t> of_giaddr,
                                           options82::Octets content, bootp::Header header) noexcept {
  constexpr std::size_t most_looked_up = 4;
  std::array<options82::Octets, most_looked_up> circuit_ids;  // a ring
  std::size_t count = 0;
  options82::SubOptionReader sub_options{content};
  while (const auto found = sub_options.next()) {
    if (found->code == options82::SubOption::circuit_id) {
      circuit_ids[count++ % most_looked_up] = found->value;
    }
  }
  for (std::size_t back = 1; back <= std::min(count, most_looked_up); ++back) {
    const options82::Octets circuit_id = circuit_ids[(count - back) % most_looked_up];
    if (const auto named = find_named(interfaces, of_giaddr, circuit_id, header)) {
      return *named;
    }
  }
  return nullptr;
}

/// The same in all of a reply's option 82.
[[nodiscard]] const Interface* find_echoed_in(const InterfaceTable& interfaces,
                                              std::span<const std::uint32_t> of_giaddr, options82::Octets field,
                                              bootp::Header header) noexcept {
  // Instances are one option, split (RFC 3396 section 7); and the last is ours where somebody else's is broken.
  std::array<std::uint8_t, options82::max_joined_size> storage;
  const auto joined = options82::join_agent_information(field, storage);
  if (joined.size() < storage.size()) {
    if (const Interface* egress = find_echoed(interfaces, of_giaddr, joined, header)) {
      return egress;
    }
  }
  options82::Octets last;
  options82::OptionReader options{field};
  while (const auto option = options.next()) {
    if (option->code == options82::code::agent_information) {
      last = option->value;
    }
  }
  return find_echoed(interfaces, of_giaddr, last, header);
}

/// RFC 1542 section 4.1.2: giaddr tells the client's segment; where several share it, the circuit-id that the server
/// echoes does (RFC 3046 section 3.1), and where it echoes none, the request that the reply answers. Link selection
/// does not: nothing may depend on its echo (RFC 3527 section 3).
[[nodiscard]] Egress find_egress(const InterfaceTable& interfaces, const Transactions& transactions,
                                 const Ingress& ingress, bootp::Header header, options82::Octets field) noexcept {
  const auto of_giaddr = interfaces.downstream_by_giaddr(bootp::giaddr(header));
  if (of_giaddr.empty()) {
    return DropReason::reply_giaddr_unknown;
  }
  if (of_giaddr.size() == 1) {
    return interfaces.find(of_giaddr.front());
  }
  if (const Interface* egress = find_echoed_in(interfaces, of_giaddr, field, header)) {
    return egress;
  }
  const auto remembered = transactions.find(header, ingress.arrival);
  if (remembered && std::ranges::binary_search(of_giaddr, *remembered)) {
    return interfaces.find(*remembered);
  }
  return DropReason::reply_ambiguous;
}

/// Whether option 82 is ours, or that of a switch on a trusted circuit, whose requests are given none of ours.
[[nodiscard]] bool is_matched(const Interface& egress, options82::Octets field, bootp::Header header) noexcept {
  switch (options82::find_own_agent_information(field, own_information(egress, header))) {
    case options82::Removal::removed:
      return true;
    case options82::Removal::foreign:
      return egress.is_trusted;
    case options82::Removal::absent:
      break;
  }
  return false;
}

/// Whether option 82 of a reply is that of a switch on a trusted circuit, whose request was given none of ours. Ours
/// that a server changed is none, so the circuit-id decides.
[[nodiscard]] bool is_of_a_switch(const Interface& egress, options82::Octets field, bootp::Header header) noexcept {
  auto own = own_information(egress, header);
  own.recognition = options82::Recognition::by_circuit_id;
  return egress.is_trusted && options82::find_own_agent_information(field, own) == options82::Removal::foreign;
}

/// RFC 6607 section 5: whether the server acted on the virtual subnet that we selected, or assigned one of its own.
[[nodiscard]] std::optional<DropReason> check_virtual_subnet(const Interface& egress,
                                                             options82::Octets field) noexcept {
  using options82::SubOption;
  std::array<std::uint8_t, options82::max_joined_size> storage;
  const auto joined = options82::join_agent_information(field, storage);
  options82::SubOptionReader sub_options{joined};
  std::optional<options82::Octets> assigned;  // the last one: a downstream agent's come first
  bool is_copied = false;
  while (const auto sub_option = sub_options.next()) {
    if (sub_option->code == SubOption::vss) {
      is_copied &= !assigned;
      assigned = sub_option->value;
    }
    is_copied |= sub_option->code == SubOption::vss_control;
  }
  const auto selected = egress.agent_information.find(SubOption::vss);
  // Sub-option 152 comes back from a server that copied without understanding, wherever it stands.
  if (selected && (!assigned || is_copied || joined.size() == storage.size())) {
    return DropReason::vss_unsupported;
  }
  // RFC 6607 section 5.1: a client that the server put elsewhere cannot be served here. A downstream agent's
  // sub-options that the server copied put nobody anywhere.
  if (assigned && !is_copied && (!selected || !std::ranges::equal(*assigned, *selected))) {
    return DropReason::vss_unknown;
  }
  return std::nullopt;
}

/// Whether requests of the interface are given option 82, so that their replies can have it.
[[nodiscard]] bool adds_agent_information(const Policy& policy, const Interface& interface) noexcept {
  return policy.add_agent_information && !interface.agent_information.empty();
}

/// The options from the first option 82 on, so that nobody who looks for option 82 reads what comes before it again.
[[nodiscard]] options82::Octets agent_information_field(std::span<const std::uint8_t> message,
                                                        const options82::Survey& options) noexcept {
  return bootp::options_field(message).subspan(options.agent_information_offset);
}

/// Rules that need to know the client's interface.
[[nodiscard]] std::optional<DropReason> check_for_egress(const Policy& policy, const Interface& egress,
                                                         Ipv4Address server, std::span<const std::uint8_t> message,
                                                         const options82::Survey& options) noexcept {
  if (!policy.replies_from_anyone && std::ranges::find(egress.servers, server) == egress.servers.end()) {
    return DropReason::server_unknown;
  }
  if (adds_agent_information(policy, egress)) {
    // RFC 2132 section 2: options that cannot be read to their end cannot be edited.
    if (options.damaged) {
      return DropReason::options_malformed;
    }
    if (bootp::has_cookie(message)) {
      const bootp::Header header = message.first<bootp::header_size>();
      const options82::Octets field = agent_information_field(message, options);
      // RFC 3046 section 2.1 lets a server leave option 82 out; `-D` does not, but for BOOTP without options.
      if (policy.drop_unmatched_replies && !is_matched(egress, field, header)) {
        return DropReason::option82_unmatched;
      }
      const auto reason = check_virtual_subnet(egress, field);
      if (reason && !is_of_a_switch(egress, field, header)) {
        return reason;
      }
    }
  }
  if (!egress.is_up) {
    return DropReason::interface_down;
  }
  return std::nullopt;
}

/// An address that a client of `egress` can have, and nobody else of whom we know.
[[nodiscard]] bool is_client_address(const InterfaceTable& interfaces, const Interface& egress,
                                     Ipv4Address address) noexcept {
  return address.is_host() && !interfaces.is_local(address) &&
         std::ranges::none_of(egress.addresses, [&](const Ipv4Prefix& prefix) { return prefix.is_broadcast(address); });
}

[[nodiscard]] bool is_on_link(const Interface& egress, Ipv4Address address) noexcept {
  return std::ranges::any_of(egress.addresses, [&](const Ipv4Prefix& prefix) {
    return Ipv4Prefix{address, prefix.length}.network() == prefix.network();
  });
}

/// The client's MAC address, where its hardware and ours can be addressed by one (RFC 1542 section 4.1.2).
[[nodiscard]] std::optional<MacAddress> client_mac(const Interface& egress, bootp::Header header) noexcept {
  return egress.is_ethernet ? bootp::client_mac(header) : std::nullopt;
}

/// The address that replies on `egress` come from: its giaddr where it is one of its own, else its first.
[[nodiscard]] Ipv4Address source_on(const Interface& egress, Ipv4Address giaddr) noexcept {
  const auto has = [&](Ipv4Address address) {
    return std::ranges::any_of(egress.addresses, [&](const Ipv4Prefix& own) { return own.address == address; });
  };
  if (egress.addresses.empty() || (egress.giaddr && has(*egress.giaddr))) {
    return egress.giaddr.value_or(giaddr);
  }
  return egress.addresses.front().address;
}

/// RFC 1542 section 4.1.2 and RFC 2131 section 4.1: how the reply reaches the client.
[[nodiscard]] ToClient deliver(const InterfaceTable& interfaces, const Interface& egress, bootp::Header header,
                               std::optional<std::uint8_t> message_type) noexcept {
  ToClient to_client{&egress, Delivery::link_broadcast, source_on(egress, bootp::giaddr(header))};
  // RFC 2131 section 4.3.2: a client that is told its address is wrong cannot be reached by unicast.
  if (message_type == bootp::message_type::nak || egress.reply_delivery == ReplyDelivery::broadcast) {
    return to_client;
  }
  // RFC 1542 section 4.1.2: the BROADCAST flag.
  if ((bootp::flags(header) & bootp::flag_broadcast) != 0 && egress.reply_delivery != ReplyDelivery::unicast) {
    return to_client;
  }
  const Ipv4Address ciaddr = bootp::ciaddr(header);
  const Ipv4Address yiaddr = bootp::yiaddr(header);
  // RFC 2131 sections 4.1 and 4.3.5: a client with an address (renewing, or answered to DHCPINFORM) has it in ciaddr.
  const bool has_address =
      is_client_address(interfaces, egress, ciaddr) && (yiaddr.is_unspecified() || yiaddr == ciaddr);
  const Ipv4Address address = has_address ? ciaddr : yiaddr;
  // RFC 1542 section 4.1.2: to the address and chaddr, without ARP: the neighbour table ends at 1,024 clients.
  const auto mac = client_mac(egress, header);
  if (mac && is_client_address(interfaces, egress, address) && (!has_address || is_on_link(egress, address))) {
    to_client.delivery = Delivery::link_unicast;
    to_client.destination = address;
    to_client.link_destination = *mac;
  } else if (has_address) {
    to_client.delivery = Delivery::routed;
    to_client.destination = address;
  }
  return to_client;  // where unicast is not possible, by broadcast
}

}  // namespace

Decision relay_reply(const Policy& policy, const InterfaceTable& interfaces, const Transactions& transactions,
                     const Ingress& ingress, MessageBuffer& message) noexcept {
  const std::span<const std::uint8_t> octets = message.octets();
  // RFC 951 section 3: without the fixed header there is nothing to go by. RFC 1542 section 2.1 asks for 300 octets,
  // but servers do send less, and clients understand it.
  if (octets.size() < std::max(policy.min_size, bootp::header_size)) {
    return Drop{DropReason::too_short};
  }
  const bootp::Header header = octets.first<bootp::header_size>();
  if (const auto reason = check_arrival(policy, interfaces, ingress, header)) {
    return Drop{*reason};
  }
  const options82::Survey options = options82::survey(bootp::options_field(octets));
  const auto message_type = options.message_type;
  // RFC 1542 section 4.1.2: giaddr is what tells a reply's way.
  if (bootp::giaddr(header).is_unspecified()) {
    return Drop{DropReason::reply_giaddr_zero};
  }
  // RFC 4388 section 6.4: answers to a DHCPLEASEQUERY are for its requester, never for a client.
  if (message_type && *message_type >= bootp::message_type::lease_unassigned &&
      *message_type <= bootp::message_type::lease_active) {
    return Drop{DropReason::lease_query_reply};
  }
  const Egress found = find_egress(interfaces, transactions, ingress, header, agent_information_field(octets, options));
  if (const auto* reason = std::get_if<DropReason>(&found)) {
    return Drop{*reason};
  }
  const Interface& egress = **std::get_if<const Interface*>(&found);
  if (const auto reason = check_for_egress(policy, egress, ingress.source, octets, options)) {
    return Drop{*reason};
  }

  // Everything is checked; from here on the message is written.
  const ToClient decision = deliver(interfaces, egress, header, message_type);
  if (adds_agent_information(policy, egress) && bootp::has_cookie(octets)) {
    options82::EditableMessage editable{message.room(), message.size(),
                                        bootp::options_offset + options.agent_information_offset};
    (void)options82::remove_own_agent_information(editable, own_information(egress, header));
    message.resize(editable.size);
  }
  if (const auto* giaddr = std::get_if<Ipv4Address>(&policy.reply_giaddr)) {
    bootp::set_giaddr(message.octets().first<bootp::header_size>(), *giaddr);
  }
  return decision;
}

}  // namespace relay
