// Where IPv6 and DHCPv6 have their fields (RFC 8200, RFC 8415), options written and found, and the checksum over IPv6's
// pseudo-header. Of the bench's own, as wire.h is.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "wire.h"

namespace bench::wire6 {

using wire::ConstOctets;
using wire::Octets;

constexpr std::size_t address_size = 16;
constexpr std::size_t ipv6_size = 40;
constexpr std::size_t payload_length = wire::ethernet_size + 4;  // of a frame, as are those that follow
constexpr std::size_t next_header = wire::ethernet_size + 6;
constexpr std::size_t hop_limit = wire::ethernet_size + 7;
constexpr std::size_t source = wire::ethernet_size + 8;
constexpr std::size_t destination = source + address_size;
constexpr std::size_t payload = wire::ethernet_size + ipv6_size;
constexpr std::size_t headers_size = payload + wire::udp_size;

constexpr std::uint8_t udp = 17;
constexpr std::uint8_t icmp = 58;

constexpr std::size_t options = 4;  // of a message
constexpr std::size_t hop_count = 1;
constexpr std::size_t link_address = 2;
constexpr std::size_t peer_address = link_address + address_size;
constexpr std::size_t relay_options = peer_address + address_size;  // of a relay message

constexpr std::uint8_t solicit = 1;
constexpr std::uint8_t advertise = 2;
constexpr std::uint8_t request = 3;
constexpr std::uint8_t reply = 7;
constexpr std::uint8_t relay_forward = 12;
constexpr std::uint8_t relay_reply = 13;

constexpr std::uint32_t client_id = 1;
constexpr std::uint32_t server_id = 2;
constexpr std::uint32_t ia_na = 3;
constexpr std::uint32_t ia_address = 5;
constexpr std::uint32_t option_request = 6;
constexpr std::uint32_t elapsed_time = 8;
constexpr std::uint32_t relay_message = 9;
constexpr std::uint32_t interface_id = 18;
constexpr std::uint32_t name_servers = 23;
constexpr std::uint32_t domain_list = 24;

constexpr std::size_t option_header_size = 4;
constexpr std::size_t identity_size = 12;  // IAID, T1 and T2, before the options of an IA_NA

[[nodiscard]] inline std::uint32_t load16(ConstOctets octets, std::size_t at) {
  return std::uint32_t{octets[at]} << 8U | std::uint32_t{octets[at + 1]};
}

[[nodiscard]] inline std::uint32_t load24(ConstOctets octets, std::size_t at) {
  return std::uint32_t{octets[at]} << 16U | load16(octets, at + 1);
}

/// The value of the first option with this code; nothing where the options are broken before it.
[[nodiscard]] inline std::optional<ConstOctets> find_option(ConstOctets among, std::uint32_t code) {
  std::size_t at = 0;
  while (at + option_header_size <= among.size()) {
    const std::size_t size = load16(among, at + 2);
    const std::size_t value = at + option_header_size;
    if (size > among.size() - value) {
      return std::nullopt;
    }
    if (load16(among, at) == code) {
      return among.subspan(value, size);
    }
    at = value + size;
  }
  return std::nullopt;
}

/// Writes one thing behind the other, where there is room for all.
class Writer {
 public:
  explicit Writer(Octets into) : into_(into) {}

  void put(std::uint8_t octet) { into_[at_++] = octet; }
  void put16(std::uint32_t value) {
    wire::put16(into_, at_, value);
    at_ += 2;
  }
  void put32(std::uint32_t value) {
    wire::put32(into_, at_, value);
    at_ += 4;
  }
  void put(ConstOctets octets) {
    std::ranges::copy(octets, into_.subspan(at_).begin());
    at_ += octets.size();
  }
  void put_option(std::uint32_t code, ConstOctets value) {
    const std::size_t begun = begin(code);
    put(value);
    end(begun);
  }

  /// Of an option whose size is not known yet: what `end` wants.
  [[nodiscard]] std::size_t begin(std::uint32_t code) {
    put16(code);
    at_ += 2;
    return at_;
  }
  void end(std::size_t begun) { wire::put16(into_, begun - 2, static_cast<std::uint32_t>(at_ - begun)); }

  [[nodiscard]] std::size_t size() const { return at_; }

 private:
  Octets into_;
  std::size_t at_ = 0;
};

/// The checksum of what an Ethernet frame with an IPv6 header without extensions carries, at this offset in it. It and
/// all it covers, but itself, are to be there.
inline void finish_checksum(Octets frame, std::size_t offset) {
  const Octets body = frame.subspan(payload);
  const auto size = static_cast<std::uint32_t>(body.size());
  std::array<std::uint8_t, 8> rest{0, 0, 0, 0, 0, 0, 0, frame[next_header]};
  wire::put32(rest, 0, size);
  wire::put16(body, offset, 0);
  const std::uint16_t checksum =
      wire::folded(wire::sum(body, wire::sum(rest, wire::sum(frame.subspan(source, 2 * address_size)))));
  wire::store(body, offset, checksum == 0 ? 0xffff : checksum);
}

/// Says how much the frame carries, in IPv6's header and in UDP's, and sums it up.
inline void finish_datagram(Octets frame) {
  const auto size = static_cast<std::uint32_t>(frame.size() - payload);
  wire::put16(frame, payload_length, size);
  wire::put16(frame, payload + 4, size);
  finish_checksum(frame, 6);
}

}  // namespace bench::wire6
