#include "relay/relaying.h"

#include <csignal>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "relay/capturing.h"
#include "relay/check/judgement.h"
#include "relay/io/daemon.h"
#include "relay/io/look_around.h"
#include "relay/io/privileges.h"
#include "relay/io/resolve.h"
#include "relay/io/service.h"
#include "relay/io/service_manager.h"
#include "relay/io/syscall_filter.h"
#include "relay/log/finding_text.h"
#include "relay/log/log.h"
#include "relay/log/system_log.h"
#include "relay/metering.h"
#include "relay/opening.h"
#include "relay/wiring.h"

namespace relay {

namespace {

/// What is wrong with servers for good, a sentence each. A host that cannot be asked fails the start elsewhere.
[[nodiscard]] std::vector<std::string> faults_of_servers(const io::Orders& orders, const Ports& ports) {
  std::vector<std::string> sentences;
  try {
    for (const check::Finding& finding : check::judge_servers_at_start(io::look_at_servers(orders, ports))) {
      sentences.push_back(finding_sentence(finding));
    }
  } catch (const std::system_error&) {
  }
  return sentences;
}

void tell_of_start(Log& log, const Configuration& configuration, const Opened& opened, const io::Service& service) {
  for (const auto* warnings : {&configuration.warnings, &opened.warnings}) {
    for (const std::string& warning : *warnings) {
      log.note(LogLevel::warning, warning);
    }
  }
  for (const std::string& note : opened.notes) {
    log.note(LogLevel::info, note);
  }
  note_missing(log, service.missing_interfaces());
  log.started(DHCP_RELAY_VERSION, servers_text(configuration), downstream_text(configuration));
}

void start_capture(Capturing& capturing, Log& log, io::Service& service) {
  capturing.start(
      service.interfaces(), [&service](std::function<void()> what) { service.post(std::move(what)); },
      [&log, &service](bool /*is_fault*/) { service.tell_messages(log.wants_messages()); });
  service.tell_messages(true);
}

}  // namespace

int relay_until_signal(const Configuration& configuration, const std::vector<std::string>& words) {
  const std::optional<io::Account> account = account_of(configuration);
  check_filter(configuration);
  const io::Orders orders = orders_of(configuration, io::look_up);
  const std::vector<std::string> faults = faults_of_servers(orders, {configuration.port, configuration.relay_port});
  std::optional<io::Background> background;
  if (!configuration.foreground) {
    if (!configuration.quiet) {
      std::cerr << "dhcp-relay " DHCP_RELAY_VERSION ": " << downstream_text(configuration) << " to "
                << servers_text(configuration) << '\n';
    }
    if (const std::string fault = SystemLog{}.fault(); !fault.empty()) {
      std::cerr << "dhcp-relay: warning: " << fault << "; all that this relay logs is lost until one does\n";
    }
    background = io::Background::enter();
  }
  io::ServiceManager manager;  // looks at the environment, so before there are threads
  Opened opened = open_for_relaying(configuration, orders, account);
  opened.warnings.insert(opened.warnings.begin(), faults.begin(), faults.end());
  Log log{configuration.foreground ? Log::Sink::standard_error : Log::Sink::syslog, configuration.log_format,
          configuration.log_level};
  std::optional<Capturing> capturing;
  if (opened.capture_file) {
    capturing.emplace(configuration, orders.families, log, words, std::move(opened.capture_file));
  }
  std::optional<Metering> metering;
  if (opened.metrics_socket.is_open()) {
    metering.emplace(std::move(opened.metrics_socket), capturing ? capturing->counters() : nullptr, log.lost_lines());
  }
  const bool writes_state = opened.sockets.prefix_state.file != nullptr;
  io::Service service{std::move(opened.sockets),
                      {configuration.port, configuration.relay_port},
                      orders,
                      capturing ? capturing->listening(listener_of(log)) : listener_of(log),
                      surroundings_of(log, capturing ? &*capturing : nullptr, metering ? &*metering : nullptr,
                                      configuration, words, opened.resolver)};
  io::confine_relay({.captures = capturing.has_value(),
                     .writes_state = writes_state,
                     .serves_metrics = metering.has_value(),
                     .unix_sockets = !configuration.foreground,
                     .pid_file = opened.pid_file ? opened.pid_file->descriptor() : -1,
                     .null_device = background ? background->null_device() : -1});
  if (metering) {
    metering->begin();
  }
  std::optional<CaptureEnd> capture_end;
  if (capturing) {
    capture_end.emplace(*capturing);
    start_capture(*capturing, log, service);
  }
  if (!manager.fault().empty()) {
    log.note(LogLevel::warning, "the service manager at NOTIFY_SOCKET is not told of anything: " + manager.fault());
  }
  tell_of_start(log, configuration, opened, service);
  if (background) {
    background->ready();
  }
  const std::string why = service.run(manager) == SIGTERM ? "SIGTERM" : "SIGINT";
  if (capturing) {
    capturing->end(why);
  }
  log.stopped(why);
  return 0;
}

}  // namespace relay
