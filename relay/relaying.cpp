#include "relay/relaying.h"

#include <csignal>
#include <functional>
#include <iostream>
#include <optional>
#include <utility>

#include "relay/capturing.h"
#include "relay/io/daemon.h"
#include "relay/io/service.h"
#include "relay/io/service_manager.h"
#include "relay/log/log.h"
#include "relay/wiring.h"

namespace relay {

namespace {

void tell_of_start(Log& log, const Configuration& configuration, const io::Service& service) {
  for (const std::string& warning : configuration.warnings) {
    log.note(LogLevel::warning, warning);
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
  const io::Orders orders = orders_of(configuration);
  std::optional<io::Background> background;
  if (!configuration.foreground) {
    if (!configuration.quiet) {
      std::cerr << "dhcp-relay " DHCP_RELAY_VERSION ": " << downstream_text(configuration) << " to "
                << servers_text(configuration) << '\n';
    }
    background = io::Background::enter();
  }
  io::ServiceManager manager;  // looks at the environment, so before there are threads
  Log log{configuration.foreground ? Log::Sink::standard_error : Log::Sink::syslog, configuration.log_format,
          configuration.log_level};
  std::optional<Capturing> capturing;
  if (!configuration.capture.file.empty()) {
    capturing.emplace(configuration, log, words);
  }
  io::Service service{{configuration.port, configuration.relay_port},
                      orders,
                      capturing ? capturing->listening(listener_of(log)) : listener_of(log),
                      surroundings_of(log, capturing ? &*capturing : nullptr, configuration, words)};
  std::optional<io::PidFile> pid_file;
  if (!configuration.pid_file.empty()) {
    pid_file.emplace(configuration.pid_file);
  }
  std::optional<CaptureEnd> capture_end;
  if (capturing) {
    capture_end.emplace(*capturing);
    start_capture(*capturing, log, service);
  }
  if (!manager.fault().empty()) {
    log.note(LogLevel::warning, "the service manager at NOTIFY_SOCKET is not told of anything: " + manager.fault());
  }
  tell_of_start(log, configuration, service);
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
