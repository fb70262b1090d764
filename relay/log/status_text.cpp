#include "relay/log/status_text.h"

#include <cstdint>

namespace relay {

std::string status_text(const InterfaceTable& table) {
  Counters sum = table.unattributed();
  for (const auto& entry : table.all()) {
    sum.add(entry.second.counters);
  }
  std::uint64_t dropped = 0;
  for (const Counter& count : sum.dropped) {
    dropped += count.value();
  }
  return std::to_string(sum.requests_relayed.value()) + " requests relayed, " +
         std::to_string(sum.replies_delivered.value()) + " replies delivered, " + std::to_string(dropped) +
         " messages dropped";
}

}  // namespace relay
