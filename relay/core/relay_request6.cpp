#include "relay/core/relay_request6.h"

#include <algorithm>
#include <optional>
#include <span>

#include "relay/core/dhcpv6.h"
#include "relay/core/options6.h"

namespace relay {

namespace {

namespace code = dhcpv6::code;
namespace message_type = dhcpv6::message_type;
using dhcpv6::Octets;

/// What we put around one message. Its octets are those of a header and of whole options.
struct Wrapping {
  std::uint8_t hop_count = 0;
  Ipv6Address link_address;
  Octets common_options;
  std::optional<MacAddress> client_link_layer_address;
  std::optional<std::uint16_t> downstream_source_port;

  [[nodiscard]] std::size_t size() const noexcept {
    return dhcpv6::relay_header_size + common_options.size() +
           (client_link_layer_address ? dhcpv6::link_layer_option_size : 0) +
           (downstream_source_port ? dhcpv6::relay_port_option_size : 0) + dhcpv6::option_head_size;
  }
};

/// Messages that are for others than servers: clients, the requester of a Reconfigure, relay agents on the other side.
[[nodiscard]] bool is_of_a_server(std::uint8_t type) noexcept {
  return type == message_type::advertise || type == message_type::reply || type == message_type::reconfigure ||
         type == message_type::relay_reply || type == message_type::reconfigure_reply;
}

/// Rules on where the message came from, and on its type.
[[nodiscard]] std::optional<DropReason> check_arrival(const InterfaceTable& interfaces, const Interface* interface,
                                                      const Ingress6& ingress, std::uint8_t type) noexcept {
  if (interface == nullptr) {
    return DropReason::interface_unknown;
  }
  if (!interface->is_downstream6()) {
    return DropReason::not_downstream;
  }
  // RFC 8415 sections 16.3, 16.10 and 16.11: relay agents discard what servers send to clients. RFC 6977 section 6.2.2:
  // a Reconfigure-reply is for who sent a Reconfigure-request, which this relay agent does not.
  if (is_of_a_server(type)) {
    return DropReason::server_message;
  }
  // RFC 8415 section 19.1: the source becomes peer-address, to which the answer goes.
  if (!ingress.source.is_host() || interfaces.is_local(ingress.source) || interface->v6.has(ingress.source)) {
    return DropReason::source_invalid;
  }
  return std::nullopt;
}

/// RFC 6422 section 5: Relay-Supplied Options at any level. Each level is read once, and only up to the message in it,
/// so that the whole costs no more than the message is long. What cannot be read could hide them.
[[nodiscard]] std::optional<DropReason> check_levels(Octets message) noexcept {
  while (!message.empty() && dhcpv6::msg_type(message) == message_type::relay_forward) {
    if (!dhcpv6::has_header(message)) {
      return DropReason::header_too_short;
    }
    Octets inner;
    bool has_inner = false;
    dhcpv6::OptionReader options{dhcpv6::relay_options(message)};
    while (const auto option = options.next()) {
      if (option->code == code::relay_supplied_options) {
        return DropReason::relay_supplied_options_refused;
      }
      if (option->code == code::relay_message) {
        if (has_inner) {
          return DropReason::relay_message_doubled;
        }
        has_inner = true;
        inner = option->value;
      }
    }
    if (options.is_damaged()) {
      return DropReason::relay_options_malformed;
    }
    message = inner;
  }
  return std::nullopt;
}

/// Rules on what other relay agents sent: RFC 8415 section 19.1.2.
[[nodiscard]] std::optional<DropReason> check_relay_forward(const Policy6& policy, const Interface& interface,
                                                            Octets message) noexcept {
  // RFC 6221 section 6.1.2: clients' circuits have no business with Relay-forward.
  if (!interface.is_trusted) {
    return DropReason::relay_forward_untrusted;
  }
  // RFC 8415 section 19.1.2: a hop-count of HOP_COUNT_LIMIT or more.
  if (dhcpv6::hop_count(message.first<dhcpv6::relay_header_size>()) >=
      std::min(policy.hop_count_limit, Policy6::hop_count_ceiling)) {
    return DropReason::hop_count_reached;
  }
  return policy.relays_relay_supplied_options ? std::nullopt : check_levels(message);
}

/// Rules on messages for which a relay agent is the guard of the network behind it.
[[nodiscard]] std::optional<DropReason> check_message(const Policy6& policy, const Interface& interface,
                                                      std::uint8_t type) noexcept {
  // RFC 5007 section 5: queries of leases from where nobody is trusted.
  if (type == message_type::lease_query && !interface.is_trusted) {
    return DropReason::lease_query_untrusted;
  }
  // RFC 6977 section 6.4: relayed unless the operator does not want it.
  if (type == message_type::reconfigure_request && !policy.relays_reconfigure_requests) {
    return DropReason::reconfigure_request_refused;
  }
  return std::nullopt;
}

/// RFC 8415 sections 19.1.1 and 19.1.2: what tells the link of the answer.
void tell_link(const InterfaceTable& interfaces, const Interface& interface, bool is_routed,
               Wrapping& wrapping) noexcept {
  const RelayForwardOptions& options = interface.v6.options;
  bool is_told = true;
  if (!is_routed) {
    wrapping.link_address = interface.v6.link_address;
    is_told = !wrapping.link_address.is_unspecified() &&
              interfaces.downstream_by_link_address(wrapping.link_address).size() == 1;
  }
  wrapping.common_options =
      is_told && !options.has_interface_id_always ? options.without_interface_id() : Octets{options.octets};
}

/// RFC 8357 section 5.2: which port option 135 tells, if it is needed; 0: only ours is another than the servers'.
[[nodiscard]] std::optional<std::uint16_t> source_port_to_tell(const Ports6& ports, const Ingress6& ingress,
                                                               bool was_relayed) noexcept {
  if (was_relayed && ingress.source_port != ports.server) {
    return ingress.source_port;
  }
  return ports.relay && *ports.relay != ports.server ? std::optional<std::uint16_t>{0} : std::nullopt;
}

[[nodiscard]] Wrapping wrapping_for(const Policy6& policy, const InterfaceTable& interfaces, const Interface& interface,
                                    const Ingress6& ingress, Octets message) noexcept {
  const bool was_relayed = dhcpv6::msg_type(message) == message_type::relay_forward;
  Wrapping wrapping;
  if (was_relayed) {
    wrapping.hop_count = static_cast<std::uint8_t>(dhcpv6::hop_count(message.first<dhcpv6::relay_header_size>()) + 1);
  } else if (policy.client_link_layer_address && interface.is_ethernet) {
    // RFC 6939 section 5: where the frame came from, of messages that come from clients themselves.
    wrapping.client_link_layer_address = ingress.link_source;
  }
  // RFC 8415 section 19.1.2: a relay agent with a globally scoped address is found without a link.
  tell_link(interfaces, interface, was_relayed && ingress.source.is_globally_scoped(), wrapping);
  wrapping.downstream_source_port = source_port_to_tell(policy.ports, ingress, was_relayed);
  return wrapping;
}

/// RFC 8415 sections 9.1 and 21.10. Needs `wrapping.size()` octets of headroom.
void wrap(const Wrapping& wrapping, const Ipv6Address& peer_address, MessageBuffer& message) noexcept {
  const std::size_t message_size = message.size();
  const std::span<std::uint8_t> room = message.prepend(wrapping.size());
  const dhcpv6::MutableRelayHeader header = room.first<dhcpv6::relay_header_size>();
  dhcpv6::set_msg_type(header, message_type::relay_forward);
  dhcpv6::set_hop_count(header, wrapping.hop_count);
  dhcpv6::set_link_address(header, wrapping.link_address);
  dhcpv6::set_peer_address(header, peer_address);

  dhcpv6::OptionWriter options{room.subspan(dhcpv6::relay_header_size)};
  options.put(wrapping.common_options);
  if (wrapping.client_link_layer_address) {
    constexpr std::uint16_t ethernet = 1;  // RFC 826, by IANA's hardware types
    options.put_head(code::client_link_layer_address, dhcpv6::link_layer_option_size - dhcpv6::option_head_size);
    options.put_number(ethernet);
    options.put(wrapping.client_link_layer_address->octets);
  }
  if (wrapping.downstream_source_port) {
    options.put_head(code::relay_source_port, dhcpv6::relay_port_option_size - dhcpv6::option_head_size);
    options.put_number(*wrapping.downstream_source_port);
  }
  options.put_head(code::relay_message, message_size);  // whose value is the message, where it stands
}

}  // namespace

Decision6 relay_request6(const Policy6& policy, const InterfaceTable& interfaces, const Ingress6& ingress,
                         MessageBuffer& message) noexcept {
  const Octets octets = message.octets();
  // RFC 8415 sections 8 and 9: without the header there is nothing to go by. Options are not looked at, nor may an
  // unknown one matter (RFC 8415 section 16).
  if (!dhcpv6::has_header(octets)) {
    return Drop{DropReason::header_too_short};
  }
  const std::uint8_t type = dhcpv6::msg_type(octets);
  const Interface* const interface = interfaces.find(ingress.interface_index);
  if (const auto reason = check_arrival(interfaces, interface, ingress, type)) {
    return Drop{*reason};
  }
  const auto reason = type == message_type::relay_forward ? check_relay_forward(policy, *interface, octets)
                                                          : check_message(policy, *interface, type);
  if (reason) {
    return Drop{*reason};
  }
  if (interface->v6.servers.empty()) {
    return Drop{interface->v6.lacks_server ? DropReason::server_interface_missing : DropReason::no_server};
  }
  const Wrapping wrapping = wrapping_for(policy, interfaces, *interface, ingress, octets);
  // RFC 8415 section 19.1: the message goes into one option of one datagram, whole.
  const std::size_t size = wrapping.size();
  if (size > message.headroom() || size + octets.size() > dhcpv6::max_message_size) {
    return Drop{DropReason::wrapped_too_large};
  }

  // Everything is checked; from here on the buffer is written.
  wrap(wrapping, ingress.source, message);
  const bool has_relay_port = policy.ports.relay && *policy.ports.relay != policy.ports.server;
  return ToServers6{interface->v6.servers, policy.source_address.value_or(interface->v6.source), has_relay_port};
}

}  // namespace relay
