// Ways to addresses and the neighbours on them, asked of the kernel one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

#include "relay/core/address.h"
#include "relay/io/rtnetlink.h"

namespace relay::io {

/// What the kernel says of the way to an address.
struct Route {
  std::uint8_t type = 0;  ///< RTN_UNICAST and so on, rtnetlink(7); RTN_UNSPEC: it did not say
  std::optional<std::uint32_t> mtu;
  std::optional<std::uint32_t> egress;  ///< index of the interface
  std::optional<IpAddress> gateway;     ///< none: the address is on the link
};

/// By the interface of this index, where it is not 0. Throws std::system_error; its code says why there is no route:
/// ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL.
[[nodiscard]] Route route_to(rtnetlink::Questions& questions, const IpAddress& destination,
                             std::uint32_t interface = 0);

/// The type of the route, or of the rule, that refuses an address with this error: `blackhole`, `unreachable`,
/// `prohibit`; empty: there is no route.
[[nodiscard]] std::string refusing_type(const std::error_code& error);

/// Whether the kernel has asked for the neighbour's hardware address in vain (NUD_FAILED).
[[nodiscard]] bool neighbour_has_failed(rtnetlink::Questions& questions, std::uint32_t interface,
                                        const IpAddress& address);

/// The table of a family's neighbours, which all network namespaces share.
struct NeighbourLimits {
  std::uint32_t entries = 0;
  std::uint32_t most = 0;  ///< gc_thresh3; 0: the kernel does not tell
};

/// Nothing where the kernel does not answer.
[[nodiscard]] NeighbourLimits neighbour_limits(rtnetlink::Questions& questions, Family family);

}  // namespace relay::io
