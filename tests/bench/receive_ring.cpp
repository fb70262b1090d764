#include "receive_ring.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "program.h"

namespace bench {

namespace {

constexpr std::size_t slot_size = 512;
constexpr std::size_t slot_count = 1U << 15U;  // 16 MiB, a fifth of a second of the fastest storm
constexpr std::size_t block_size = 1U << 20U;
constexpr std::uint16_t client_port = 68;

/// An unfragmented IPv4 datagram of UDP to the clients' port, behind an Ethernet header.
constexpr std::array<sock_filter, 9> to_clients{{{BPF_LD | BPF_B | BPF_ABS, 0, 0, 23},
                                                 {BPF_JMP | BPF_JEQ | BPF_K, 0, 6, 17},
                                                 {BPF_LD | BPF_H | BPF_ABS, 0, 0, 20},
                                                 {BPF_JMP | BPF_JSET | BPF_K, 4, 0, 0x1fff},
                                                 {BPF_LDX | BPF_B | BPF_MSH, 0, 0, 14},
                                                 {BPF_LD | BPF_H | BPF_IND, 0, 0, 16},
                                                 {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, client_port},
                                                 {BPF_RET | BPF_K, 0, 0, 0xffff},
                                                 {BPF_RET | BPF_K, 0, 0, 0}}};

}  // namespace

ReceiveRing::ReceiveRing(int interface_index) : socket_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
  require(socket_ >= 0, "cannot open a packet socket");
  std::array<sock_filter, to_clients.size()> filter = to_clients;
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  set_option(socket_, SOL_SOCKET, SO_ATTACH_FILTER, program, "cannot attach a filter");
  constexpr int version = TPACKET_V2;
  set_option(socket_, SOL_PACKET, PACKET_VERSION, version, "cannot choose the ring's version");
  const tpacket_req shape{block_size, slot_size * slot_count / block_size, slot_size, slot_count};
  set_option(socket_, SOL_PACKET, PACKET_RX_RING, shape, "cannot make the ring");
  void* const mapped =
      ::mmap(nullptr, slot_size * slot_count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, socket_, 0);
  require(mapped != MAP_FAILED, "cannot map the ring");
  ring_ = static_cast<std::uint8_t*>(mapped);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_IP);
  address.sll_ifindex = interface_index;
  require(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "cannot listen");
}

ReceiveRing::~ReceiveRing() {
  ::munmap(ring_, slot_size * slot_count);
  ::close(socket_);
}

std::optional<Heard> ReceiveRing::next() {
  if (holds_one_) {
    release();
  }
  auto* const header = reinterpret_cast<tpacket2_hdr*>(ring_ + at_ * slot_size);
  if ((std::atomic_ref{header->tp_status}.load(std::memory_order_acquire) & TP_STATUS_USER) == 0) {
    return std::nullopt;
  }
  holds_one_ = true;
  constexpr std::int64_t second = 1'000'000'000;
  return Heard{{ring_ + at_ * slot_size + header->tp_mac, header->tp_snaplen},
               std::int64_t{header->tp_sec} * second + std::int64_t{header->tp_nsec}};
}

void ReceiveRing::release() {
  auto* const header = reinterpret_cast<tpacket2_hdr*>(ring_ + at_ * slot_size);
  std::atomic_ref{header->tp_status}.store(TP_STATUS_KERNEL, std::memory_order_release);
  at_ = (at_ + 1) % slot_count;
  holds_one_ = false;
}

std::uint64_t ReceiveRing::dropped() {
  tpacket_stats seen{};  // of the time since the last call
  socklen_t size = sizeof seen;
  require(::getsockopt(socket_, SOL_PACKET, PACKET_STATISTICS, &seen, &size) == 0, "cannot read what was dropped");
  dropped_ += seen.tp_drops;
  return dropped_;
}

}  // namespace bench
