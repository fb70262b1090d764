// What this process would lack if it started to relay.
#pragma once

#include <cstdint>
#include <string>

namespace relay::io {

/// Whether a packet socket cannot be opened for want of CAP_NET_RAW. Tried: the socket would receive nothing.
[[nodiscard]] bool lacks_net_raw();

/// Whether the port cannot be bound for want of CAP_NET_BIND_SERVICE.
[[nodiscard]] bool lacks_bind_service(std::uint16_t port);

/// Whether this kernel runs without IPv6.
[[nodiscard]] bool lacks_ipv6();

/// Octets that a UDP socket's receive buffer may have, if that is fewer than `wanted`; else 0.
[[nodiscard]] std::uint64_t receive_buffer_limit(int wanted);

/// Why the file cannot be created or written, in words; empty where it can. Touches nothing, and follows no symbolic
/// link at the end of the name, as nobody does who opens it (O_NOFOLLOW).
[[nodiscard]] std::string write_fault(const std::string& file);

}  // namespace relay::io
