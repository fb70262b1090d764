// On which port of a bridge a client is: asked of the kernel, which learnt it from the client's own frame.
#pragma once

#include <cstdint>

#include "relay/core/address.h"
#include "relay/io/descriptor.h"

namespace relay::io {

/// One question to rtnetlink per look-up, which neither needs privilege nor opens anything after construction. The
/// kernel answers within the system call, behind whoever changes links of this host at the moment.
class BridgePorts {
 public:
  /// Opens the socket; throws std::system_error.
  BridgePorts();

  /// Index of the port on which the bridge learnt `mac` in its VLAN `vlan_id` (`Interface::bridge_vlan_id`; 0: none).
  /// 0 where there is no such port: the bridge does not know the address or has forgotten it, the address is one of the
  /// bridge's own, or there is no such bridge. Allocates nothing.
  [[nodiscard]] std::uint32_t port_of(std::uint32_t bridge_index, std::uint16_t vlan_id,
                                      const MacAddress& mac) noexcept;

 private:
  Descriptor socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace relay::io
