// Frames to clients that the kernel need not know: Ethernet II, IPv4 or IPv6, and UDP headers in front of a message
// that stays where it is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "relay/core/address.h"

namespace relay {

inline constexpr std::size_t ethernet_header_size = 14;
inline constexpr std::size_t ipv4_header_size = 20;  // without IP options
inline constexpr std::size_t ipv6_header_size = 40;  // without extension headers
inline constexpr std::size_t udp_header_size = 8;
inline constexpr std::size_t frame_headers_size = ethernet_header_size + ipv4_header_size + udp_header_size;
inline constexpr std::size_t frame6_headers_size = ethernet_header_size + ipv6_header_size + udp_header_size;

/// The largest UDP payload that one IPv4 datagram holds (RFC 768, RFC 791 section 3.1).
inline constexpr std::size_t max_udp_payload = 65535 - ipv4_header_size - udp_header_size;

/// Who sends what to whom. Addresses in network order, ports and identification in host order.
struct FrameAddresses {
  static constexpr std::size_t headers_size = frame_headers_size;

  MacAddress link_source;
  MacAddress link_destination;
  Ipv4Address source;
  Ipv4Address destination;
  std::uint16_t source_port = 67;
  std::uint16_t destination_port = 68;
  std::uint16_t identification = 0;  ///< IP identification; matters to fragments alone (RFC 6864)
};

/// The same over IPv6.
struct FrameAddresses6 {
  static constexpr std::size_t headers_size = frame6_headers_size;

  MacAddress link_source;
  MacAddress link_destination;
  Ipv6Address source;
  Ipv6Address destination;
  std::uint16_t source_port = 547;
  std::uint16_t destination_port = 546;
  std::uint8_t hop_limit = 64;
};

/// The UDP header of a datagram with `payload`, its checksum included. Needs `payload.size() <= max_udp_payload`.
[[nodiscard]] std::array<std::uint8_t, udp_header_size> udp_header(const FrameAddresses& addresses,
                                                                   std::span<const std::uint8_t> payload) noexcept;

/// The Ethernet and IPv4 headers of a frame that carries `size` octets of a UDP datagram from `offset` on, with more to
/// follow or not. `offset` is a multiple of 8 (RFC 791 section 3.2).
[[nodiscard]] std::array<std::uint8_t, ethernet_header_size + ipv4_header_size> link_and_ip_headers(
    const FrameAddresses& addresses, std::size_t size, std::size_t offset, bool more_fragments) noexcept;

/// All headers of a frame that carries a whole datagram with `payload`. Needs what `udp_header` does.
[[nodiscard]] std::array<std::uint8_t, frame_headers_size> frame_headers(
    const FrameAddresses& addresses, std::span<const std::uint8_t> payload) noexcept;

/// The same over IPv6 (RFC 2464 section 3, RFC 8200 sections 3 and 8.1). Needs `payload` to fit into 65,535 octets with
/// the UDP header.
[[nodiscard]] std::array<std::uint8_t, frame6_headers_size> frame_headers(
    const FrameAddresses6& addresses, std::span<const std::uint8_t> payload) noexcept;

/// How many octets of a datagram one fragment carries on a link with `mtu`: a multiple of 8, at least 8.
[[nodiscard]] std::size_t fragment_size(std::size_t mtu) noexcept;

/// The Internet checksum (RFC 1071) of `octets`, continued from `sum`; folded, not complemented.
[[nodiscard]] std::uint16_t internet_sum(std::span<const std::uint8_t> octets, std::uint32_t sum = 0) noexcept;

}  // namespace relay
