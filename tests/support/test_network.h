// The reference topology as an interface table, and decisions as one line of text.
//
//   clients --- c0 [relay] s0 --- servers 198.51.100.10 and .11
//   c0: 10.1.0.1/24 and 10.1.1.1/24    c1: 10.2.0.1/24    s0: 192.0.2.1/24    lo: 203.0.113.1/32
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "options82/agent_information_form.h"
#include "relay/core/decision.h"
#include "relay/core/interface_table.h"
#include "relay/core/policy.h"
#include "relay/core/transactions.h"
#include "tests/support/guarded_message.h"
#include "tests/support/message_builder.h"

namespace test_support {

inline constexpr std::uint32_t lo = 1;
inline constexpr std::uint32_t c0 = 2;
inline constexpr std::uint32_t c1 = 3;
inline constexpr std::uint32_t s0 = 4;
inline constexpr std::uint32_t no_interface = 99;

inline constexpr relay::Ipv4Address first_server = ip(198, 51, 100, 10);
inline constexpr relay::Ipv4Address second_server = ip(198, 51, 100, 11);
inline constexpr relay::Ipv4Address stranger = ip(198, 51, 100, 99);

/// A form of the sub-options `content`, which must be well-formed and fit.
[[nodiscard]] options82::AgentInformationForm agent_information(const Bytes& content);

/// Sub-option 1 with `name`, encoded.
[[nodiscard]] Bytes circuit_id(std::string_view name);

/// What the function under test did with one message.
struct Outcome {
  std::string decision;  ///< in one line, see `described`
  Bytes message;         ///< afterwards
  bool is_untouched = false;
  bool is_intact_beside = false;
};

/// The relay agent's view of the reference topology. c0 and c1 are downstream with their names as circuit-ids, s0 is
/// upstream; nothing else is set.
struct TestNetwork {
  TestNetwork();

  /// Changes one interface through the table, as the interface view does.
  void change(std::uint32_t index, const std::function<void(relay::Interface&)>& edit);

  /// What becomes of a request that arrived on `index`, with `room` octets behind it.
  [[nodiscard]] Outcome request(const Bytes& message, std::uint32_t index = c0, std::size_t room = 1000) const;

  /// What becomes of a reply that `source` sent and that arrived on `index`.
  [[nodiscard]] Outcome reply(const Bytes& message, std::uint32_t index = s0, relay::Ipv4Address source = first_server,
                              std::size_t room = 1000) const;

  relay::InterfaceTable interfaces;
  relay::Transactions transactions{1, 64};
  relay::Policy policy;
};

/// A reference network with `-a`.
[[nodiscard]] TestNetwork network_with_agent_information();

/// "drop hops_exceeded"; "servers 198.51.100.10 198.51.100.11 from 10.1.0.1 added"; "c0 link_unicast 10.1.0.50
/// 02:00:00:00:00:01 from 10.1.0.1".
[[nodiscard]] std::string described(const relay::Decision& decision);
[[nodiscard]] std::string described(relay::Ipv4Address address);

/// The line of a drop.
[[nodiscard]] std::string drop(relay::DropReason reason);

/// The line of a request that goes to both servers from 10.1.0.1.
[[nodiscard]] std::string relayed(relay::AgentInformationOutcome outcome = relay::AgentInformationOutcome::untouched);

}  // namespace test_support
