// The kernel's forms of addresses and of what IP_PKTINFO says, and ours.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
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

/// Room for one control message with the packet information of ip(7).
struct alignas(cmsghdr) PacketInfoControl {
  std::array<std::uint8_t, CMSG_SPACE(sizeof(in_pktinfo))> octets;
};

}  // namespace relay::io
