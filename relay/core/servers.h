// The servers that requests go to: what each was sent and answered, how fast, and whether it answers at all. Found by
// address per message, however many there are.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "relay/core/address.h"
#include "relay/core/counters.h"
#include "relay/core/events.h"
#include "relay/core/flat_map.h"
#include "relay/core/liveness.h"

namespace relay {

/// Times in a histogram; written by one thread and readable from any.
class ResponseHistogram {
 public:
  /// The upper ends of the buckets, included. What took longer is behind the last.
  static constexpr std::array<std::chrono::microseconds, 14> bounds{
      {std::chrono::microseconds{500}, std::chrono::milliseconds{1}, std::chrono::milliseconds{2},
       std::chrono::milliseconds{5}, std::chrono::milliseconds{10}, std::chrono::milliseconds{20},
       std::chrono::milliseconds{50}, std::chrono::milliseconds{100}, std::chrono::milliseconds{200},
       std::chrono::milliseconds{500}, std::chrono::seconds{1}, std::chrono::seconds{2}, std::chrono::seconds{5},
       std::chrono::seconds{10}}};

  void add(std::chrono::nanoseconds time) noexcept;
  /// How many were in a bucket; behind the last bound: those that took longer.
  [[nodiscard]] std::uint64_t count(std::size_t bucket) const noexcept { return counts_[bucket].value(); }
  [[nodiscard]] std::chrono::nanoseconds sum() const noexcept {
    return std::chrono::nanoseconds{static_cast<std::int64_t>(sum_.value())};
  }

 private:
  std::array<Counter, bounds.size() + 1> counts_;
  Counter sum_;  // nanoseconds
};

/// What is known of one server; written by one thread and readable from any.
struct ServerCounters {
  Counter requests;         ///< copies sent
  Counter requests_failed;  ///< copies that could not be sent
  Counter replies;          ///< that came from it the right way, delivered or not
  ResponseHistogram response_times;
  Gauge last_reply;        ///< when the last one came, nanoseconds on the writer's clock; 0: none yet
  Gauge is_not_answering;  ///< 1: it has been judged silent
};

/// What the relay shows of a server.
struct ServerFigures {
  IpAddress address;
  std::string zone{};  ///< its interface, where it was given with one
  std::shared_ptr<const ServerCounters> counters;
};

/// Those of one family. A multicast group is one server, of which it is never said that it does not answer: members
/// answer from addresses of their own.
template <typename Address>
class ServersOf {
 public:
  struct Server {
    Address address;
    std::string zone{};  // its interface, where another one can have a server with its address
    std::shared_ptr<ServerCounters> counters = std::make_shared<ServerCounters>();  // may outlive it
    Liveness liveness{};
    std::chrono::nanoseconds judged_silent{};
    std::chrono::nanoseconds silent_since{};  // the first request that it did not answer, of one that was judged silent
  };

  /// Those that there are from now on, none twice; what was counted of an address stays. `may_be_others`: replies may
  /// come from other addresses, so that one that has never answered is not expected to. `zones` are as many, or none.
  void set(const std::vector<Address>& addresses, bool may_be_others, const std::vector<std::string>& zones = {});

  /// A copy was sent, or could not be. `is_question`: of something that a server answers.
  void sent(const Address& server, bool is_question, bool was_possible, std::chrono::nanoseconds now) noexcept;
  /// It answered; `time` is how long that took, where it is known.
  void answered(const Address& server, std::optional<std::chrono::nanoseconds> time,
                std::chrono::nanoseconds now) noexcept;
  [[nodiscard]] bool has(const Address& server) const noexcept { return places_.contains(server); }

  /// Tells, unless `tell` is empty, of each whose state has changed. Whether to judge again though nothing is sent.
  [[nodiscard]] bool judge(std::chrono::nanoseconds now, const std::function<void(const ServerEvent&)>& tell) {
    bool is_in_doubt = false;
    const LastAnswers last = last_answers();
    for (Server& server : servers_) {
      if (const auto change = judged(server, last, now); change && tell) {
        tell(*change);
      }
      is_in_doubt = is_in_doubt || (server.counters->is_not_answering.value() == 0 && server.liveness.is_in_doubt(now));
    }
    return is_in_doubt;
  }

  /// Whether something was sent or answered since this was last asked.
  [[nodiscard]] bool take_news() noexcept { return std::exchange(has_news_, false); }

  /// In the order given.
  [[nodiscard]] const std::vector<Server>& all() const noexcept { return servers_; }
  void add_figures(std::vector<ServerFigures>& figures) const {
    for (const Server& server : servers_) {
      figures.push_back({server.address, server.zone, server.counters});
    }
  }

 private:
  struct LastAnswers {
    std::optional<std::chrono::nanoseconds> latest;
    std::optional<std::chrono::nanoseconds> latest_but_one;
    std::size_t whose = 0;  // the latest is
  };

  [[nodiscard]] Server* find(const Address& server) noexcept;
  [[nodiscard]] LastAnswers last_answers() const noexcept;
  [[nodiscard]] std::optional<ServerEvent> judged(Server& server, const LastAnswers& last,
                                                  std::chrono::nanoseconds now) noexcept;

  std::vector<Server> servers_;
  FlatMap<Address, std::size_t> places_;
  bool may_be_others_ = false;
  bool has_news_ = false;
};

using Servers = ServersOf<Ipv4Address>;
using Servers6 = ServersOf<Ipv6Address>;

extern template class ServersOf<Ipv4Address>;
extern template class ServersOf<Ipv6Address>;

}  // namespace relay
