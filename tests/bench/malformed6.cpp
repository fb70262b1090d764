// What a DHCPv6 relay meets beside clients: messages that are broken in ten ways.
#include <algorithm>
#include <array>

#include "clients6.h"

namespace bench {

namespace {

constexpr std::size_t first_option = wire6::headers_size + wire6::options;

/// A relay message's header is longer than this.
constexpr std::size_t no_relay_message = 30;

}  // namespace

Spoilt Clients6::spoil(wire::Octets frame, std::uint32_t number) {
  const wire::Octets message = frame.subspan(wire6::headers_size);
  std::size_t message_size = message.size();
  message[1] |= 0x80;  // of the xid: which no attempt has
  const std::uint32_t detail = number / 10;
  constexpr std::array<std::uint8_t, 4> of_servers{2, 7, 10, wire6::relay_reply};
  switch (number % 10) {
    case 0:
      message_size = detail % message.size();
      break;
    case 1:  // of a type that nobody knows: relayed (RFC 7283 section 3)
      message[0] = static_cast<std::uint8_t>(40 + detail % 200);
      break;
    case 2:
      message[0] = of_servers[detail % of_servers.size()];
      break;
    case 3:  // an option that is longer than what is left
      wire::put16(frame, first_option + 2, 0xffff);
      break;
    case 4:  // from a relay agent that nobody trusts, and without a message
      message[0] = wire6::relay_forward;
      break;
    case 5:  // from nobody
      std::ranges::fill(frame.subspan(wire6::source, wire6::address_size), std::uint8_t{0});
      break;
    case 6:
      message[0] = wire6::relay_forward;
      message_size = detail % no_relay_message;
      break;
    case 7:  // options that are empty, down to the last octets, which are none
      std::ranges::fill(frame.subspan(first_option), std::uint8_t{0});
      break;
    default:
      break;
  }
  const std::size_t size = wire6::headers_size + message_size;
  wire6::finish_datagram(frame.first(size));
  if (number % 10 == 8) {
    wire::put16(frame, wire6::payload + 4, 0xffff);  // UDP's size, beyond the packet's
  } else if (number % 10 == 9) {                     // UDP's checksum, which has to be there (RFC 8200 section 8.1)
    wire::put16(frame, wire6::payload + 6, 0);
  }
  return {size, number % 10 >= 8};
}

}  // namespace bench
