// The kernel's form of addresses and ours.
#pragma once

#include <netinet/in.h>

#include <cstring>

#include "relay/core/address.h"

namespace relay::io {

[[nodiscard]] inline in_addr to_in_addr(Ipv4Address address) noexcept {
  in_addr result{};
  std::memcpy(&result.s_addr, address.octets.data(), address.octets.size());
  return result;
}

[[nodiscard]] inline Ipv4Address from_in_addr(in_addr address) noexcept {
  Ipv4Address result;
  std::memcpy(result.octets.data(), &address.s_addr, result.octets.size());
  return result;
}

[[nodiscard]] inline in6_addr to_in_addr(const Ipv6Address& address) noexcept {
  in6_addr result{};
  std::memcpy(&result.s6_addr, address.octets.data(), address.octets.size());
  return result;
}

[[nodiscard]] inline Ipv6Address from_in_addr(const in6_addr& address) noexcept {
  Ipv6Address result;
  std::memcpy(result.octets.data(), &address.s6_addr, result.octets.size());
  return result;
}

/// What the kernel has for addresses of a family, and the control message that says where a datagram came or leaves.
template <typename Address>
struct KernelForm;
template <>
struct KernelForm<Ipv4Address> {
  using SocketAddress = sockaddr_in;
  using PacketInfo = in_pktinfo;
  static constexpr int level = IPPROTO_IP;
  static constexpr int packet_info = IP_PKTINFO;
};
template <>
struct KernelForm<Ipv6Address> {
  using SocketAddress = sockaddr_in6;
  using PacketInfo = in6_pktinfo;
  static constexpr int level = IPPROTO_IPV6;
  static constexpr int packet_info = IPV6_PKTINFO;
};

}  // namespace relay::io
