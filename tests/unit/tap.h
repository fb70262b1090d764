// What arrives at an interface, seen by a packet socket.
#pragma once

#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "relay/io/descriptor.h"
#include "tests/support/message_builder.h"

namespace relay::io {

/// Packets of one ethertype from their IP headers on, or with SOCK_RAW whole frames.
class Tap {
 public:
  Tap(const char* interface, std::uint16_t ethertype, int type = SOCK_DGRAM)
      : socket_(::socket(AF_PACKET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ethertype);
    address.sll_ifindex = static_cast<int>(::if_nametoindex(interface));
    EXPECT_EQ(::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }

  /// A frame, with SOCK_RAW.
  void send(const test_support::Bytes& frame) const {
    EXPECT_EQ(::send(socket_.number(), frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
  }

  /// All that has come so far.
  [[nodiscard]] const std::vector<test_support::Bytes>& packets() {
    for (;;) {
      test_support::Bytes packet(65'536);
      sockaddr_ll from{};
      socklen_t size = sizeof(from);
      const ssize_t received = ::recvfrom(socket_.number(), packet.data(), packet.size(), MSG_DONTWAIT,
                                          reinterpret_cast<sockaddr*>(&from), &size);
      if (received < 0) {
        return packets_;
      }
      if (from.sll_pkttype != PACKET_OUTGOING) {
        packet.resize(static_cast<std::size_t>(received));
        packets_.push_back(std::move(packet));
      }
    }
  }

 private:
  Descriptor socket_;
  std::vector<test_support::Bytes> packets_;
};

}  // namespace relay::io
