// What stands in front of an IPv4 header in a captured frame: Ethernet with VLAN tags, Linux cooked headers, 802.11,
// loopback or nothing. A view into the frame, which must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "relay/capture/octets.h"
#include "relay/capture/packet.h"
#include "relay/core/address.h"

namespace relay::capture {

struct LinkHeader {
  std::optional<MacAddress> source;
  std::optional<MacAddress> destination;
  std::size_t vlan_tag_count = 0;
  std::optional<std::uint16_t> vlan_id;  ///< of the outermost tag
  Direction direction = Direction::unknown;
  Octets ipv4;  ///< what follows, which the header says is IPv4; padding of the link may be behind it
};

/// Nothing where the frame ends inside the header, or the header does not announce IPv4, or is of a link type that is
/// not one of `LinkType`.
[[nodiscard]] std::optional<LinkHeader> link_header(LinkType link_type, Octets frame) noexcept;

}  // namespace relay::capture
