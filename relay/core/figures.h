// What the relay shows of itself to whoever reads on another thread: names and states as they were when this was made,
// and counters that go on counting.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "relay/core/address.h"
#include "relay/core/counters.h"
#include "relay/core/expiries.h"
#include "relay/core/interface_table.h"
#include "relay/core/servers.h"

namespace relay {

struct InterfaceFigures {
  std::string name;
  bool is_downstream = false;
  bool is_upstream = false;  ///< by name
  bool is_up = false;        ///< administratively, and with carrier
  bool is_active = false;    ///< downstream, up and with a giaddr that this host holds: its requests can be relayed
  std::shared_ptr<const Counters> counters;
  std::shared_ptr<const Counters6> counters6{};  ///< null: none of its messages of DHCPv6 is counted by itself
};

struct ServerFigures {
  Ipv4Address address;
  std::shared_ptr<const ServerCounters> counters;
};

struct Figures {
  std::vector<InterfaceFigures> interfaces;  ///< of this host, used or not, in order of index
  std::shared_ptr<const Counters> unattributed;
  std::shared_ptr<const Counters6> unattributed6{};  ///< null: DHCPv6 is not relayed
  std::vector<ServerFigures> servers;
  std::shared_ptr<const Gauge> queue_length;  ///< requests that wait for their turn
  std::uint64_t queue_capacity = 0;
  std::shared_ptr<const Expiries> transactions;
};

[[nodiscard]] std::vector<InterfaceFigures> interface_figures(const InterfaceTable& table);

}  // namespace relay
