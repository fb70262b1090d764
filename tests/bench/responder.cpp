// The server of the bench: answers what relays send to UDP port 67, to giaddr, one datagram for each as real servers
// do, and says at its end how much it received and sent.
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
#include <string_view>
#include <vector>

#include "arguments.h"
#include "json_object.h"
#include "program.h"
#include "server_message.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

namespace bench {

namespace {

constexpr std::string_view usage = "responder --address ADDRESS [--segment]\nUntil SIGTERM.";
constexpr std::size_t batch_size = 64;
constexpr std::size_t segments_at_most = 60;  // of one datagram that the kernel cuts
constexpr std::size_t segmented_size = 60'000;

volatile std::sig_atomic_t interrupted = 0;

class Responder {
 public:
  Responder(in_addr address, bool segments)
      : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), server_(ntohl(address.s_addr)), segments_(segments) {
    require(socket_ >= 0, "cannot open a socket");
    constexpr int buffer = 256 * 1024 * 1024;
    require(::setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) == 0, "SO_RCVBUFFORCE");
    require(::setsockopt(socket_, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer) == 0, "SO_SNDBUFFORCE");
    constexpr timeval turn{0, 200'000};  // so that a signal in front of the system call is seen
    require(::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &turn, sizeof turn) == 0, "SO_RCVTIMEO");
    sockaddr_in local{};
    local.sin_family = AF_INET;
    local.sin_port = htons(67);
    local.sin_addr = address;
    require(::bind(socket_, reinterpret_cast<const sockaddr*>(&local), sizeof local) == 0, "cannot have port 67");
    for (std::size_t number = 0; number < batch_size; ++number) {
      pieces_[number] = {messages_[number].data(), messages_[number].size()};
      received_[number].msg_hdr.msg_iov = &pieces_[number];
      received_[number].msg_hdr.msg_iovlen = 1;
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
  void answer_all(std::size_t count) {
    count_received_ += count;
    std::size_t made = 0;
    for (std::size_t number = 0; number < count; ++number) {
      const Answer answered =
          answer(wire::Octets{messages_[number]}.first(received_[number].msg_len), server_, answers_[made]);
      if (answered.size == 0) {
        continue;
      }
      ++(answered.kind == wire::offer ? offers_ : acks_);
      answer_pieces_[made] = {answers_[made].data(), answered.size};
      relays_[made].sin_family = AF_INET;
      relays_[made].sin_port = htons(67);
      relays_[made].sin_addr.s_addr = htonl(answered.relay);
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
      header.msg_namelen = sizeof(sockaddr_in);
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
           relays_[first + length].sin_addr.s_addr == relays_[first].sin_addr.s_addr) {
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

  int socket_;
  std::uint32_t server_;
  bool segments_;
  std::vector<std::array<std::uint8_t, 2048>> messages_{batch_size};
  std::vector<std::array<std::uint8_t, answer_room>> answers_{batch_size};
  std::array<iovec, batch_size> pieces_{};
  std::array<mmsghdr, batch_size> received_{};
  std::array<iovec, batch_size> answer_pieces_{};
  std::array<sockaddr_in, batch_size> relays_{};
  std::array<mmsghdr, batch_size> sent_{};
  alignas(cmsghdr) std::array<Control, batch_size> controls_{};
  std::uint64_t count_received_ = 0;
  std::uint64_t offers_ = 0;
  std::uint64_t acks_ = 0;
  std::uint64_t refused_ = 0;
};

int run(int argc, char** argv) {
  const Arguments arguments(argc, argv, usage, {"address", "segment"});
  in_addr address{};
  if (::inet_pton(AF_INET, arguments.text("address", "").c_str(), &address) != 1) {
    throw std::runtime_error("--address: not an IPv4 address");
  }
  struct sigaction end {};
  end.sa_handler = [](int) { interrupted = 1; };
  ::sigaction(SIGTERM, &end, nullptr);
  ::sigaction(SIGINT, &end, nullptr);
  Responder responder(address, arguments.has("segment"));
  responder.run();
  responder.describe();
  return 0;
}

}  // namespace

}  // namespace bench

int main(int argc, char** argv) {
  return bench::run_program("responder", bench::run, argc, argv);
}
