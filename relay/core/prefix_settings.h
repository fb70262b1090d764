// What is to become of prefixes that are seen delegated to clients.
#pragma once

#include <string>

#include "relay/core/delegations.h"

namespace relay {

struct PrefixSettings {
  bool log = false;                                         ///< `--log-prefixes`: a line for each change
  bool routes = false;                                      ///< `--routes`
  std::string state_file = "/var/lib/dhcp-relay/prefixes";  ///< where `routes`
  DelegationLimits limits;

  /// Whether anybody has to look at what passes.
  [[nodiscard]] bool are_watched() const noexcept { return log || routes; }

  friend bool operator==(const PrefixSettings&, const PrefixSettings&) = default;
};

}  // namespace relay
