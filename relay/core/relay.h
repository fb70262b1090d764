// One message through everything that decides on it, in order: the rate limit of its interface, the rules, and the
// transactions that later replies are found by. What the daemon, a replay and the tests share.
#pragma once

#include <cstdint>

#include "relay/core/decision.h"
#include "relay/core/interface_table.h"
#include "relay/core/message_buffer.h"
#include "relay/core/policy.h"
#include "relay/core/transactions.h"

namespace relay {

class Relay {
 public:
  /// `interfaces` must outlive the relay and changes only between its calls. `seed` as in `Transactions`.
  Relay(InterfaceTable& interfaces, std::uint64_t seed) : interfaces_(interfaces), transactions_(seed) {}

  void apply(const Policy& policy) { policy_ = policy; }

  /// As `relay_request`, whose contract holds.
  [[nodiscard]] Decision request(const Ingress& ingress, MessageBuffer& message) noexcept;

  /// As `relay_reply`, whose contract holds.
  [[nodiscard]] Decision reply(const Ingress& ingress, MessageBuffer& message) noexcept;

 private:
  void remember(const Ingress& ingress, const Interface& interface, bootp::Header relayed) noexcept;

  InterfaceTable& interfaces_;
  Transactions transactions_;
  Policy policy_;
};

}  // namespace relay
