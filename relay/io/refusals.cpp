#include "relay/io/refusals.h"

#include <utility>

namespace relay::io {

Refusals::Refusals(boost::asio::io_context& loop, std::chrono::steady_clock::duration interval)
    : timer_(loop), interval_(interval) {}

void Refusals::await() {
  is_waiting_ = true;
  timer_.expires_after(interval_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) {
      tell_some();
    }
  });
}

/// By turns, so that each prefix is named where others are refused again and again.
void Refusals::tell_some() {
  is_waiting_ = false;
  if (waiting_.empty()) {
    return;
  }
  await();
  for (std::size_t told = 0; told != most_at_a_time && !waiting_.empty(); ++told) {
    const auto after = waiting_.upper_bound(last_told_);
    const auto next = waiting_.extract(after == waiting_.end() ? waiting_.begin() : after);
    last_told_ = next.key();
    next.mapped().tell(next.mapped().count + std::exchange(beyond_, 0));
  }
}

}  // namespace relay::io
