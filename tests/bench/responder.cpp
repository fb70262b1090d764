// The server of the bench: answers what relays send to UDP port 67, or in DHCPv6 547, one datagram for each as real
// servers do, and says at its end how much it received and sent.
#include <arpa/inet.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.h"
#include "json_object.h"
#include "program.h"
#include "server4.h"
#include "server6.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

namespace bench {

namespace {

constexpr std::string_view usage = "responder --address ADDRESS [--segment]\nOf the address's family. Until SIGTERM.";
constexpr std::size_t batch_size = 64;
constexpr std::size_t segments_at_most = 60;  // of one datagram that the kernel cuts
constexpr std::size_t segmented_size = 60'000;

volatile std::sig_atomic_t interrupted = 0;

template <Server Family>
class Responder {
 public:
  Responder(const Family& server, bool segments)
      : server_(server),
        socket_(::socket(reinterpret_cast<const sockaddr&>(server.address()).sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
        segments_(segments) {
    require(socket_ >= 0, "cannot open a socket");
    constexpr int buffer = 256 * 1024 * 1024;
    require(::setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) == 0, "SO_RCVBUFFORCE");
    require(::setsockopt(socket_, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer) == 0, "SO_SNDBUFFORCE");
    constexpr timeval turn{0, 200'000};  // so that a signal in front of the system call is seen
    require(::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &turn, sizeof turn) == 0, "SO_RCVTIMEO");
    const SocketAddress& local = server.address();
    require(::bind(socket_, reinterpret_cast<const sockaddr*>(&local), sizeof local) == 0, "cannot have the port");
    for (std::size_t number = 0; number < batch_size; ++number) {
      pieces_[number] = {messages_[number].data(), messages_[number].size()};
      received_[number].msg_hdr.msg_iov = &pieces_[number];
      received_[number].msg_hdr.msg_iovlen = 1;
      received_[number].msg_hdr.msg_name = &sources_[number];
      received_[number].msg_hdr.msg_namelen = sizeof(SocketAddress);
    }
  }

  void run() {
    while (interrupted == 0) {
      const int count = ::recvmmsg(socket_, received_.data(), batch_size, MSG_WAITFORONE, nullptr);
      if (count > 0) {
        answer_all(static_cast<std::size_t>(count));
      }
    }
  }

  void describe() const {
    std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
    socklen_t size = sizeof memory;
    require(::getsockopt(socket_, SOL_SOCKET, SO_MEMINFO, memory.data(), &size) == 0, "SO_MEMINFO");
    JsonObject said;
    said.add("received", count_received_);
    said.add("offers", offers_);
    said.add("acks", acks_);
    said.add("refused", refused_);
    said.add("dropped", memory[SK_MEMINFO_DROPS]);
    said.print();
  }

 private:
  using SocketAddress = typename Family::SocketAddress;

  void answer_all(std::size_t count) {
    count_received_ += count;
    std::size_t made = 0;
    for (std::size_t number = 0; number < count; ++number) {
      const Answer<SocketAddress> answered = server_.answer(
          wire::Octets{messages_[number]}.first(received_[number].msg_len), sources_[number], answers_[made]);
      if (answered.size == 0) {
        continue;
      }
      ++(answered.is_offer ? offers_ : acks_);
      answer_pieces_[made] = {answers_[made].data(), answered.size};
      relays_[made] = answered.to;
      ++made;
    }
    send(made);
  }

  void send(std::size_t count) {
    std::size_t datagrams = 0;
    for (std::size_t at = 0; at < count; ++datagrams) {
      const std::size_t size = segments_ ? run_at(at, count) : 1;
      msghdr& header = sent_[datagrams].msg_hdr;
      header = {};
      header.msg_name = &relays_[at];
      header.msg_namelen = sizeof(SocketAddress);
      header.msg_iov = &answer_pieces_[at];
      header.msg_iovlen = size;
      if (size > 1) {
        cut_into(header, static_cast<std::uint16_t>(answer_pieces_[at].iov_len), controls_[datagrams]);
      }
      at += size;
    }
    std::size_t at = 0;
    while (at < datagrams) {
      const int taken = ::sendmmsg(socket_, &sent_[at], static_cast<unsigned>(datagrams - at), 0);
      if (taken > 0) {
        at += static_cast<std::size_t>(taken);
      } else if (errno != EINTR) {
        ++refused_;
        ++at;
      }
    }
  }

  /// How many from there on have one size and one relay.
  [[nodiscard]] std::size_t run_at(std::size_t first, std::size_t count) const {
    const std::size_t size = answer_pieces_[first].iov_len;
    const std::size_t most = std::min({count - first, segments_at_most, segmented_size / size});
    std::size_t length = 1;
    while (length < most && answer_pieces_[first + length].iov_len == size &&
           std::memcmp(&relays_[first + length], &relays_[first], sizeof(SocketAddress)) == 0) {
      ++length;
    }
    return length;
  }

  using Control = std::array<char, CMSG_SPACE(sizeof(std::uint16_t))>;

  static void cut_into(msghdr& header, std::uint16_t size, Control& control) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* const part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = IPPROTO_UDP;
    part->cmsg_type = UDP_SEGMENT;
    part->cmsg_len = CMSG_LEN(sizeof size);
    std::memcpy(CMSG_DATA(part), &size, sizeof size);
  }

  Family server_;
  int socket_;
  bool segments_;
  std::vector<std::array<std::uint8_t, 2048>> messages_{batch_size};
  std::vector<std::array<std::uint8_t, answer_room>> answers_{batch_size};
  std::array<iovec, batch_size> pieces_{};
  std::array<SocketAddress, batch_size> sources_{};
  std::array<mmsghdr, batch_size> received_{};
  std::array<iovec, batch_size> answer_pieces_{};
  std::array<SocketAddress, batch_size> relays_{};
  std::array<mmsghdr, batch_size> sent_{};
  alignas(cmsghdr) std::array<Control, batch_size> controls_{};
  std::uint64_t count_received_ = 0;
  std::uint64_t offers_ = 0;
  std::uint64_t acks_ = 0;
  std::uint64_t refused_ = 0;
};

template <Server Family>
void respond(const Family& server, bool segments) {
  Responder responder(server, segments);
  responder.run();
  responder.describe();
}

int run(int argc, char** argv) {
  const Arguments arguments(argc, argv, usage, {"address", "segment"});
  struct sigaction end {};
  end.sa_handler = [](int) { interrupted = 1; };
  ::sigaction(SIGTERM, &end, nullptr);
  ::sigaction(SIGINT, &end, nullptr);
  const std::string text = arguments.text("address", "");
  in_addr address4{};
  in6_addr address6{};
  if (::inet_pton(AF_INET, text.c_str(), &address4) == 1) {
    respond(Server4{address4}, arguments.has("segment"));
  } else if (::inet_pton(AF_INET6, text.c_str(), &address6) == 1) {
    respond(Server6{address6}, arguments.has("segment"));
  } else {
    throw std::runtime_error("--address: not an address");
  }
  return 0;
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) {
  return bench::run_program("responder", bench::run, argc, argv);
}
