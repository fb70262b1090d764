#include "relay/log/status_text.h"

#include "relay/core/counter_sums.h"

namespace relay {

std::string status_text(const InterfaceTable& table) {
  CounterSums sums = sums_of(table.left_over(), table.left_over6());
  for (const auto& entry : table.all()) {
    const Interface& interface = entry.second;
    sums.add(*interface.counters);
    if (interface.v6.counters != nullptr) {
      sums.add(*interface.v6.counters);
    }
  }
  return std::to_string(sums.requests_relayed) + " requests relayed, " + std::to_string(sums.replies_delivered) +
         " replies delivered, " + std::to_string(sums.dropped_in_all()) + " messages dropped";
}

}  // namespace relay
