#include "relay/core/frame.h"

#include <algorithm>
#include <cassert>

namespace relay {

namespace {

constexpr std::uint8_t ip_protocol_udp = 17;
constexpr std::uint8_t default_ttl = 64;  // RFC 1700, "IP Time to Live"
constexpr std::uint16_t more_fragments_flag = 0x2000;

void put16(std::span<std::uint8_t> octets, std::size_t offset, std::size_t value) noexcept {
  octets[offset] = static_cast<std::uint8_t>(value >> 8U);
  octets[offset + 1] = static_cast<std::uint8_t>(value);
}

/// The pseudo header's part of the checksum (RFC 768).
[[nodiscard]] std::uint32_t pseudo_header_sum(const FrameAddresses& addresses, std::size_t size) noexcept {
  std::uint32_t sum = internet_sum(addresses.source.octets);
  sum = internet_sum(addresses.destination.octets, sum);
  return sum + ip_protocol_udp + static_cast<std::uint32_t>(size);
}

}  // namespace

std::uint16_t internet_sum(std::span<const std::uint8_t> octets, std::uint32_t sum) noexcept {
  std::uint64_t total = sum;
  std::size_t at = 0;
  for (; at + 1 < octets.size(); at += 2) {
    total += std::uint64_t{octets[at]} << 8U | octets[at + 1];
  }
  if (at < octets.size()) {
    total += std::uint64_t{octets[at]} << 8U;
  }
  while (total > 0xffff) {
    total = (total & 0xffffU) + (total >> 16U);
  }
  return static_cast<std::uint16_t>(total);
}

void write_udp_header(const FrameAddresses& addresses, std::span<std::uint8_t> datagram) noexcept {
  assert(datagram.size() >= udp_header_size && datagram.size() <= udp_header_size + max_udp_payload);
  put16(datagram, 0, addresses.source_port);
  put16(datagram, 2, addresses.destination_port);
  put16(datagram, 4, datagram.size());
  put16(datagram, 6, 0);
  const auto checksum =
      static_cast<std::uint16_t>(~internet_sum(datagram, pseudo_header_sum(addresses, datagram.size())));
  put16(datagram, 6, checksum == 0 ? 0xffff : checksum);  // RFC 768: zero would say that there is none
}

std::array<std::uint8_t, ethernet_header_size + ipv4_header_size> link_and_ip_headers(const FrameAddresses& addresses,
                                                                                      std::size_t size,
                                                                                      std::size_t offset,
                                                                                      bool more_fragments) noexcept {
  assert(offset % 8 == 0);
  std::array<std::uint8_t, ethernet_header_size + ipv4_header_size> headers{};
  std::ranges::copy(addresses.link_destination.octets, headers.begin());
  std::ranges::copy(addresses.link_source.octets, headers.begin() + 6);
  put16(headers, 12, 0x0800);  // IPv4

  const auto ip = std::span{headers}.subspan<ethernet_header_size>();
  ip[0] = 0x45;  // version 4, five 32-bit words
  put16(ip, 2, ipv4_header_size + size);
  put16(ip, 4, addresses.identification);
  put16(ip, 6, offset / 8 + (more_fragments ? more_fragments_flag : 0U));
  ip[8] = default_ttl;
  ip[9] = ip_protocol_udp;
  std::ranges::copy(addresses.source.octets, ip.begin() + 12);
  std::ranges::copy(addresses.destination.octets, ip.begin() + 16);
  put16(ip, 10, static_cast<std::uint16_t>(~internet_sum(ip)));
  return headers;
}

std::size_t fragment_size(std::size_t mtu) noexcept {
  const std::size_t room = mtu > ipv4_header_size ? mtu - ipv4_header_size : 0;
  return std::max<std::size_t>(room / 8 * 8, 8);
}

}  // namespace relay
