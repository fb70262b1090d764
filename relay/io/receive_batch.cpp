#include "relay/io/receive_batch.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace relay::io {

ReceiveBatch::ReceiveBatch(std::size_t capacity)
    : storage_(std::make_unique_for_overwrite<std::uint8_t[]>(capacity * slot_size)),
      headers_(capacity),
      vectors_(capacity),
      sources_(capacity),
      controls_(capacity) {
  for (std::size_t position = 0; position < capacity; ++position) {
    const auto room = slot(position).subspan(headroom);
    vectors_[position] = {room.data(), room.size()};
    msghdr& header = headers_[position].msg_hdr;
    header.msg_name = &sources_[position];
    header.msg_iov = &vectors_[position];
    header.msg_iovlen = 1;
    header.msg_control = controls_[position].octets.data();
  }
}

std::size_t ReceiveBatch::receive(int socket) noexcept {
  for (mmsghdr& header : headers_) {
    header.msg_hdr.msg_namelen = sizeof(sockaddr_in);
    header.msg_hdr.msg_controllen = sizeof(PacketInfoControl);
  }
  while (true) {
    const int count =
        ::recvmmsg(socket, headers_.data(), static_cast<unsigned>(headers_.size()), MSG_DONTWAIT, nullptr);
    if (count >= 0) {
      return static_cast<std::size_t>(count);
    }
    if (errno != EINTR && errno != ECONNREFUSED && errno != EHOSTUNREACH && errno != ENETUNREACH) {
      return 0;
    }
  }
}

Received ReceiveBatch::message(std::size_t position) noexcept {
  const mmsghdr& header = headers_[position];
  Received received{{},
                    {slot(position), headroom, std::min<std::size_t>(header.msg_len, slot_size - headroom)},
                    (header.msg_hdr.msg_flags & MSG_TRUNC) != 0};
  received.ingress.source = from_in_addr(sources_[position].sin_addr);
  received.ingress.source_port = ntohs(sources_[position].sin_port);
  for (const cmsghdr* control = CMSG_FIRSTHDR(&header.msg_hdr); control != nullptr;
       control = CMSG_NXTHDR(const_cast<msghdr*>(&header.msg_hdr), const_cast<cmsghdr*>(control))) {
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(control), sizeof(info));
      received.ingress.interface_index = static_cast<std::uint32_t>(info.ipi_ifindex);
      received.ingress.destination = from_in_addr(info.ipi_addr);
    }
  }
  return received;
}

}  // namespace relay::io
