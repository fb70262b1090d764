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

void take_source(Ingress& ingress, const sockaddr_in& source) noexcept {
  ingress.source = from_in_addr(source.sin_addr);
  ingress.source_port = ntohs(source.sin_port);
}
void take_source(Ingress6& ingress, const sockaddr_in6& source) noexcept {
  ingress.source = from_in_addr(source.sin6_addr);
  ingress.source_port = ntohs(source.sin6_port);
}

void take_packet_info(Ingress& ingress, const in_pktinfo& info) noexcept {
  ingress.interface_index = static_cast<std::uint32_t>(info.ipi_ifindex);
  ingress.destination = from_in_addr(info.ipi_addr);
}
void take_packet_info(Ingress6& ingress, const in6_pktinfo& info) noexcept {
  ingress.interface_index = info.ipi6_ifindex;
  ingress.destination = from_in_addr(info.ipi6_addr);
}

}  // namespace

template <typename Protocol>
ReceiveBatchOf<Protocol>::ReceiveBatchOf(std::size_t capacity)
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

template <typename Protocol>
std::size_t ReceiveBatchOf<Protocol>::receive(int socket) noexcept {
  for (mmsghdr& header : std::span{headers_}.first(used_)) {
    header.msg_hdr.msg_namelen = sizeof(typename Form::SocketAddress);
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

template <typename Protocol>
ReceivedOf<Protocol> ReceiveBatchOf<Protocol>::received(std::size_t position) noexcept {
  const mmsghdr& header = headers_[position];
  ReceivedOf<Protocol> received;
  received.room = {storage_.get() + position * slot_size, slot_size};
  received.octets = received.room.first(std::min<std::size_t>(header.msg_len, slot_size));
  received.is_truncated = (header.msg_hdr.msg_flags & MSG_TRUNC) != 0;
  take_source(received.ingress, sources_[position]);
  for (const cmsghdr* control = CMSG_FIRSTHDR(&header.msg_hdr); control != nullptr;
       control = CMSG_NXTHDR(const_cast<msghdr*>(&header.msg_hdr), const_cast<cmsghdr*>(control))) {
    if (control->cmsg_level == Form::level && control->cmsg_type == Form::packet_info) {
      take_packet_info(received.ingress, value_of<typename Form::PacketInfo>(*control));
    } else if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO) {
      received.message_size = static_cast<std::size_t>(std::max(value_of<int>(*control), 0));
    }
  }
  return received;
}

template class ReceiveBatchOf<Dhcpv4>;
template class ReceiveBatchOf<Dhcpv6>;

}  // namespace relay::io
