// The types that one protocol has where the other has its own, for what is done to the messages of both alike.
#pragma once

#include <cstdint>
#include <span>

#include "relay/core/address.h"
#include "relay/core/bootp.h"
#include "relay/core/decision.h"
#include "relay/core/decision6.h"
#include "relay/core/dhcpv6.h"
#include "relay/core/families.h"
#include "relay/core/frame.h"
#include "relay/core/message_kind.h"
#include "relay/core/message_kind6.h"
#include "relay/core/policy.h"
#include "relay/core/policy6.h"
#include "relay/core/ports.h"

namespace relay {

struct Dhcpv4 {
  static constexpr Family family = Family::ipv4;
  using Address = Ipv4Address;
  using Ports = relay::Ports;
  using Policy = relay::Policy;
  using Ingress = relay::Ingress;
  using Decision = relay::Decision;
  using Kind = MessageKind;
  using FrameAddresses = relay::FrameAddresses;

  // Of a UDP payload of any content.
  [[nodiscard]] static bool is_reply(std::span<const std::uint8_t> message) noexcept {
    return !message.empty() && message.front() == bootp::op_reply;
  }
  [[nodiscard]] static Kind kind_of(std::span<const std::uint8_t> message) noexcept { return relay::kind_of(message); }
};

struct Dhcpv6 {
  static constexpr Family family = Family::ipv6;
  using Address = Ipv6Address;
  using Ports = Ports6;
  using Policy = Policy6;
  using Ingress = Ingress6;
  using Decision = Decision6;
  using Kind = MessageKind6;
  using FrameAddresses = FrameAddresses6;

  /// Whether it is for the relay agent from a server, whatever it carries.
  [[nodiscard]] static bool is_reply(std::span<const std::uint8_t> message) noexcept {
    return !message.empty() && dhcpv6::msg_type(message) == dhcpv6::message_type::relay_reply;
  }
  [[nodiscard]] static Kind kind_of(std::span<const std::uint8_t> message) noexcept { return kind6_of(message); }
};

}  // namespace relay
