// What rtnetlink reports of links and of their addresses, read from one message.
#pragma once

#include <cstdint>
#include <optional>

#include "relay/io/interface_view.h"

struct nlmsghdr;

namespace relay::io {

struct AddressReport {
  std::uint32_t index;
  LinkAddress address;
};

struct AddressReport6 {
  std::uint32_t index;
  InterfaceAddress6 address;
  /// Whether this host may use it (RFC 4862 section 5.4): not while nobody has been asked whether it is his, nor where
  /// it is somebody's; an optimistic one at once (RFC 4429).
  bool is_usable;
};

/// A report about a link itself. Reports of other families are a bridge's about its ports (there, RTM_DELLINK means
/// that the port left the bridge); those with wireless events lack most of what describes a link.
[[nodiscard]] bool is_about_link(nlmsghdr* message);

/// Nothing where the message describes no link as a whole.
[[nodiscard]] std::optional<LinkState> read_link(nlmsghdr* message);

/// Nothing where the message is about no IPv4 address.
[[nodiscard]] std::optional<AddressReport> read_address(nlmsghdr* message);
/// The same of IPv6.
[[nodiscard]] std::optional<AddressReport6> read_address6(nlmsghdr* message);

}  // namespace relay::io
