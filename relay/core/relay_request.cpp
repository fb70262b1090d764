#include "relay/core/relay_request.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "options82/agent_information_form.h"
#include "options82/edit.h"
#include "options82/options.h"
#include "relay/core/bootp.h"
#include "relay/core/frame.h"

namespace relay {

namespace {

/// What is to become of option 82 in one request.
enum class Plan : std::uint8_t { leave, append, replace };

/// Rules on the fixed header that hold for any BOOTREQUEST.
[[nodiscard]] std::optional<DropReason> check_header(const Policy& policy, const InterfaceTable& interfaces,
                                                     const Interface* interface, bootp::Header header) noexcept {
  // RFC 2131 section 2: chaddr has 16 octets.
  if (bootp::hlen(header) > bootp::max_hlen) {
    return DropReason::hlen_too_long;
  }
  // RFC 1542 section 2.1: op is 1 or 2; this is the request side.
  if (bootp::op(header) != bootp::op_request) {
    return DropReason::bad_op;
  }
  if (interface == nullptr) {
    return DropReason::interface_unknown;
  }
  // RFC 3046 section 2.1.1: a giaddr of our own is spoofed, or the message has come round.
  const Ipv4Address giaddr = bootp::giaddr(header);
  if (giaddr.is_host() && interfaces.is_local(giaddr)) {
    return DropReason::giaddr_own;
  }
  // RFC 1542 section 4.1.1: relaying is off unless it was configured.
  if (!interface->is_downstream) {
    return DropReason::not_downstream;
  }
  // RFC 1542 section 4.1.1: secs may be a factor, with a configurable threshold.
  if (bootp::secs(header) < policy.min_secs) {
    return DropReason::below_min_secs;
  }
  // RFC 1542 section 4.1.1: hops that exceeds 16, or a smaller configured threshold.
  if (bootp::hops(header) > std::min(policy.max_hops, bootp::hops_ceiling)) {
    return DropReason::hops_exceeded;
  }
  return std::nullopt;
}

/// Rules on giaddr, and on option 82 of a message that no other relay agent has seen.
[[nodiscard]] std::optional<DropReason> check_origin(const Interface& interface, Ipv4Address giaddr,
                                                     const options82::Survey& options) noexcept {
  if (!giaddr.is_unspecified()) {
    // RFC 1542 section 4.1.1: giaddr is an address of a relay agent, never a broadcast address.
    if (!giaddr.is_host()) {
      return DropReason::giaddr_invalid;
    }
    // TR-101 R-184: clients' circuits have no business with giaddr.
    if (interface.refuses_relayed) {
      return DropReason::giaddr_refused;
    }
    return std::nullopt;
  }
  // RFC 4388 section 6.3: the requester of a DHCPLEASEQUERY puts its own address into giaddr.
  if (options.message_type == bootp::message_type::lease_query) {
    return DropReason::lease_query_unrelayed;
  }
  // RFC 3046 section 2.1: option 82 from an untrusted circuit.
  if (options.agent_information_count > 0 && !interface.is_trusted) {
    return DropReason::option82_untrusted;
  }
  return std::nullopt;
}

/// RFC 3046 sections 2.1 and 2.1.1, or what `-m` puts in their place.
[[nodiscard]] Plan plan_agent_information(const Policy& policy, bool was_relayed,
                                          const options82::Survey& options) noexcept {
  if (!policy.add_agent_information) {
    return Plan::leave;
  }
  const bool has_one = options.agent_information_count > 0;
  switch (policy.existing_agent_information) {
    case ExistingAgentInformation::append:
      return Plan::append;
    case ExistingAgentInformation::replace:
      return has_one ? Plan::replace : Plan::append;
    case ExistingAgentInformation::by_rfc:
    case ExistingAgentInformation::forward:
    case ExistingAgentInformation::discard:
      break;
  }
  return was_relayed || has_one ? Plan::leave : Plan::append;
}

/// Whether this host may relay what arrives on `interface` now.
[[nodiscard]] std::optional<DropReason> check_readiness(const InterfaceTable& interfaces, const Interface& interface,
                                                        bool was_relayed) noexcept {
  if (!interface.giaddr && !was_relayed) {
    return DropReason::no_address;
  }
  // A giaddr that another router holds at the moment: that one relays.
  if (interface.giaddr && !interfaces.is_local(*interface.giaddr)) {
    return DropReason::interface_passive;
  }
  if (interface.servers.empty()) {
    return DropReason::no_server;
  }
  return std::nullopt;
}

/// The largest size that `message` may have with an option 82 of ours, octets of UDP payload (RFC 3046 section 2.1).
[[nodiscard]] std::size_t size_limit(const Policy& policy, const MessageBuffer& message) noexcept {
  const std::size_t room = std::min(message.capacity(), max_udp_payload);
  if (policy.max_request_size) {
    return std::min(*policy.max_request_size, room);
  }
  // What is already larger than the way to the servers does not become worse by an option in the place of PADs.
  const std::size_t headers = ipv4_header_size + udp_header_size;
  return std::min(std::max(policy.upstream_mtu, headers + message.size()) - headers, room);
}

/// The client's bridge port by name; the interface's own where it is not known or there is no bridge.
[[nodiscard]] std::string_view port_name(const InterfaceTable& interfaces, const Interface& interface,
                                         const Ingress& ingress) noexcept {
  const Interface* const port = interfaces.find(ingress.bridge_port_index);
  return port != nullptr ? port->name : interface.name;
}

/// Our option 82 for one request; borrows from `form` or `storage`.
[[nodiscard]] options82::Octets own_agent_information(
    const InterfaceTable& interfaces, const Interface& interface, const options82::AgentInformationForm& form,
    const Ingress& ingress, bootp::Header header,
    std::span<std::uint8_t, options82::max_option_value_size> storage) noexcept {
  if (!form.has_blanks()) {
    return form.octets();
  }
  // RFC 5010 section 3: unicast is what was sent to an address of this host.
  return form.filled({bootp::hardware_address(header), port_name(interfaces, interface, ingress),
                      interfaces.is_local(ingress.destination)},
                     storage);
}

/// Needs a plan other than `leave`.
AgentInformationOutcome edit_agent_information(const Policy& policy, options82::Octets own, Plan plan,
                                               const options82::Survey& options, MessageBuffer& message) noexcept {
  options82::EditableMessage editable{message.room(), message.size(), bootp::options_offset};
  const std::size_t removed = plan == Plan::replace ? options.agent_information_size : 0;
  if (options82::size_with_option(editable, options, own.size(), removed) > size_limit(policy, message)) {
    return AgentInformationOutcome::did_not_fit;
  }
  if (plan == Plan::replace) {
    options82::remove_agent_information(editable);
    const auto rest = options82::survey(editable.storage.first(editable.size).subspan(bootp::options_offset));
    options82::append_agent_information(editable, rest, own);
  } else {
    options82::append_agent_information(editable, options, own);
  }
  message.resize(editable.size);
  if (plan == Plan::replace) {
    return AgentInformationOutcome::replaced;
  }
  return options.agent_information_count > 0 ? AgentInformationOutcome::appended : AgentInformationOutcome::added;
}

[[nodiscard]] bool carries_own(AgentInformationOutcome outcome) noexcept {
  switch (outcome) {
    case AgentInformationOutcome::added:
    case AgentInformationOutcome::appended:
    case AgentInformationOutcome::replaced:
      return true;
    case AgentInformationOutcome::untouched:
    case AgentInformationOutcome::did_not_fit:
      break;
  }
  return false;
}

}  // namespace

Decision relay_request(const Policy& policy, const InterfaceTable& interfaces, const Ingress& ingress,
                       MessageBuffer& message) noexcept {
  const std::span<const std::uint8_t> octets = message.octets();
  // RFC 951 section 3: without the fixed header there is nothing to go by. RFC 1542 section 2.1 asks for 300 octets.
  if (octets.size() < std::max(policy.min_size, bootp::header_size)) {
    return Drop{DropReason::too_short};
  }
  const bootp::Header header = octets.first<bootp::header_size>();
  const Interface* interface = interfaces.find(ingress.interface_index);
  if (const auto reason = check_header(policy, interfaces, interface, header)) {
    return Drop{*reason};
  }
  const Ipv4Address giaddr = bootp::giaddr(header);
  const bool was_relayed = !giaddr.is_unspecified();
  const bool has_cookie = bootp::has_cookie(octets);
  const options82::Survey options = options82::survey(bootp::options_field(octets));
  if (const auto reason = check_origin(*interface, giaddr, options)) {
    return Drop{*reason};
  }
  if (options.agent_information_count > 0 && policy.existing_agent_information == ExistingAgentInformation::discard) {
    return Drop{DropReason::option82_discarded};
  }
  const auto& form = was_relayed ? interface->relayed_agent_information : interface->agent_information;
  // RFC 3046 sections 2.0 and 2.1: only what is recognised as BOOTP or DHCP options is given option 82, and no empty
  // one.
  const Plan plan = has_cookie && !form.empty() ? plan_agent_information(policy, was_relayed, options) : Plan::leave;
  // RFC 2132 section 2: options that cannot be read to their end cannot be edited.
  if (plan != Plan::leave && options.damaged) {
    return Drop{DropReason::options_malformed};
  }
  if (const auto reason = check_readiness(interfaces, *interface, was_relayed)) {
    return Drop{*reason};
  }

  // Everything is checked; from here on the message is written.
  ToServers decision{interface->servers, policy.source_address.value_or(interface->giaddr.value_or(Ipv4Address{}))};
  if (plan != Plan::leave) {
    std::array<std::uint8_t, options82::max_option_value_size> storage;
    const options82::Octets own = own_agent_information(interfaces, *interface, form, ingress, header, storage);
    decision.agent_information = edit_agent_information(policy, own, plan, options, message);
  }
  // RFC 8357 section 5.1: another source port than 67 needs sub-option 19.
  decision.from_relay_port =
      carries_own(decision.agent_information) && form.find(options82::SubOption::source_port).has_value();
  const bootp::MutableHeader edited = message.octets().first<bootp::header_size>();
  // RFC 1542 section 4.1.1: hops is incremented; giaddr is filled in where it was zero and left alone otherwise.
  bootp::set_hops(edited, static_cast<std::uint8_t>(bootp::hops(edited) + 1));
  if (!was_relayed) {
    bootp::set_giaddr(edited, *interface->giaddr);
  }
  return decision;
}

}  // namespace relay
