#include "relay/log/log.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "relay/log/line.h"
#include "relay/log/message_text.h"
#include "relay/log/queued_output.h"
#include "relay/log/tallies.h"

namespace relay {

namespace {

// A label in place of a name; an interface's name could look like it, but nobody names one so.
constexpr std::string_view unattributed_label = "(unattributed)";

template <typename Event>
DropReason reason_of(const Event& event) {
  const auto* drop = event.decision == nullptr ? nullptr : std::get_if<Drop>(event.decision);
  assert(drop != nullptr);
  return drop->reason;
}

LogLevel level_of(const InterfaceEvent& event) {
  switch (event.change) {
    case InterfaceChange::vanished:
    case InterfaceChange::released:
    case InterfaceChange::went_down:
    case InterfaceChange::no_link_local:
      return LogLevel::warning;
    case InterfaceChange::giaddr_changed:
      return event.interface.giaddr ? LogLevel::info : LogLevel::warning;
    case InterfaceChange::appeared:
    case InterfaceChange::link_address_changed:
    case InterfaceChange::has_link_local:
    case InterfaceChange::renamed:
    case InterfaceChange::came_up:
    case InterfaceChange::became_passive:
    case InterfaceChange::became_active:
      return LogLevel::info;
  }
  return LogLevel::info;
}

/// What is known of a failure beyond its reason; empty where that says it all.
std::string_view hint_of(const SendFailure&) noexcept {
  return {};
}

std::string_view hint_of(const SendFailure6& failure) noexcept {
  const bool has_no_neighbour = failure.error == EINVAL && failure.destination.is_link_local();
  return has_no_neighbour ? "The kernel has no room for this client among its neighbours: raise "
                            "net.ipv6.neigh.default.gc_thresh3, which --check compares with those in use."
                          : std::string_view{};
}

bool is_sending(DropReason reason) {
  return reason == DropReason::send_buffer_full || reason == DropReason::send_failed;
}

}  // namespace

class Log::Impl {
 public:
  /// To `queue`, or where there is none to `write_line`.
  Impl(std::unique_ptr<QueuedOutput> queue, WriteLine write_line, LogFormat format, LogLevel threshold, Clock clock)
      : queue_(std::move(queue)),
        lost_(queue_ ? queue_->lost() : std::make_shared<const LostLines>()),
        write_line_(std::move(write_line)),
        clock_(std::move(clock)),
        format_(format),
        threshold_(threshold) {}

  [[nodiscard]] bool wants(LogLevel level) const noexcept { return level >= threshold_; }

  /// Writes one line, whose fields behind the event's name `add_fields(LogLine&)` adds.
  template <typename AddFields>
  void write(LogLevel level, std::string_view event, AddFields add_fields) {
    write_at(now(), level, event, add_fields);
  }

  template <typename AddFields>
  void write_at(std::optional<LogLine::Time> time, LogLevel level, std::string_view event, AddFields add_fields) {
    const std::string_view line = composed(time, level, event, add_fields);
    if (queue_) {
      queue_->write(level, line);
    } else {
      write_line_(line);
    }
  }

  /// A report that was lost itself is made up for by the next one.
  void report_lost();

  [[nodiscard]] const std::shared_ptr<const LostLines>& lost_lines() const noexcept { return lost_; }

  void set_threshold(LogLevel threshold) noexcept { threshold_ = threshold; }

  // Of either family.
  template <typename Event>
  void message(const Event& event);
  template <typename Event>
  void dropped(const Event& event);
  template <typename Failure>
  void send_failed(const Failure& failure);

  Tallies tallies;

 private:
  [[nodiscard]] std::optional<LogLine::Time> now() const { return clock_ ? std::optional{clock_()} : std::nullopt; }

  /// Until the next one.
  template <typename AddFields>
  [[nodiscard]] std::string_view composed(std::optional<LogLine::Time> time, LogLevel level, std::string_view event,
                                          AddFields add_fields) {
    LogLine line{storage_, format_, time, level, event};
    add_fields(line);
    return line.finish();
  }

  std::unique_ptr<QueuedOutput> queue_;
  std::shared_ptr<const LostLines> lost_;
  WriteLine write_line_;
  Clock clock_;
  LogFormat format_;
  LogLevel threshold_;
  std::string storage_;
};

void Log::Impl::report_lost() {
  if (!queue_ || queue_->is_reporting()) {
    return;
  }
  const std::uint64_t lost = lost_->unreported();
  if (lost == 0) {
    return;
  }
  const std::string_view line = composed(now(), LogLevel::warning, "log_overrun", [&](LogLine& fields) {
    fields.field("lost", lost).field("log_lines_lost", lost + lost_->reported.load());
  });
  queue_->report(LogLevel::warning, line, lost);
}

template <typename Event>
void Log::Impl::message(const Event& event) {
  if (!wants(LogLevel::debug)) {
    return;
  }
  switch (event.stage) {
    case MessageStage::received:
      write(LogLevel::debug, "received", [&](LogLine& line) {
        add_message(line, event);
        add_arrival(line, event);
      });
      return;
    case MessageStage::forwarded:
      write(LogLevel::debug, "forwarded", [&](LogLine& line) {
        add_message(line, event);
        add_destination(line, event);
      });
      return;
    case MessageStage::dropped:
      dropped(event);
      return;
  }
}

template <typename Event>
void Log::Impl::dropped(const Event& event) {
  if (!wants(LogLevel::warning)) {
    return;
  }
  const DropReason reason = reason_of(event);
  Tally& tally = tallies.of(event.interface, event.ingress.interface_index);
  if (tally.is_first(reason)) {
    write(LogLevel::warning, "dropped", [&](LogLine& line) {
      add_message(line, event);
      add_arrival(line, event);
      add_explanation(line, reason);
    });
  } else if (wants(LogLevel::debug)) {
    write(LogLevel::debug, "dropped", [&](LogLine& line) {
      add_message(line, event);
      add_arrival(line, event);
      line.field("reason", text(reason).name);
    });
  } else {
    tally.suppress(reason);
  }
}

template <typename Failure>
void Log::Impl::send_failed(const Failure& failure) {
  if (!wants(LogLevel::warning)) {
    return;
  }
  const std::uint32_t index = failure.interface == nullptr ? 0 : failure.interface->index;
  Tally& tally = tallies.of(failure.interface, index);
  tally.last_error = failure.error;
  const auto add_failure = [&](LogLine& line) {
    line.field("interface", interface_label(failure.interface, index)).field("destination", failure.destination);
    line.field("error", std::generic_category().message(failure.error));
  };
  if (tally.is_first(failure.reason)) {
    write(LogLevel::warning, "send_failed", [&](LogLine& line) {
      add_failure(line);
      add_explanation(line, failure.reason, hint_of(failure));
    });
  } else if (wants(LogLevel::debug)) {
    write(LogLevel::debug, "send_failed", [&](LogLine& line) {
      add_failure(line);
      line.field("reason", text(failure.reason).name);
    });
  } else {
    tally.suppress(failure.reason);
  }
}

Log::Log(Sink sink, LogFormat format, LogLevel threshold)
    : impl_(std::make_unique<Impl>(std::make_unique<QueuedOutput>(sink), nullptr, format, threshold,
                                   sink == Sink::syslog ? Clock{} : std::chrono::system_clock::now)) {}

Log::Log(WriteLine write_line, LogFormat format, LogLevel threshold, Clock clock)
    : impl_(std::make_unique<Impl>(nullptr, std::move(write_line), format, threshold, std::move(clock))) {}

Log::~Log() = default;

void Log::started(std::string_view version, std::string_view servers, std::string_view interfaces) {
  if (impl_->wants(LogLevel::info)) {
    impl_->write(LogLevel::info, "started", [&](LogLine& line) {
      line.field("version", version).field("servers", servers).field("interfaces", interfaces);
    });
  }
}

void Log::stopped(std::string_view why) {
  if (impl_->wants(LogLevel::info)) {
    impl_->write(LogLevel::info, "stopped", [&](LogLine& line) { line.field("why", why); });
  }
}

void Log::note(LogLevel level, std::string_view sentence) {
  if (impl_->wants(level)) {
    impl_->write(level, "note", [&](LogLine& line) { line.field("message", sentence); });
  }
}

void Log::message(const MessageEvent& event) noexcept {
  impl_->message(event);
}
void Log::message(const MessageEvent6& event) noexcept {
  impl_->message(event);
}

void Log::dropped(const MessageEvent& event) noexcept {
  impl_->dropped(event);
}
void Log::dropped(const MessageEvent6& event) noexcept {
  impl_->dropped(event);
}

void Log::kernel_lost(const KernelLoss& loss) noexcept {
  if (!impl_->wants(LogLevel::warning)) {
    return;
  }
  Tally& tally = impl_->tallies.of(loss.interface, loss.interface == nullptr ? 0 : loss.interface->index);
  if (loss.interface == nullptr) {
    tally.label = unattributed_label;
  }
  if (tally.is_first(loss.reason)) {
    impl_->write(LogLevel::warning, "dropped", [&](LogLine& line) {
      line.field("interface", tally.label).field("count", loss.count);
      add_explanation(line, loss.reason);
    });
  } else {
    tally.suppress(loss.reason, loss.count);
  }
}

void Log::offload_refused(Offload offload, int error) noexcept {
  const std::string_view what =
      offload == Offload::run_sending
          ? "messages to servers leave one by one, since the kernel or a driver refused UDP_SEGMENT"
          : "messages are received one by one, since the kernel refused UDP_GRO";
  note(LogLevel::info, std::string{what} + ": " + std::generic_category().message(error));
}

void Log::send_failed(const SendFailure& failure) noexcept {
  impl_->send_failed(failure);
}
void Log::send_failed(const SendFailure6& failure) noexcept {
  impl_->send_failed(failure);
}

void Log::membership_refused(const MembershipRefusal& refusal) noexcept {
  note(LogLevel::warning, "interface " + printable_text(refusal.interface.name) +
                              " hears no DHCPv6 client, since the kernel refuses to join the group ff02::1:2 on it: " +
                              std::generic_category().message(refusal.error));
}

void Log::delegation_changed(const DelegationEvent& event) noexcept {
  const LogLevel level = event.change == DelegationChange::refused ? LogLevel::warning : LogLevel::info;
  if (impl_->wants(level)) {
    impl_->write(level, delegation_event_name(event.change), [&](LogLine& line) { add_delegation(line, event); });
  }
}

void Log::route_refused(const RouteRefusal& refusal) noexcept {
  if (impl_->wants(LogLevel::warning)) {
    impl_->write(LogLevel::warning, "route_refused", [&](LogLine& line) { add_route_refusal(line, refusal); });
  }
}

void Log::prefix_state(const PrefixStateEvent& event) noexcept {
  const std::string file = printable_text(event.file);
  switch (event.change) {
    case PrefixStateChange::taken_over:
      note(LogLevel::info, std::to_string(event.count) + " delegated prefixes are known from " + file);
      return;
    case PrefixStateChange::absent:
      note(LogLevel::info, "no delegated prefix is known from before, since there is no " + file);
      return;
    case PrefixStateChange::damaged:
      note(LogLevel::warning,
           file + " is damaged, and no delegated prefix is known from it: it is now " + file + ".damaged");
      return;
    case PrefixStateChange::not_written:
      note(LogLevel::error, "delegated prefixes would not outlast a restart: " + printable_text(event.why));
      return;
    case PrefixStateChange::writable:
      note(LogLevel::info, "delegated prefixes are kept in " + file + " again");
      return;
    case PrefixStateChange::routes_left:
      note(LogLevel::warning, "routes of before stay that nothing is known of: " + std::to_string(event.count) +
                                  " of ip -6 route show proto 87; each until its prefix is delegated again and over, "
                                  "or somebody takes it away");
      return;
  }
}

void Log::interface_changed(const InterfaceEvent& event) noexcept {
  const LogLevel level = level_of(event);
  if (impl_->wants(level)) {
    impl_->write(level, "interface_changed", [&](LogLine& line) { add_change(line, event); });
  }
}

void Log::server_changed(const ServerEvent& event) noexcept {
  const LogLevel level = event.is_answering ? LogLevel::info : LogLevel::warning;
  if (impl_->wants(level)) {
    impl_->write(level, "server_changed", [&](LogLine& line) { add_server_change(line, event); });
  }
}

void Log::seen(const capture::Annotated& annotated) noexcept {
  if (impl_->wants(LogLevel::info)) {
    const auto time = std::chrono::duration_cast<Clock::result_type::duration>(annotated.packet.time);
    impl_->write_at(Clock::result_type{time}, LogLevel::info, "seen",
                    [&](LogLine& line) { add_seen(line, annotated); });
  }
}

void Log::capture_started(std::string_view file) {
  if (impl_->wants(LogLevel::info)) {
    impl_->write(LogLevel::info, "capture_started", [&](LogLine& line) { line.field("file", file); });
  }
}

void Log::capture_ended(const CaptureEnding& ending) {
  const LogLevel level = ending.is_fault ? LogLevel::warning : LogLevel::info;
  if (impl_->wants(level)) {
    impl_->write(level, "capture_ended", [&](LogLine& line) {
      line.field("file", ending.file).field("why", ending.why).field("packets", ending.packets);
      line.field("lost_packets", ending.lost_packets).field("lost_verdicts", ending.lost_verdicts);
    });
  }
}

void Log::counters(const InterfaceTable& table, const DelegationCounters* delegations) {
  std::vector<const Interface*> interfaces;
  for (const auto& entry : table.all()) {
    interfaces.push_back(&entry.second);
  }
  std::ranges::sort(interfaces, {}, &Interface::index);
  CounterSums total;
  std::size_t shown = 0;
  const auto write_counters = [&](std::string_view label, std::string_view family, const auto& counters, bool is_used) {
    const CounterSums sums = sums_of(counters);
    if (!is_used && sums == CounterSums{}) {
      return false;
    }
    total.add(counters);
    impl_->write(LogLevel::info, "counters", [&](LogLine& line) {
      line.field("interface", label).field("family", family);
      add_counters(line, sums);
    });
    return true;
  };
  for (const Interface* const interface : interfaces) {
    const Interface6& v6 = interface->v6;
    const bool of_ipv4 = write_counters(interface->name, "ipv4", *interface->counters,
                                        interface->is_downstream || interface->is_upstream);
    const bool of_ipv6 = v6.counters != nullptr && write_counters(interface->name, "ipv6", *v6.counters, v6.is_relayed);
    shown += of_ipv4 || of_ipv6 ? 1 : 0;
  }
  static_cast<void>(write_counters(unattributed_label, "ipv4", table.left_over(), false));
  static_cast<void>(write_counters(unattributed_label, "ipv6", table.left_over6(), false));
  impl_->write(LogLevel::info, "counters_total", [&](LogLine& line) {
    line.field("interfaces", shown);
    add_counters(line, total);
    if (delegations != nullptr) {
      add_delegations(line, *delegations);
    }
    line.field("log_lines_lost", impl_->lost_lines()->count());
  });
}

void Log::report_suppressed() {
  impl_->tallies.report([this](const Tally& tally, DropReason reason, std::uint64_t count) {
    impl_->write(LogLevel::warning, is_sending(reason) ? "send_failed" : "dropped", [&](LogLine& line) {
      line.field("interface", tally.label);
      if (reason == DropReason::send_failed && tally.last_error != 0) {
        line.field("error", std::generic_category().message(tally.last_error));
      }
      line.field("reason", text(reason).name).field("suppressed", count);
    });
  });
  impl_->report_lost();
}

bool Log::has_suppressed() const noexcept {
  return !impl_->tallies.empty() || impl_->lost_lines()->unreported() != 0;
}

std::shared_ptr<const LostLines> Log::lost_lines() const {
  return impl_->lost_lines();
}

void Log::set_threshold(LogLevel threshold) noexcept {
  impl_->set_threshold(threshold);
}

bool Log::wants_messages() const noexcept {
  return impl_->wants(LogLevel::debug);
}

}  // namespace relay
