// What the server of the bench has to know of a family. The names are those of DHCPv4: in DHCPv6 ADVERTISE is the offer
// and REPLY the acknowledgement.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "wire.h"

namespace bench {

constexpr std::size_t answer_room = 1024;

/// A server's answer; `to` is the socket address of the relay agent.
template <typename SocketAddress>
struct Answer {
  std::size_t size = 0;  // 0 where there is none: the message is not one that gets an answer
  bool is_offer = false;
  SocketAddress to{};
};

/// `answer` writes into `answer_room` octets or more, and `from` is where the message came from. Answers to messages of
/// one size from one relay agent have one size.
template <typename Family>
concept Server = requires(const Family family, const typename Family::SocketAddress from, wire::ConstOctets message,
                          wire::Octets into) {
  { family.address() } -> std::convertible_to<typename Family::SocketAddress>;
  { family.answer(message, from, into) } -> std::same_as<Answer<typename Family::SocketAddress>>;
};

}  // namespace bench
