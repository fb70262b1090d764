#include "relay/core/figures.h"

#include <algorithm>
#include <utility>

namespace relay {

namespace {

[[nodiscard]] InterfaceFigures figures_of(const Interface& interface, const InterfaceTable& table, Families families) {
  InterfaceFigures figures;
  figures.name = interface.name;
  figures.is_used = (families.ipv4 && (interface.is_downstream || interface.is_upstream)) ||
                    (families.ipv6 && (interface.is_downstream6() || interface.is_upstream6()));
  figures.is_up = interface.is_up && interface.has_carrier;
  figures.is_downstream = families.ipv4 && interface.is_downstream;
  figures.is_active = figures.is_downstream && figures.is_up && interface.giaddr && table.is_local(*interface.giaddr);
  figures.counters = interface.counters;
  figures.is_downstream6 = families.ipv6 && interface.is_downstream6();
  figures.is_active6 = figures.is_downstream6 && figures.is_up && !interface.v6.link_local.is_unspecified();
  figures.counters6 = interface.v6.counters;
  return figures;
}

}  // namespace

std::vector<InterfaceFigures> interface_figures(const InterfaceTable& table, Families families) {
  std::vector<const Interface*> interfaces;
  interfaces.reserve(table.all().size());
  for (const auto& entry : table.all()) {
    interfaces.push_back(&entry.second);
  }
  std::ranges::sort(interfaces, {}, &Interface::index);
  std::vector<InterfaceFigures> result;
  result.reserve(interfaces.size());
  for (const Interface* const interface : interfaces) {
    result.push_back(figures_of(*interface, table, families));
  }
  return result;
}

}  // namespace relay
