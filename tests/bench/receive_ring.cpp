#include "receive_ring.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <vector>

#include "program.h"

namespace bench {

namespace {

constexpr std::size_t slot_size = 512;
constexpr std::size_t slot_count = 1U << 15U;  // 16 MiB, a fifth of a second of the fastest storm
constexpr std::size_t block_size = 1U << 20U;
/// Of the sender's address, within a slot.
constexpr std::size_t address_offset =
    (sizeof(tpacket2_hdr) + TPACKET_ALIGNMENT - 1) / TPACKET_ALIGNMENT * TPACKET_ALIGNMENT;

}  // namespace

ReceiveRing::ReceiveRing(int interface_index, const Hearing& hearing)
    : socket_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
  require(socket_ >= 0, "cannot open a packet socket");
  std::vector<sock_filter> filter{hearing.filter.begin(), hearing.filter.end()};
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
  address.sll_protocol = htons(hearing.protocol);
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
  const std::uint8_t* const slot = ring_ + at_ * slot_size;
  const auto* const address = reinterpret_cast<const sockaddr_ll*>(slot + address_offset);
  return Heard{{slot + header->tp_mac, header->tp_snaplen},
               std::int64_t{header->tp_sec} * second + std::int64_t{header->tp_nsec},
               address->sll_ifindex};
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
