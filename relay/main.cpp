// The composition root: reads the configuration, joins log and service, and runs.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "relay/config/configuration.h"
#include "relay/io/daemon.h"
#include "relay/io/service.h"
#include "relay/log/log.h"
#include "relay/wiring.h"

namespace {

using namespace relay;

void tell_of_start(Log& log, const Configuration& configuration, const io::Service& service) {
  for (const std::string& warning : configuration.warnings) {
    log.note(LogLevel::warning, warning);
  }
  note_missing(log, service.missing_interfaces());
  log.started(DHCP_RELAY_VERSION, servers_text(configuration), downstream_text(configuration));
}

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
  Log log{configuration.foreground ? Log::Sink::standard_error : Log::Sink::syslog, configuration.log_format,
          configuration.log_level};
  io::Service service{{configuration.port, configuration.relay_port},
                      orders,
                      listener_of(log),
                      surroundings_of(log, configuration, words)};
  std::optional<io::PidFile> pid_file;
  if (!configuration.pid_file.empty()) {
    pid_file.emplace(configuration.pid_file);
  }
  tell_of_start(log, configuration, service);
  if (background) {
    background->ready();
  }
  log.stopped(service.run() == SIGTERM ? "SIGTERM" : "SIGINT");
  return 0;
}

/// Whatever is opened must not become standard input, output or error, where others read and write.
void fill_standard_descriptors() {
  int opened = 0;
  do {
    opened = ::open("/dev/null", O_RDWR);
  } while (opened >= 0 && opened <= STDERR_FILENO);
  if (opened > STDERR_FILENO) {
    ::close(opened);
  }
}

}  // namespace

int main(int argc, char** argv) {
  fill_standard_descriptors();
  static_cast<void>(std::signal(SIGUSR2, SIG_IGN));  // ends nothing, whatever it will mean one day
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
