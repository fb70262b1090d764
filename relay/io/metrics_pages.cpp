#include "relay/io/metrics_pages.h"

#include <utility>

namespace relay::io {

MetricsPages::MetricsPages(std::function<std::string()> make, Now now) : make_(std::move(make)), now_(std::move(now)) {}

MetricsPages::Page MetricsPages::find(Time asked_at) {
  std::erase_if(held_, [](const std::weak_ptr<const std::string>& page) { return page.expired(); });
  if (latest_ && (begun_at_ >= asked_at || held_.size() >= most_held)) {
    return latest_;
  }
  const Time begun_at = now_();
  if (begun_at < rested_at_) {
    return nullptr;
  }
  rested_at_ = begun_at + rest_after_failure;
  latest_ = std::make_shared<const std::string>(make_());
  begun_at_ = begun_at;
  held_.emplace_back(latest_);
  const Time ended_at = now_();
  rested_at_ = ended_at + rest * (ended_at - begun_at);
  return latest_;
}

}  // namespace relay::io
