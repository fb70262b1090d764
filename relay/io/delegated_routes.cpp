#include "relay/io/delegated_routes.h"

#include <cap-ng.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "relay/io/rtnetlink.h"

namespace relay::io {

using namespace rtnetlink;

namespace {

constexpr std::uint32_t metric = 1024;              // what the kernel gives to routes of programs
constexpr std::chrono::seconds table_lifetime{10};  // of the main table as it was read
constexpr std::size_t routes_before_state = 1000;   // for so many due ones at most it waits, a fraction of a second

void put_address(nl_msg& message, int type, const Ipv6Address& address) {
  if (nla_put(&message, type, static_cast<int>(address.octets.size()), address.octets.data()) < 0) {
    fail(ENOMEM, "Cannot make a rtnetlink request");
  }
}

void put_number(nl_msg& message, int type, std::uint32_t number) {
  if (nla_put_u32(&message, type, number) < 0) {
    fail(ENOMEM, "Cannot make a rtnetlink request");
  }
}

/// About the route to `prefix` that is ours.
[[nodiscard]] Message route_message(int type, int flags, const Ipv6Prefix& prefix) {
  rtmsg header{};
  header.rtm_family = AF_INET6;
  header.rtm_dst_len = prefix.length;  // RFC 8987 R-2
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = route_protocol;
  header.rtm_scope = RT_SCOPE_UNIVERSE;
  header.rtm_type = RTN_UNICAST;
  Message message = request_message(type, flags | NLM_F_ACK, header);
  put_address(*message, RTA_DST, prefix.address);
  put_number(*message, RTA_PRIORITY, metric);
  return message;
}

/// 0 or the errno.
[[nodiscard]] int answer_to(Questions& questions, nl_msg& message) {
  try {
    static_cast<void>(questions.ask(message, [](nlmsghdr*) {}));
  } catch (const std::system_error& error) {
    return error.code().value();
  }
  return 0;
}

/// A route of the main table.
struct KernelRoute {
  Ipv6Prefix prefix;
  NextHop next_hop;  // the first of several
  bool is_ours = false;
};

[[nodiscard]] std::optional<KernelRoute> route_in(nlmsghdr* answer) {
  Attributes<RTA_MAX> attributes{};
  if (answer->nlmsg_type != RTM_NEWROUTE || !parse<rtmsg, RTA_MAX>(answer, attributes)) {
    return std::nullopt;
  }
  const auto header = header_of<rtmsg>(answer);
  const auto destination = octets_of<decltype(Ipv6Address::octets)>(attributes[RTA_DST]);
  const auto gateway = octets_of<decltype(Ipv6Address::octets)>(attributes[RTA_GATEWAY]);
  const auto egress = number_of(attributes[RTA_OIF]);
  if (header.rtm_family != AF_INET6 || header.rtm_table != RT_TABLE_MAIN || !destination) {
    return std::nullopt;
  }
  return KernelRoute{{{*destination}, header.rtm_dst_len},
                     {gateway ? Ipv6Address{*gateway} : Ipv6Address{}, egress.value_or(0)},
                     header.rtm_protocol == route_protocol && header.rtm_type == RTN_UNICAST};
}

}  // namespace

bool may_change_routes() {
  return ::capng_get_caps_process() == 0 && ::capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) != 0;
}

class DelegatedRoutes::Impl {
 public:
  Impl(std::unique_ptr<StateFile> file, Listener listener)
      : file_(std::move(file)), listener_(std::move(listener)), thread_([this] { work(); }) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    {
      const std::lock_guard lock{mutex_};
      is_ending_ = true;
      counted_.reset();
      std::erase_if(due_, [this](const Ipv6Prefix& prefix) { return wanted_.contains(prefix); });
    }
    has_work_.notify_one();
    thread_.join();
  }

  void want(const Ipv6Prefix& prefix, const std::optional<NextHop>& next_hop) {
    const std::lock_guard lock{mutex_};
    if (next_hop) {
      wanted_[prefix] = *next_hop;
    } else {
      wanted_.erase(prefix);
    }
    due_.insert(prefix);
    has_work_.notify_one();
  }

  void count_others(std::vector<std::uint32_t> interfaces) {
    const std::lock_guard lock{mutex_};
    counted_ = std::move(interfaces);
    has_work_.notify_one();
  }

  void write_state(State state) {
    const std::lock_guard lock{mutex_};
    state_ = std::move(state);
    has_work_.notify_one();
  }

  void put_state_aside() const noexcept {
    if (file_) {
      file_->put_aside();
    }
  }

  void settle() {
    std::unique_lock lock{mutex_};
    has_rest_.wait(lock, [this] { return !has_work() && !is_at_work_; });
  }

 private:
  using Routes = std::unordered_map<Ipv6Prefix, NextHop>;

  [[nodiscard]] bool has_work() const noexcept { return counted_ || !due_.empty() || state_; }

  void work();
  void work_once(std::unique_lock<std::mutex>& lock);
  void count(const std::vector<std::uint32_t>& interfaces);
  bool for_each_route(const std::function<void(const KernelRoute&)>& visit);
  [[nodiscard]] bool is_other(const Ipv6Prefix& prefix);
  void carry_out(const Ipv6Prefix& prefix, const std::optional<NextHop>& wanted);
  [[nodiscard]] int make(const Ipv6Prefix& prefix, const NextHop& next_hop);
  [[nodiscard]] std::optional<KernelRoute> look_up(const Ipv6Prefix& prefix);
  [[nodiscard]] bool is_somebody_elses(const Ipv6Prefix& prefix);
  [[nodiscard]] int add(const Ipv6Prefix& prefix, const NextHop& next_hop);
  [[nodiscard]] int remove(const Ipv6Prefix& prefix);
  void write(const State& state);

  std::unique_ptr<StateFile> file_;
  Listener listener_;

  // The thread's.
  Questions questions_;
  Routes installed_;
  std::unordered_set<Ipv6Prefix> somebody_elses_;  // when the main table was read last
  std::optional<std::chrono::steady_clock::time_point> read_table_at_;
  bool has_state_fault_ = false;

  std::mutex mutex_;
  std::condition_variable has_work_;
  std::condition_variable has_rest_;
  Routes wanted_;
  std::set<Ipv6Prefix> due_;
  Ipv6Prefix last_tried_;
  std::size_t tried_before_state_ = 0;  // while it waits
  std::optional<std::vector<std::uint32_t>> counted_;
  State state_;
  bool is_at_work_ = false;
  bool is_ending_ = false;
  std::thread thread_;
};

void DelegatedRoutes::Impl::work() {
  std::unique_lock lock{mutex_};
  while (true) {
    has_work_.wait(lock, [this] { return is_ending_ || has_work(); });
    if (is_ending_ && !has_work()) {
      return;
    }
    is_at_work_ = true;
    work_once(lock);
    is_at_work_ = false;
    if (!has_work()) {
      has_rest_.notify_all();
    }
  }
}

/// Routes before the state, of which the last one counts; by turns, so that neither a prefix nor the state waits for
/// ever where others are wanted again and again.
void DelegatedRoutes::Impl::work_once(std::unique_lock<std::mutex>& lock) {
  if (counted_) {
    const auto interfaces = std::exchange(counted_, std::nullopt);
    lock.unlock();
    count(*interfaces);
  } else if (!due_.empty() && (!state_ || tried_before_state_ < routes_before_state)) {
    tried_before_state_ = state_ ? tried_before_state_ + 1 : 0;
    const auto after = due_.upper_bound(last_tried_);
    const auto next = after == due_.end() ? due_.begin() : after;
    const Ipv6Prefix prefix = *next;
    due_.erase(next);
    last_tried_ = prefix;
    const auto found = wanted_.find(prefix);
    const auto wanted = found == wanted_.end() ? std::nullopt : std::optional{found->second};
    lock.unlock();
    carry_out(prefix, wanted);
  } else {
    const State state = std::exchange(state_, nullptr);
    tried_before_state_ = 0;
    lock.unlock();
    write(state);
  }
  lock.lock();
}

void DelegatedRoutes::Impl::count(const std::vector<std::uint32_t>& interfaces) {
  std::vector<Ipv6Prefix> all;
  const bool is_whole = for_each_route([&](const KernelRoute& route) {
    if (route.is_ours && std::ranges::find(interfaces, route.next_hop.interface_index) != interfaces.end()) {
      all.push_back(route.prefix);
    }
  });
  if (!is_whole) {
    return;
  }
  const auto others = std::ranges::count_if(all, [this](const Ipv6Prefix& prefix) { return is_other(prefix); });
  if (listener_.others) {
    listener_.others(static_cast<std::size_t>(others));
  }
}

/// Of the main table; false where the kernel does not tell them all.
bool DelegatedRoutes::Impl::for_each_route(const std::function<void(const KernelRoute&)>& visit) {
  rtmsg header{};
  header.rtm_family = AF_INET6;
  try {
    const Message message = request_message(RTM_GETROUTE, NLM_F_DUMP, header);
    static_cast<void>(questions_.ask(*message, [&](nlmsghdr* answer) {
      if (const auto route = route_in(answer)) {
        visit(*route);
      }
    }));
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

/// Each by itself, so that messages need not wait for all of them.
bool DelegatedRoutes::Impl::is_other(const Ipv6Prefix& prefix) {
  const std::lock_guard lock{mutex_};
  return !wanted_.contains(prefix) && !due_.contains(prefix);
}

void DelegatedRoutes::Impl::carry_out(const Ipv6Prefix& prefix, const std::optional<NextHop>& wanted) {
  const auto known = installed_.find(prefix);
  if (!wanted || (known != installed_.end() && wanted != known->second)) {
    installed_.erase(prefix);
    static_cast<void>(remove(prefix));  // also one of before
  }
  if (!wanted) {
    return;
  }
  const int error = make(prefix, *wanted);
  if (error == 0) {
    installed_.emplace(prefix, *wanted);
    return;
  }
  installed_.erase(prefix);
  if (error != ENODEV && error != ENETDOWN && listener_.refused) {
    listener_.refused(prefix, *wanted, error);
  }
}

/// Never beside another route to the prefix, and never in place of somebody else's. Where it is there already nothing
/// is changed, so that no packet is without it.
int DelegatedRoutes::Impl::make(const Ipv6Prefix& prefix, const NextHop& next_hop) {
  const auto route = look_up(prefix);
  if (!route) {
    return add(prefix, next_hop);
  }
  if (!route->is_ours) {
    static_cast<void>(remove(prefix));  // it may be there still, where the other one came later
    return EEXIST;
  }
  return route->next_hop == next_hop ? 0 : add(prefix, next_hop);
}

/// By which route to exactly this prefix packets go, whatever metrics there are; nothing where they go by a longer or a
/// shorter one, and nobody else has one. The kernel finds it without going through all its routes, unless another one
/// may hide it.
std::optional<KernelRoute> DelegatedRoutes::Impl::look_up(const Ipv6Prefix& prefix) {
  rtmsg header{};
  header.rtm_family = AF_INET6;
  header.rtm_dst_len = 128;
  header.rtm_flags = RTM_F_FIB_MATCH;
  std::optional<KernelRoute> found;
  bool may_hide = false;
  try {
    const Message message = request_message(RTM_GETROUTE, 0, header);
    put_address(*message, RTA_DST, prefix.address);
    static_cast<void>(questions_.ask(*message, [&](nlmsghdr* answer) {
      found = route_in(answer);
      const auto route = header_of<rtmsg>(answer);
      may_hide = route.rtm_table != RT_TABLE_MAIN || route.rtm_dst_len > prefix.length;
    }));
  } catch (const std::system_error& error) {
    may_hide = error.code().value() != ENETUNREACH;  // a route, to whatever prefix, that refuses packets
  }
  if (found && found->prefix == prefix) {
    return found;
  }
  return may_hide && is_somebody_elses(prefix) ? std::optional{KernelRoute{prefix, {}, false}} : std::nullopt;
}

/// By all routes of the main table, as they were a moment ago: a rule of the host's may hide all of them.
bool DelegatedRoutes::Impl::is_somebody_elses(const Ipv6Prefix& prefix) {
  const auto now = std::chrono::steady_clock::now();
  if (!read_table_at_ || now - *read_table_at_ >= table_lifetime) {
    read_table_at_ = now;
    somebody_elses_.clear();
    for_each_route([this](const KernelRoute& route) {
      if (!route.is_ours) {
        somebody_elses_.insert(route.prefix);
      }
    });
  }
  return somebody_elses_.contains(prefix);
}

int DelegatedRoutes::Impl::add(const Ipv6Prefix& prefix, const NextHop& next_hop) {
  const auto try_once = [&] {
    const Message message = route_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, prefix);
    put_address(*message, RTA_GATEWAY, next_hop.address);
    put_number(*message, RTA_OIF, next_hop.interface_index);
    return answer_to(questions_, *message);
  };
  const int error = try_once();
  if (error != EEXIST) {
    return error;
  }
  // A longer one may hide it.
  if (installed_.contains(prefix)) {
    return 0;
  }
  // It may be ours, of before, with whatever next hop.
  return remove(prefix) == 0 ? try_once() : error;
}

/// Of the routes to the prefix the one with our protocol number: the kernel looks at that.
int DelegatedRoutes::Impl::remove(const Ipv6Prefix& prefix) {
  const Message message = route_message(RTM_DELROUTE, 0, prefix);
  return answer_to(questions_, *message);
}

void DelegatedRoutes::Impl::write(const State& state) {
  if (!file_) {
    return;
  }
  std::string fault;
  try {
    file_->write(state());
  } catch (const std::exception& error) {
    fault = error.what();
  }
  const bool had_fault = std::exchange(has_state_fault_, !fault.empty());
  if ((has_state_fault_ || had_fault) && listener_.state_fault) {
    listener_.state_fault(fault);
  }
}

DelegatedRoutes::DelegatedRoutes(std::unique_ptr<StateFile> file, Listener listener)
    : impl_(std::make_unique<Impl>(std::move(file), std::move(listener))) {}

DelegatedRoutes::~DelegatedRoutes() = default;

void DelegatedRoutes::want(const Ipv6Prefix& prefix, const std::optional<NextHop>& next_hop) {
  impl_->want(prefix, next_hop);
}

void DelegatedRoutes::count_others(std::vector<std::uint32_t> interfaces) {
  impl_->count_others(std::move(interfaces));
}

void DelegatedRoutes::write_state(State state) {
  impl_->write_state(std::move(state));
}

void DelegatedRoutes::put_state_aside() {
  impl_->put_state_aside();
}

void DelegatedRoutes::settle() {
  impl_->settle();
}

}  // namespace relay::io
