// What stands in front of an IP header in a captured frame: Ethernet with VLAN tags, Linux cooked headers, 802.11,
// loopback or nothing. A view into the frame, which must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "relay/capture/octets.h"
#include "relay/capture/packet.h"
#include "relay/core/address.h"
#include "relay/core/families.h"

namespace relay::capture {

struct LinkHeader {
  std::optional<MacAddress> source;
  std::optional<MacAddress> destination;
  std::size_t vlan_tag_count = 0;
  std::optional<std::uint16_t> vlan_id;  ///< of the outermost tag
  Direction direction = Direction::unknown;
  std::optional<Family> family;  ///< as the header announces it; none: it does not, and the IP header says it
  Octets ip;                     ///< what follows; padding of the link may be behind it
};

/// Nothing where the frame ends inside the header, or the header announces something else than IP, or is of a link type
/// that is not one of `LinkType`.
[[nodiscard]] std::optional<LinkHeader> link_header(LinkType link_type, Octets frame) noexcept;

}  // namespace relay::capture
