#include "relay/io/delegation_watch.h"

#include <algorithm>
#include <functional>
#include <span>

#include <boost/asio/post.hpp>

#include "relay/io/turn.h"

namespace relay::io {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::nanoseconds;

constexpr std::chrono::seconds state_interval{1};            // between two writings of a small state with news
constexpr std::size_t delegations_per_state_second = 10000;  // of a large one, whose copy takes a millisecond or two
constexpr std::chrono::seconds look_interval{60};            // for what is no news
constexpr std::uint32_t short_lifetime = 600;                // seconds: so soon its renewal is news

[[nodiscard]] TimePair time_pair() {
  return {monotonic_time(),
          std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())};
}

}  // namespace

DelegationWatch::DelegationWatch(asio::io_context& loop, const PrefixSettings& settings, PrefixState state,
                                 Listener listener)
    : loop_(loop),
      settings_(settings),
      state_(std::move(state)),
      listener_(std::move(listener)),
      delegations_(settings.limits, [this](const DelegationEvent& event) { hear(event); }),
      expiry_timer_(loop),
      state_timer_(loop),
      route_refusals_(loop) {
  if (settings_.routes) {
    has_state_ = state_.file != nullptr;
    routes_.emplace(std::move(state_.file), routes_listener());
  }
}

DelegationWatch::~DelegationWatch() {
  if (has_unwritten_state_) {
    hand_over_state();
  }
}

/// What the routes' thread says is for the loop's.
DelegatedRoutes::Listener DelegationWatch::routes_listener() {
  return {[this](const Ipv6Prefix& prefix, const NextHop& next_hop, int error) {
            asio::post(loop_, [this, prefix, next_hop, error] { tell_route_refused(prefix, next_hop, error); });
          },
          [this](std::size_t count) {
            asio::post(loop_, [this, count] {
              if (count != 0 && listener_.prefix_state) {
                listener_.prefix_state({PrefixStateChange::routes_left, state_.name, {}, count});
              }
            });
          },
          [this](const std::string& fault) { asio::post(loop_, [this, fault] { state_was_written(fault); }); }};
}

/// What could not be is tried again after a while, and at the end.
void DelegationWatch::state_was_written(const std::string& fault) {
  has_unwritten_state_ |= !fault.empty();
  if (std::exchange(has_state_fault_, !fault.empty()) != has_state_fault_ && listener_.prefix_state) {
    listener_.prefix_state(
        {has_state_fault_ ? PrefixStateChange::not_written : PrefixStateChange::writable, state_.name, fault, 0});
  }
}

void DelegationWatch::reply_passes(const ToPeer6& to_client, nanoseconds now) {
  // The next hop of a route is a neighbour's address.
  if (to_client.egress == nullptr || !to_client.destination.is_link_local()) {
    return;
  }
  delegations_.reply_passes(to_client.egress->name, to_client.destination, to_client.message, now);
}

void DelegationWatch::release_passes(const Ingress6& ingress, const Interface& interface, dhcpv6::Octets message) {
  if (ingress.source.is_link_local()) {
    delegations_.release_passes(interface.name, message);
  }
}

void DelegationWatch::limit(const DelegationLimits& limits) noexcept {
  delegations_.limit(limits);
}

void DelegationWatch::hear(const DelegationEvent& event) {
  if (is_taking_over_) {
    return;
  }
  counters_->count(event);
  tell(event);
  if (event.change == DelegationChange::refused) {
    return;
  }
  route(event);
  state_changed(event.change != DelegationChange::renewed || event.delegation.valid_lifetime < short_lifetime);
  // Behind what the table does now.
  if (!std::exchange(is_expiry_due_, true)) {
    asio::post(loop_, [this] {
      is_expiry_due_ = false;
      counters_->active.set(delegations_.size());
      start_expiry_timer();
    });
  }
}

/// Without --log-prefixes only that something is refused.
void DelegationWatch::tell(DelegationEvent event) {
  if (!listener_.delegation_changed) {
    return;
  }
  event.interface = shown(event.interface);
  if (event.refusal) {
    tell_refused(event);
  } else if (settings_.log) {
    listener_.delegation_changed(event);
  }
}

void DelegationWatch::tell_refused(const DelegationEvent& event) {
  const auto refusals = refusals_.try_emplace(*event.refusal, loop_).first;
  refusals->second.add(event.delegation.prefix, event.count, [&]() -> Refusals::Tell {
    return [this, refusal = *event.refusal,
            refused = KnownDelegation{{event.duid.begin(), event.duid.end()},
                                      std::string{event.interface},
                                      event.delegation}](std::size_t count) {
      listener_.delegation_changed(
          {DelegationChange::refused, refused.duid, refused.interface, refused.delegation, refusal, count});
    };
  });
}

void DelegationWatch::tell_route_refused(const Ipv6Prefix& prefix, const NextHop& next_hop, int error) {
  counters_->routes_refused.add();
  if (!listener_.route_refused) {
    return;
  }
  route_refusals_.add(prefix, 1, [&]() -> Refusals::Tell {
    return [this, prefix, index = next_hop.interface_index, error](std::size_t count) {
      const auto link = links_.find(index);
      listener_.route_refused(
          {prefix, link == links_.end() ? std::string_view{} : shown(link->second.name), error, count});
    };
  });
}

/// RFC 8987 R-1. A renewal tries again what was refused, and makes anew what somebody took away.
void DelegationWatch::route(const DelegationEvent& event) {
  if (!routes_) {
    return;
  }
  const bool is_over = event.change == DelegationChange::released || event.change == DelegationChange::expired;
  const auto index = index_of(event.interface);
  routes_->want(event.delegation.prefix,
                is_over || !index ? std::nullopt : std::optional{NextHop{event.delegation.next_hop, *index}});
}

std::optional<std::uint32_t> DelegationWatch::index_of(std::string_view name) const noexcept {
  const auto found = indices_.find(name);
  return found == indices_.end() ? std::nullopt : std::optional{found->second};
}

void DelegationWatch::interface_changed(std::uint32_t index, const Interface* interface) {
  if (interface == nullptr) {
    forget(index);
    return;
  }
  const bool is_new = !links_.contains(index);
  Link& link = links_[index];
  const Link before = std::exchange(link, {interface->name, interface->is_up, interface->is_downstream6()});
  if (before.name != link.name) {
    if (const auto other = index_of(link.name)) {
      set_aside(*other, link.name);
    }
    if (!is_new) {
      if (index_of(before.name) == index) {
        indices_.erase(before.name);
      }
      delegations_.rename(before.name, link.name);
      aside_.erase(before.name);
      state_changed(true);
    }
    indices_[link.name] = index;
  }
  if (link.is_up && (!before.is_up || before.name != link.name)) {
    put_back_routes(index, link.name);
  }
}

void DelegationWatch::forget(std::uint32_t index) {
  const auto known = links_.find(index);
  if (known == links_.end()) {
    return;
  }
  const std::string name = std::move(known->second.name);
  links_.erase(known);
  if (index_of(name) == index) {
    indices_.erase(name);
  }
  const auto aside = aside_.extract(name);
  if (aside.empty()) {
    return;
  }
  // As if it had been told of in time: what it had is for whoever has its name, now or later.
  delegations_.rename(name, aside.mapped());
  state_changed(true);
  const auto heir = index_of(aside.mapped());
  if (heir && links_[*heir].is_up) {
    put_back_routes(*heir, aside.mapped());
  }
}

/// An interface whose name another one has got: its own new one is told of later, where links were missed. Nobody is
/// named like what it is called until then.
void DelegationWatch::set_aside(std::uint32_t index, const std::string& name) {
  const std::string nobodys = "/" + std::to_string(index);
  delegations_.rename(name, nobodys);
  links_[index].name = nobodys;
  indices_[nobodys] = index;
  aside_[nobodys] = name;
}

/// The last name that people know.
std::string_view DelegationWatch::shown(std::string_view name) const noexcept {
  const auto aside = aside_.find(name);
  return aside == aside_.end() ? name : std::string_view{aside->second};
}

/// RFC 8987 S-2: the kernel took them away when the link went down. An interface with the name of one that has gone has
/// what that one had.
void DelegationWatch::put_back_routes(std::uint32_t index, const std::string& name) {
  if (!routes_ || is_starting_) {
    return;
  }
  delegations_.for_each_on(
      name, [&](std::span<const std::uint8_t> /*duid*/, std::string_view /*interface*/, const Delegation& delegation) {
        routes_->want(delegation.prefix, NextHop{delegation.next_hop, index});
      });
}

void DelegationWatch::links_were_missed() {
  for (const auto& [index, link] : links_) {
    if (link.is_up) {
      put_back_routes(index, link.name);
    }
  }
}

void DelegationWatch::take_over() {
  is_starting_ = false;
  if (!routes_) {
    return;
  }
  take_in();
  delegations_.for_each(
      [&](std::span<const std::uint8_t> /*duid*/, std::string_view interface, const Delegation& delegation) {
        if (const auto index = index_of(interface)) {
          routes_->want(delegation.prefix, NextHop{delegation.next_hop, *index});
        }
      });
  count_others();
  counters_->active.set(delegations_.size());
  start_expiry_timer();
  state_changed(true);
}

void DelegationWatch::take_in() {
  const auto text = std::exchange(state_.text, std::nullopt);
  if (!text && !has_state_) {
    return;  // the start has said why
  }
  const TimePair time = time_pair();
  const auto known = text ? read_delegation_text(*text, time) : std::nullopt;
  is_taking_over_ = true;
  for (const KnownDelegation& each : known.value_or(std::vector<KnownDelegation>{})) {
    delegations_.restore(each, time.now);
    if (each.delegation.expires_at <= time.now) {
      routes_->want(each.delegation.prefix, std::nullopt);
    }
  }
  is_taking_over_ = false;
  if (text && !known && routes_) {
    routes_->put_state_aside();
  }
  if (listener_.prefix_state) {
    const auto change = known  ? PrefixStateChange::taken_over
                        : text ? PrefixStateChange::damaged
                               : PrefixStateChange::absent;
    listener_.prefix_state({change, state_.name, {}, delegations_.size()});
  }
}

/// Routes of before that nothing is known of stay, since no lifetime says when their leases are over: the file may have
/// been lost, or not have been written in time. The operator knows.
void DelegationWatch::count_others() {
  std::vector<std::uint32_t> downstream;
  for (const auto& [index, link] : links_) {
    if (link.is_downstream) {
      downstream.push_back(index);
    }
  }
  routes_->count_others(std::move(downstream));
}

/// It may fire too early, delegations having been renewed, and then looks again.
void DelegationWatch::start_expiry_timer() {
  const auto next = delegations_.next_expiry();
  if (!next || (expiry_awaited_ && *expiry_awaited_ <= *next)) {
    return;
  }
  expiry_awaited_ = next;
  expiry_timer_.expires_at(std::chrono::steady_clock::time_point{*next});
  expiry_timer_.async_wait([this](const error_code& error) {
    if (error) {
      return;  // another one takes its place
    }
    expiry_awaited_.reset();
    delegations_.expire(monotonic_time());
    start_expiry_timer();
  });
}

/// News are written at once, or a while after the last ones; all else by the next look, so that renewals alone do not
/// wear out a disk.
void DelegationWatch::state_changed(bool is_news) {
  if (!has_state_) {
    return;
  }
  has_unwritten_state_ = true;
  if (is_news && !std::exchange(is_state_due_, true)) {
    await_state(looked_at_state_ + state_interval * (1 + delegations_.size() / delegations_per_state_second));
  }
}

void DelegationWatch::await_state(std::chrono::steady_clock::time_point due) {
  state_timer_.expires_at(due);
  state_timer_.async_wait([this](const error_code& error) {
    if (!error) {
      look_at_state();
    }
  });
}

void DelegationWatch::look_at_state() {
  is_state_due_ = false;
  if (has_unwritten_state_ || was_set(written_, time_pair())) {
    hand_over_state();
  }
  looked_at_state_ = std::chrono::steady_clock::now();
  await_state(looked_at_state_ + look_interval);
}

/// To the routes' thread, as it is now.
void DelegationWatch::hand_over_state() {
  has_unwritten_state_ = false;
  written_ = time_pair();
  std::vector<KnownDelegation> all;
  all.reserve(delegations_.size());
  delegations_.for_each(
      [&](std::span<const std::uint8_t> duid, std::string_view interface, const Delegation& delegation) {
        all.push_back({{duid.begin(), duid.end()}, std::string{shown(interface)}, delegation});
      });
  routes_->write_state([all = std::move(all), time = written_] { return delegation_text(all, time); });
}

}  // namespace relay::io
