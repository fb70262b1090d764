// Frames that leave by a packet socket, several with one system call.
#pragma once

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "wire.h"

namespace bench {

class FrameSender {
 public:
  static constexpr std::size_t batch_size = 64;
  static constexpr std::size_t room_size = 512;

  /// Throws std::system_error.
  FrameSender();
  ~FrameSender();
  FrameSender(const FrameSender&) = delete;
  FrameSender& operator=(const FrameSender&) = delete;

  /// Room for the next frame, which add() takes. Only where the batch is not full.
  [[nodiscard]] wire::Octets room();
  void add(std::size_t size, int interface_index);
  [[nodiscard]] bool is_full() const { return count_ == batch_size; }
  [[nodiscard]] bool is_empty() const { return count_ == 0; }
  void flush();

  /// How many the kernel did not take, and the last reason.
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  [[nodiscard]] int last_error() const { return last_error_; }

 private:
  int socket_;
  std::vector<std::array<std::uint8_t, room_size>> rooms_;
  std::array<iovec, batch_size> pieces_{};
  std::array<sockaddr_ll, batch_size> addresses_{};
  std::array<mmsghdr, batch_size> headers_{};
  std::size_t count_ = 0;
  std::uint64_t refused_ = 0;
  int last_error_ = 0;
};

}  // namespace bench
