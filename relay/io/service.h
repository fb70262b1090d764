// The running relay: its sockets, its view of the interfaces and the event loop that joins them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "relay/core/delegation_counters.h"
#include "relay/core/events.h"
#include "relay/core/families.h"
#include "relay/core/figures.h"
#include "relay/core/interface_settings.h"
#include "relay/core/interface_table.h"
#include "relay/core/policy.h"
#include "relay/core/policy6.h"
#include "relay/core/prefix_settings.h"
#include "relay/io/link_monitor.h"
#include "relay/io/service_manager.h"
#include "relay/io/sockets.h"
#include "relay/io/state_file.h"

namespace relay::io {

/// What the operator can change while the relay runs.
struct Orders {
  Policy policy;
  InterfaceSettings interfaces;
  Policy6 policy6{};
  Families families{.ipv4 = true};  ///< those that have a server
  PrefixSettings prefixes{};        ///< of which its `limits` alone can change
};

/// What the service asks of its surroundings. All but `reload` are called on the thread of `run`.
struct Surroundings {
  /// SIGHUP: reads the orders anew. Called on a thread of its own, since it resolves names; whatever it uses must be
  /// its own, since the process may end before it. What it throws leaves the old orders in force.
  std::function<Orders()> reload;
  /// The new orders are in force; `missing` as in `missing_interfaces`. Returns whether each message is told to
  /// `Listener::message` from now on.
  std::function<bool(const std::vector<std::string>& missing)> reloaded;
  std::function<void(std::string_view)> reload_failed;  ///< why they are not
  /// SIGUSR1; the second is null where nobody looks for delegated prefixes.
  std::function<void(const InterfaceTable&, const DelegationCounters*)> log_counters;
  /// SIGUSR2. Returns whether each message is told to `Listener::message` from now on.
  std::function<bool(const InterfaceTable&)> toggle_capture;
  std::function<void(const InterfaceTable&)> interfaces_changed;  ///< links, addresses or settings may be others now
  /// The same, and at construction; for other threads to read. May be empty.
  std::function<void(Figures)> figures_changed;
  /// Called some seconds after whatever may have been logged, and again until it returns false, nothing being left to
  /// report: an idle relay never wakes.
  std::function<bool()> report_suppressed;
  std::function<std::string(const InterfaceTable&)> status;  ///< one line for the service manager
};

/// What takes a privilege to open, at least for it to be as large as it should be.
struct ServiceSockets {
  Sockets messages;
  LinkReports link_reports;
  Sockets messages6;
  std::vector<Descriptor> membership_holders;
  Descriptor link_sources;  ///< closed where no message gets option 79
  PrefixState prefix_state{};
};

/// Those of the families that are relayed; option 79 is looked for where the policy adds it. Throws std::system_error
/// as `open_sockets`.
[[nodiscard]] ServiceSockets open_service_sockets(const Ports& ports, const Policy6& policy6, Families families);

class Service {
 public:
  /// Learns the interfaces; throws std::system_error. Takes no privilege. `sockets` are those of
  /// `open_service_sockets` for `ports`, `orders.policy6` and `orders.families`, which stay until the service ends.
  Service(ServiceSockets sockets, const Ports& ports, const Orders& orders, const Listener& listener,
          Surroundings surroundings);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Relays until SIGTERM or SIGINT and returns the signal's number. `manager` hears of it meanwhile.
  [[nodiscard]] int run(ServiceManager& manager);

  /// Calls `what` on the thread of `run`; from any thread.
  void post(std::function<void()> what);

  /// Whether each message is told to `Listener::message` from now on. On the thread of `run`.
  void tell_messages(bool per_message);

  /// On the thread of `run`, or before it.
  [[nodiscard]] const InterfaceTable& interfaces() const noexcept;

  /// Interface names of the command line that no interface has at the moment.
  [[nodiscard]] std::vector<std::string> missing_interfaces() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::io
