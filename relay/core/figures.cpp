#include "relay/core/figures.h"

#include <algorithm>
#include <utility>

namespace relay {

std::vector<InterfaceFigures> interface_figures(const InterfaceTable& table) {
  std::vector<const Interface*> interfaces;
  interfaces.reserve(table.all().size());
  for (const auto& entry : table.all()) {
    interfaces.push_back(&entry.second);
  }
  std::ranges::sort(interfaces, {}, &Interface::index);
  std::vector<InterfaceFigures> result;
  result.reserve(interfaces.size());
  for (const Interface* const interface : interfaces) {
    const bool is_up = interface->is_up && interface->has_carrier;
    const bool is_active = interface->is_downstream && is_up && interface->giaddr && table.is_local(*interface->giaddr);
    result.push_back({interface->name, interface->is_downstream, interface->is_upstream, is_up, is_active,
                      interface->counters, interface->v6.counters});
  }
  return result;
}

}  // namespace relay
