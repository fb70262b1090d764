#include "tests/support/packet_octets.h"

#include <algorithm>

namespace test_support {

namespace {

template <typename Address>
Bytes octets_of(const Address& address) {
  return {address.octets.begin(), address.octets.end()};
}

/// A UDP header and the payload behind a pseudo header of this sum.
Bytes datagram_of(std::uint16_t source_port, std::uint16_t destination_port, const Bytes& payload,
                  std::uint16_t pseudo_sum) {
  Bytes datagram = joined({big(source_port, 2), big(destination_port, 2), big(8 + payload.size(), 2), {0, 0}, payload});
  const std::uint16_t sum = word_sum(joined({big(pseudo_sum, 2), datagram}));
  std::ranges::copy(big(sum == 0xffff ? 0xffffU : 0xffffU - sum, 2), datagram.begin() + 6);
  return datagram;
}

}  // namespace

Bytes big(std::uint64_t value, std::size_t size) {
  Bytes octets = little(value, size);
  std::ranges::reverse(octets);
  return octets;
}

Bytes little(std::uint64_t value, std::size_t size) {
  Bytes octets(size);
  for (std::uint8_t& octet : octets) {
    octet = static_cast<std::uint8_t>(value);
    value >>= 8U;
  }
  return octets;
}

std::uint16_t word_sum(const Bytes& octets) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < octets.size(); i += 2) {
    sum += std::uint32_t{octets[i]} * 256;
    sum += i + 1 < octets.size() ? octets[i + 1] : 0U;
    sum = sum > 0xffff ? sum - 0xffff : sum;
  }
  return static_cast<std::uint16_t>(sum);
}

Bytes ipv4(const Ipv4Fields& fields, const Bytes& payload) {
  const std::size_t header_size = 20 + fields.options.size();
  const std::size_t flags_and_offset = fields.fragment_offset / 8 + (fields.more_fragments ? 0x2000U : 0U);
  Bytes header = joined({{static_cast<std::uint8_t>(0x40 + header_size / 4), 0},
                         big(fields.total_length.value_or(static_cast<std::uint16_t>(header_size + payload.size())), 2),
                         big(fields.identification, 2),
                         big(flags_and_offset, 2),
                         {64, fields.protocol, 0, 0},
                         octets_of(fields.source),
                         octets_of(fields.destination),
                         fields.options});
  std::ranges::copy(big(0xffffU - word_sum(header), 2), header.begin() + 10);
  return joined({header, payload});
}

std::uint16_t pseudo_header_sum(const Ipv4Fields& fields, std::size_t size) {
  return word_sum(joined({octets_of(fields.source), octets_of(fields.destination), {0, 17}, big(size, 2)}));
}

Bytes udp(const Ipv4Fields& fields, std::uint16_t source_port, std::uint16_t destination_port, const Bytes& payload) {
  return datagram_of(source_port, destination_port, payload, pseudo_header_sum(fields, 8 + payload.size()));
}

Bytes ipv6(const Ipv6Fields& fields, const Bytes& payload) {
  return joined({{0x60, 0, 0, 0},
                 big(fields.payload_length.value_or(static_cast<std::uint16_t>(payload.size())), 2),
                 {fields.next_header, 64},
                 octets_of(fields.source),
                 octets_of(fields.destination),
                 payload});
}

Bytes extension6(std::uint8_t next, std::size_t size) {
  Bytes header(size);
  header[0] = next;
  header[1] = static_cast<std::uint8_t>(size / 8 - 1);
  return header;
}

Bytes fragment6(std::uint8_t next, std::size_t offset, bool more_fragments, std::uint32_t identification) {
  return joined({{next, 0}, big(offset + (more_fragments ? 1U : 0U), 2), big(identification, 4)});
}

Bytes udp6(const Ipv6Fields& fields, std::uint16_t source_port, std::uint16_t destination_port, const Bytes& payload) {
  const std::uint16_t pseudo_sum = word_sum(
      joined({octets_of(fields.source), octets_of(fields.destination), big(8 + payload.size(), 4), {0, 0, 0, 17}}));
  return datagram_of(source_port, destination_port, payload, pseudo_sum);
}

Bytes ethernet(std::uint16_t type, const Bytes& payload) {
  return joined({Bytes(6, 0xff), {2, 0, 0, 0, 0, 9}, big(type, 2), payload});
}

}  // namespace test_support
