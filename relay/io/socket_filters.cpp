#include "relay/io/socket_filters.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "options82/options.h"
#include "relay/core/bootp.h"
#include "relay/core/dhcpv6.h"

namespace relay::io {

namespace {

// A socket filter of UDP sees the UDP header first, a reuseport program the payload. A load behind the end returns 0,
// which is "drop" to the one and "the first socket" to the other.
constexpr std::uint32_t payload = 8;
constexpr std::uint32_t accept_all = 0xffffffff;
constexpr std::uint32_t drop = 0;
constexpr std::uint32_t requests_socket = 0;  // position in the group, in the order of binding
constexpr std::uint32_t replies_socket = 1;

/// A number in a message that the kernel compares.
struct Mark {
  std::uint16_t width = BPF_B;  // BPF_B or BPF_W
  std::uint32_t size = 1;       // octets of it
  std::uint32_t at = payload;
  std::uint32_t value = 0;
};

/// What the messages of a protocol are told apart by.
struct Marks {
  std::uint32_t reply = 0;  // the first octet of what servers send to a relay agent
  Mark discover;            // of what begins a handshake
};

// The last octet of the magic cookie, and option 53 with its length and value, are one word to look at.
constexpr Marks marks_of_dhcpv4{
    bootp::op_reply,
    {BPF_W, 4, payload + bootp::options_offset - 1,
     std::uint32_t{bootp::magic_cookie.back()} << 24U | std::uint32_t{options82::code::message_type} << 16U | 1U << 8U |
         bootp::message_type::discover}};
constexpr Marks marks_of_dhcpv6{dhcpv6::message_type::relay_reply, {BPF_B, 1, payload, dhcpv6::message_type::solicit}};

constexpr const Marks& marks_of(Family family) noexcept {
  return family == Family::ipv4 ? marks_of_dhcpv4 : marks_of_dhcpv6;
}

constexpr sock_filter statement(std::uint16_t code, std::uint32_t k) {
  return {code, 0, 0, k};
}
constexpr sock_filter jump(std::uint16_t code, std::uint32_t k, std::uint8_t if_true, std::uint8_t if_false) {
  return {code, if_true, if_false, k};
}
/// A value that the kernel has about the packet (SKF_AD_...).
constexpr sock_filter load_fact(int fact) {
  return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(SKF_AD_OFF + fact));
}

constexpr std::array<sock_filter, 6> reply_filter(const Marks& marks) {
  return {
      statement(BPF_LD | BPF_W | BPF_LEN, 0),       jump(BPF_JMP | BPF_JGT | BPF_K, payload, 0, 3),
      statement(BPF_LD | BPF_B | BPF_ABS, payload), jump(BPF_JMP | BPF_JEQ | BPF_K, marks.reply, 0, 1),
      statement(BPF_RET | BPF_K, accept_all),       statement(BPF_RET | BPF_K, drop),
  };
}

/// What does not begin as a reply goes on behind it, with the interface's number in the accumulator.
constexpr std::array<sock_filter, 6> begin_of_request_filter(const Marks& marks) {
  return {
      statement(BPF_LD | BPF_W | BPF_LEN, 0),
      jump(BPF_JMP | BPF_JGT | BPF_K, payload, 0, 3),
      statement(BPF_LD | BPF_B | BPF_ABS, payload),
      jump(BPF_JMP | BPF_JEQ | BPF_K, marks.reply, 0, 1),
      statement(BPF_RET | BPF_K, drop),
      load_fact(SKF_AD_IFINDEX),
  };
}

/// Decides on what came through the interface of `share`, and lets everything else go on behind it.
constexpr std::array<sock_filter, 11> share_filter(const Mark& discover, const Shedding::Share& share) {
  const auto [other, discovers] = share.kept;
  return {
      jump(BPF_JMP | BPF_JEQ | BPF_K, share.flow, 0, 10),
      statement(BPF_LD | BPF_W | BPF_LEN, 0),
      jump(BPF_JMP | BPF_JGE | BPF_K, discover.at + discover.size, 0, 4),
      statement(static_cast<std::uint16_t>(BPF_LD | discover.width | BPF_ABS), discover.at),
      jump(BPF_JMP | BPF_JEQ | BPF_K, discover.value, 0, 2),
      load_fact(SKF_AD_RANDOM),
      jump(BPF_JMP | BPF_JGT | BPF_K, discovers, 3, 2),
      load_fact(SKF_AD_RANDOM),
      jump(BPF_JMP | BPF_JGT | BPF_K, other, 1, 0),
      statement(BPF_RET | BPF_K, accept_all),
      statement(BPF_RET | BPF_K, drop),
  };
}

constexpr std::array<sock_filter, 4> op_choice(const Marks& marks) {
  return {
      statement(BPF_LD | BPF_B | BPF_ABS, 0),
      jump(BPF_JMP | BPF_JEQ | BPF_K, marks.reply, 0, 1),
      statement(BPF_RET | BPF_K, replies_socket),
      statement(BPF_RET | BPF_K, requests_socket),
  };
}

/// Instructions in a row, in the room that all shares take.
class Program {
 public:
  template <std::size_t size>
  void add(const std::array<sock_filter, size>& instructions) noexcept {
    assert(size_ + size <= instructions_.size());
    for (const sock_filter& each : instructions) {
      instructions_[size_++] = each;
    }
  }

  [[nodiscard]] int attach_to(const Descriptor& socket, int option) noexcept {
    const sock_fprog attached{static_cast<unsigned short>(size_), instructions_.data()};
    return ::setsockopt(socket.number(), SOL_SOCKET, option, &attached, sizeof(attached)) == 0 ? 0 : errno;
  }

 private:
  static constexpr std::size_t capacity =
      begin_of_request_filter({}).size() + Shedding::max_flows * share_filter({}, {}).size() + 1;
  std::array<sock_filter, capacity> instructions_;
  std::size_t size_ = 0;
};

}  // namespace

int accept_replies(const Descriptor& socket, Family family) noexcept {
  Program program;
  program.add(reply_filter(marks_of(family)));
  return program.attach_to(socket, SO_ATTACH_FILTER);
}

int accept_requests(const Descriptor& socket, Family family, std::span<const Shedding::Share> shares) noexcept {
  const Marks& marks = marks_of(family);
  Program program;
  program.add(begin_of_request_filter(marks));
  for (const Shedding::Share& share : shares) {
    program.add(share_filter(marks.discover, share));
  }
  program.add(std::array{statement(BPF_RET | BPF_K, accept_all)});
  return program.attach_to(socket, SO_ATTACH_FILTER);
}

ShedKind shed_kind_of(std::span<const std::uint8_t> request, Family family) noexcept {
  const Mark& discover = marks_of(family).discover;
  const std::size_t first = discover.at - payload;
  if (request.size() < first + discover.size) {
    return ShedKind::other;
  }
  std::uint32_t number = 0;
  for (const std::uint8_t octet : request.subspan(first, discover.size)) {
    number = number << 8U | octet;
  }
  return number == discover.value ? ShedKind::discover : ShedKind::other;
}

int choose_by_op(const Descriptor& socket, Family family) noexcept {
  Program program;
  program.add(op_choice(marks_of(family)));
  return program.attach_to(socket, SO_ATTACH_REUSEPORT_CBPF);
}

}  // namespace relay::io
