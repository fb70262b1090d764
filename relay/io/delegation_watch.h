// Joins what is known of delegated prefixes with the messages that pass, the interfaces, the clock, the routes and the
// state file. On the thread of the data path, which it never keeps waiting.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "relay/core/decision6.h"
#include "relay/core/delegation_counters.h"
#include "relay/core/delegation_text.h"
#include "relay/core/delegations.h"
#include "relay/core/events.h"
#include "relay/core/interface_table.h"
#include "relay/core/prefix_settings.h"
#include "relay/io/delegated_routes.h"
#include "relay/io/refusals.h"
#include "relay/io/state_file.h"

namespace relay::io {

class DelegationWatch {
 public:
  /// Needs settings that are watched. Nothing of `state` is used without routes. Throws std::system_error.
  DelegationWatch(boost::asio::io_context& loop, const PrefixSettings& settings, PrefixState state, Listener listener);
  ~DelegationWatch();
  DelegationWatch(const DelegationWatch&) = delete;
  DelegationWatch& operator=(const DelegationWatch&) = delete;

  /// As `InterfaceView::Follower`.
  void interface_changed(std::uint32_t index, const Interface* interface);

  /// All interfaces are known: takes over what a relay before this one left.
  void take_over();

  /// Changes of links were missed: links may have gone down meanwhile, and their routes with them.
  void links_were_missed();

  /// A Reply that goes to a client, and a Release that goes to servers, as the client sent it.
  void reply_passes(const ToPeer6& to_client, std::chrono::nanoseconds now);
  void release_passes(const Ingress6& ingress, const Interface& interface, dhcpv6::Octets message);

  /// New limits (a reload).
  void limit(const DelegationLimits& limits) noexcept;

  [[nodiscard]] std::shared_ptr<const DelegationCounters> counters() const noexcept { return counters_; }

 private:
  struct Link {
    std::string name;
    bool is_up = false;
    bool is_downstream = false;
  };

  void hear(const DelegationEvent& event);
  void tell(DelegationEvent event);
  void tell_refused(const DelegationEvent& event);
  void tell_route_refused(const Ipv6Prefix& prefix, const NextHop& next_hop, int error);
  void route(const DelegationEvent& event);
  void set_aside(std::uint32_t index, const std::string& name);
  void forget(std::uint32_t index);
  [[nodiscard]] std::string_view shown(std::string_view name) const noexcept;
  void put_back_routes(std::uint32_t index, const std::string& name);
  [[nodiscard]] std::optional<std::uint32_t> index_of(std::string_view name) const noexcept;
  void start_expiry_timer();
  void state_changed(bool is_news);
  void await_state(std::chrono::steady_clock::time_point due);
  void look_at_state();
  void hand_over_state();
  void state_was_written(const std::string& fault);
  void take_in();
  void count_others();
  [[nodiscard]] DelegatedRoutes::Listener routes_listener();

  boost::asio::io_context& loop_;
  PrefixSettings settings_;
  PrefixState state_;
  Listener listener_;
  std::shared_ptr<DelegationCounters> counters_ = std::make_shared<DelegationCounters>();
  Delegations delegations_;
  std::map<std::uint32_t, Link> links_;
  std::map<std::string, std::uint32_t, std::less<>> indices_;  // by name
  std::map<std::string, std::string, std::less<>> aside_;      // names that were theirs, by those of nobody
  bool is_starting_ = true;                                    // `take_over` has not been called
  bool is_taking_over_ = false;                                // what is known from before is no news
  bool is_expiry_due_ = false;                                 // a turn that looks at the next expiry
  bool has_state_ = false;
  boost::asio::steady_timer expiry_timer_;
  std::optional<std::chrono::nanoseconds> expiry_awaited_;
  boost::asio::steady_timer state_timer_;
  bool has_unwritten_state_ = false;
  bool has_state_fault_ = false;
  bool is_state_due_ = false;  // sooner than by the next look
  std::chrono::steady_clock::time_point looked_at_state_{};
  TimePair written_;  // when the state was
  std::map<DelegationRefusal, Refusals> refusals_;
  Refusals route_refusals_;
  std::optional<DelegatedRoutes> routes_;
};

}  // namespace relay::io
