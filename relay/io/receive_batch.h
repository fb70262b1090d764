// Datagrams taken from a UDP socket in one system call.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "relay/core/protocols.h"
#include "relay/io/socket_address.h"

namespace relay::io {

/// What the kernel handed over at once: one message, or several of one sender in a row where it may merge them
/// (`merge_received`). `octets` and `room` borrow from the batch and are valid until its next `receive`.
template <typename Protocol>
struct ReceivedOf {
  typename Protocol::Ingress ingress;
  std::span<std::uint8_t> octets;
  std::span<std::uint8_t> room;  ///< `octets`, and behind them what is free to write to: 576 octets at least
  std::size_t message_size = 0;  ///< of each message but the last, which may be smaller; 0 where there is one
  bool is_truncated = false;     ///< it was larger than its buffer
};

using Received = ReceivedOf<Dhcpv4>;
using Received6 = ReceivedOf<Dhcpv6>;

/// Calls `take(std::span<std::uint8_t>)` for each message, also for an empty one.
template <typename Protocol, typename Take>
void for_each_message(const ReceivedOf<Protocol>& received, Take&& take) {
  auto rest = received.octets;
  do {
    const std::size_t size = received.message_size == 0 ? rest.size() : std::min(received.message_size, rest.size());
    take(rest.first(size));
    rest = rest.subspan(size);
  } while (!rest.empty());
}

/// Buffers are allocated once; what no datagram ever filled costs no memory. A UDP datagram has at most
/// 65,507 octets over IPv4 and 65,527 over IPv6, so none is ever truncated in practice.
template <typename Protocol>
class ReceiveBatchOf {
 public:
  explicit ReceiveBatchOf(std::size_t capacity);

  /// Takes up to `capacity` datagrams without waiting and returns how many; 0 where none is waiting. Errors that belong
  /// to earlier messages (ICMP) are passed over.
  [[nodiscard]] std::size_t receive(int socket) noexcept;

  /// Needs `position` below what the last `receive` returned.
  [[nodiscard]] ReceivedOf<Protocol> received(std::size_t position) noexcept;

  [[nodiscard]] std::size_t capacity() const noexcept { return headers_.size(); }

 private:
  using Form = KernelForm<typename Protocol::Address>;

  // Not a power of two, or the first octets of all slots would share a few lines of the processor's caches.
  static constexpr std::size_t slot_size = 65536 + 576;

  /// Room for what the packet information and UDP_GRO say.
  struct alignas(cmsghdr) Control {
    std::array<std::uint8_t, CMSG_SPACE(sizeof(typename Form::PacketInfo)) + CMSG_SPACE(sizeof(int))> octets;
  };

  std::unique_ptr<std::uint8_t[]> storage_;
  std::vector<mmsghdr> headers_;
  std::vector<iovec> vectors_;
  std::vector<typename Form::SocketAddress> sources_;
  std::vector<Control> controls_;
  std::size_t used_;  // headers that the last call may have written
};

using ReceiveBatch = ReceiveBatchOf<Dhcpv4>;
using ReceiveBatch6 = ReceiveBatchOf<Dhcpv6>;

}  // namespace relay::io
