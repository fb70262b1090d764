// A router on which the relay and the reference decide on the same messages: each interface's option 82 is described
// once, and both are made from the description.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "options82/agent_information_form.h"
#include "relay/core/decision.h"
#include "relay/core/interface_table.h"
#include "relay/core/policy.h"
#include "relay/core/transactions.h"
#include "tests/support/reference.h"

namespace reference {

enum class Direction : std::uint8_t { request, reply };

/// A message and how it came; there are `room` octets behind it in its buffer.
struct Arrival {
  Direction direction = Direction::request;
  relay::Ingress ingress;
  Bytes message;
  std::size_t room = 1000;
};

struct Network {
  /// Puts the interface into the table with `own` as its option 82. Sub-options that are too much for one are left out.
  void put(relay::Interface interface, OwnInformation own);

  /// What the relay does. Its message is empty if it wrote beside its buffer, or into what it drops.
  [[nodiscard]] Expected relayed(const Arrival& arrival) const;

  /// What it is to do.
  [[nodiscard]] Expected expected(const Arrival& arrival) const;

  relay::Policy policy;
  relay::InterfaceTable interfaces;
  relay::Transactions transactions{1, 64};
  std::map<std::uint32_t, OwnInformation> information;
};

}  // namespace reference
