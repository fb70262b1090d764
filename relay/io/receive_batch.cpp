#include "relay/io/receive_batch.h"

#include <netinet/udp.h>

#include <cerrno>
#include <cstring>

namespace relay::io {

namespace {

template <typename Value>
[[nodiscard]] Value value_of(const cmsghdr& control) noexcept {
  Value value{};
  std::memcpy(&value, CMSG_DATA(&control), sizeof(value));
  return value;
}

}  // namespace

ReceiveBatch::ReceiveBatch(std::size_t capacity)
    : storage_(std::make_unique_for_overwrite<std::uint8_t[]>(capacity * slot_size)),
      headers_(capacity),
      vectors_(capacity),
      sources_(capacity),
      controls_(capacity),
      used_(capacity) {
  for (std::size_t position = 0; position < capacity; ++position) {
    vectors_[position] = {storage_.get() + position * slot_size, slot_size};
    msghdr& header = headers_[position].msg_hdr;
    header.msg_name = &sources_[position];
    header.msg_iov = &vectors_[position];
    header.msg_iovlen = 1;
    header.msg_control = controls_[position].octets.data();
  }
}

std::size_t ReceiveBatch::receive(int socket) noexcept {
  for (mmsghdr& header : std::span{headers_}.first(used_)) {
    header.msg_hdr.msg_namelen = sizeof(sockaddr_in);
    header.msg_hdr.msg_controllen = sizeof(Control);
  }
  used_ = 0;
  while (true) {
    const int count =
        ::recvmmsg(socket, headers_.data(), static_cast<unsigned>(headers_.size()), MSG_DONTWAIT, nullptr);
    if (count >= 0) {
      used_ = static_cast<std::size_t>(count);
      return used_;
    }
    if (errno != EINTR && errno != ECONNREFUSED && errno != EHOSTUNREACH && errno != ENETUNREACH) {
      return 0;
    }
  }
}

Received ReceiveBatch::received(std::size_t position) noexcept {
  const mmsghdr& header = headers_[position];
  Received received;
  received.room = {storage_.get() + position * slot_size, slot_size};
  received.octets = received.room.first(std::min<std::size_t>(header.msg_len, slot_size));
  received.is_truncated = (header.msg_hdr.msg_flags & MSG_TRUNC) != 0;
  received.ingress.source = from_in_addr(sources_[position].sin_addr);
  received.ingress.source_port = ntohs(sources_[position].sin_port);
  for (const cmsghdr* control = CMSG_FIRSTHDR(&header.msg_hdr); control != nullptr;
       control = CMSG_NXTHDR(const_cast<msghdr*>(&header.msg_hdr), const_cast<cmsghdr*>(control))) {
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      const auto info = value_of<in_pktinfo>(*control);
      received.ingress.interface_index = static_cast<std::uint32_t>(info.ipi_ifindex);
      received.ingress.destination = from_in_addr(info.ipi_addr);
    } else if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO) {
      received.message_size = static_cast<std::size_t>(std::max(value_of<int>(*control), 0));
    }
  }
  return received;
}

}  // namespace relay::io
