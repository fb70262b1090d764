// What a captured frame carries: its link header, IPv4 or IPv6, and UDP, each checked against what was captured. Views
// into the frame, which must outlive them. Nothing here trusts a length of the wire.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "relay/capture/address.h"
#include "relay/capture/packet.h"
#include "relay/core/address.h"

namespace relay::capture {

/// An IP packet and what the link header in front of it said.
struct IpPacket {
  std::optional<MacAddress> link_source;
  std::optional<MacAddress> link_destination;
  std::size_t vlan_tag_count = 0;            ///< 802.1Q and 802.1ad
  std::optional<std::uint16_t> vlan_id;      ///< of the outermost tag
  Direction direction = Direction::unknown;  ///< as cooked headers tell it; otherwise unknown
  Address source;
  Address destination;
  std::uint8_t protocol = 0;  ///< of the payload; of a fragment of IPv6 it may be that of an extension header
  std::uint32_t identification = 0;
  std::size_t fragment_offset = 0;  ///< octets
  bool more_fragments = false;
  bool is_header_intact = false;          ///< the header's checksum is right; IPv6 has none
  std::span<const std::uint8_t> payload;  ///< behind the headers, no more than the length there says and was captured
  bool is_cut = false;                    ///< the capture has less of it than that length says

  [[nodiscard]] bool is_fragment() const noexcept { return more_fragments || fragment_offset != 0; }
};

/// Extension headers of IPv6 are passed over, up to a fragment header that is not of a whole packet (RFC 8200 section
/// 4). Nothing where the frame does not carry IP or ends inside the headers, or has more extension headers than anybody
/// means, or the link type is not one of `LinkType`.
[[nodiscard]] std::optional<IpPacket> ip_packet(LinkType link_type, std::span<const std::uint8_t> frame) noexcept;

/// Whether frames of this link type can be read.
[[nodiscard]] bool is_known(LinkType link_type) noexcept;

enum class ChecksumState : std::uint8_t {
  right,
  wrong,
  absent,      ///< zero: the sender made none (RFC 768), which IPv6 does not allow (RFC 8200 section 8.1)
  unfinished,  ///< the pseudo header's sum alone, as a sender leaves it whose network card computes the rest
  unknown,     ///< not all of the datagram is there
};

struct UdpDatagram {
  Address source;
  Address destination;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::span<const std::uint8_t> payload;  ///< what is there of it
  std::size_t payload_size = 0;           ///< as the UDP header says; 0 where it says less than its own 8 octets
  bool is_whole = false;                  ///< what the UDP header says is possible, and all of it is there
  ChecksumState checksum = ChecksumState::unknown;
};

/// Nothing where the packet is not UDP, does not begin the datagram (a later fragment), or ends inside its header.
[[nodiscard]] std::optional<UdpDatagram> udp_datagram(const IpPacket& packet) noexcept;

}  // namespace relay::capture
