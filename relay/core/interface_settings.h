// What the operator decided interface by interface, before it meets the interfaces that exist.
// Data alone: relay/config fills it in, relay/io resolves it for each interface as it appears.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "options82/template.h"
#include "relay/core/address.h"
#include "relay/core/interface_table.h"
#include "relay/core/relay_forward_content.h"

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
  bool downstream = false;  ///< of both families
  bool upstream = false;
  bool lower = false;  ///< `-l`: downstream of DHCPv6 alone
  bool upper = false;  ///< `-u`: upstream of DHCPv6 alone

  [[nodiscard]] constexpr bool is_downstream6() const noexcept { return downstream || lower; }
  [[nodiscard]] constexpr bool is_upstream6() const noexcept { return upstream || upper; }
};

/// What option 82 says of every interface.
struct AgentInformationSettings {
  bool link_selection =
      false;  ///< sub-option 5 always; it is sent in any case where giaddr is no address of the interface
  bool server_id_override = false;                    ///< sub-options 10 and 11
  std::string relay_id{};                             ///< value of sub-option 12; empty: none
  bool source_port = false;                           ///< sub-option 19, since `--relay-port` is in force
  std::string vss{};                                  ///< value of sub-option 151, with which 152 goes; empty: none
  std::map<std::uint8_t, std::string> sub_options{};  ///< values of any other by code
  std::string host_name{};                            ///< for templates
};

/// A DHCPv6 server before its interface is known by index.
struct ServerName6 {
  Ipv6Address address;
  /// On which it is reached; never empty for a multicast or link-local address. Empty: where routes lead.
  std::string interface_name{};

  friend bool operator==(const ServerName6&, const ServerName6&) = default;
};

/// What DHCPv6 has for itself; roles, trust and rate limits are those of both families.
struct InterfaceSettings6 {
  std::vector<Setting<std::vector<ServerName6>>> servers;  ///< names resolved; without an entry for an empty list
  std::vector<Setting<Ipv6Address>> link_addresses;        ///< `--link-address`
  std::vector<Setting<options82::Template>> interface_ids;
  std::vector<Setting<options82::Template>> remote_ids;
  std::vector<Setting<options82::Template>> subscriber_ids;
  RelayForwardSettings relay_forward;  ///< its `host_name` is filled in with the names of servers
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
  std::vector<Setting<RateLimit>> rate_limits;

  std::vector<Setting<options82::Template>> circuit_ids;  ///< without one, the interface's name
  std::vector<Setting<options82::Template>> remote_ids;
  std::vector<Setting<options82::Template>> subscriber_ids;
  AgentInformationSettings agent_information;

  InterfaceSettings6 v6;
};

}  // namespace relay
