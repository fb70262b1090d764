// What a captured frame carries: its link header, IPv4 and UDP, each checked against what was captured. Views into the
// frame, which must outlive them. Nothing here trusts a length of the wire.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "relay/capture/packet.h"
#include "relay/core/address.h"

namespace relay::capture {

/// An IPv4 packet and what the link header in front of it said.
struct Ipv4Packet {
  std::optional<MacAddress> link_source;
  std::optional<MacAddress> link_destination;
  std::size_t vlan_tag_count = 0;            ///< 802.1Q and 802.1ad
  std::optional<std::uint16_t> vlan_id;      ///< of the outermost tag
  Direction direction = Direction::unknown;  ///< as cooked headers tell it; otherwise unknown
  Ipv4Address source;
  Ipv4Address destination;
  std::uint8_t protocol = 0;
  std::uint16_t identification = 0;
  std::size_t fragment_offset = 0;  ///< octets
  bool more_fragments = false;
  bool is_header_intact = false;          ///< the header's checksum is right
  std::span<const std::uint8_t> payload;  ///< behind the header, no more than the total length says and was captured
  bool is_cut = false;                    ///< the capture has less of it than the total length says

  [[nodiscard]] bool is_fragment() const noexcept { return more_fragments || fragment_offset != 0; }
};

/// Nothing where the frame does not carry IPv4 or ends inside the headers, or the link type is not one of `LinkType`.
[[nodiscard]] std::optional<Ipv4Packet> ipv4_packet(LinkType link_type, std::span<const std::uint8_t> frame) noexcept;

/// Whether frames of this link type can be read.
[[nodiscard]] bool is_known(LinkType link_type) noexcept;

enum class ChecksumState : std::uint8_t {
  right,
  wrong,
  absent,      ///< zero: the sender made none (RFC 768)
  unfinished,  ///< the pseudo header's sum alone, as a sender leaves it whose network card computes the rest
  unknown,     ///< not all of the datagram is there
};

struct UdpDatagram {
  Ipv4Address source;
  Ipv4Address destination;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::span<const std::uint8_t> payload;  ///< what is there of it
  std::size_t payload_size = 0;           ///< as the UDP header says; 0 where it says less than its own 8 octets
  bool is_whole = false;                  ///< what the UDP header says is possible, and all of it is there
  ChecksumState checksum = ChecksumState::unknown;
};

/// Nothing where the packet is not UDP, does not begin the datagram (a later fragment), or ends inside its header.
[[nodiscard]] std::optional<UdpDatagram> udp_datagram(const Ipv4Packet& packet) noexcept;

}  // namespace relay::capture
