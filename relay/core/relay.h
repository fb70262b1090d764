// One message through everything that decides on it, in order: the rate limit of its interface, the client's place, the
// rules, and the transactions that later replies are found by. What the daemon, a replay and the tests share.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "relay/core/address.h"
#include "relay/core/decision.h"
#include "relay/core/drop_reason.h"
#include "relay/core/families.h"
#include "relay/core/interface_table.h"
#include "relay/core/message_buffer.h"
#include "relay/core/policy.h"
#include "relay/core/transactions.h"

namespace relay {

class Relay {
 public:
  /// Tells on which port of its bridge (`Interface::bridge_index`) a client is, by the port's index; 0: not known.
  using PortOf = std::function<std::uint32_t(const Interface&, const MacAddress& client)>;

  /// `interfaces` must outlive the relay and changes only between its calls. `seed` as in `Transactions`. `port_of` is
  /// asked for requests of interfaces whose option 82 names the port; without it, `Ingress::bridge_port_index` counts.
  Relay(InterfaceTable& interfaces, std::uint64_t seed, PortOf port_of = {})
      : interfaces_(interfaces), transactions_(seed), port_of_(std::move(port_of)) {}

  void apply(const Policy& policy) { policy_ = policy; }

  /// Why a request that arrived there (null: an interface that the table does not know) goes no further, if it is one
  /// more than the interface's rate limit. Asked once for each request, before it waits for its turn.
  /// One limit is for both families.
  [[nodiscard]] static std::optional<DropReason> refusal(Interface* interface, std::chrono::nanoseconds arrival,
                                                         Family family = Family::ipv4) noexcept;

  /// As `relay_request`, whose contract holds; for requests that were not refused.
  [[nodiscard]] Decision admitted_request(const Ingress& ingress, MessageBuffer& message) noexcept;

  /// Both in one, for requests that wait for nothing.
  [[nodiscard]] Decision request(const Ingress& ingress, MessageBuffer& message) noexcept;

  /// How many transactions are remembered; for other threads too, and as long as they like.
  [[nodiscard]] std::shared_ptr<const Expiries> transactions() const noexcept { return transactions_.remembered(); }

  /// As `relay_reply`, whose contract holds.
  [[nodiscard]] Decision reply(const Ingress& ingress, MessageBuffer& message) noexcept;

 private:
  [[nodiscard]] Ingress located(const Ingress& ingress, const Interface* interface,
                                const MessageBuffer& message) const noexcept;
  void remember(const Ingress& ingress, const Interface& interface, bootp::Header relayed) noexcept;

  InterfaceTable& interfaces_;
  Transactions transactions_;
  PortOf port_of_;
  Policy policy_;
};

}  // namespace relay
