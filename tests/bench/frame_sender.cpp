#include "frame_sender.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace bench {

FrameSender::FrameSender() : socket_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)), rooms_(batch_size) {
  if (socket_ < 0) {
    throw std::system_error(errno, std::generic_category(), "cannot open a packet socket");
  }
  for (std::size_t number = 0; number < batch_size; ++number) {
    addresses_[number].sll_family = AF_PACKET;
    pieces_[number].iov_base = rooms_[number].data();
    headers_[number].msg_hdr.msg_iov = &pieces_[number];
    headers_[number].msg_hdr.msg_iovlen = 1;
    headers_[number].msg_hdr.msg_name = &addresses_[number];
    headers_[number].msg_hdr.msg_namelen = sizeof(sockaddr_ll);
  }
}

FrameSender::~FrameSender() {
  ::close(socket_);
}

wire::Octets FrameSender::room() {
  return rooms_[count_];
}

void FrameSender::add(std::size_t size, int interface_index) {
  pieces_[count_].iov_len = size;
  addresses_[count_].sll_ifindex = interface_index;
  ++count_;
}

void FrameSender::flush() {
  std::size_t at = 0;
  while (at < count_) {
    const int taken = ::sendmmsg(socket_, &headers_[at], static_cast<unsigned>(count_ - at), 0);
    if (taken > 0) {
      at += static_cast<std::size_t>(taken);
    } else if (errno != EINTR) {
      last_error_ = errno;
      ++refused_;
      ++at;
    }
  }
  count_ = 0;
}

}  // namespace bench
