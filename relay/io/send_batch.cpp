#include "relay/io/send_batch.h"

#include <net/ethernet.h>

#include <algorithm>
#include <cassert>
#include <cstring>

namespace relay::io {

namespace {

[[nodiscard]] sockaddr_ll link_address(const Interface& interface, std::span<const std::uint8_t> frame) noexcept {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETHERTYPE_IP);
  address.sll_ifindex = static_cast<int>(interface.index);
  address.sll_halen = ETH_ALEN;
  std::copy_n(frame.begin(), ETH_ALEN, std::begin(address.sll_addr));
  return address;
}

}  // namespace

DatagramBatch::DatagramBatch(std::size_t capacity)
    : sendings_(capacity), headers_(capacity), vectors_(capacity), destinations_(capacity), controls_(capacity) {
  for (std::size_t position = 0; position < capacity; ++position) {
    msghdr& header = headers_[position].msg_hdr;
    header.msg_name = &destinations_[position];
    header.msg_namelen = sizeof(sockaddr_in);
    header.msg_iov = &vectors_[position];
    header.msg_iovlen = 1;
    header.msg_control = controls_[position].octets.data();
    header.msg_controllen = sizeof(PacketInfoControl);
    cmsghdr* control = CMSG_FIRSTHDR(&header);
    assert(control != nullptr);
    control->cmsg_level = IPPROTO_IP;
    control->cmsg_type = IP_PKTINFO;
    control->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
  }
}

void DatagramBatch::add(const Sending& sending, std::span<const std::uint8_t> payload, Ipv4Address source,
                        std::uint16_t port, std::uint32_t interface_index) noexcept {
  assert(!is_full());
  sendings_[count_] = sending;
  vectors_[count_] = {const_cast<std::uint8_t*>(payload.data()), payload.size()};
  sockaddr_in& destination = destinations_[count_];
  destination.sin_family = AF_INET;
  destination.sin_port = htons(port);
  destination.sin_addr = to_in_addr(sending.destination);
  in_pktinfo info{};
  info.ipi_ifindex = static_cast<int>(interface_index);
  info.ipi_spec_dst = to_in_addr(source);
  cmsghdr* control = CMSG_FIRSTHDR(&headers_[count_].msg_hdr);
  assert(control != nullptr);
  std::memcpy(CMSG_DATA(control), &info, sizeof(info));
  ++count_;
}

FrameBatch::FrameBatch(std::size_t capacity)
    : sendings_(capacity), headers_(capacity), vectors_(capacity), destinations_(capacity) {
  for (std::size_t position = 0; position < capacity; ++position) {
    msghdr& header = headers_[position].msg_hdr;
    header.msg_name = &destinations_[position];
    header.msg_namelen = sizeof(sockaddr_ll);
    header.msg_iov = &vectors_[position];
    header.msg_iovlen = 1;
  }
}

void FrameBatch::add(const Sending& sending, std::span<const std::uint8_t> frame) noexcept {
  assert(!is_full() && frame.size() >= frame_headers_size);
  sendings_[count_] = sending;
  vectors_[count_] = {const_cast<std::uint8_t*>(frame.data()), frame.size()};
  destinations_[count_] = link_address(*sending.interface, frame);
  ++count_;
}

int send_fragments(int socket, const Interface& interface, const FrameAddresses& addresses,
                   std::span<const std::uint8_t> datagram) noexcept {
  const std::size_t size = fragment_size(interface.mtu);
  for (std::size_t offset = 0; offset < datagram.size(); offset += size) {
    const auto part = datagram.subspan(offset, std::min(size, datagram.size() - offset));
    auto headers = link_and_ip_headers(addresses, part.size(), offset, offset + part.size() < datagram.size());
    sockaddr_ll destination = link_address(interface, headers);
    std::array<iovec, 2> vectors{
        {{headers.data(), headers.size()}, {const_cast<std::uint8_t*>(part.data()), part.size()}}};
    msghdr header{};
    header.msg_name = &destination;
    header.msg_namelen = sizeof(destination);
    header.msg_iov = vectors.data();
    header.msg_iovlen = vectors.size();
    ssize_t sent = 0;
    do {
      sent = ::sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
      return errno;
    }
  }
  return 0;
}

}  // namespace relay::io
