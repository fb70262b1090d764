// Messages taken from a UDP socket in one system call, each in a buffer with room for headers and for option 82.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "relay/core/decision.h"
#include "relay/core/frame.h"
#include "relay/core/message_buffer.h"
#include "relay/io/socket_address.h"

namespace relay::io {

/// A message as the kernel handed it over. `buffer` borrows from the batch and is valid until its next `receive`.
struct Received {
  Ingress ingress;
  MessageBuffer buffer;
  bool is_truncated = false;  ///< the message was larger than its buffer
};

/// Buffers are allocated once. A UDP message over IPv4 has at most 65,507 octets, so none is ever truncated in
/// practice.
class ReceiveBatch {
 public:
  explicit ReceiveBatch(std::size_t capacity);

  /// Takes up to `capacity` messages without waiting and returns how many; 0 where none is waiting. Errors that belong
  /// to earlier messages (ICMP) are passed over.
  [[nodiscard]] std::size_t receive(int socket) noexcept;

  /// Needs `position` below what the last `receive` returned.
  [[nodiscard]] Received message(std::size_t position) noexcept;

  [[nodiscard]] std::size_t capacity() const noexcept { return headers_.size(); }

 private:
  static constexpr std::size_t headroom = 64;  // frame_headers_size, rounded up to a cache line
  static constexpr std::size_t slot_size = headroom + 65536 + 512;
  static_assert(headroom >= frame_headers_size);

  [[nodiscard]] std::span<std::uint8_t> slot(std::size_t position) noexcept {
    return {storage_.get() + position * slot_size, slot_size};
  }

  std::unique_ptr<std::uint8_t[]> storage_;
  std::vector<mmsghdr> headers_;
  std::vector<iovec> vectors_;
  std::vector<sockaddr_in> sources_;
  std::vector<PacketInfoControl> controls_;
};

}  // namespace relay::io
