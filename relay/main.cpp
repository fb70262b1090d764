// The composition root: reads the configuration, joins log and service, and runs.
#include <csignal>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "relay/config/configuration.h"
#include "relay/io/daemon.h"
#include "relay/io/resolve.h"
#include "relay/io/service.h"
#include "relay/log/log.h"

namespace {

using namespace relay;

[[nodiscard]] io::Orders orders_of(const Configuration& configuration) {
  io::Orders orders{configuration.policy, configuration.interfaces};
  orders.interfaces.servers = io::resolve(configuration.servers);
  return orders;
}

[[nodiscard]] std::string servers_of(const Configuration& configuration) {
  std::string text;
  for (const auto& [pattern, servers] : configuration.servers) {
    for (const std::string& server : servers) {
      text += (text.empty() ? "" : ",") + (pattern == "*" ? "" : pattern + "=") + server;
    }
  }
  return text;
}

[[nodiscard]] std::string downstream_of(const Configuration& configuration) {
  std::string text;
  for (const auto& [pattern, role] : configuration.interfaces.roles) {
    if (role.downstream) {
      text += (text.empty() ? "" : ",") + pattern;
    }
  }
  return text;
}

[[nodiscard]] Listener listener_of(Log& log) {
  Listener listener;
  listener.dropped = [&log](const MessageEvent& event) { log.dropped(event); };
  listener.message = [&log](const MessageEvent& event) { log.message(event); };
  listener.send_failed = [&log](const SendFailure& failure) { log.send_failed(failure); };
  listener.interface_changed = [&log](const InterfaceEvent& event) { log.interface_changed(event); };
  listener.per_message = log.wants_messages();
  return listener;
}

[[nodiscard]] io::Surroundings surroundings_of(Log& log, const std::vector<std::string>& words) {
  io::Surroundings surroundings;
  surroundings.reload = [words] { return orders_of(std::get<Configuration>(read_configuration(words, {}))); };
  surroundings.reloaded = [&log] { log.note(LogLevel::info, "the configuration was read again and is in force"); };
  surroundings.reload_failed = [&log](std::string_view why) {
    log.note(LogLevel::error, "the old configuration stays in force: " + std::string{why});
  };
  surroundings.log_counters = [&log](const InterfaceTable& table) { log.counters(table); };
  surroundings.report_suppressed = [&log] {
    log.report_suppressed();
    return log.has_suppressed();
  };
  return surroundings;
}

int relay_until_signal(const Configuration& configuration, const std::vector<std::string>& words) {
  const io::Orders orders = orders_of(configuration);
  std::optional<io::Background> background;
  if (!configuration.foreground) {
    background = io::Background::enter();
  }
  Log log{configuration.foreground ? Log::Sink::standard_error : Log::Sink::syslog, configuration.log_format,
          configuration.log_level};
  io::Service service{
      {configuration.port, configuration.relay_port}, orders, listener_of(log), surroundings_of(log, words)};
  std::optional<io::PidFile> pid_file;
  if (!configuration.pid_file.empty()) {
    pid_file.emplace(configuration.pid_file);
  }
  for (const std::string& warning : configuration.warnings) {
    log.note(LogLevel::warning, warning);
  }
  for (const std::string& name : service.missing_interfaces()) {
    log.note(LogLevel::warning, "interface " + name + " does not exist; it is used as soon as it does");
  }
  log.started(DHCP_RELAY_VERSION, servers_of(configuration), downstream_of(configuration));
  if (background) {
    background->ready();
  }
  const int signal = service.run();
  log.stopped(signal == SIGTERM ? "SIGTERM" : "SIGINT");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    const auto read = read_configuration(words, DHCP_RELAY_LIBRARIES "\n");
    if (const auto* print = std::get_if<PrintAndExit>(&read)) {
      std::cout << print->text << std::flush;
      return std::cout ? 0 : 1;
    }
    return relay_until_signal(std::get<Configuration>(read), words);
  } catch (const UsageError& error) {
    std::cerr << "dhcp-relay: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "dhcp-relay: " << error.what() << '\n';
    return 1;
  }
}
