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

/// The sum of the pseudo header in front of `size` octets of UDP (RFC 768).
[[nodiscard]] std::uint16_t pseudo_header_sum(const Ipv4Fields& fields, std::size_t size);

/// From 02:00:00:00:00:09 to all.
[[nodiscard]] Bytes ethernet(std::uint16_t type, const Bytes& payload);

}  // namespace test_support
