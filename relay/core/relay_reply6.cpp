#include "relay/core/relay_reply6.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "relay/core/dhcpv6.h"
#include "relay/core/options6.h"

namespace relay {

namespace {

namespace code = dhcpv6::code;
namespace message_type = dhcpv6::message_type;
using dhcpv6::Octets;

/// A reply's interface, null where routes lead to its peer, or why there is none.
using Egress = std::variant<DropReason, const Interface*>;

/// What a Relay-reply says to us. The values borrow from it.
struct Survey {
  Octets relay_message;
  std::size_t relay_message_count = 0;
  std::optional<Octets> interface_id;
  std::optional<Octets> vss;
  std::uint16_t downstream_source_port = 0;  // 0: the usual one
  bool is_damaged = false;
};

/// Reads the options in whatever order they are (RFC 8415 section 21.1); of one that may be there once, the first
/// counts. What is not named here is for others or for nobody, and goes no further.
[[nodiscard]] Survey survey(Octets field) noexcept {
  Survey found;
  bool has_port = false;
  dhcpv6::OptionReader options{field};
  while (const auto option = options.next()) {
    if (option->code == code::relay_message) {
      found.relay_message = option->value;
      ++found.relay_message_count;
    } else if (option->code == code::interface_id && !found.interface_id) {
      found.interface_id = option->value;
    } else if (option->code == code::vss && !found.vss) {
      found.vss = option->value;
    } else if (option->code == code::relay_source_port && !has_port) {
      has_port = true;
      // RFC 8357 section 4.2: always two octets.
      found.is_damaged |= option->value.size() != 2;
      found.downstream_source_port = option->value.size() == 2 ? dhcpv6::number(option->value.first<2>()) : 0;
    }
  }
  found.is_damaged |= options.is_damaged();
  return found;
}

/// Rules on the header and on where the message arrived.
[[nodiscard]] std::optional<DropReason> check_arrival(const Policy6& policy, const InterfaceTable& interfaces,
                                                      const Ingress6& ingress, Octets message) noexcept {
  // RFC 8415 section 19.2: servers send nothing else to a relay agent.
  if (dhcpv6::msg_type(message) != message_type::relay_reply) {
    return DropReason::not_relay_reply;
  }
  const Interface* const interface = interfaces.find(ingress.interface_index);
  if (interface == nullptr) {
    return DropReason::interface_unknown;
  }
  // RFC 6221 section 6.1.1: a Relay-reply from the clients' side is a rogue server's.
  if (!interface->is_upstream6() && (interface->is_downstream6() || policy.upstream_named)) {
    return DropReason::not_upstream;
  }
  // RFC 8213 section 3: from whom we know.
  if (!policy.replies_from_anyone && !interfaces.is_server(ingress.source, ingress.interface_index)) {
    return DropReason::server_unknown;
  }
  return std::nullopt;
}

/// Rules on the options of the Relay-reply itself.
[[nodiscard]] std::optional<DropReason> check_options(const Survey& options) noexcept {
  // RFC 8415 section 21.1: of options that cannot be read to their end, none can be relied on.
  if (options.is_damaged) {
    return DropReason::relay_options_malformed;
  }
  // RFC 8415 section 9.2: there has to be a Relay Message option, and one peer-address is there for one alone.
  if (options.relay_message_count > 1) {
    return DropReason::relay_message_doubled;
  }
  if (options.relay_message.empty()) {
    return DropReason::relay_message_missing;
  }
  return std::nullopt;
}

/// Whether an answer that names no link may go where routes lead. Only relay agents behind trusted interfaces get such
/// answers (RFC 8415 section 19.1.2), so where anyone may answer there has to be such an interface: else this host
/// would send anything to anybody. Where a virtual subnet is selected, answers have an Interface-Id, by which they are
/// checked (RFC 6607 section 5).
[[nodiscard]] bool may_be_routed(const Policy6& policy, const InterfaceTable& interfaces,
                                 const Ipv6Address& peer_address) noexcept {
  return peer_address.is_globally_scoped() && !interfaces.selects_virtual_subnet6() &&
         (!policy.replies_from_anyone || interfaces.trusts_some6());
}

/// RFC 8415 section 19.2: the link is the one that Interface-Id names, else that of link-address; where several
/// interfaces have one Interface-Id, link-address tells which. Without either, a peer that can be routed to needs none.
[[nodiscard]] Egress find_egress(const Policy6& policy, const InterfaceTable& interfaces,
                                 const Ipv6Address& link_address, const Ipv6Address& peer_address,
                                 const std::optional<Octets>& interface_id) noexcept {
  const auto of_address = interfaces.downstream_by_link_address(link_address);
  if (interface_id) {
    const auto named = interfaces.downstream_by_interface_id(*interface_id);
    if (named.empty()) {
      return DropReason::interface_id_unknown;
    }
    if (named.size() == 1) {
      return interfaces.find(named.front());
    }
    if (of_address.size() == 1 && std::ranges::binary_search(named, of_address.front())) {
      return interfaces.find(of_address.front());
    }
    return DropReason::interface_id_ambiguous;
  }
  if (!link_address.is_unspecified()) {
    if (of_address.empty()) {
      return DropReason::link_address_unknown;
    }
    return of_address.size() == 1 ? Egress{interfaces.find(of_address.front())} : DropReason::link_address_ambiguous;
  }
  return may_be_routed(policy, interfaces, peer_address) ? Egress{nullptr} : DropReason::link_unnamed;
}

/// RFC 6607 section 5: whether the server acted on the virtual subnet that we selected, or assigned one of its own.
[[nodiscard]] std::optional<DropReason> check_virtual_subnet(Octets selected,
                                                             const std::optional<Octets>& assigned) noexcept {
  // RFC 6607 section 5: a server that understood it sends it back.
  if (!selected.empty() && !assigned) {
    return DropReason::vss_unsupported;
  }
  // RFC 6607 section 5.1: a client that the server put elsewhere cannot be served here.
  if (assigned && !std::ranges::equal(*assigned, selected)) {
    return DropReason::vss_unknown;
  }
  return std::nullopt;
}

/// Rules that need to know the interface of the peer.
[[nodiscard]] std::optional<DropReason> check_for_egress(const Policy6& policy, const Interface& egress,
                                                         const Ingress6& ingress, const Ipv6Address& peer_address,
                                                         const Survey& options) noexcept {
  const Server6 sender = Server6{ingress.source, ingress.interface_index}.as_sender();
  if (!policy.replies_from_anyone &&
      std::ranges::find(egress.v6.servers, sender, &Server6::as_sender) == egress.v6.servers.end()) {
    return DropReason::server_unknown;
  }
  // A link-local address is ours or somebody else's by the link that it is on.
  if (egress.v6.has(peer_address)) {
    return DropReason::peer_address_invalid;
  }
  if (const auto reason = check_virtual_subnet(egress.v6.options.vss(), options.vss)) {
    return reason;
  }
  return egress.is_up ? std::nullopt : std::optional{DropReason::interface_down};
}

/// RFC 8415 section 7.2: clients and relay agents listen on ports of their own; RFC 8357 section 5.2: a relay agent
/// perhaps on another, which it told us. Only a Relay-reply is for a relay agent.
[[nodiscard]] std::uint16_t port_of(const Policy6& policy, const Survey& options) noexcept {
  if (dhcpv6::msg_type(options.relay_message) != message_type::relay_reply) {
    return policy.ports.client();
  }
  return options.downstream_source_port == 0 ? policy.ports.server : options.downstream_source_port;
}

[[nodiscard]] ToPeer6 deliver(const Policy6& policy, const Interface* egress, const Ipv6Address& peer_address,
                              const Survey& options) noexcept {
  ToPeer6 to_peer{egress, {}, peer_address, port_of(policy, options), options.relay_message};
  if (egress != nullptr) {
    to_peer.source = peer_address.is_link_local() ? egress->v6.link_local : egress->v6.source;
  }
  return to_peer;
}

}  // namespace

Decision6 relay_reply6(const Policy6& policy, const InterfaceTable& interfaces, const Ingress6& ingress,
                       std::span<const std::uint8_t> message) noexcept {
  // RFC 8415 section 9: without the header there is nothing to go by.
  if (!dhcpv6::has_header(message)) {
    return Drop{DropReason::header_too_short};
  }
  if (const auto reason = check_arrival(policy, interfaces, ingress, message)) {
    return Drop{*reason};
  }
  const dhcpv6::RelayHeader header = message.first<dhcpv6::relay_header_size>();
  const Survey options = survey(dhcpv6::relay_options(message));
  if (const auto reason = check_options(options)) {
    return Drop{*reason};
  }
  // RFC 8415 section 9.2: peer-address is copied from a message of somebody else. Its hop-count is nobody's business
  // (RFC 8415 section 19.3).
  const Ipv6Address peer_address = dhcpv6::peer_address(header);
  if (!peer_address.is_host() || interfaces.is_local(peer_address)) {
    return Drop{DropReason::peer_address_invalid};
  }
  const Egress found =
      find_egress(policy, interfaces, dhcpv6::link_address(header), peer_address, options.interface_id);
  if (const auto* reason = std::get_if<DropReason>(&found)) {
    return Drop{*reason};
  }
  const Interface* const egress = *std::get_if<const Interface*>(&found);
  const auto reason = egress == nullptr ? check_virtual_subnet({}, options.vss)
                                        : check_for_egress(policy, *egress, ingress, peer_address, options);
  if (reason) {
    return Drop{*reason};
  }
  return deliver(policy, egress, peer_address, options);
}

}  // namespace relay
