// The frames that a client without an address broadcasts: DHCPDISCOVER and DHCPREQUEST of the usual shape, 300 octets.
#pragma once

#include <array>
#include <cstdint>

#include "wire.h"

namespace bench {

constexpr std::size_t client_frame_size = wire::headers_size + wire::least_message;

struct Discover {
  std::uint32_t client;  // its number, which makes its hardware address and its client identifier
  std::uint32_t xid;
};

struct Request {
  Discover of;
  std::uint32_t address;  // that was offered
  std::uint32_t server;   // that offered it
};

class ClientFrame {
 public:
  ClientFrame();

  /// Into the first `client_frame_size` octets; both checksums are right.
  void write(const Discover& discover, wire::Octets into) const;
  void write(const Request& request, wire::Octets into) const;

 private:
  void write(const Discover& client, std::uint8_t kind, wire::Octets into) const;

  std::array<std::uint8_t, client_frame_size> common_{};
};

}  // namespace bench
