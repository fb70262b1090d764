// Lines about refusals of one kind, which may come with each message: every prefix is named, and none floods the log.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "relay/core/address.h"

namespace relay::io {

class Refusals {
 public:
  /// Tells of the prefix it was made for, which was refused so many times; owns what it needs.
  using Tell = std::function<void(std::size_t count)>;

  static constexpr std::size_t most_waiting = 1000;
  static constexpr std::size_t most_at_a_time = 10;

  explicit Refusals(boost::asio::io_context& loop,
                    std::chrono::steady_clock::duration interval = std::chrono::seconds{10});

  /// Tells at once where nothing was told within the interval, and else at the end of it or of a later one. `make`
  /// makes a `Tell`, and is not called for a prefix that waits already. What finds no room is counted with another one.
  template <typename Make>
  void add(const Ipv6Prefix& prefix, std::size_t count, const Make& make) {
    if (!is_waiting_) {
      await();
      make()(count);
    } else if (const auto known = waiting_.find(prefix); known != waiting_.end()) {
      known->second.count += count;
    } else if (waiting_.size() < most_waiting) {
      waiting_.emplace(prefix, Waiting{make(), count});
    } else {
      beyond_ += count;
    }
  }

 private:
  struct Waiting {
    Tell tell;
    std::size_t count = 0;
  };

  void await();
  void tell_some();

  boost::asio::steady_timer timer_;
  std::chrono::steady_clock::duration interval_;
  bool is_waiting_ = false;
  std::map<Ipv6Prefix, Waiting> waiting_;
  Ipv6Prefix last_told_;
  std::size_t beyond_ = 0;
};

}  // namespace relay::io
