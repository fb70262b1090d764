// A verdict, and what a message is, in words: the comments of a capture and the lines of a replay. Printable ASCII,
// whatever the message contains.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "relay/capture/verdict.h"

namespace relay {

/// One clause: `forwarded to 10.9.0.2, giaddr 10.101.0.1, option 82 circuit-id "d1"`, `dropped: hops_exceeded (17 >
/// 4)`, `reply to 02:00:00:00:00:01 on d1 by broadcast`; of DHCPv6 `forwarded to 2001:db8:9::2, link-address
/// 2001:db8:101::1`, `reply to fe80::1 port 546 on d1`. `message` is as it was received, `egress` the name of the
/// interface of `Verdict::egress_index`.
[[nodiscard]] std::string verdict_text(const capture::Verdict& verdict, std::span<const std::uint8_t> message,
                                       std::string_view egress);

/// `not sent to 10.9.0.3: Network is unreachable`.
[[nodiscard]] std::string failed_copy_text(const capture::FailedCopy& copy);

/// Of a message of which no copy could be sent: `dropped: send_failed (to 10.9.0.3: Network is unreachable)`.
[[nodiscard]] std::string unsent_text(const capture::FailedCopy& copy);

/// The client of a reply: its hardware address, or words where it has none.
[[nodiscard]] std::string client_text(std::span<const std::uint8_t> message);

/// What the message says of itself: `DISCOVER xid 0x12345678 chaddr 02:00:00:00:00:01 giaddr 10.101.0.1 option 82
/// circuit-id "d1"`; addresses that are zero are left out.
/// Of DHCPv6: `RELAY-FORW hops 0 link-address 2001:db8:101::1 peer-address fe80::1 with SOLICIT xid 0x112233`.
[[nodiscard]] std::string message_summary(std::span<const std::uint8_t> message, Family family = Family::ipv4);

}  // namespace relay
