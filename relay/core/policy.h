// What the operator decided, for all interfaces together; what is decided per interface stands in `Interface`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include "relay/core/address.h"

namespace relay {

/// What becomes of a request that already carries option 82: on a trusted circuit, and where giaddr is not zero (`-m`).
enum class ExistingAgentInformation : std::uint8_t {
  by_rfc,   ///< RFC 3046 sections 2.1 and 2.1.1: keep it on a trusted circuit, leave relayed messages alone
  append,   ///< add ours behind it
  replace,  ///< take it out and add ours
  forward,  ///< leave it and add nothing
  discard,  ///< drop the message
};

/// giaddr in replies to clients (`-g`): left as it is (RFC 1542 section 4.1.2 demands it), zero, or an address.
struct KeepGiaddr {};
using ReplyGiaddr = std::variant<KeepGiaddr, Ipv4Address>;

struct Policy {
  bool add_agent_information = false;  ///< `-a`: add option 82 to requests, take ours out of replies
  ExistingAgentInformation existing_agent_information = ExistingAgentInformation::by_rfc;
  bool drop_unmatched_replies = false;            ///< `-D`: drop replies whose option 82 is missing or not ours
  std::optional<std::size_t> max_request_size{};  ///< `-A`, octets of UDP payload; else what fits `upstream_mtu`
  std::size_t upstream_mtu = 1500;                ///< the least MTU on the way to a server, octets of IP datagram
  std::uint8_t max_hops = 4;                      ///< `-c`, 1 to 16: requests whose hops exceeds it are dropped
  std::uint16_t min_secs = 0;                     ///< `--min-secs`: requests whose secs is below it are dropped
  std::size_t min_size = 236;                     ///< 236, or 300 with `--strict-size`; octets of UDP payload
  ReplyGiaddr reply_giaddr = KeepGiaddr{};
  bool replies_from_anyone = false;             ///< `--reply-from any`
  bool upstream_named = false;                  ///< an `-iu` or `-i` was given: replies are accepted on those alone
  std::optional<Ipv4Address> source_address{};  ///< `--source-address`: of messages to servers; else giaddr
};

}  // namespace relay
