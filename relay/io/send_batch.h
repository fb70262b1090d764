// Messages on their way out, collected and handed to the kernel in one system call.
#pragma once

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "relay/core/address.h"
#include "relay/core/frame.h"
#include "relay/core/interface_table.h"
#include "relay/core/protocols.h"
#include "relay/io/socket_address.h"

namespace relay::io {

/// Whose message an entry is; returned when its fate is known.
template <typename Protocol>
struct SendingOf {
  Interface* interface =
      nullptr;              ///< counts it; valid until the table changes, which it does not before the batch is sent
  std::size_t message = 0;  ///< number within the decided batch: copies to several servers share it
  typename Protocol::Address destination;
  std::uint64_t serial = 0;  ///< of the received message, as in `MessageEvent`
  typename Protocol::Kind kind = Protocol::Kind::unknown;
};
using Sending = SendingOf<Dhcpv4>;
using Sending6 = SendingOf<Dhcpv6>;

/// Why a message that could not be sent was dropped.
[[nodiscard]] inline DropReason failure_reason(int error) noexcept {
  return error == EAGAIN || error == ENOBUFS ? DropReason::send_buffer_full : DropReason::send_failed;
}

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
/// outlive the batch. Those that differ in nothing but their octets form a run, which the kernel takes as one
/// (UDP_SEGMENT of udp(7)) and cuts up as late as it can; runs leave in the order of their first message.
template <typename Protocol>
class DatagramBatchOf {
 public:
  using Address = typename Protocol::Address;

  /// Told what error turned a run away that then left message by message.
  using RunRefused = std::function<void(int error)>;

  /// `refused` is called once, when `forms_runs` has become false for good.
  explicit DatagramBatchOf(std::size_t capacity, RunRefused refused = {});

  /// The kernel cannot take runs at all, for this reason; told unless it is 0.
  void refuse_runs(int error);

  /// Whether the kernel is given runs, at first not, and never again after it refused one that it took message
  /// by message.
  void form_runs(bool on) noexcept { forms_runs_ = on && !is_refused_; }

  /// What was too large for its link is put into runs again, until it is refused again.
  void forget_limits() noexcept { largest_in_run_ = max_message; }

  [[nodiscard]] bool is_full() const noexcept { return entry_count_ == entries_.size(); }

  /// Needs `!is_full()`. An unspecified `source` leaves the choice to the kernel's routes, and so does interface 0.
  /// An IPv6 destination of link-local scope, or a multicast group, needs an interface.
  void add(const SendingOf<Protocol>& sending, std::span<const std::uint8_t> payload, const Address& source,
           std::uint16_t port, std::uint32_t interface_index) noexcept;

  /// Sends everything, calls `sent(const SendingOf<Protocol>&, int error)` for each, and is empty again.
  template <typename Sent>
  void send(int socket, Sent&& sent) {
    lay_out();
    send_all(socket, std::span{headers_}.first(run_count_), [&](std::size_t number, int error) {
      const Run& run = runs_[number];
      const bool alone = run.count > 1 && is_about_runs(error);
      bool any_left = false;
      for (std::uint32_t entry = run.first; entry != none; entry = entries_[entry].next) {
        const int own = alone ? send_alone(socket, number, entry) : error;
        any_left = any_left || own == 0;
        sent(entries_[entry].sending, own);
      }
      if (alone && any_left) {
        refuse(error, entries_[run.first].payload.size());
      }
    });
    entry_count_ = run_count_ = 0;
  }

 private:
  using Form = KernelForm<Address>;

  static constexpr std::uint32_t none = 0xffffffff;
  static constexpr std::size_t max_message = 65535;
  static constexpr std::size_t looked_back = 8;         // runs that a message may still join
  static constexpr std::size_t largest_run = 64;        // messages; UDP_MAX_SEGMENTS of the oldest kernels
  static constexpr std::size_t max_run_octets = 64000;  // of one datagram, headers and some room apart

  struct Entry {
    SendingOf<Protocol> sending;
    std::span<const std::uint8_t> payload;
    std::uint32_t next = none;  // of the same run
  };
  struct Run {
    Address destination;
    Address source;
    std::uint32_t interface_index = 0;
    std::uint16_t port = 0;
    std::uint32_t first = none;  // entries
    std::uint32_t last = none;
    std::uint32_t count = 0;
  };
  /// Room for what the packet information and UDP_SEGMENT say.
  struct alignas(cmsghdr) Control {
    std::array<std::uint8_t, CMSG_SPACE(sizeof(typename Form::PacketInfo)) + CMSG_SPACE(sizeof(std::uint16_t))>
        octets{};
  };

  [[nodiscard]] bool can_join(const Run& run, const Run& wanted, std::size_t size) const noexcept;
  void lay_out() noexcept;
  void write_control(std::size_t number) noexcept;
  [[nodiscard]] int send_alone(int socket, std::size_t number, std::uint32_t entry) noexcept;
  [[nodiscard]] static bool is_about_runs(int error) noexcept;
  void refuse(int error, std::size_t size);

  RunRefused refused_;
  bool forms_runs_ = false;
  bool is_refused_ = false;
  std::size_t largest_in_run_ = max_message;  // octets of a message; larger ones have been refused
  std::size_t entry_count_ = 0;
  std::size_t run_count_ = 0;
  std::vector<Entry> entries_;
  std::vector<Run> runs_;
  std::vector<mmsghdr> headers_;  // by run, and so are these
  std::vector<typename Form::SocketAddress> destinations_;
  std::vector<Control> controls_;
  std::vector<iovec> vectors_;  // of each run those of its entries, in a row
};

using DatagramBatch = DatagramBatchOf<Dhcpv4>;
using DatagramBatch6 = DatagramBatchOf<Dhcpv6>;

/// Messages to clients by their hardware addresses, each in an Ethernet frame. Payloads stay where they are and must
/// outlive the batch.
template <typename Protocol>
class FrameBatchOf {
 public:
  using Addresses = typename Protocol::FrameAddresses;

  explicit FrameBatchOf(std::size_t capacity);

  [[nodiscard]] bool is_full() const noexcept { return count_ == headers_.size(); }

  /// Needs `!is_full()`. The frame leaves on `sending.interface`, whose MTU must hold it.
  void add(const SendingOf<Protocol>& sending, const Addresses& addresses,
           std::span<const std::uint8_t> payload) noexcept;

  /// Sends everything, calls `sent(const SendingOf<Protocol>&, int error)` for each, and is empty again.
  template <typename Sent>
  void send(int socket, Sent&& sent) {
    send_all(socket, std::span{headers_}.first(count_),
             [&](std::size_t position, int error) { sent(sendings_[position], error); });
    count_ = 0;
  }

 private:
  std::size_t count_ = 0;
  std::vector<SendingOf<Protocol>> sendings_;
  std::vector<mmsghdr> headers_;
  std::vector<std::array<iovec, 2>> vectors_;
  std::vector<sockaddr_ll> destinations_;
  std::vector<std::array<std::uint8_t, Addresses::headers_size>> frame_headers_;
};

using FrameBatch = FrameBatchOf<Dhcpv4>;
using FrameBatch6 = FrameBatchOf<Dhcpv6>;

/// Sends a message that is too large for its link as IPv4 fragments (RFC 791 section 3.2). Returns 0 or the errno of
/// the first fragment that could not be sent; the rest is not sent then.
[[nodiscard]] int send_fragments(int socket, const Interface& interface, const FrameAddresses& addresses,
                                 std::span<const std::uint8_t> payload) noexcept;

}  // namespace relay::io
