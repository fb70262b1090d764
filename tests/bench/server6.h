// A DHCPv6 server's answers to relayed messages: an ADVERTISE to a SOLICIT, a REPLY to a REQUEST, each in a Relay-reply
// that begins with the Interface-Id it was asked with.
#pragma once

#include <netinet/in.h>

#include "answering.h"
#include "wire6.h"

namespace bench {

class Server6 {
 public:
  using SocketAddress = sockaddr_in6;

  explicit Server6(const in6_addr& address);

  [[nodiscard]] const SocketAddress& address() const { return address_; }
  /// To where it came from, port 547 (RFC 8415 section 19.3), through as many relay agents as there were.
  [[nodiscard]] Answer<SocketAddress> answer(wire::ConstOctets message, const SocketAddress& from,
                                             wire::Octets into) const;

 private:
  /// What a client is told; false where it has asked for nothing that can be answered.
  [[nodiscard]] bool write(wire::ConstOctets message, wire::ConstOctets link_address, wire6::Writer& writer) const;

  SocketAddress address_{};
};

static_assert(Server<Server6>);

}  // namespace bench
