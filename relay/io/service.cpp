#include "relay/io/service.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <iterator>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <unordered_set>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "relay/io/data_path.h"
#include "relay/io/data_path6.h"
#include "relay/io/delegation_watch.h"
#include "relay/io/interface_view.h"
#include "relay/io/link_monitor.h"
#include "relay/io/link_sources.h"
#include "relay/io/memberships.h"
#include "relay/io/run_routes.h"
#include "relay/io/seed.h"
#include "relay/io/segmentation.h"

namespace relay::io {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::chrono::seconds report_interval{10};
constexpr std::chrono::seconds status_interval{10};
constexpr std::chrono::seconds judging_interval{1};
constexpr std::chrono::milliseconds route_delay{200};  // a burst of link changes is worth one look at the routes
constexpr std::chrono::seconds link_retry_delay{1};
constexpr std::chrono::seconds link_local_delay{3};  // longer than duplicate address detection usually takes

// So many interfaces can be looked through at each change of one; of more, a burst of changes is worth one look.
constexpr std::size_t looked_at_at_once = 256;

constexpr std::uint32_t least_ipv6_mtu = 1280;  // RFC 8200 section 5; on a link with a smaller one there is no IPv6

/// Where a reload that is under way leaves its result; outlives the service if the resolver takes longer than that.
struct Mailbox {
  std::mutex mutex;
  asio::io_context* loop = nullptr;  // null once the service is gone
};

}  // namespace

class Service::Impl {
 public:
  Impl(ServiceSockets sockets, const Ports& ports, const Orders& orders, const Listener& listener,
       Surroundings surroundings);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] int run(ServiceManager& manager);
  [[nodiscard]] std::vector<std::string> missing_interfaces() const { return view_.missing(); }
  void post(std::function<void()> what);
  void tell_messages(bool per_message);
  [[nodiscard]] const InterfaceTable& interfaces() const noexcept { return table_; }

 private:
  /// A descriptor of somebody else's that the loop waits for.
  using Watch = asio::posix::stream_descriptor;

  [[nodiscard]] Listener with_report_timer(Listener listener);
  template <typename... Told>
  void start_report_timer_after(std::function<void(Told...)>& function);
  void await_messages();
  void serve();
  void settle_losses();
  void choose_runs();
  [[nodiscard]] std::string egress_to(const IpAddress& server);
  void await_links();
  void await_link_turn();
  void follow_links();
  void read_links();
  void start_link_timer();
  void start_link_local_timer();
  void await_signal();
  void obey(int signal);
  void start_report_timer();
  void start_manager_timer();
  void tell_status();
  void judge_in_a_moment();
  void tell_interfaces();
  void tell_figures();
  void apply_servers();
  void apply_servers6();
  void start_reload();
  void start_reload_thread();
  void finish_reload(const Orders& orders);
  void end_reload();
  void measure_route();
  void start_dhcpv6(ServiceSockets& sockets, const Listener& listener);
  void follow_interfaces();
  void watch_delegations(PrefixState state, const Listener& listener);
  void tell_membership_refused(std::uint32_t index, int error) const;
  [[nodiscard]] bool has_open_question() const noexcept;

  asio::io_context loop_{1};
  asio::steady_timer report_timer_;  // before whatever tells the listener of something
  bool report_is_due_ = false;
  Surroundings surroundings_;
  Orders orders_;
  InterfaceTable table_;
  InterfaceView view_;
  LinkMonitor monitor_;
  Sockets sockets_;
  DataPath data_path_;
  Sockets sockets6_;
  std::function<void(const MembershipRefusal&)> membership_refused_;
  std::optional<Memberships> memberships_;
  std::optional<LinkSources> link_sources_;
  std::optional<DelegationWatch> delegation_watch_;  // where prefixes are logged or routed
  std::optional<DataPath6> data_path6_;              // where DHCPv6 is relayed, and so are the first two above
  /// A socket of the data path, and whether the loop waits for it.
  struct MessageWatch {
    Watch watch;
    bool is_armed = false;
  };
  std::vector<MessageWatch> message_watches_;
  bool is_serving_ = false;  // a turn of the data path is due already
  asio::steady_timer losses_timer_;
  RunRoutes run_routes_;
  Watch link_watch_;
  asio::signal_set signals_;
  asio::steady_timer link_timer_;
  bool is_catching_up_ = false;  // the timer runs
  asio::steady_timer link_local_timer_;
  bool is_awaiting_link_local_ = false;  // that one
  bool is_awaiting_links_ = false;
  bool link_turn_is_due_ = false;
  ServiceManager* manager_ = nullptr;  // there is one while it runs
  asio::steady_timer manager_timer_;
  std::chrono::steady_clock::time_point status_told_{};
  asio::steady_timer judging_timer_;
  std::shared_ptr<Mailbox> mailbox_;
  bool is_reloading_ = false;
  bool reload_again_ = false;
  bool judging_is_due_ = false;
  int ending_signal_ = 0;
};

Service::Impl::Impl(ServiceSockets sockets, const Ports& ports, const Orders& orders, const Listener& listener,
                    Surroundings surroundings)
    : report_timer_(loop_),
      surroundings_(std::move(surroundings)),
      orders_(orders),
      view_(table_, orders.interfaces, with_report_timer(listener)),
      monitor_(
          view_, [this] { asio::post(loop_, [this] { await_link_turn(); }); }, std::move(sockets.link_reports)),
      sockets_(std::move(sockets.messages)),
      data_path_(sockets_, ports, table_,
                 {[this] { return monitor_.has_changes(); }, [this] { read_links(); },
                  [this] { return monitor_.progress() != LinkProgress::in_step; },
                  [this](Ipv4Address address) { return monitor_.holds(address); }},
                 with_report_timer(listener)),
      losses_timer_(loop_),
      run_routes_({[this](const IpAddress& server) { return egress_to(server); },
                   [this](const std::string& interface) {
                     const Sockets& any = sockets_.requests.is_open() ? sockets_ : sockets6_;
                     return cuts_up_runs(any.requests.number(), interface);
                   }}),
      link_watch_(loop_, monitor_.descriptor()),
      signals_(loop_, SIGTERM, SIGINT, SIGHUP),
      link_timer_(loop_),
      link_local_timer_(loop_),
      manager_timer_(loop_),
      judging_timer_(loop_),
      mailbox_(std::make_shared<Mailbox>()) {
  signals_.add(SIGUSR1);
  signals_.add(SIGUSR2);
  mailbox_->loop = &loop_;
  start_dhcpv6(sockets, with_report_timer(listener));
  for (const Descriptor* socket : {&sockets_.replies, &sockets_.upstream, &sockets_.requests, &sockets6_.replies,
                                   &sockets6_.upstream, &sockets6_.requests}) {
    if (socket->is_open()) {
      message_watches_.push_back({Watch{loop_, socket->number()}});
    }
  }
  monitor_.synchronise();
  if (memberships_) {
    memberships_->settle();
  }
  if (delegation_watch_) {
    delegation_watch_->take_over();
  }
  measure_route();
  apply_servers();
  tell_figures();
}

Service::Impl::~Impl() {
  {
    const std::lock_guard lock{mailbox_->mutex};
    mailbox_->loop = nullptr;
  }
  for (MessageWatch& each : message_watches_) {
    each.watch.release();  // the sockets close themselves
  }
  link_watch_.release();
}

/// Before the first look at the links, so that none is missed.
void Service::Impl::start_dhcpv6(ServiceSockets& sockets, const Listener& listener) {
  sockets6_ = std::move(sockets.messages6);
  if (!sockets6_.requests.is_open()) {
    return;
  }
  if (sockets.link_sources.is_open()) {
    link_sources_.emplace(std::move(sockets.link_sources), unpredictable_number());
  }
  membership_refused_ = listener.membership_refused;
  memberships_.emplace(std::move(sockets.membership_holders), [this](std::uint32_t index, int error) {
    asio::post(loop_, [this, index, error] { tell_membership_refused(index, error); });
  });
  data_path6_.emplace(sockets6_, orders_.policy6.ports, table_, link_sources_ ? &*link_sources_ : nullptr, listener);
  data_path6_->apply(orders_.policy6);
  if (orders_.prefixes.are_watched()) {
    watch_delegations(std::move(sockets.prefix_state), listener);
  }
  follow_interfaces();
}

void Service::Impl::watch_delegations(PrefixState state, const Listener& listener) {
  delegation_watch_.emplace(loop_, orders_.prefixes, std::move(state), listener);
  data_path6_->show_leases(
      {[this](const ToPeer6& to_client, std::chrono::nanoseconds now) {
         delegation_watch_->reply_passes(to_client, now);
       },
       [this](const Ingress6& ingress, const Interface& interface, std::span<const std::uint8_t> message) {
         delegation_watch_->release_passes(ingress, interface, message);
       }});
}

/// RFC 8415 section 19: relay agents hear clients by the group.
void Service::Impl::follow_interfaces() {
  view_.follow([this](std::uint32_t index, const Interface* interface) {
    memberships_->want(index, interface != nullptr && interface->v6.is_relayed && interface->is_downstream6() &&
                                  interface->mtu >= least_ipv6_mtu);
    if (delegation_watch_) {
      delegation_watch_->interface_changed(index, interface);
    }
  });
}

void Service::Impl::tell_membership_refused(std::uint32_t index, int error) const {
  const Interface* const interface = table_.find(index);
  if (interface != nullptr && membership_refused_) {
    membership_refused_({*interface, error});
  }
}

bool Service::Impl::has_open_question() const noexcept {
  return data_path_.has_open_question() || (data_path6_ && data_path6_->has_open_question());
}

int Service::Impl::run(ServiceManager& manager) {
  manager_ = &manager;
  start_report_timer();
  await_messages();
  await_links();
  if (monitor_.progress() == LinkProgress::failed) {
    start_link_timer();
  }
  start_link_local_timer();
  await_signal();
  if (manager_->listens()) {
    manager_->ready();
    tell_status();
    start_manager_timer();
  }
  loop_.run();
  return ending_signal_;
}

/// Lines may be held back, and any can be lost, which is told.
Listener Service::Impl::with_report_timer(Listener listener) {
  const auto watch = [this](auto&... functions) { (start_report_timer_after(functions), ...); };
  watch(listener.dropped, listener.message, listener.send_failed, listener.dropped6, listener.message6,
        listener.send_failed6, listener.membership_refused, listener.kernel_lost, listener.offload_refused,
        listener.interface_changed, listener.server_changed, listener.delegation_changed, listener.route_refused,
        listener.prefix_state);
  return listener;
}

template <typename... Told>
void Service::Impl::start_report_timer_after(std::function<void(Told...)>& function) {
  if (function) {
    function = [this, tell = std::move(function)](Told... told) {
      tell(told...);
      start_report_timer();
    };
  }
}

void Service::Impl::await_messages() {
  for (MessageWatch& each : message_watches_) {
    if (each.is_armed) {
      continue;
    }
    each.is_armed = true;
    each.watch.async_wait(Watch::wait_read, [this, &each](const error_code& error) {
      each.is_armed = false;
      if (!error && !is_serving_) {
        serve();
      }
    });
  }
}

void Service::Impl::serve() {
  Turn next = data_path_.serve();
  if (data_path6_) {
    next = std::min(next, data_path6_->serve());
  }
  choose_runs();
  const bool has_asked = data_path_.has_asked_servers();
  if ((data_path6_ && data_path6_->has_asked_servers()) || has_asked) {
    judge_in_a_moment();
  }
  is_serving_ = next != Turn::idle;
  if (!is_serving_) {
    await_messages();
    settle_losses();
    return;
  }
  if (next == Turn::pause) {
    std::this_thread::sleep_for(Pacing::pause);
  }
  asio::post(loop_, [this] { serve(); });  // signals and links have their turn in between
}

/// Under load alone.
void Service::Impl::choose_runs() {
  const auto choose = [this](auto& path, Family family) {
    path.form_runs(path.is_busy() && run_routes_.are_cut_up(family, std::chrono::steady_clock::now()));
  };
  choose(data_path_, Family::ipv4);
  if (data_path6_) {
    choose(*data_path6_, Family::ipv6);
  }
}

std::string Service::Impl::egress_to(const IpAddress& server) {
  const auto egress = monitor_.route_egress(server);
  const Interface* const interface = egress ? std::as_const(table_).find(*egress) : nullptr;
  return interface != nullptr ? interface->name : std::string{};
}

/// After a storm, when nothing comes that would make the data path look again.
void Service::Impl::settle_losses() {
  if (!has_open_question()) {
    return;
  }
  losses_timer_.expires_after(2 * ReceiveLosses::delay);
  losses_timer_.async_wait([this](const error_code& error) {
    if (!error && !is_serving_) {
      serve();
    }
  });
}

void Service::Impl::tell_messages(bool per_message) {
  data_path_.tell_messages(per_message);
  if (data_path6_) {
    data_path6_->tell_messages(per_message);
  }
  asio::post(loop_, [this] {
    if (!is_serving_) {
      serve();  // it has taken messages
    }
  });
}

void Service::Impl::await_links() {
  if (std::exchange(is_awaiting_links_, true)) {
    return;
  }
  link_watch_.async_wait(Watch::wait_read, [this](const error_code& error) {
    is_awaiting_links_ = false;
    if (!error) {
      follow_links();
    }
  });
}

/// In the next turn of the loop, others having had theirs.
void Service::Impl::await_link_turn() {
  if (std::exchange(link_turn_is_due_, true)) {
    return;
  }
  asio::post(loop_, [this] {
    link_turn_is_due_ = false;
    follow_links();
  });
}

void Service::Impl::follow_links() {
  // Requests that wait may have come before the change, and are decided by what was: the data path takes them first.
  if (is_serving_) {
    static_cast<void>(data_path_.serve());  // what is left over has its turn, which is due
  } else {
    serve();
  }
  switch (monitor_.progress()) {
    case LinkProgress::in_step:
    case LinkProgress::failed:
      await_links();
      break;
    case LinkProgress::behind:
      await_link_turn();
      break;
    case LinkProgress::asking:
      break;  // the monitor wakes us
  }
}

void Service::Impl::read_links() {
  const bool was_asking = monitor_.progress() == LinkProgress::asking;
  const LinkProgress progress = monitor_.read_changes();
  if (memberships_ && was_asking && progress != LinkProgress::asking) {
    memberships_->renew();  // links may have gone and come back under their index meanwhile
    if (delegation_watch_) {
      delegation_watch_->links_were_missed();
    }
  }
  start_report_timer();
  if (table_.all().size() <= looked_at_at_once) {
    tell_interfaces();
  }
  start_link_timer();
  start_link_local_timer();
}

/// What is not done at each change: once when a burst is over, and what failed again.
void Service::Impl::start_link_timer() {
  if (std::exchange(is_catching_up_, true)) {
    return;
  }
  link_timer_.expires_after(monitor_.progress() == LinkProgress::failed ? link_retry_delay : route_delay);
  link_timer_.async_wait([this](const error_code& error) {
    if (error) {
      return;
    }
    is_catching_up_ = false;
    measure_route();
    tell_interfaces();
    if (monitor_.progress() == LinkProgress::failed) {
      monitor_.ask_again();
      start_link_timer();
    }
  });
}

/// Only while some interface may lack one: an idle relay does not wake.
void Service::Impl::start_link_local_timer() {
  if (!data_path6_ || std::exchange(is_awaiting_link_local_, true)) {
    return;
  }
  link_local_timer_.expires_after(link_local_delay);
  link_local_timer_.async_wait([this](const error_code& error) {
    if (error) {
      return;
    }
    is_awaiting_link_local_ = false;
    if (view_.report_lacking_link_local()) {
      start_link_local_timer();
    }
  });
}

void Service::Impl::await_signal() {
  signals_.async_wait([this](const error_code& error, int signal) {
    if (error) {
      return;
    }
    obey(signal);
    await_signal();
  });
}

void Service::Impl::obey(int signal) {
  start_report_timer();
  if (signal == SIGHUP) {
    start_reload();
  } else if (signal == SIGUSR1) {
    surroundings_.log_counters(table_, delegation_watch_ ? delegation_watch_->counters().get() : nullptr);
  } else if (signal == SIGUSR2) {
    tell_messages(surroundings_.toggle_capture(table_));
  } else {
    manager_->stopping();
    ending_signal_ = signal;
    loop_.stop();
  }
}

void Service::Impl::start_report_timer() {
  if (report_is_due_) {
    return;
  }
  report_is_due_ = true;
  report_timer_.expires_after(report_interval);
  report_timer_.async_wait([this](const error_code& error) {
    if (error) {
      return;
    }
    report_is_due_ = false;
    if (surroundings_.report_suppressed()) {
      start_report_timer();
    }
  });
}

void Service::Impl::post(std::function<void()> what) {
  asio::post(loop_, [this, call = std::move(what)] {
    call();
    start_report_timer();
  });
}

/// At the watchdog's pace, which shows that the loop goes round.
void Service::Impl::start_manager_timer() {
  manager_timer_.expires_after(manager_->watchdog_interval().value_or(status_interval));
  manager_timer_.async_wait([this](const error_code& error) {
    if (error) {
      return;
    }
    manager_->alive();
    if (std::chrono::steady_clock::now() - status_told_ >= status_interval) {
      tell_status();
    }
    start_manager_timer();
  });
}

void Service::Impl::tell_status() {
  manager_->status(surroundings_.status(table_));
  status_told_ = std::chrono::steady_clock::now();
}

/// Only while something is asked or answered, or silence can still become too long: an idle relay does not wake.
void Service::Impl::judge_in_a_moment() {
  if (std::exchange(judging_is_due_, true)) {
    return;
  }
  judging_timer_.expires_after(judging_interval);
  judging_timer_.async_wait([this](const error_code& error) {
    if (error) {
      return;
    }
    judging_is_due_ = false;
    const bool is_in_doubt = data_path_.judge_servers();
    if ((data_path6_ && data_path6_->judge_servers()) || is_in_doubt) {
      judge_in_a_moment();
    }
  });
}

void Service::Impl::tell_interfaces() {
  surroundings_.interfaces_changed(table_);
  tell_figures();
}

void Service::Impl::tell_figures() {
  if (!surroundings_.figures_changed) {
    return;
  }
  const Families relayed{.ipv4 = sockets_.requests.is_open(), .ipv6 = data_path6_.has_value()};
  Figures figures;
  figures.interfaces = interface_figures(table_, relayed);
  if (relayed.ipv4) {
    data_path_.add_figures(figures);
  }
  if (data_path6_) {
    data_path6_->add_figures(figures);
  }
  if (delegation_watch_) {
    figures.delegations = delegation_watch_->counters();
  }
  surroundings_.figures_changed(std::move(figures));
}

/// All that any interface has, in the order of their first mention.
void Service::Impl::apply_servers() {
  std::vector<Ipv4Address> servers;
  std::unordered_set<Ipv4Address> seen;
  for (const auto& setting : orders_.interfaces.servers) {
    std::copy_if(setting.value.begin(), setting.value.end(), std::back_inserter(servers),
                 [&seen](Ipv4Address server) { return seen.insert(server).second; });
  }
  data_path_.apply_servers(servers, orders_.policy.replies_from_anyone);
  run_routes_.apply(Family::ipv4, {servers.begin(), servers.end()});
  if (data_path6_) {
    apply_servers6();
  }
}

void Service::Impl::apply_servers6() {
  std::vector<ServerName6> servers;
  for (const auto& setting : orders_.interfaces.v6.servers) {
    servers.insert(servers.end(), setting.value.begin(), setting.value.end());
  }
  data_path6_->apply_servers(servers, orders_.policy6.replies_from_anyone);
  std::vector<IpAddress> routed;
  std::vector<std::string> egresses;
  for (const ServerName6& server : servers) {
    if (server.interface_name.empty()) {
      routed.emplace_back(server.address);
    } else {
      egresses.push_back(server.interface_name);
    }
  }
  run_routes_.apply(Family::ipv6, std::move(routed), std::move(egresses));
}

void Service::Impl::start_reload() {
  if (is_reloading_) {
    reload_again_ = true;
    return;
  }
  is_reloading_ = true;
  manager_->reloading();
  try {
    start_reload_thread();
  } catch (const std::system_error& error) {
    surroundings_.reload_failed(error.what());
    end_reload();
  }
}

void Service::Impl::start_reload_thread() {
  std::thread{[this, mailbox = mailbox_, reload = surroundings_.reload] {
    std::function<void()> result;  // `this` is used on the loop's thread alone, which the mailbox says is there
    try {
      result = [this, orders = reload()] { finish_reload(orders); };
    } catch (const std::exception& error) {
      result = [this, why = std::string{error.what()}] {
        surroundings_.reload_failed(why);
        end_reload();
      };
    }
    const std::lock_guard lock{mailbox->mutex};
    if (mailbox->loop != nullptr) {
      asio::post(*mailbox->loop, std::move(result));
    }
  }}.detach();
}

void Service::Impl::finish_reload(const Orders& orders) {
  orders_ = orders;
  view_.apply(orders.interfaces);
  if (delegation_watch_) {
    delegation_watch_->limit(orders.prefixes.limits);
  }
  measure_route();
  apply_servers();
  tell_messages(surroundings_.reloaded(view_.missing()));
  tell_interfaces();
  start_link_local_timer();
  end_reload();
}

void Service::Impl::end_reload() {
  start_report_timer();
  is_reloading_ = false;
  if (std::exchange(reload_again_, false)) {
    start_reload();
  } else {
    manager_->ready();
  }
}

/// Finds the least MTU on the way to a server, for the size that a request may grow to, and puts the policy in force.
void Service::Impl::measure_route() {
  std::unordered_set<Ipv4Address> servers;
  if (orders_.policy.add_agent_information && !orders_.policy.max_request_size) {
    for (const auto& setting : orders_.interfaces.servers) {
      servers.insert(setting.value.begin(), setting.value.end());
    }
  }
  std::optional<std::size_t> least;
  for (const Ipv4Address server : servers) {
    if (const auto mtu = monitor_.route_mtu(server)) {
      least = std::min(least.value_or(*mtu), *mtu);
    }
  }
  orders_.policy.upstream_mtu = least.value_or(Policy{}.upstream_mtu);
  data_path_.apply(orders_.policy);
  if (data_path6_) {
    data_path6_->apply(orders_.policy6);
  }
}

ServiceSockets open_service_sockets(const Ports& ports, const Policy6& policy6, Families families) {
  ServiceSockets sockets;
  sockets.link_reports = open_link_reports(families);
  if (families.ipv4) {
    sockets.messages = open_sockets(ports);
  }
  if (families.ipv6) {
    sockets.messages6 = open_sockets(policy6.ports);
    sockets.membership_holders = open_membership_holders();
    if (policy6.client_link_layer_address) {
      sockets.link_sources = open_link_sources(policy6.ports);
      sockets.messages6.frames = open_frames();
    }
  }
  return sockets;
}

Service::Service(ServiceSockets sockets, const Ports& ports, const Orders& orders, const Listener& listener,
                 Surroundings surroundings)
    : impl_(std::make_unique<Impl>(std::move(sockets), ports, orders, listener, std::move(surroundings))) {}

Service::~Service() = default;

int Service::run(ServiceManager& manager) {
  return impl_->run(manager);
}

void Service::post(std::function<void()> what) {
  impl_->post(std::move(what));
}

void Service::tell_messages(bool per_message) {
  impl_->tell_messages(per_message);
}

const InterfaceTable& Service::interfaces() const noexcept {
  return impl_->interfaces();
}

std::vector<std::string> Service::missing_interfaces() const {
  return impl_->missing_interfaces();
}

}  // namespace relay::io
