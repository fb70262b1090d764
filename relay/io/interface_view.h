// The live view of this host's interfaces: what rtnetlink tells, joined with what the operator decided, kept in the
// table. Knows no socket: a link monitor calls it, and so do the tests.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "relay/core/events.h"
#include "relay/core/interface_settings.h"
#include "relay/core/interface_table.h"

namespace relay::io {

/// One link as the kernel describes it.
struct LinkState {
  std::uint32_t index = 0;
  std::string name;
  std::string alias;
  MacAddress mac;
  bool is_ethernet = false;
  std::uint32_t mtu = 1500;
  bool is_up = false;
};

class InterfaceView {
 public:
  /// `table` and what `listener` refers to must outlive the view.
  InterfaceView(InterfaceTable& table, InterfaceSettings settings, Listener listener);

  /// New settings (a reload): every interface is resolved anew, counters stay.
  void apply(InterfaceSettings settings);

  void link_changed(const LinkState& link);
  void link_removed(std::uint32_t index);
  /// `prefix.address` is new on the interface, behind the addresses that it has; again: nothing changes.
  void address_added(std::uint32_t index, Ipv4Prefix prefix);
  void address_removed(std::uint32_t index, Ipv4Prefix prefix);

  /// Names given without shell characters that no interface has at the moment, for a warning.
  [[nodiscard]] std::vector<std::string> missing() const;

 private:
  struct Known {
    LinkState link;
    std::vector<Ipv4Prefix> addresses;
  };
  void resolve(const Known& known);

  InterfaceTable& table_;
  InterfaceSettings settings_;
  Listener listener_;
  std::map<std::uint32_t, Known> known_;
};

}  // namespace relay::io
