// A server's answer to a relayed message: an OFFER to a DISCOVER, an ACK to a REQUEST, option 82 echoed last.
#pragma once

#include <cstdint>

#include "wire.h"

namespace bench {

constexpr std::size_t answer_room = 1024;

struct Answer {
  std::size_t size = 0;     // 0 where there is none: the message is not one that gets an answer
  std::uint8_t kind = 0;    // of DHCP: offer or ack
  std::uint32_t relay = 0;  // giaddr
};

/// `into` has at least `answer_room` octets; `server` is its identifier. Answers to messages of one size and one option
/// 82 have one size.
[[nodiscard]] Answer answer(wire::ConstOctets message, std::uint32_t server, wire::Octets into);

}  // namespace bench
