// Why a message was not relayed. One rule, one reason, one counter, one test, one line in the man page.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace relay {

/// In the order of the rules: what any message can meet, then requests, then replies, then sending. What is a rule of
/// DHCPv6 alone stands together; it shares the others with DHCPv4.
enum class DropReason : std::uint8_t {
  // any message
  too_short,
  receive_truncated,
  bad_op,
  hlen_too_long,
  options_malformed,
  interface_unknown,
  lost_in_kernel,
  // requests
  queue_full,
  rate_limited,
  not_downstream,
  below_min_secs,
  hops_exceeded,
  giaddr_invalid,
  giaddr_own,
  giaddr_refused,
  lease_query_unrelayed,
  option82_untrusted,
  option82_discarded,
  no_address,
  interface_passive,
  no_server,
  // replies
  not_upstream,
  server_unknown,
  reply_giaddr_zero,
  reply_giaddr_unknown,
  reply_ambiguous,
  option82_unmatched,
  vss_unsupported,
  vss_unknown,
  lease_query_reply,
  interface_down,
  // DHCPv6, any message
  header_too_short,
  relay_options_malformed,
  relay_message_doubled,
  // DHCPv6, towards servers
  server_message,
  source_invalid,
  relay_forward_untrusted,
  hop_count_reached,
  relay_supplied_options_refused,
  lease_query_untrusted,
  reconfigure_request_refused,
  server_interface_missing,
  wrapped_too_large,
  // DHCPv6, towards clients
  not_relay_reply,
  relay_message_missing,
  peer_address_invalid,
  interface_id_unknown,
  interface_id_ambiguous,
  link_address_unknown,
  link_address_ambiguous,
  link_unnamed,
  // sending
  send_buffer_full,
  send_failed,
};

inline constexpr std::size_t drop_reason_count = static_cast<std::size_t>(DropReason::send_failed) + 1;

/// What is known of a reason besides its rule: texts for logs, counters and the man page.
struct DropReasonText {
  std::string_view name;     ///< as in the log, in counters and in the man page
  std::string_view meaning;  ///< one clause: what was wrong, with its source
  std::string_view hint;     ///< one sentence: what an operator can do about it
};

[[nodiscard]] const DropReasonText& text(DropReason reason) noexcept;

/// Every reason in order, for loops over counters and texts.
[[nodiscard]] const std::array<DropReason, drop_reason_count>& all_drop_reasons() noexcept;

}  // namespace relay
