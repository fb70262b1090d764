// The messages that a firewall is asked about most: a client's broadcast, or multicast, and a server's answer to it.
#pragma once

#include "relay/check/firewall_rules.h"
#include "relay/core/address.h"

namespace test_support {

[[nodiscard]] inline relay::check::MessageOnWay request_on_way() {
  return {.ingress = "d1",
          .destination = relay::limited_broadcast,
          .source_port = 68,
          .destination_port = 67,
          .is_broadcast = true};
}

[[nodiscard]] inline relay::check::MessageOnWay reply_on_way() {
  return {.ingress = "u0",
          .source = relay::Ipv4Address{{10, 9, 0, 2}},
          .destination = relay::Ipv4Address{{10, 101, 0, 1}},
          .source_port = 67,
          .destination_port = 67,
          .is_answer = true};
}

[[nodiscard]] inline relay::check::MessageOnWay solicit_on_way() {
  return {.ingress = "d1",
          .source = relay::Ipv6Address{{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0c}},
          .destination = relay::all_dhcp_relay_agents_and_servers,
          .source_port = 546,
          .destination_port = 547};
}

/// From 2001:db8:9::2 to 2001:db8:101::1.
[[nodiscard]] inline relay::check::MessageOnWay relay_reply_on_way() {
  return {.ingress = "u0",
          .source = relay::Ipv6Address{{0x20, 0x01, 0x0d, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}},
          .destination = relay::Ipv6Address{{0x20, 0x01, 0x0d, 0xb8, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
          .source_port = 547,
          .destination_port = 547,
          .is_answer = true};
}

}  // namespace test_support
