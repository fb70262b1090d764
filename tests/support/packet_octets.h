// Octets of packets for tests, well-formed unless asked otherwise. Adds up checksums by itself, so
// that it can contradict the code under test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "relay/core/address.h"
#include "tests/support/message_builder.h"

namespace test_support {

/// `value` in `size` octets, the most significant first.
[[nodiscard]] Bytes big(std::uint64_t value, std::size_t size);
/// The least significant first.
[[nodiscard]] Bytes little(std::uint64_t value, std::size_t size);

/// The ones' complement sum of 16-bit words, the last octet padded with zero (RFC 1071 section 1).
[[nodiscard]] std::uint16_t word_sum(const Bytes& octets);

struct Ipv4Fields {
  relay::Ipv4Address source{{10, 1, 0, 50}};
  relay::Ipv4Address destination{{10, 9, 0, 2}};
  std::uint8_t protocol = 17;
  std::uint16_t identification = 0x1234;
  std::size_t fragment_offset = 0;  ///< octets
  bool more_fragments = false;
  Bytes options{};                              ///< a multiple of four octets
  std::optional<std::uint16_t> total_length{};  ///< instead of the true one
};

/// An IPv4 header with its checksum, and the payload.
[[nodiscard]] Bytes ipv4(const Ipv4Fields& fields, const Bytes& payload);

/// A UDP header with its checksum, and the payload, between the addresses of `fields`.
[[nodiscard]] Bytes udp(const Ipv4Fields& fields, std::uint16_t source_port, std::uint16_t destination_port,
                        const Bytes& payload);

struct Ipv6Fields {
  relay::Ipv6Address source{{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  relay::Ipv6Address destination{{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2}};
  std::uint8_t next_header = 17;
  std::optional<std::uint16_t> payload_length{};  ///< instead of the true one
};

/// An IPv6 header and the payload.
[[nodiscard]] Bytes ipv6(const Ipv6Fields& fields, const Bytes& payload);

/// An extension header of `size` octets, a multiple of eight, in front of `next`; behind its length all is zero.
[[nodiscard]] Bytes extension6(std::uint8_t next, std::size_t size = 8);

/// A fragment header in front of `next`; `offset` in octets.
[[nodiscard]] Bytes fragment6(std::uint8_t next, std::size_t offset, bool more_fragments, std::uint32_t identification);

/// A UDP header with its checksum, and the payload.
[[nodiscard]] Bytes udp6(const Ipv6Fields& fields, std::uint16_t source_port, std::uint16_t destination_port,
                         const Bytes& payload);

/// The sum of the pseudo header in front of `size` octets of UDP (RFC 768).
[[nodiscard]] std::uint16_t pseudo_header_sum(const Ipv4Fields& fields, std::size_t size);

/// From 02:00:00:00:00:09 to all.
[[nodiscard]] Bytes ethernet(std::uint16_t type, const Bytes& payload);

}  // namespace test_support
