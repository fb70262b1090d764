#include "relay/log/verdict_text.h"

#include <cstddef>
#include <system_error>

#include "relay/core/bootp.h"
#include "relay/core/dhcpv6.h"
#include "relay/core/options6.h"
#include "relay/log/message_text.h"

namespace relay {

namespace {

using capture::Verdict;
using capture::VerdictKind;

[[nodiscard]] std::string list_of_servers(const Verdict& verdict) {
  const auto told = verdict.told_servers();
  std::string result;
  for (std::size_t number = 0; number < told.size(); ++number) {
    const bool is_last = number + 1 == verdict.server_count;
    result += number == 0 ? "" : is_last ? " and " : ", ";
    result += address_text(told[number]);
  }
  if (verdict.server_count > told.size()) {
    result += " and " + std::to_string(verdict.server_count - told.size()) + " more";
  }
  return result;
}

[[nodiscard]] std::string option82_clause(const Verdict& verdict) {
  const auto content = [&] { return agent_information_sentence(verdict.option82_content()); };
  switch (verdict.agent_information) {
    case AgentInformationOutcome::untouched:
      return {};
    case AgentInformationOutcome::added:
      return ", option 82 " + content();
    case AgentInformationOutcome::appended:
      return ", option 82 appended " + content();
    case AgentInformationOutcome::replaced:
      return ", option 82 replaced by " + content();
    case AgentInformationOutcome::did_not_fit:
      return ", option 82 left out: it would not fit";
  }
  return {};
}

[[nodiscard]] std::string delivery_clause(const Verdict& verdict) {
  switch (verdict.delivery) {
    case Delivery::link_broadcast:
      return "by broadcast";
    case Delivery::link_unicast:
      return "by unicast to " + address_text(verdict.destination);
    case Delivery::routed:
      return "by datagram to " + address_text(verdict.destination);
  }
  return {};
}

/// What of the message the reason is about; empty where the reason's meaning says it all.
[[nodiscard]] std::string evidence(const Verdict& verdict, std::span<const std::uint8_t> message) {
  const auto compared = [&](std::size_t value, std::string_view sign) {
    return std::to_string(value) + std::string{sign} + std::to_string(verdict.limit);
  };
  using enum DropReason;
  if (verdict.reason == too_short) {
    return compared(message.size(), " < ");
  }
  if (verdict.reason == server_unknown) {
    return address_text(verdict.source);
  }
  if (verdict.reason == giaddr_own || verdict.reason == giaddr_invalid || verdict.reason == giaddr_refused ||
      verdict.reason == reply_giaddr_unknown || verdict.reason == reply_ambiguous) {
    return address_text(verdict.giaddr);
  }
  if (message.size() >= bootp::header_size) {
    const bootp::Header header = message.first<bootp::header_size>();
    if (verdict.reason == hops_exceeded) {
      return compared(bootp::hops(header), " > ");
    }
    if (verdict.reason == below_min_secs) {
      return compared(bootp::secs(header), " < ");
    }
  }
  return {};
}

[[nodiscard]] std::string options_clause(const capture::Told6& told) {
  std::string result;
  dhcpv6::OptionReader options{told.told_options()};
  while (const auto option = options.next()) {
    result += ", " + relay_option_sentence(option->code, option->value);
  }
  if (told.left_out_count != 0) {
    result += ", " + relay_option_name(told.left_out_code) + " of " + std::to_string(told.left_out_size) + " octets";
  }
  if (told.left_out_count > 1) {
    result += ", and " + std::to_string(told.left_out_count - 1) + " more";
  }
  return result;
}

[[nodiscard]] std::string interface_id_of(dhcpv6::Octets relay_message) {
  constexpr std::size_t most = 64;
  dhcpv6::OptionReader options{dhcpv6::relay_options(relay_message)};
  while (const auto option = options.next()) {
    if (option->code == dhcpv6::code::interface_id) {
      return option->value.size() > most ? std::to_string(option->value.size()) + " octets"
                                         : octets_sentence(option->value);
    }
  }
  return {};
}

/// The same of DHCPv6.
[[nodiscard]] std::string evidence6(const Verdict& verdict, std::span<const std::uint8_t> message) {
  using enum DropReason;
  if (verdict.reason == server_unknown || verdict.reason == source_invalid) {
    return address_text(verdict.source);
  }
  if (verdict.reason == header_too_short) {
    const bool is_relay = message.size() >= dhcpv6::message_header_size && dhcpv6::is_of_relays(message);
    return std::to_string(message.size()) + " < " +
           std::to_string(is_relay ? dhcpv6::relay_header_size : dhcpv6::message_header_size);
  }
  if (!dhcpv6::has_header(message)) {
    return {};
  }
  if (verdict.reason == server_message || verdict.reason == not_relay_reply) {
    return type6_text(dhcpv6::msg_type(message));
  }
  if (!dhcpv6::is_of_relays(message)) {
    return {};
  }
  const dhcpv6::RelayHeader header = message.first<dhcpv6::relay_header_size>();
  if (verdict.reason == hop_count_reached) {
    return std::to_string(dhcpv6::hop_count(header)) + " >= " + std::to_string(verdict.limit);
  }
  if (verdict.reason == peer_address_invalid) {
    return address_text(dhcpv6::peer_address(header));
  }
  if (verdict.reason == link_address_unknown || verdict.reason == link_address_ambiguous) {
    return address_text(dhcpv6::link_address(header));
  }
  return verdict.reason == interface_id_unknown || verdict.reason == interface_id_ambiguous ? interface_id_of(message)
                                                                                            : std::string{};
}

[[nodiscard]] std::string to_destination(const capture::FailedCopy& copy) {
  return address_text(copy.destination) + ": " + std::generic_category().message(copy.error);
}

[[nodiscard]] std::string summary4(std::span<const std::uint8_t> message) {
  if (message.size() < bootp::header_size) {
    return "a message of " + std::to_string(message.size()) + " octets, too short for BOOTP";
  }
  const bootp::Header header = message.first<bootp::header_size>();
  std::string result = type_text(header, message) + " xid " + xid_text(header);
  if (bootp::hlen(header) != 0) {
    result += " chaddr " + chaddr_text(header);
  }
  const auto append_address = [&](std::string_view name, Ipv4Address address) {
    if (!address.is_unspecified()) {
      result.append(" ").append(name).append(" ").append(address_text(address));
    }
  };
  append_address("ciaddr", bootp::ciaddr(header));
  append_address("yiaddr", bootp::yiaddr(header));
  append_address("giaddr", bootp::giaddr(header));
  if (const auto content = agent_information_of(message)) {
    result += " option 82 " + agent_information_sentence(*content);
  }
  return result;
}

[[nodiscard]] std::string relay_summary(dhcpv6::Octets message) {
  const dhcpv6::RelayHeader header = message.first<dhcpv6::relay_header_size>();
  const std::string interface_id = interface_id_of(message);
  return type6_text(dhcpv6::msg_type(message)) + " hops " + std::to_string(dhcpv6::hop_count(header)) +
         " link-address " + address_text(dhcpv6::link_address(header)) + " peer-address " +
         address_text(dhcpv6::peer_address(header)) + (interface_id.empty() ? "" : " interface-id " + interface_id);
}

/// Level by level, and no more of them than relay agents may put around a message.
[[nodiscard]] std::string summary6(dhcpv6::Octets message) {
  constexpr int most_levels = 8;
  std::string result;
  for (int level = 0; level <= most_levels; ++level) {
    if (!dhcpv6::has_header(message)) {
      return result + "a message of " + std::to_string(message.size()) + " octets, too short for DHCPv6";
    }
    if (!dhcpv6::is_of_relays(message)) {
      return result + type6_text(dhcpv6::msg_type(message)) + " xid " + xid6_text(message);
    }
    result += relay_summary(message) + " with ";
    message = dhcpv6::carried_message(message);
    if (message.empty()) {
      return result + "no message";
    }
  }
  return result + "more of them";
}

}  // namespace

std::string verdict_text(const Verdict& verdict, std::span<const std::uint8_t> message, std::string_view egress) {
  switch (verdict.kind) {
    case VerdictKind::to_servers:
      if (const auto* const told = std::get_if<capture::Told6>(&verdict.told)) {
        return "forwarded to " + list_of_servers(verdict) + ", link-address " + address_text(told->link_address) +
               options_clause(*told);
      }
      return "forwarded to " + list_of_servers(verdict) + ", giaddr " + address_text(verdict.giaddr) +
             option82_clause(verdict);
    case VerdictKind::to_client:
      if (const auto* const told = std::get_if<capture::Told6>(&verdict.told)) {
        return "reply to " + address_text(verdict.destination) + " port " + std::to_string(told->port) +
               (verdict.egress_index == 0 ? ", where routes lead" : " on " + printable_text(egress));
      }
      return "reply to " + client_text(message) + " on " + printable_text(egress) + ' ' + delivery_clause(verdict);
    case VerdictKind::dropped: {
      const std::string why =
          verdict.family() == Family::ipv4 ? evidence(verdict, message) : evidence6(verdict, message);
      const DropReasonText& words = text(verdict.reason);
      return "dropped: " + std::string{words.name} + " (" + (why.empty() ? std::string{words.meaning} : why) + ')';
    }
    case VerdictKind::send_failed:
      return unsent_text({verdict.destination, verdict.reason, verdict.error});
  }
  return {};
}

std::string unsent_text(const capture::FailedCopy& copy) {
  return "dropped: " + std::string{text(copy.reason).name} + " (to " + to_destination(copy) + ')';
}

std::string client_text(std::span<const std::uint8_t> message) {
  if (message.size() >= bootp::header_size) {
    const bootp::Header header = message.first<bootp::header_size>();
    if (bootp::hlen(header) != 0) {
      return chaddr_text(header);
    }
  }
  return "a client without a hardware address";
}

std::string failed_copy_text(const capture::FailedCopy& copy) {
  return "not sent to " + to_destination(copy);
}

std::string message_summary(std::span<const std::uint8_t> message, Family family) {
  return family == Family::ipv4 ? summary4(message) : summary6(message);
}

}  // namespace relay
