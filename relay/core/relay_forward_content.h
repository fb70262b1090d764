// What our Relay-forwards say of one interface: its addresses, chosen among the kernel's, and the options that all of
// them have, encoded. The DHCPv6 twin of agent_information_content.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "options82/template.h"
#include "relay/core/address.h"
#include "relay/core/interface_table.h"

namespace relay {

/// What Relay-forwards say of every interface.
struct RelayForwardSettings {
  bool interface_id = false;                  ///< `-I`: option 18 always, not only where link-address does not tell
  std::optional<std::uint32_t> enterprise{};  ///< of option 37, which needs it
  std::string relay_id{};                     ///< value of option 53, a DUID; empty: none
  std::string vss{};                          ///< value of option 68; empty: none
  std::vector<std::pair<std::uint16_t, std::string>> options{};  ///< codes and values of any others, sent in this order
  std::string host_name{};                                       ///< for templates
};

/// The templates of one interface. What they say of the client is left empty: here it is not known.
struct RelayForwardTemplates {
  options82::Template interface_id;  ///< of option 18; where it comes out empty, the interface's name
  options82::Template remote_id;
  options82::Template subscriber_id;
};

/// What a server finds the clients' subnet by (RFC 8415 section 19.1.1): a global address, else a unique-local one; one
/// that is not deprecated before any that is; among equals one that is not temporary, then the lowest, so that the
/// choice is the same after a restart. Unspecified where there is none.
[[nodiscard]] Ipv6Address choose_link_address(std::span<const InterfaceAddress6> addresses) noexcept;

/// Fills in `link_address`, `source` and `link_local` from `interface.addresses`. `given` is `--link-address`.
void choose_addresses(Interface6& interface, const std::optional<Ipv6Address>& given) noexcept;

/// Encodes `interface.v6.options`. The interface is otherwise complete. Needs values of at most 65,535 octets.
void encode_relay_forward(Interface& interface, const RelayForwardTemplates& templates,
                          const RelayForwardSettings& settings);

/// How many octets of headroom a message of this interface can need to become a Relay-forward.
[[nodiscard]] std::size_t relay_forward_headroom(const Interface6& interface) noexcept;

}  // namespace relay
