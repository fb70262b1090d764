// Who has a UDP port: sockets by the kernel's socket diagnosis (sock_diag(7)), processes by /proc.
#pragma once

#include <cstdint>
#include <vector>

#include "relay/check/facts.h"

namespace relay::io {

/// Ports of IPv4, and of IPv6 that is told apart from it (IPV6_V6ONLY of ipv6(7)).
struct PortsByFamily {
  std::vector<std::uint16_t> ipv4{};
  std::vector<std::uint16_t> ipv6{};
};

/// The sockets of this network namespace that keep a UDP port from being bound for all addresses of the family, each
/// process once. A process that this one may not look into is told without its name. Throws std::system_error.
[[nodiscard]] std::vector<check::PortHolder> port_holders(const PortsByFamily& ports);

}  // namespace relay::io
