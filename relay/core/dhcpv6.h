// The headers of DHCPv6 messages (RFC 8415 sections 8 and 9): where each field is, and nothing else.
// Fields of a relay message are compile-time ranges of a 34-octet span, so an offset outside it does not compile.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "relay/core/address.h"

namespace relay::dhcpv6 {

using Octets = std::span<const std::uint8_t>;

inline constexpr std::size_t message_header_size = 4;  // msg-type and transaction-id (RFC 8415 section 8)
inline constexpr std::size_t relay_header_size = 34;   // RFC 8415 section 9

/// The largest UDP payload that one IPv6 datagram holds (RFC 768, RFC 8200 section 3).
inline constexpr std::size_t max_message_size = 65535 - 8;

using RelayHeader = std::span<const std::uint8_t, relay_header_size>;
using MutableRelayHeader = std::span<std::uint8_t, relay_header_size>;

/// Values of msg-type that change what a relay agent does, or that it looks at under load; every other one is relayed
/// (RFC 7283 section 4.2).
namespace message_type {
inline constexpr std::uint8_t solicit = 1;
inline constexpr std::uint8_t advertise = 2;
inline constexpr std::uint8_t reply = 7;
inline constexpr std::uint8_t release = 8;
inline constexpr std::uint8_t reconfigure = 10;
inline constexpr std::uint8_t relay_forward = 12;
inline constexpr std::uint8_t relay_reply = 13;
inline constexpr std::uint8_t lease_query = 14;          // RFC 5007
inline constexpr std::uint8_t reconfigure_request = 18;  // RFC 6977
inline constexpr std::uint8_t reconfigure_reply = 19;    // RFC 6977
}  // namespace message_type

/// Needs at least one octet.
[[nodiscard]] constexpr std::uint8_t msg_type(Octets message) noexcept {
  return message[0];
}

/// Whether it is a message between relay agents and servers, which carries another one. Needs at least one octet.
[[nodiscard]] constexpr bool is_of_relays(Octets message) noexcept {
  return msg_type(message) == message_type::relay_forward || msg_type(message) == message_type::relay_reply;
}

/// Whether `message` has the whole header of its type.
[[nodiscard]] constexpr bool has_header(Octets message) noexcept {
  return message.size() >= message_header_size && (!is_of_relays(message) || message.size() >= relay_header_size);
}

/// Of a message that is not of relays and has its header.
[[nodiscard]] constexpr std::uint32_t transaction_id(Octets message) noexcept {
  return std::uint32_t{message[1]} << 16U | std::uint32_t{message[2]} << 8U | message[3];
}

[[nodiscard]] constexpr std::uint8_t hop_count(RelayHeader header) noexcept {
  return header[1];
}
[[nodiscard]] constexpr Ipv6Address link_address(RelayHeader header) noexcept {
  Ipv6Address address;
  std::ranges::copy(header.subspan<2, 16>(), address.octets.begin());
  return address;
}
[[nodiscard]] constexpr Ipv6Address peer_address(RelayHeader header) noexcept {
  Ipv6Address address;
  std::ranges::copy(header.subspan<18, 16>(), address.octets.begin());
  return address;
}

constexpr void set_msg_type(MutableRelayHeader header, std::uint8_t type) noexcept {
  header[0] = type;
}
constexpr void set_hop_count(MutableRelayHeader header, std::uint8_t count) noexcept {
  header[1] = count;
}
constexpr void set_link_address(MutableRelayHeader header, const Ipv6Address& address) noexcept {
  std::ranges::copy(address.octets, header.subspan<2, 16>().begin());
}
constexpr void set_peer_address(MutableRelayHeader header, const Ipv6Address& address) noexcept {
  std::ranges::copy(address.octets, header.subspan<18, 16>().begin());
}

/// The octets behind the header. Needs a relay message for which `has_header` holds.
[[nodiscard]] constexpr Octets relay_options(Octets message) noexcept {
  return message.subspan(relay_header_size);
}

}  // namespace relay::dhcpv6
