// A DHCPv4 server's answers to relayed messages: an OFFER to a DISCOVER, an ACK to a REQUEST, option 82 echoed last.
#pragma once

#include <netinet/in.h>

#include "answering.h"
#include "wire.h"

namespace bench {

class Server4 {
 public:
  using SocketAddress = sockaddr_in;

  /// Its identifier too.
  explicit Server4(in_addr address);

  [[nodiscard]] const SocketAddress& address() const { return address_; }
  /// To giaddr, wherever the message came from.
  [[nodiscard]] Answer<SocketAddress> answer(wire::ConstOctets message, const SocketAddress& from,
                                             wire::Octets into) const;

 private:
  SocketAddress address_{};
};

static_assert(Server<Server4>);

}  // namespace bench
