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

bool ReceiveLosses::Drops::look(int socket) noexcept {
  std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t size = sizeof(info);
  if (::getsockopt(socket, SOL_SOCKET, SO_MEMINFO, info.data(), &size) != 0) {
    return false;
  }
  const std::uint32_t more = info[SK_MEMINFO_DROPS] - seen;
  seen = info[SK_MEMINFO_DROPS];
  total += more;
  return more != 0;
}

ReceiveLosses::Lost ReceiveLosses::more(const Sockets& sockets, Emptied emptied,
                                        std::chrono::nanoseconds now) noexcept {
  if (is_pending_ && now - looked_at_ < delay) {
    return {};
  }
  const Lost result = is_pending_ ? settled(emptied) : Lost{};
  is_pending_ = look(sockets);
  looked_at_ = now;
  return result;
}

/// That of requests last: a request that is lost between two looks counts at both sockets, and is not to be taken for a
/// lost reply because it was seen at that of replies alone, however long this thread is kept from the second look.
bool ReceiveLosses::look(const Sockets& sockets) noexcept {
  const bool upstream = upstream_.look(sockets.upstream.number());
  const bool replies = replies_.look(sockets.replies.number());
  const bool requests = requests_.look(sockets.requests.number());
  return requests || replies || upstream;
}

ReceiveLosses::Lost ReceiveLosses::settled(Emptied emptied) noexcept {
  if (emptied.replies) {
    lost_requests_ = beyond(requests_.total, broadcast_replies_);
  }
  if (emptied.requests) {
    lost_replies_ = beyond(replies_.total, broadcast_requests_ + lost_requests_);
  }
  const Lost result{beyond(lost_requests_, told_.requests), beyond(lost_replies_ + upstream_.total, told_.others)};
  told_.requests += result.requests;
  told_.others += result.others;
  return result;
}

}  // namespace relay::io
