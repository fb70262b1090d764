// The types that one protocol has where the other has its own, for what is done to the messages of both alike.
#pragma once

#include "relay/core/address.h"
#include "relay/core/decision.h"
#include "relay/core/decision6.h"
#include "relay/core/families.h"
#include "relay/core/message_kind.h"
#include "relay/core/message_kind6.h"
#include "relay/core/ports.h"

namespace relay {

struct Dhcpv4 {
  static constexpr Family family = Family::ipv4;
  using Address = Ipv4Address;
  using Ports = relay::Ports;
  using Ingress = relay::Ingress;
  using Decision = relay::Decision;
  using Kind = MessageKind;
};

struct Dhcpv6 {
  static constexpr Family family = Family::ipv6;
  using Address = Ipv6Address;
  using Ports = Ports6;
  using Ingress = Ingress6;
  using Decision = Decision6;
  using Kind = MessageKind6;
};

}  // namespace relay
