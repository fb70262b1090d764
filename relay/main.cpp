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

#include "relay/capturing.h"
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

void start_capture(Capturing& capturing, Log& log, io::Service& service) {
  capturing.start(
      service.interfaces(), [&service](std::function<void()> what) { service.post(std::move(what)); },
      [&log, &service](bool /*is_fault*/) { service.tell_messages(log.wants_messages()); });
  service.tell_messages(true);
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
  Capturing capturing{configuration, log, words};
  const bool captures = !configuration.capture.file.empty();
  io::Service service{{configuration.port, configuration.relay_port},
                      orders,
                      captures ? capturing.listening(listener_of(log)) : listener_of(log),
                      surroundings_of(log, capturing, configuration, words)};
  std::optional<io::PidFile> pid_file;
  if (!configuration.pid_file.empty()) {
    pid_file.emplace(configuration.pid_file);
  }
  tell_of_start(log, configuration, service);
  if (captures) {
    start_capture(capturing, log, service);
  }
  if (background) {
    background->ready();
  }
  const std::string why = service.run() == SIGTERM ? "SIGTERM" : "SIGINT";
  capturing.end(why);
  log.stopped(why);
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
  static_cast<void>(std::signal(SIGUSR2, SIG_IGN));  // until it is waited for
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    const auto read = read_configuration(words, DHCP_RELAY_LIBRARIES "\n");
    if (const auto* print = std::get_if<PrintAndExit>(&read)) {
      std::cout << print->text << std::flush;
      return std::cout ? 0 : 1;
    }
    const auto& configuration = std::get<Configuration>(read);
    return configuration.capture.only ? capture_until_signal(configuration, words)
                                      : relay_until_signal(configuration, words);
  } catch (const UsageError& error) {
    std::cerr << "dhcp-relay: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "dhcp-relay: " << error.what() << '\n';
    return 1;
  }
}
