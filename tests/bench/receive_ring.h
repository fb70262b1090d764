// What clients hear, in a ring shared with the kernel (TPACKET_V2 of packet(7)), each frame with the time at which it
// came, so that a generator that is busy sending does not make an answer look late.
#pragma once

#include <linux/filter.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace bench {

/// Which frames are heard.
struct Hearing {
  std::uint16_t protocol = 0;  // EtherType
  std::span<const sock_filter> filter;
};

struct Heard {
  std::span<const std::uint8_t> frame;  // as much of it as the ring keeps, valid until the next one
  std::int64_t time = 0;                // nanoseconds of CLOCK_REALTIME
  int interface_index = 0;
};

class ReceiveRing {
 public:
  /// On one interface, or on all that are Ethernet where it is 0. Throws std::system_error.
  ReceiveRing(int interface_index, const Hearing& hearing);
  ~ReceiveRing();
  ReceiveRing(const ReceiveRing&) = delete;
  ReceiveRing& operator=(const ReceiveRing&) = delete;

  [[nodiscard]] std::optional<Heard> next();
  [[nodiscard]] int descriptor() const { return socket_; }
  /// What the kernel had no room for, in all.
  [[nodiscard]] std::uint64_t dropped();

 private:
  void release();

  int socket_;
  std::uint8_t* ring_ = nullptr;
  std::size_t at_ = 0;
  bool holds_one_ = false;
  std::uint64_t dropped_ = 0;
};

}  // namespace bench
