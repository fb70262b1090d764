#include "relay/io/sockets.h"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include "relay/core/bootp.h"

namespace relay::io {

namespace {

constexpr int receive_buffer_size = 8 * 1024 * 1024;  // a burst of some 10,000 messages
// What waits for the ARP of a server counts: some 200 kB for each server that is dead (unres_qlen_bytes of arp(7)), and
// hundreds of them must leave room for the one that lives.
constexpr int send_buffer_size = 64 * 1024 * 1024;

// Classic BPF (Documentation/networking/filter.rst). A socket filter of UDP sees the UDP header first, a reuseport
// program the payload. A load behind the end returns 0, which is "drop" to the one and "the first socket" to the other.
constexpr std::uint32_t payload_in_filter = 8;
constexpr std::uint32_t accept_all = 0xffffffff;
constexpr std::uint32_t drop = 0;
constexpr std::uint32_t requests_socket = 0;  // position in the group, in the order of binding
constexpr std::uint32_t replies_socket = 1;

constexpr sock_filter statement(std::uint16_t code, std::uint32_t k) {
  return {code, 0, 0, k};
}
constexpr sock_filter jump(std::uint16_t code, std::uint32_t k, std::uint8_t if_true, std::uint8_t if_false) {
  return {code, if_true, if_false, k};
}

using Program = std::array<sock_filter, 6>;

/// Accepts what begins with op 2 (`for_replies`), or everything else, an empty payload included.
constexpr Program op_filter(bool for_replies) {
  return {statement(BPF_LD | BPF_W | BPF_LEN, 0),
          jump(BPF_JMP | BPF_JGT | BPF_K, payload_in_filter, 0, 3),
          statement(BPF_LD | BPF_B | BPF_ABS, payload_in_filter),
          jump(BPF_JMP | BPF_JEQ | BPF_K, bootp::op_reply, 0, 1),
          statement(BPF_RET | BPF_K, for_replies ? accept_all : drop),
          statement(BPF_RET | BPF_K, for_replies ? drop : accept_all)};
}

constexpr std::array<sock_filter, 4> choose_by_op{
    statement(BPF_LD | BPF_B | BPF_ABS, 0), jump(BPF_JMP | BPF_JEQ | BPF_K, bootp::op_reply, 0, 1),
    statement(BPF_RET | BPF_K, replies_socket), statement(BPF_RET | BPF_K, requests_socket)};

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

template <typename Value>
void set_option(const Descriptor& socket, int level, int name, const Value& value, const char* what) {
  if (::setsockopt(socket.number(), level, name, &value, sizeof(value)) != 0) {
    fail(what);
  }
}

template <std::size_t size>
void attach(const Descriptor& socket, int name, const std::array<sock_filter, size>& program) {
  std::array<sock_filter, size> writable = program;  // the kernel only reads it, the type does not say so
  const sock_fprog attached{static_cast<unsigned short>(size), writable.data()};
  set_option(socket, SOL_SOCKET, name, attached, "cannot attach a filter to a UDP socket");
}

/// As large as the kernel lets us have it: beyond net.core.rmem_max only with CAP_NET_ADMIN.
void enlarge_buffers(const Descriptor& socket) {
  const auto enlarge = [&](int forced, int limited, int size) {
    if (::setsockopt(socket.number(), SOL_SOCKET, forced, &size, sizeof(size)) != 0) {
      (void)::setsockopt(socket.number(), SOL_SOCKET, limited, &size, sizeof(size));
    }
  };
  enlarge(SO_RCVBUFFORCE, SO_RCVBUF, receive_buffer_size);
  enlarge(SO_SNDBUFFORCE, SO_SNDBUF, send_buffer_size);
}

[[nodiscard]] Descriptor open_udp() {
  Descriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket.is_open()) {
    fail("cannot open a UDP socket");
  }
  return socket;
}

void bind_to(const Descriptor& socket, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    return;
  }
  const std::string what = "cannot listen on UDP port " + std::to_string(port);
  if (errno == EADDRINUSE) {
    fail(what + ": another DHCP relay or server has it (`ss -lunp sport = :" + std::to_string(port) + "` names it)");
  }
  if (errno == EACCES) {
    fail(what + ": it takes root or CAP_NET_BIND_SERVICE");
  }
  fail(what);
}

/// Options of every UDP socket of the data path.
void prepare(const Descriptor& socket) {
  constexpr int on = 1;
  set_option(socket, IPPROTO_IP, IP_PKTINFO, on, "cannot ask for the interface of messages");
  set_option(socket, SOL_SOCKET, SO_BROADCAST, on, "cannot allow broadcasts");
  // A message that is larger than the interface's MTU leaves in fragments, whatever somebody tells us about the path.
  constexpr int fragment = IP_PMTUDISC_OMIT;
  set_option(socket, IPPROTO_IP, IP_MTU_DISCOVER, fragment, "cannot allow fragments");
  enlarge_buffers(socket);
}

/// Two sockets that share a port would be joined by a second relay's without a word, so the port has to be free first.
void check_port_is_free(std::uint16_t port) {
  bind_to(open_udp(), port);
}

[[nodiscard]] Descriptor open_half(std::uint16_t port, bool for_replies) {
  constexpr int on = 1;
  Descriptor socket = open_udp();
  prepare(socket);
  attach(socket, SO_ATTACH_FILTER, op_filter(for_replies));
  set_option(socket, SOL_SOCKET, SO_REUSEPORT, on, "cannot share the port between requests and replies");
  if (!for_replies) {
    attach(socket, SO_ATTACH_REUSEPORT_CBPF, choose_by_op);
  }
  bind_to(socket, port);
  return socket;
}

[[nodiscard]] Descriptor open_frames() {
  Descriptor socket{::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket.is_open()) {
    fail(errno == EPERM ? "cannot open a packet socket: it takes root or CAP_NET_RAW" : "cannot open a packet socket");
  }
  enlarge_buffers(socket);
  return socket;
}

}  // namespace

Sockets open_sockets(const Ports& ports) {
  Sockets sockets;
  check_port_is_free(ports.server);
  sockets.requests = open_half(ports.server, false);
  sockets.replies = open_half(ports.server, true);
  if (ports.relay) {
    sockets.upstream = open_udp();
    prepare(sockets.upstream);
    bind_to(sockets.upstream, *ports.relay);
  }
  sockets.frames = open_frames();
  return sockets;
}

/// All of them: the kernel asks any socket of a port whether it may merge, before it chooses among them.
int merge_received(const Sockets& sockets, bool on) noexcept {
  const int value = on ? 1 : 0;
  int error = 0;
  for (const Descriptor* socket : {&sockets.requests, &sockets.replies, &sockets.upstream}) {
    if (socket->is_open() && ::setsockopt(socket->number(), IPPROTO_UDP, UDP_GRO, &value, sizeof(value)) != 0) {
      error = errno;
    }
  }
  return error;
}

int segmentation_error(const Sockets& sockets) noexcept {
  constexpr int none = 0;
  return ::setsockopt(sockets.requests.number(), IPPROTO_UDP, UDP_SEGMENT, &none, sizeof(none)) == 0 ? 0 : errno;
}

}  // namespace relay::io
