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

}  // namespace relay::io
