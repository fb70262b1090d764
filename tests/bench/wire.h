// Octets of the wire: numbers in network order, the Internet checksum (RFC 1071), and where BOOTP has its fields.
// Of the bench's own, so that the relay is not measured against itself.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace bench::wire {

using Octets = std::span<std::uint8_t>;
using ConstOctets = std::span<const std::uint8_t>;

constexpr std::size_t ethernet_size = 14;
constexpr std::size_t ipv4_size = 20;
constexpr std::size_t udp_size = 8;
constexpr std::size_t headers_size = ethernet_size + ipv4_size + udp_size;

constexpr std::size_t op = 0;
constexpr std::size_t hops = 3;
constexpr std::size_t xid = 4;
constexpr std::size_t yiaddr = 16;
constexpr std::size_t giaddr = 24;
constexpr std::size_t chaddr = 28;
constexpr std::size_t cookie = 236;
constexpr std::size_t options = 240;
constexpr std::size_t least_message = 300;

constexpr std::uint8_t boot_request = 1;
constexpr std::uint8_t boot_reply = 2;

constexpr std::uint8_t pad = 0;
constexpr std::uint8_t kind = 53;
constexpr std::uint8_t server_identifier = 54;
constexpr std::uint8_t agent_information = 82;
constexpr std::uint8_t end = 255;

constexpr std::uint8_t discover = 1;
constexpr std::uint8_t offer = 2;
constexpr std::uint8_t request = 3;
constexpr std::uint8_t ack = 5;

inline void put16(Octets octets, std::size_t at, std::uint32_t value) {
  octets[at] = static_cast<std::uint8_t>(value >> 8U);
  octets[at + 1] = static_cast<std::uint8_t>(value);
}

inline void put32(Octets octets, std::size_t at, std::uint32_t value) {
  put16(octets, at, value >> 16U);
  put16(octets, at + 2, value);
}

[[nodiscard]] inline std::uint32_t load32(ConstOctets octets, std::size_t at) {
  return std::uint32_t{octets[at]} << 24U | std::uint32_t{octets[at + 1]} << 16U | std::uint32_t{octets[at + 2]} << 8U |
         std::uint32_t{octets[at + 3]};
}

/// The one's complement sum, in this machine's order, continued from `sum`. Only the last part may have an odd size.
[[nodiscard]] inline std::uint64_t sum(ConstOctets octets, std::uint64_t sum = 0) {
  std::size_t at = 0;
  for (; at + 4 <= octets.size(); at += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, &octets[at], sizeof word);
    sum += word;
  }
  if (at < octets.size()) {
    std::uint32_t word = 0;
    std::memcpy(&word, &octets[at], octets.size() - at);
    sum += word;
  }
  return sum;
}

/// What to store into a checksum field, octet by octet in this machine's order.
[[nodiscard]] inline std::uint16_t folded(std::uint64_t sum) {
  while (sum >> 16U != 0) {
    sum = (sum & 0xffff) + (sum >> 16U);
  }
  return static_cast<std::uint16_t>(~sum);
}

inline void store(Octets octets, std::size_t at, std::uint16_t checksum) {
  std::memcpy(&octets[at], &checksum, sizeof checksum);
}

/// Both checksums of an Ethernet frame with an IPv4 header without options and a whole UDP datagram.
inline void finish_checksums(Octets frame) {
  const Octets ipv4 = frame.subspan(ethernet_size, ipv4_size);
  const Octets udp = frame.subspan(ethernet_size + ipv4_size);
  put16(ipv4, 10, 0);
  store(ipv4, 10, folded(sum(ipv4)));
  put16(udp, 6, 0);
  std::array<std::uint8_t, 4> rest{0, 17, udp[4], udp[5]};
  const std::uint16_t checksum = folded(sum(udp, sum(rest, sum(ipv4.subspan(12, 8)))));
  store(udp, 6, checksum == 0 ? 0xffff : checksum);
}

/// Where an option's code stands, or END's for END; nothing where the options are broken before that.
[[nodiscard]] inline std::optional<std::size_t> find_option(ConstOctets message, std::uint8_t code) {
  std::size_t at = options;
  while (at < message.size()) {
    if (message[at] == code) {
      return at;
    }
    if (message[at] == end) {
      return std::nullopt;
    }
    if (message[at] == pad) {
      ++at;
    } else if (at + 1 < message.size()) {
      at += 2U + message[at + 1];
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

/// The value of an option of one octet, or 0.
[[nodiscard]] inline std::uint8_t octet_of(ConstOctets message, std::uint8_t code) {
  const std::optional<std::size_t> at = find_option(message, code);
  return at && *at + 2 < message.size() && message[*at + 1] == 1 ? message[*at + 2] : std::uint8_t{0};
}

}  // namespace bench::wire
