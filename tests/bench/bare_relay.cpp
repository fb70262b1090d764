// The floor: what forwarding costs on the sockets that the relay uses, without a rule of DHCP. giaddr is poked in, one
// option 82 appended, runs leave by UDP_SEGMENT; answers lose it and leave as frames. Knows one interface and one
// server, trusts everybody, and is for the bench alone. With --pause-us it waits after each turn that found work, takes
// merged answers (UDP_GRO) and goes past the queueing discipline.
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "arguments.h"
#include "json_object.h"
#include "program.h"
#include "wire.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace bench {

namespace {

constexpr std::string_view usage = "bare_relay --interface NAME --server ADDRESS [--pause-us N]\nUntil SIGTERM.";
constexpr std::size_t batch_size = 64;
constexpr std::size_t segments_at_most = 60;
constexpr std::size_t merged_size = 65536;
constexpr std::array<std::uint8_t, 7> fixed_option{wire::agent_information, 4, 1, 2, 'd', '1', wire::end};

volatile std::sig_atomic_t interrupted = 0;

[[nodiscard]] int open_socket(int family, int type) {
  const int socket = ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  require(socket >= 0, "cannot open a socket");
  constexpr int buffer = 64 * 1024 * 1024;
  set_option(socket, SOL_SOCKET, SO_SNDBUFFORCE, buffer, "SO_SNDBUFFORCE");
  constexpr int received = 8 * 1024 * 1024;
  set_option(socket, SOL_SOCKET, SO_RCVBUFFORCE, received, "SO_RCVBUFFORCE");
  return socket;
}

/// One of two sockets on port 67: the kernel gives broadcasts to the one whose filter takes them, unicasts by the
/// group's program to the second for answers, the first for all else.
[[nodiscard]] int open_half(std::uint32_t op) {
  const int socket = open_socket(AF_INET, SOCK_DGRAM);
  constexpr int on = 1;
  set_option(socket, IPPROTO_IP, IP_PKTINFO, on, "IP_PKTINFO");
  std::array<sock_filter, 4> own_op{{{BPF_LD | BPF_B | BPF_ABS, 0, 0, 8},
                                     {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, op},
                                     {BPF_RET | BPF_K, 0, 0, 0xffffffff},
                                     {BPF_RET | BPF_K, 0, 0, 0}}};
  set_option(socket, SOL_SOCKET, SO_ATTACH_FILTER, sock_fprog{own_op.size(), own_op.data()}, "SO_ATTACH_FILTER");
  set_option(socket, SOL_SOCKET, SO_REUSEPORT, on, "SO_REUSEPORT");
  if (op == wire::boot_request) {
    std::array<sock_filter, 4> by_op{{{BPF_LD | BPF_B | BPF_ABS, 0, 0, 0},
                                      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, wire::boot_reply},
                                      {BPF_RET | BPF_K, 0, 0, 1},
                                      {BPF_RET | BPF_K, 0, 0, 0}}};
    set_option(socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, sock_fprog{by_op.size(), by_op.data()}, "reuseport");
  }
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_port = htons(67);
  require(::bind(socket, reinterpret_cast<const sockaddr*>(&local), sizeof local) == 0, "cannot have port 67");
  return socket;
}

struct Downstream {
  int index;
  std::array<std::uint8_t, 6> mac;
  in_addr address;
};

[[nodiscard]] Downstream look_up(const std::string& name) {
  const int socket = open_socket(AF_INET, SOCK_DGRAM);
  ifreq asked{};
  name.copy(asked.ifr_name, IFNAMSIZ - 1);
  Downstream found{};
  require(::ioctl(socket, SIOCGIFINDEX, &asked) == 0, "no such interface");
  found.index = asked.ifr_ifindex;
  require(::ioctl(socket, SIOCGIFHWADDR, &asked) == 0, "SIOCGIFHWADDR");
  std::memcpy(found.mac.data(), asked.ifr_hwaddr.sa_data, found.mac.size());
  require(::ioctl(socket, SIOCGIFADDR, &asked) == 0, "SIOCGIFADDR");
  sockaddr_in address{};
  std::memcpy(&address, &asked.ifr_addr, sizeof address);
  found.address = address.sin_addr;
  ::close(socket);
  return found;
}

/// Messages of one recvmmsg, and their control messages.
struct Batch {
  explicit Batch(std::size_t room) : messages(batch_size, std::vector<std::uint8_t>(room)) {
    for (std::size_t number = 0; number < batch_size; ++number) {
      pieces[number] = {messages[number].data(), room};
      headers[number].msg_hdr.msg_iov = &pieces[number];
      headers[number].msg_hdr.msg_iovlen = 1;
    }
  }

  [[nodiscard]] std::size_t receive(int socket) {
    for (std::size_t number = 0; number < batch_size; ++number) {
      headers[number].msg_hdr.msg_control = controls[number].data();
      headers[number].msg_hdr.msg_controllen = controls[number].size();
    }
    const int count = ::recvmmsg(socket, headers.data(), batch_size, MSG_DONTWAIT, nullptr);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }

  [[nodiscard]] wire::Octets message(std::size_t number) {
    return wire::Octets{messages[number]}.first(headers[number].msg_len);
  }

  /// The size of what was merged into one, or the whole's.
  [[nodiscard]] std::size_t segment_size(std::size_t number) {
    msghdr& header = headers[number].msg_hdr;
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
      if (part->cmsg_level == IPPROTO_UDP && part->cmsg_type == UDP_GRO) {
        int size = 0;
        std::memcpy(&size, CMSG_DATA(part), sizeof size);
        return static_cast<std::size_t>(size);
      }
    }
    return headers[number].msg_len;
  }

  std::vector<std::vector<std::uint8_t>> messages;
  std::array<iovec, batch_size> pieces{};
  std::array<mmsghdr, batch_size> headers{};
  alignas(cmsghdr) std::array<std::array<char, 128>, batch_size> controls{};
};

/// All of them, past those that the kernel does not take.
void send_all(int socket, mmsghdr* headers, std::size_t count, std::uint64_t& refused) {
  std::size_t at = 0;
  while (at < count) {
    const int taken = ::sendmmsg(socket, headers + at, static_cast<unsigned>(count - at), 0);
    if (taken > 0) {
      at += static_cast<std::size_t>(taken);
    } else if (errno != EINTR) {
      ++refused;
      ++at;
    }
  }
}

class BareRelay {
 public:
  BareRelay(const Downstream& downstream, in_addr server, long pause_us)
      : downstream_(downstream),
        pause_{0, pause_us * 1000},
        requests_(open_half(wire::boot_request)),
        replies_(open_half(wire::boot_reply)),
        frames_(open_socket(AF_PACKET, SOCK_RAW)),
        request_batch_(2048),
        reply_batch_(pause_us > 0 ? merged_size : 2048) {
    server_.sin_family = AF_INET;
    server_.sin_port = htons(67);
    server_.sin_addr = server;
    if (pause_us > 0) {
      constexpr int on = 1;
      set_option(replies_, IPPROTO_UDP, UDP_GRO, on, "UDP_GRO");
      set_option(frames_, SOL_PACKET, PACKET_QDISC_BYPASS, on, "PACKET_QDISC_BYPASS");
    }
    for (std::size_t number = 0; number < batch_size; ++number) {
      link_addresses_[number].sll_family = AF_PACKET;
      link_addresses_[number].sll_ifindex = downstream.index;
      link_addresses_[number].sll_halen = 6;
      prepare_headers(number);
    }
  }

  void run() {
    std::array<pollfd, 2> readable{{{requests_, POLLIN, 0}, {replies_, POLLIN, 0}}};
    while (interrupted == 0) {
      if (::poll(readable.data(), readable.size(), 200) <= 0) {
        continue;
      }
      ++wake_ups_;
      while (serve_replies() == batch_size) {
      }
      (void)serve_requests();
      if (pause_.tv_nsec > 0) {
        ::nanosleep(&pause_, nullptr);
      }
    }
  }

  void describe() const {
    JsonObject said;
    said.add("requests", relayed_requests_);
    said.add("replies", relayed_replies_);
    said.add("refused", refused_);
    said.add("wake_ups", wake_ups_);
    said.print();
  }

 private:
  /// What all frames to clients have in common.
  void prepare_headers(std::size_t number) {
    const wire::Octets headers{headers_[number]};
    std::ranges::copy(downstream_.mac, headers.subspan(6).begin());
    wire::put16(headers, 12, 0x0800);
    const wire::Octets ipv4 = headers.subspan(wire::ethernet_size);
    ipv4[0] = 0x45;
    ipv4[8] = 64;
    ipv4[9] = 17;
    wire::put32(ipv4, 12, ntohl(downstream_.address.s_addr));
    wire::put16(ipv4, 20, 67);
    wire::put16(ipv4, 22, 68);
  }

  std::size_t serve_requests() {
    const std::size_t count = request_batch_.receive(requests_);
    std::size_t ready = 0;
    for (std::size_t number = 0; number < count; ++number) {
      const wire::Octets message = request_batch_.message(number);
      const auto end = message.size() > wire::options ? wire::find_option(message, wire::end) : std::nullopt;
      if (end) {
        std::memcpy(&message[wire::giaddr], &downstream_.address, sizeof(in_addr));
        const std::size_t rest = message.size() - std::min(message.size(), *end + fixed_option.size());
        std::memcpy(tails_[ready].data(), fixed_option.data(), fixed_option.size());
        std::memset(tails_[ready].data() + fixed_option.size(), 0,
                    std::min(rest, tails_[ready].size() - fixed_option.size()));
        outgoing_pieces_[2 * ready] = {message.data(), *end};
        outgoing_pieces_[2 * ready + 1] = {
            tails_[ready].data(), fixed_option.size() + std::min(rest, tails_[ready].size() - fixed_option.size())};
        ++ready;
      }
    }
    send_to_server(ready);
    relayed_requests_ += ready;
    return count;
  }

  [[nodiscard]] std::size_t outgoing_size(std::size_t number) const {
    return outgoing_pieces_[2 * number].iov_len + outgoing_pieces_[2 * number + 1].iov_len;
  }

  void send_to_server(std::size_t count) {
    std::size_t datagrams = 0;
    for (std::size_t at = 0; at < count; ++datagrams) {
      const std::size_t size = outgoing_size(at);
      std::size_t length = 1;
      while (at + length < count && length < segments_at_most && outgoing_size(at + length) == size) {
        ++length;
      }
      msghdr& header = outgoing_[datagrams].msg_hdr;
      header = {};
      header.msg_name = &server_;
      header.msg_namelen = sizeof server_;
      header.msg_iov = &outgoing_pieces_[2 * at];
      header.msg_iovlen = 2 * length;
      add_control(header, outgoing_controls_[datagrams], static_cast<std::uint16_t>(size));
      at += length;
    }
    send_all(requests_, outgoing_.data(), datagrams, refused_);
  }

  using Control = std::array<char, CMSG_SPACE(sizeof(std::uint16_t)) + CMSG_SPACE(sizeof(in_pktinfo))>;

  /// From giaddr, cut into messages of this size.
  void add_control(msghdr& header, Control& control, std::uint16_t size) const {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = IPPROTO_UDP;
    part->cmsg_type = UDP_SEGMENT;
    part->cmsg_len = CMSG_LEN(sizeof size);
    std::memcpy(CMSG_DATA(part), &size, sizeof size);
    part = CMSG_NXTHDR(&header, part);
    part->cmsg_level = IPPROTO_IP;
    part->cmsg_type = IP_PKTINFO;
    in_pktinfo source{};
    source.ipi_spec_dst = downstream_.address;
    part->cmsg_len = CMSG_LEN(sizeof source);
    std::memcpy(CMSG_DATA(part), &source, sizeof source);
  }

  std::size_t serve_replies() {
    const std::size_t count = reply_batch_.receive(replies_);
    std::size_t ready = 0;
    for (std::size_t number = 0; number < count; ++number) {
      const wire::Octets all = reply_batch_.message(number);
      const std::size_t size = std::max<std::size_t>(reply_batch_.segment_size(number), 1);
      for (std::size_t at = 0; at < all.size(); at += size) {
        const wire::Octets message = all.subspan(at, std::min(size, all.size() - at));
        if (message.size() >= wire::least_message) {
          make_frame(ready++, message);
        }
        if (ready == batch_size) {
          send_frames(ready);
          ready = 0;
        }
      }
    }
    send_frames(ready);
    return count;
  }

  /// Option 82 is the last one, as the server of the bench has it: END takes its place.
  void make_frame(std::size_t number, wire::Octets message) {
    std::size_t size = message.size();
    if (const auto at = wire::find_option(message, wire::agent_information)) {
      message[*at] = wire::end;
      std::ranges::fill(message.subspan(*at + 1), wire::pad);
      size = std::max(*at + 1, wire::least_message);
    }
    const wire::Octets headers{headers_[number]};
    std::memcpy(headers.data(), &message[wire::chaddr], 6);
    std::memcpy(link_addresses_[number].sll_addr, &message[wire::chaddr], 6);
    const wire::Octets ipv4 = headers.subspan(wire::ethernet_size);
    wire::put16(ipv4, 2, static_cast<std::uint32_t>(wire::ipv4_size + wire::udp_size + size));
    std::memcpy(&ipv4[16], &message[wire::yiaddr], 4);
    wire::put16(ipv4, 10, 0);
    wire::store(ipv4, 10, wire::folded(wire::sum(ipv4.first(wire::ipv4_size))));
    const wire::Octets udp = ipv4.subspan(wire::ipv4_size);
    wire::put16(udp, 4, static_cast<std::uint32_t>(wire::udp_size + size));
    wire::put16(udp, 6, 0);
    const std::array<std::uint8_t, 4> rest{0, 17, udp[4], udp[5]};
    const std::uint16_t checksum =
        wire::folded(wire::sum(message.first(size), wire::sum(udp, wire::sum(rest, wire::sum(ipv4.subspan(12, 8))))));
    wire::store(udp, 6, checksum == 0 ? 0xffff : checksum);
    frame_pieces_[2 * number] = {headers.data(), headers.size()};
    frame_pieces_[2 * number + 1] = {message.data(), size};
  }

  void send_frames(std::size_t count) {
    for (std::size_t number = 0; number < count; ++number) {
      msghdr& header = frame_headers_[number].msg_hdr;
      header.msg_name = &link_addresses_[number];
      header.msg_namelen = sizeof(sockaddr_ll);
      header.msg_iov = &frame_pieces_[2 * number];
      header.msg_iovlen = 2;
    }
    send_all(frames_, frame_headers_.data(), count, refused_);
    relayed_replies_ += count;
  }

  Downstream downstream_;
  sockaddr_in server_{};
  timespec pause_;
  int requests_;
  int replies_;
  int frames_;
  Batch request_batch_;
  Batch reply_batch_;
  std::array<std::array<std::uint8_t, 512>, batch_size> tails_{};
  std::array<iovec, 2 * batch_size> outgoing_pieces_{};
  std::array<mmsghdr, batch_size> outgoing_{};
  alignas(cmsghdr) std::array<Control, batch_size> outgoing_controls_{};
  std::array<std::array<std::uint8_t, wire::headers_size>, batch_size> headers_{};
  std::array<sockaddr_ll, batch_size> link_addresses_{};
  std::array<iovec, 2 * batch_size> frame_pieces_{};
  std::array<mmsghdr, batch_size> frame_headers_{};
  std::uint64_t relayed_requests_ = 0;
  std::uint64_t relayed_replies_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t wake_ups_ = 0;
};

int run(int argc, char** argv) {
  const Arguments arguments(argc, argv, usage, {"interface", "server", "pause-us"});
  in_addr server{};
  if (::inet_pton(AF_INET, arguments.text("server", "").c_str(), &server) != 1) {
    throw std::runtime_error("--server: not an IPv4 address");
  }
  struct sigaction end {};
  end.sa_handler = [](int) { interrupted = 1; };
  ::sigaction(SIGTERM, &end, nullptr);
  ::sigaction(SIGINT, &end, nullptr);
  ::prctl(PR_SET_TIMERSLACK, 1UL);
  BareRelay relay(look_up(arguments.text("interface", "")), server, static_cast<long>(arguments.number("pause-us", 0)));
  relay.run();
  relay.describe();
  return 0;
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) {
  return bench::run_program("bare_relay", bench::run, argc, argv);
}
