#include "relay/log/status_text.h"

#include <cstdint>

namespace relay {

std::string status_text(const InterfaceTable& table) {
  Counters sum = table.left_over();
  for (const auto& entry : table.all()) {
    sum.add(*entry.second.counters);
  }
  std::uint64_t dropped = 0;
  for (const DropReason reason : all_drop_reasons()) {
    dropped += sum.dropped(reason);
  }
  return std::to_string(sum.requests.forwarded()) + " requests relayed, " + std::to_string(sum.replies.forwarded()) +
         " replies delivered, " + std::to_string(dropped) + " messages dropped";
}

}  // namespace relay
