// What `--check` can find: each kind with its name, its severity, and what to do about it. One kind is one rule of the
// judgement, one test, one item in the man page's section CHECKING.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/core/address.h"

namespace relay::check {

enum class Severity : std::uint8_t {
  ok,
  note,     ///< what could not be looked at
  warning,  ///< clients are served, but not all of them, not always or not well
  error,    ///< the start fails, no client is served, or an interface or a server that was named is of no use
};

enum class FindingKind : std::uint8_t {
  // the start
  flag_without_effect,
  relay_port_of_clients,
  server_unresolved,
  file_unwritable,
  metrics_unservable,
  log_unheard,
  file_unreadable,
  capture_in_one_file,
  state_unkept,
  state_directory_missing,
  account_out_of_reach,
  capability_missing,
  port_taken,
  port_taken_by_relay,
  ipv6_missing,
  // interfaces
  interface_missing,
  pattern_unmatched,
  upstream_missing,
  giaddr_interface_missing,
  interface_down,
  upstream_down,
  no_carrier,
  no_address,
  giaddr_passive,
  giaddr_foreign,
  interface_without_server,
  port_of_bridge,
  port_of_vrf,
  routes_beside_vrf,
  loopback_downstream,
  not_ethernet,
  both_sides,
  shared_giaddr,
  shared_subnet,
  interface_mtu,
  ipv6_disabled,
  ipv6_mtu,
  no_link_local,
  no_link_address,
  link_address_foreign,
  shared_interface_id,
  nothing_served,
  // servers
  server_interface_missing,
  server_unreachable,
  server_refused,
  server_is_local,
  server_is_broadcast,
  server_downstream,
  server_beyond_upstream,
  server_not_answering,
  no_server_reached,
  source_missing,
  route_mtu,
  // settings of the kernel
  rp_filter_strict,
  rp_filter_no_address,
  rp_filter_upstream,
  forwarding_off,
  forwarding6_off,
  broadcast_forwarding,
  neighbours_many,
  neighbours_full,
  neighbours6_full,
  receive_buffer,
  // firewall
  firewall_drops_requests,
  firewall_drops_rebinding,
  firewall_drops_replies,
  firewall_drops_relayed,
  firewall_drops_delivered,
  firewall_may_drop,
  firewall_legacy,
  // what could not be looked at
  firewall_ingress,
  firewall_unread,
  port_holders_unread,
  relay_agents_untrusted,
  // what is well
  interface_serves,
  server_reached,
};

inline constexpr std::size_t finding_kind_count = static_cast<std::size_t>(FindingKind::server_reached) + 1;

/// `meaning` and `advice` are clauses in which `{subject}`, `{other}`, `{command}`, `{address}`, `{next_hop}`,
/// `{source}`, `{number}` and `{limit}` stand for what the finding says, and `{is|are}` for the first of these words
/// where it has one subject, for the second where it has several. Advice speaks of the first subject. Link-local and
/// multicast addresses have the finding's `zone` behind them.
struct FindingText {
  Severity severity;
  std::string_view name;
  std::string_view meaning;
  std::string_view advice;  ///< empty where nothing is to be done
};

[[nodiscard]] const FindingText& text(FindingKind kind) noexcept;

/// Every kind in order.
[[nodiscard]] const std::array<FindingKind, finding_kind_count>& all_finding_kinds() noexcept;

/// Texts are as the host has them, with any octets: relay/log makes them printable.
struct Finding {
  FindingKind kind;
  std::vector<std::string> subjects{};  ///< what it is about: interfaces, or one process, setting, file
  std::string other{};
  std::string command{};
  std::optional<IpAddress> address{};
  std::optional<IpAddress> next_hop{};
  std::optional<IpAddress> source{};  ///< none: `other` says whose
  std::string zone{};                 ///< interface
  std::uint64_t number = 0;
  std::uint64_t limit = 0;
  Severity most = Severity::error;  ///< it is no graver than this, whatever its kind
  std::optional<Family> family{};   ///< which protocol alone it is about; of two that say the same, no difference

  friend bool operator==(const Finding&, const Finding&) = default;
};

[[nodiscard]] Severity severity_of(const Finding& finding) noexcept;

}  // namespace relay::check
