// What a relay meets beside clients: messages that are broken in ten ways, each of which a segment has seen.
#include <algorithm>

#include "clients4.h"

namespace bench {

namespace {

/// Cuts the message and says so in the headers.
std::size_t cut(wire::Octets frame, std::size_t message_size) {
  const std::size_t size = wire::headers_size + message_size;
  wire::put16(frame, 16, static_cast<std::uint32_t>(size - wire::ethernet_size));
  wire::put16(frame, 38, static_cast<std::uint32_t>(wire::udp_size + message_size));
  return size;
}

}  // namespace

Spoilt Clients4::spoil(wire::Octets frame, std::uint32_t number) {
  const wire::Octets message = frame.subspan(wire::headers_size);
  const wire::Octets after_kind = message.subspan(wire::options + 3);
  std::size_t size = frame.size();
  message[wire::xid] |= 0x80;  // which no attempt has
  const std::uint32_t detail = number / 10;
  switch (number % 10) {
    case 0:
      size = cut(frame, detail % wire::cookie);
      break;
    case 1:
      message[wire::op] = static_cast<std::uint8_t>(3 + detail % 250);
      break;
    case 2:  // an option that is longer than what is left
      after_kind[1] = 255;
      break;
    case 3:
      message[wire::cookie] ^= 0xff;
      break;
    case 4:  // no END
      std::ranges::fill(after_kind, wire::pad);
      break;
    case 5:
      message[wire::hops] = 255;
      break;
    case 6:  // hlen
      message[2] = static_cast<std::uint8_t>(17 + detail % 239);
      break;
    case 7:  // option 82 where only a relay could have put it
      after_kind[0] = wire::agent_information;
      break;
    case 8:
      wire::put16(frame, 38, 0xffff);  // UDP's size, beyond the packet's
      break;
    default:
      break;
  }
  wire::finish_checksums(frame.first(size));
  if (number % 10 == 9) {  // UDP's checksum, of which 0 would say that there is none
    frame[40] ^= 0x55;
    if (frame[40] == 0 && frame[41] == 0) {
      frame[41] = 0x55;
    }
  }
  return {size, number % 10 >= 8};
}

}  // namespace bench
