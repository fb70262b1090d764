// Messages on their way out, collected and handed to the kernel in one system call.
#pragma once

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "relay/core/address.h"
#include "relay/core/frame.h"
#include "relay/core/interface_table.h"
#include "relay/io/socket_address.h"

namespace relay::io {

/// Whose message an entry is; returned when its fate is known.
struct Sending {
  Interface* interface =
      nullptr;              ///< counts it; valid until the table changes, which it does not before the batch is sent
  std::size_t message = 0;  ///< number within the received batch: copies to several servers share it
  Ipv4Address destination;
  std::uint64_t serial = 0;  ///< of the received message, as in `MessageEvent`
};

/// Hands `headers` to the kernel and calls `sent(position, error)` for each, `error` being 0 or the errno of that entry
/// alone: one that cannot be sent keeps none of the others back.
template <typename Sent>
void send_all(int socket, std::span<mmsghdr> headers, Sent&& sent) {
  std::size_t done = 0;
  while (done < headers.size()) {
    const auto rest = headers.subspan(done);
    const int count = ::sendmmsg(socket, rest.data(), static_cast<unsigned>(rest.size()), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count > 0) {
      for (int sent_now = 0; sent_now < count; ++sent_now) {
        sent(done++, 0);
      }
    } else if (count == 0 || errno != EINTR) {
      sent(done++, errno);
    }
  }
}

/// UDP datagrams with explicit source address and, where it matters, interface. Payloads stay where they are and must
/// outlive the batch.
class DatagramBatch {
 public:
  explicit DatagramBatch(std::size_t capacity);

  [[nodiscard]] bool is_full() const noexcept { return count_ == headers_.size(); }

  /// Needs `!is_full()`. An unspecified `source` leaves the choice to the kernel's routes, and so does interface 0.
  void add(const Sending& sending, std::span<const std::uint8_t> payload, Ipv4Address source, std::uint16_t port,
           std::uint32_t interface_index) noexcept;

  /// Sends everything, calls `sent(const Sending&, int error)` for each, and is empty again.
  template <typename Sent>
  void send(int socket, Sent&& sent) {
    send_all(socket, std::span{headers_}.first(count_),
             [&](std::size_t position, int error) { sent(sendings_[position], error); });
    count_ = 0;
  }

 private:
  std::size_t count_ = 0;
  std::vector<Sending> sendings_;
  std::vector<mmsghdr> headers_;
  std::vector<iovec> vectors_;
  std::vector<sockaddr_in> destinations_;
  std::vector<PacketInfoControl> controls_;
};

/// Ethernet frames, complete with their headers.
class FrameBatch {
 public:
  explicit FrameBatch(std::size_t capacity);

  [[nodiscard]] bool is_full() const noexcept { return count_ == headers_.size(); }

  /// Needs `!is_full()`. `frame` begins with its Ethernet header and leaves on `sending.interface`.
  void add(const Sending& sending, std::span<const std::uint8_t> frame) noexcept;

  /// Sends everything, calls `sent(const Sending&, int error)` for each, and is empty again.
  template <typename Sent>
  void send(int socket, Sent&& sent) {
    send_all(socket, std::span{headers_}.first(count_),
             [&](std::size_t position, int error) { sent(sendings_[position], error); });
    count_ = 0;
  }

 private:
  std::size_t count_ = 0;
  std::vector<Sending> sendings_;
  std::vector<mmsghdr> headers_;
  std::vector<iovec> vectors_;
  std::vector<sockaddr_ll> destinations_;
};

/// Sends a UDP datagram that is too large for its link as IPv4 fragments (RFC 791 section 3.2). `datagram` begins with
/// its UDP header. Returns 0 or the errno of the first fragment that could not be sent; the rest is not sent then.
[[nodiscard]] int send_fragments(int socket, const Interface& interface, const FrameAddresses& addresses,
                                 std::span<const std::uint8_t> datagram) noexcept;

}  // namespace relay::io
