#include "relay/io/sockets.h"

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <string>
#include <system_error>

#include "relay/core/families.h"
#include "relay/io/privileges.h"
#include "relay/io/socket_filters.h"

namespace relay::io {

namespace {

// What waits for the ARP of a server counts: some 200 kB for each server that is dead (unres_qlen_bytes of arp(7)), and
// hundreds of them must leave room for the one that lives.
constexpr int send_buffer_size = 64 * 1024 * 1024;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

template <typename Value>
void set_option(const Descriptor& socket, int level, int name, const Value& value, const char* what) {
  if (::setsockopt(socket.number(), level, name, &value, sizeof(value)) != 0) {
    fail(what);
  }
}

void check_attached(int error) {
  if (error != 0) {
    errno = error;
    fail("cannot attach a filter to a UDP socket");
  }
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

[[nodiscard]] Descriptor open_udp(Family family) {
  const int domain = family == Family::ipv4 ? AF_INET : AF_INET6;
  Descriptor socket{::socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket.is_open()) {
    fail(errno == EAFNOSUPPORT ? "cannot open a UDP socket: this kernel runs without IPv6"
                               : "cannot open a UDP socket");
  }
  if (family == Family::ipv6) {
    constexpr int on = 1;  // the port of IPv4 is somebody else's, and from there nothing has an IPv6 address
    set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, on, "cannot keep a UDP socket to IPv6");
  }
  return socket;
}

[[nodiscard]] int bind_result(const Descriptor& socket, Family family, std::uint16_t port) noexcept {
  if (family == Family::ipv4) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    return ::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  }
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  return ::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

void bind_to(const Descriptor& socket, Family family, std::uint16_t port) {
  if (bind_result(socket, family, port) == 0) {
    return;
  }
  const std::string what = "cannot listen on UDP port " + std::to_string(port);
  if (errno == EADDRINUSE) {
    fail(what + ": another DHCP relay or server has it (`ss -lunp sport = :" + std::to_string(port) + "` names it)");
  }
  if (errno == EACCES) {
    fail(what + ": " + it_takes("CAP_NET_BIND_SERVICE"));
  }
  fail(what);
}

/// RFC 8415 section 19: Relay-forwards to a group go eight hops far. What is too large for the way to its destination
/// leaves in fragments, of a size that the way is known for (RFC 8200 section 5), which is what the kernel does.
void prepare_ipv6(const Descriptor& socket) {
  constexpr int on = 1;
  constexpr int off = 0;
  constexpr int hops = 8;
  set_option(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, on, "cannot ask for the interface of messages");
  set_option(socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, off, "cannot keep multicasts from this host");
  set_option(socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops, "cannot set the hop limit of multicasts");
}

void prepare_ipv4(const Descriptor& socket) {
  constexpr int on = 1;
  set_option(socket, IPPROTO_IP, IP_PKTINFO, on, "cannot ask for the interface of messages");
  set_option(socket, SOL_SOCKET, SO_BROADCAST, on, "cannot allow broadcasts");
  // A message that is larger than the interface's MTU leaves in fragments, whatever somebody tells us about the path.
  constexpr int fragment = IP_PMTUDISC_OMIT;
  set_option(socket, IPPROTO_IP, IP_MTU_DISCOVER, fragment, "cannot allow fragments");
}

/// Options of every UDP socket of the data path.
void prepare(const Descriptor& socket, Family family) {
  family == Family::ipv4 ? prepare_ipv4(socket) : prepare_ipv6(socket);
  enlarge_buffers(socket);
}

/// Two sockets that share a port would be joined by a second relay's without a word, so the port has to be free first.
void check_port_is_free(Family family, std::uint16_t port) {
  bind_to(open_udp(family), family, port);
}

[[nodiscard]] Descriptor open_half(Family family, std::uint16_t port, bool for_replies) {
  constexpr int on = 1;
  Descriptor socket = open_udp(family);
  prepare(socket, family);
  check_attached(for_replies ? accept_replies(socket, family) : accept_requests(socket, family, {}));
  set_option(socket, SOL_SOCKET, SO_REUSEPORT, on, "cannot share the port between requests and replies");
  if (!for_replies) {
    check_attached(choose_by_op(socket, family));
  }
  bind_to(socket, family, port);
  return socket;
}

/// All but that of frames.
[[nodiscard]] Sockets open_udp_sockets(Family family, std::uint16_t port, std::optional<std::uint16_t> relay_port) {
  Sockets sockets;
  check_port_is_free(family, port);
  sockets.requests = open_half(family, port, false);
  sockets.replies = open_half(family, port, true);
  if (relay_port) {
    sockets.upstream = open_udp(family);
    prepare(sockets.upstream, family);
    bind_to(sockets.upstream, family, *relay_port);
  }
  return sockets;
}

}  // namespace

Sockets open_sockets(const Ports& ports) {
  Sockets sockets = open_udp_sockets(Family::ipv4, ports.server, ports.relay);
  sockets.frames = open_frames();
  return sockets;
}

Sockets open_sockets(const Ports6& ports) {
  return open_udp_sockets(Family::ipv6, ports.server, ports.relay);
}

Descriptor open_frames() {
  Descriptor socket{::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket.is_open()) {
    fail(errno == EPERM ? "cannot open a packet socket: " + it_takes("CAP_NET_RAW") : "cannot open a packet socket");
  }
  enlarge_buffers(socket);
  // Not PACKET_QDISC_BYPASS of packet(7): frames would pass traffic control by, and neither tcpdump nor our own capture
  // would see them.
  return socket;
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
