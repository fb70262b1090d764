#include "relay/io/receive_losses.h"

#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <array>

namespace relay::io {

namespace {

[[nodiscard]] std::uint64_t beyond(std::uint64_t count, std::uint64_t known) noexcept {
  return count > known ? count - known : 0;
}

}  // namespace

void ReceiveLosses::Drops::look(int socket) noexcept {
  std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t size = sizeof(info);
  if (::getsockopt(socket, SOL_SOCKET, SO_MEMINFO, info.data(), &size) == 0) {
    total += info[SK_MEMINFO_DROPS] - seen;
    seen = info[SK_MEMINFO_DROPS];
  }
}

std::uint64_t ReceiveLosses::more(const Sockets& sockets, std::chrono::nanoseconds now) noexcept {
  if (!is_pending_) {
    requests_.look(sockets.requests.number());
    replies_.look(sockets.replies.number());
    upstream_.look(sockets.upstream.number());
    looked_at_ = now;
    is_pending_ = true;
    return 0;
  }
  if (now - looked_at_ < delay) {
    return 0;
  }
  is_pending_ = false;
  const std::uint64_t requests = beyond(requests_.total, broadcast_replies_);
  const std::uint64_t replies = beyond(replies_.total, broadcast_requests_ + requests);
  const std::uint64_t result = beyond(requests + replies + upstream_.total, told_);
  told_ += result;
  return result;
}

}  // namespace relay::io
