// What the operator decided interface by interface, before it meets the interfaces that exist.
// Data alone: relay/config fills it in, relay/io resolves it for each interface as it appears.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "relay/core/address.h"
#include "relay/core/interface_table.h"

namespace relay {

/// A value for the interfaces whose name matches `pattern`, a shell pattern (fnmatch(3)); `*` is all of them.
/// Where several match, a pattern that is the name itself wins, then the last one given, then `*`.
template <typename Value>
struct Setting {
  std::string pattern;
  Value value;
};

/// Whether a pattern has characters that the shell would expand; without, it is the name of one interface.
[[nodiscard]] inline bool is_pattern(std::string_view name) noexcept {
  return name.find_first_of("*?[\\") != std::string_view::npos;
}

struct InterfaceRole {
  bool downstream = false;
  bool upstream = false;
};

struct InterfaceSettings {
  /// Roles add up: `-id d1 -iu d1` is both. A name without shell characters that does not exist is worth a warning.
  std::vector<Setting<InterfaceRole>> roles;
  std::vector<std::string> trusted;  ///< shell patterns
  std::vector<Setting<Ipv4Address>> giaddrs;
  /// `-U`: the interface whose primary address is the giaddr of every downstream interface without a setting of its
  /// own.
  std::string giaddr_interface;
  std::vector<Setting<std::vector<Ipv4Address>>> servers;  ///< names resolved
  std::vector<Setting<ReplyDelivery>> reply_delivery;
  std::vector<Setting<bool>> refuses_relayed;
  bool link_selection =
      false;  ///< sub-option 5 always; it is sent in any case where giaddr is no address of the interface
  bool source_port = false;  ///< sub-option 19, since `--relay-port` is in force
};

}  // namespace relay
