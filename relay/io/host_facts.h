// What this host's kernel says of itself, and about packets that reach no socket.
#pragma once

#include <cstdint>
#include <string>

namespace relay::io {

/// `Linux 6.1.0 x86_64`.
[[nodiscard]] std::string system_name();

/// UDP datagrams of this network namespace that found a socket's receive buffer full, ever (/proc/net/snmp); 0 where
/// the kernel does not tell.
[[nodiscard]] std::uint64_t full_receive_buffers();

/// The bridge, bond or VRF that the interface is a port of; empty where it is none.
[[nodiscard]] std::string master_of(const std::string& interface);

}  // namespace relay::io
