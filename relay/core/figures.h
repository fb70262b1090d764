// What the relay shows of itself to whoever reads on another thread: names and states as they were when this was made,
// and counters that go on counting.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "relay/core/address.h"
#include "relay/core/counters.h"
#include "relay/core/delegation_counters.h"
#include "relay/core/expiries.h"
#include "relay/core/families.h"
#include "relay/core/interface_table.h"
#include "relay/core/servers.h"

namespace relay {

struct InterfaceFigures {
  std::string name;
  bool is_used = false;  ///< it has a role
  bool is_up = false;    ///< administratively, and with carrier
  bool is_downstream = false;
  bool is_active = false;  ///< downstream, up and with a giaddr that this host holds: its requests can be relayed
  std::shared_ptr<const Counters> counters;
  bool is_downstream6 = false;                   ///< the same of DHCPv6
  bool is_active6 = false;                       ///< downstream, up and with a link-local address
  std::shared_ptr<const Counters6> counters6{};  ///< null: none of its messages of DHCPv6 is counted by itself
};

/// Requests that wait for their turn, and how many can.
struct QueueFigures {
  std::shared_ptr<const Gauge> length;
  std::uint64_t capacity = 0;
};

/// Of a family that is not relayed, pointers are null.
struct Figures {
  std::vector<InterfaceFigures> interfaces;  ///< of this host, used or not, in order of index
  std::shared_ptr<const Counters> unattributed{};
  std::shared_ptr<const Counters6> unattributed6{};
  std::vector<ServerFigures> servers;  ///< of both families
  QueueFigures queue{};
  QueueFigures queue6{};
  std::shared_ptr<const Expiries> transactions{};           ///< of DHCPv4
  std::shared_ptr<const DelegationCounters> delegations{};  ///< null: nobody looks for delegated prefixes
};

/// `families`: those that are relayed; an interface has no role in another one.
[[nodiscard]] std::vector<InterfaceFigures> interface_figures(const InterfaceTable& table, Families families);

}  // namespace relay
