#include "relay/io/request_shedding.h"

namespace relay::io {

namespace {

constexpr std::chrono::milliseconds interval{20};

}  // namespace

void RequestShedding::adjust(bool keeps_all, std::chrono::nanoseconds now) noexcept {
  if (keeps_all) {
    is_due_ = shedding_.lift() || is_due_;
  } else if (!shedding_.has_flows()) {
    adjusted_ = now;
  } else if (now - adjusted_ >= interval) {
    adjusted_ = now;
    is_due_ = shedding_.adjust() || is_due_;
  }
  if (is_due_) {
    is_due_ = accept_requests(socket_, family_, shedding_.shares()) != 0;
  }
}

}  // namespace relay::io
