// The two messages that a firewall is asked about most: a client's broadcast, and a server's answer to it.
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
          .source = {{10, 9, 0, 2}},
          .destination = {{10, 101, 0, 1}},
          .source_port = 67,
          .destination_port = 67,
          .is_answer = true};
}

}  // namespace test_support
