// A DHCPv6 message as lines of text, and back, as message_text.h has it for DHCPv4:
//
//   type 12            the fixed fields; one that is zero is left out, but for the type
//   hops 1             hops, link and peer of a message of relay agents, xid of any other
//   link 2001:db8:1::1
//   peer fe80::1
//   18 "c0"            an option: its code and its value
//   9                  option 9 by the message in it
//     type 1
//     xid 112233
//   octets 0a0b        octets that are none of these: of a message too short for its type, or at its end
//
// Knows the layout of RFC 8415 sections 8, 9 and 21.1 by itself, so that it can contradict the code under test.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tests/support/message_builder.h"
#include "tests/support/message_text.h"

namespace test_support {

/// The text of any octets, well-formed or not. Where option 9 holds `known`, octet for octet, it is "9 as it came".
[[nodiscard]] Lines message6_text(std::span<const std::uint8_t> message, std::span<const std::uint8_t> known = {});

/// The message that the lines describe; of `message6_text` the very octets that it was made of. Throws TextError with
/// the line that is wrong.
[[nodiscard]] Bytes message6_octets(std::span<const std::string> lines);

}  // namespace test_support
