// How many datagrams wait in a socket.
#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "relay/io/descriptor.h"

namespace relay::io {

/// They are taken.
[[nodiscard]] inline int take_waiting(const Descriptor& socket) {
  std::uint8_t octet = 0;
  int result = 0;
  while (::recv(socket.number(), &octet, 1, MSG_DONTWAIT) >= 0) {
    ++result;
  }
  return result;
}

}  // namespace relay::io
