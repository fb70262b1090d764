#include "relay/core/frame.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

namespace relay {

namespace {

constexpr std::uint16_t ethertype_ipv4 = 0x0800;
constexpr std::uint16_t ethertype_ipv6 = 0x86dd;
constexpr std::uint8_t ip_protocol_udp = 17;
constexpr std::uint8_t default_ttl = 64;  // RFC 1700, "IP Time to Live"
constexpr std::uint16_t more_fragments_flag = 0x2000;

void put16(std::span<std::uint8_t> octets, std::size_t offset, std::size_t value) noexcept {
  octets[offset] = static_cast<std::uint8_t>(value >> 8U);
  octets[offset + 1] = static_cast<std::uint8_t>(value);
}

[[nodiscard]] std::uint32_t words_of(Ipv4Address address) noexcept {
  return (address.host_order() >> 16U) + (address.host_order() & 0xffffU);
}

[[nodiscard]] std::uint32_t words_of(const Ipv6Address& address) noexcept {
  return internet_sum(address.octets);
}

[[nodiscard]] std::uint16_t folded(std::uint64_t sum) noexcept {
  while (sum > 0xffff) {
    sum = (sum & 0xffffU) + (sum >> 16U);
  }
  return static_cast<std::uint16_t>(sum);
}

/// Of either family.
template <typename Addresses>
[[nodiscard]] std::array<std::uint8_t, udp_header_size> udp_header_of(const Addresses& addresses,
                                                                      std::span<const std::uint8_t> payload) noexcept {
  const auto size = static_cast<std::uint32_t>(udp_header_size + payload.size());
  std::array<std::uint8_t, udp_header_size> header{};
  put16(header, 0, addresses.source_port);
  put16(header, 2, addresses.destination_port);
  put16(header, 4, size);
  // RFC 768, RFC 8200 section 8.1: of a pseudo header of addresses, protocol and size, the header, and the payload.
  // What was just written is added as numbers: reading it back in wider words would make the processor wait.
  const std::uint32_t headers_sum = words_of(addresses.source) + words_of(addresses.destination) + ip_protocol_udp +
                                    size + addresses.source_port + addresses.destination_port + size;
  const auto checksum = static_cast<std::uint16_t>(~internet_sum(payload, headers_sum));
  put16(header, 6, checksum == 0 ? 0xffff : checksum);  // zero would say that there is none
  return header;
}

void put_ethernet(std::span<std::uint8_t> frame, const MacAddress& source, const MacAddress& destination,
                  std::uint16_t type) noexcept {
  std::ranges::copy(destination.octets, frame.begin());
  std::ranges::copy(source.octets, frame.begin() + 6);
  put16(frame, 12, type);
}

}  // namespace

std::uint16_t internet_sum(std::span<const std::uint8_t> octets, std::uint32_t sum) noexcept {
  // RFC 1071 section 2: words of any size can be added in the processor's order of octets, and the sum swapped at last.
  // Halves of 32 bits leave room for the carries of as many words as a span of this world has.
  std::uint64_t total = 0;
  const auto add = [&total](const std::uint8_t* from, std::size_t size) {
    std::uint64_t word = 0;  // what is missing at the end is zero
    std::memcpy(&word, from, size);
    total += (word & 0xffffffffU) + (word >> 32U);
  };
  constexpr std::size_t word_size = sizeof(std::uint64_t);
  const std::size_t whole = octets.size() / word_size * word_size;
  for (std::size_t at = 0; at < whole; at += word_size) {
    add(octets.data() + at, word_size);
  }
  if (whole < octets.size()) {
    add(octets.data() + whole, octets.size() - whole);
  }
  const std::uint32_t words = folded(total);
  const bool is_swapped = std::endian::native == std::endian::little;
  return folded(std::uint64_t{sum} + (is_swapped ? (words & 0xffU) << 8U | words >> 8U : words));
}

std::array<std::uint8_t, udp_header_size> udp_header(const FrameAddresses& addresses,
                                                     std::span<const std::uint8_t> payload) noexcept {
  assert(payload.size() <= max_udp_payload);
  return udp_header_of(addresses, payload);
}

std::array<std::uint8_t, ethernet_header_size + ipv4_header_size> link_and_ip_headers(const FrameAddresses& addresses,
                                                                                      std::size_t size,
                                                                                      std::size_t offset,
                                                                                      bool more_fragments) noexcept {
  assert(offset % 8 == 0);
  constexpr std::uint32_t version_and_size = 0x4500;  // version 4, five 32-bit words; no type of service
  constexpr std::uint32_t ttl_and_protocol = std::uint32_t{default_ttl} << 8U | ip_protocol_udp;
  const auto total_size = static_cast<std::uint32_t>(ipv4_header_size + size);
  const auto flags_and_offset = static_cast<std::uint32_t>(offset / 8 + (more_fragments ? more_fragments_flag : 0U));
  const std::uint32_t sum = version_and_size + total_size + addresses.identification + flags_and_offset +
                            ttl_and_protocol + words_of(addresses.source) + words_of(addresses.destination);

  std::array<std::uint8_t, ethernet_header_size + ipv4_header_size> headers{};
  put_ethernet(headers, addresses.link_source, addresses.link_destination, ethertype_ipv4);
  const auto ip = std::span{headers}.subspan<ethernet_header_size>();
  put16(ip, 0, version_and_size);
  put16(ip, 2, total_size);
  put16(ip, 4, addresses.identification);
  put16(ip, 6, flags_and_offset);
  put16(ip, 8, ttl_and_protocol);
  put16(ip, 10, static_cast<std::uint16_t>(~folded(sum)));
  std::ranges::copy(addresses.source.octets, ip.begin() + 12);
  std::ranges::copy(addresses.destination.octets, ip.begin() + 16);
  return headers;
}

std::array<std::uint8_t, frame_headers_size> frame_headers(const FrameAddresses& addresses,
                                                           std::span<const std::uint8_t> payload) noexcept {
  std::array<std::uint8_t, frame_headers_size> headers{};
  const auto outer = link_and_ip_headers(addresses, udp_header_size + payload.size(), 0, false);
  std::ranges::copy(udp_header(addresses, payload), std::ranges::copy(outer, headers.begin()).out);
  return headers;
}

std::array<std::uint8_t, frame6_headers_size> frame_headers(const FrameAddresses6& addresses,
                                                            std::span<const std::uint8_t> payload) noexcept {
  assert(payload.size() <= 65535 - udp_header_size);
  constexpr std::uint32_t version = 0x6000;  // no traffic class, no flow label
  std::array<std::uint8_t, frame6_headers_size> headers{};
  put_ethernet(headers, addresses.link_source, addresses.link_destination, ethertype_ipv6);
  const auto ip = std::span{headers}.subspan<ethernet_header_size>();
  put16(ip, 0, version);
  put16(ip, 4, udp_header_size + payload.size());
  put16(ip, 6, std::uint32_t{ip_protocol_udp} << 8U | addresses.hop_limit);
  std::ranges::copy(addresses.source.octets, ip.begin() + 8);
  std::ranges::copy(addresses.destination.octets, ip.begin() + 24);
  std::ranges::copy(udp_header_of(addresses, payload), ip.begin() + ipv6_header_size);
  return headers;
}

std::size_t fragment_size(std::size_t mtu) noexcept {
  const std::size_t room = mtu > ipv4_header_size ? mtu - ipv4_header_size : 0;
  return std::max<std::size_t>(room / 8 * 8, 8);
}

}  // namespace relay
