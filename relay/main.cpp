// Reads the configuration and does what it asks for: check, relay, capture or replay.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <string>
#include <variant>
#include <vector>

#include "relay/capturing.h"
#include "relay/checking.h"
#include "relay/config/configuration.h"
#include "relay/relaying.h"
#include "relay/replaying.h"

namespace {

using namespace relay;

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
    if (configuration.check) {
      return check_host(configuration);
    }
    if (!configuration.replay.file.empty()) {
      return replay(configuration, words);
    }
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
