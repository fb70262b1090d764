// Any words and any file of flags: a configuration that the rest of the program can rely on, a text to print, or one
// line that says what is wrong. Never anything else, and the same each time. Input: see command_line.h.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "relay/config/configuration.h"
#include "relay/config/flags.h"
#include "relay/config/values.h"
#include "tests/fuzz/command_line.h"
#include "tests/fuzz/described.h"
#include "tests/fuzz/slow_options.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using fuzz::require;

bool is_control(char octet) {
  return static_cast<unsigned char>(octet) < 0x20 || octet == 0x7f;
}

// The one file that is read: it has no name in any folder, so that nothing is left of it however the run ends.
class ConfigFile {
 public:
  ConfigFile() : descriptor_(memfd_create("config", MFD_CLOEXEC)) {
    require(descriptor_ >= 0, "there is a file for --config");
    name_ = "/proc/self/fd/" + std::to_string(descriptor_);
  }

  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;
  ~ConfigFile() { close(descriptor_); }

  void write(const std::string& text) const {
    require(ftruncate(descriptor_, 0) == 0 &&
                pwrite(descriptor_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()),
            "the file for --config is written");
  }

  /// The file instead of one that `given` names. What is no file's name stays, but names nothing outside this folder.
  [[nodiscard]] std::string instead_of(std::string given) const {
    if (given.empty() || std::any_of(given.begin(), given.end(), is_control)) {
      std::replace(given.begin(), given.end(), '/', '_');
      return given;
    }
    return given == "missing" ? name_ + "-missing" : name_;
  }

 private:
  int descriptor_;
  std::string name_;
};

// Every word that `--config` could take as its value.
void redirect(std::vector<std::string>& words, const ConfigFile& file) {
  const std::string flag = "--config";
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].starts_with(flag + "=")) {
      words[i] = flag + "=" + file.instead_of(words[i].substr(flag.size() + 1));
    } else if (i > 0 && words[i - 1] == flag && relay::flags::find_word(words[i]) == nullptr) {
      words[i] = file.instead_of(words[i]);
    }
  }
}

// One sentence on one line, which a terminal shows as it is.
void check_sentence(const std::string& text) {
  require(!text.empty() && text.size() <= 400, "the sentence is neither empty nor long");
  require(std::all_of(text.begin(), text.end(), [](char octet) { return octet >= 0x20 && octet <= 0x7e; }),
          "the sentence is one line of printable characters");
}

bool is_interface_name(const std::string& name) {
  return !name.empty() && name.size() <= 15 && name.find('/') == std::string::npos;
}

/// An address, one of IPv6 perhaps with its interface, or a name.
bool is_server(const std::string& server) {
  const std::size_t percent = server.find('%');
  const std::string host = server.substr(0, percent);
  if (relay::flags::ipv6_address(host)) {
    return percent == std::string::npos || is_interface_name(server.substr(percent + 1));
  }
  return percent == std::string::npos && !host.empty() && host.size() <= 254 &&
         host.find_first_of("/= ,:") == std::string::npos && std::none_of(host.begin(), host.end(), is_control);
}

void check_policy(const relay::Policy& policy) {
  require(policy.max_hops >= 1 && policy.max_hops <= 16, "the hop limit is 1 to 16");
  require(policy.min_size == 236 || policy.min_size == 300, "the least size is that of the RFC or the header's");
  require(!policy.max_request_size || (*policy.max_request_size >= 64 && *policy.max_request_size <= 65507),
          "a UDP payload can have the largest size");
  require(!policy.source_address || policy.source_address->is_host(), "the source address is a host's");
  const auto* giaddr = std::get_if<relay::Ipv4Address>(&policy.reply_giaddr);
  require(giaddr == nullptr || giaddr->is_unspecified() || giaddr->is_host(), "giaddr of replies is zero or a host's");
}

void check_interfaces(const relay::Configuration& configuration) {
  const auto& settings = configuration.interfaces;
  const bool relays = !configuration.capture.only;
  require(std::any_of(settings.roles.begin(), settings.roles.end(),
                      [relays](const auto& each) { return each.value.downstream || each.value.lower || !relays; }),
          "there is an interface, and to relay a downstream one");
  for (const auto& role : settings.roles) {
    const bool is_pattern = relay::is_pattern(role.pattern);
    require(is_pattern ? role.pattern.size() <= 64 : is_interface_name(role.pattern), "a role is an interface's");
    const bool is_served =
        std::any_of(configuration.servers.begin(), configuration.servers.end(),
                    [&](const auto& each) { return each.pattern == role.pattern || relay::is_pattern(each.pattern); });
    require(!relays || !role.value.downstream || is_pattern || is_served, "what is named has a server");
  }
  for (const auto& [pattern, giaddr] : settings.giaddrs) {
    require(giaddr.is_host(), "a giaddr is a host's");
  }
  require(settings.giaddr_interface.empty() || is_interface_name(settings.giaddr_interface), "-U is an interface");
}

void check_captures(const relay::Configuration& configuration) {
  const auto& [file, max_size, max_count, filter, only] = configuration.capture;
  const auto& replay = configuration.replay;
  require(max_size >= 1'000'000 && max_size <= 1'000'000'000'000 && max_count >= 1 && max_count <= 1000,
          "a capture has room, and an end");
  require(filter.empty() || !file.empty() || only || !replay.file.empty(), "what is filtered is captured or replayed");
  require(!only || replay.file.empty(), "either the network is looked at or a file");
  require(configuration.foreground || (!only && replay.file.empty() && file != "-"), "who prints has an output");
  require(replay.interfaces.empty() || !replay.file.empty(), "interfaces of a replay are for one");
  for (const auto& [name, address, mac, address6] : replay.interfaces) {
    const bool is_possible = address6 ? address6->address.is_host() && address6->length >= 1 && address6->length <= 128
                                      : address.address.is_host() && address.length >= 1 && address.length <= 32;
    require(is_interface_name(name) && is_possible && (!mac || mac->is_station()),
            "an interface of a replay is one that can be");
  }
}

void check(const relay::Configuration& configuration) {
  check_policy(configuration.policy);
  check_interfaces(configuration);
  check_captures(configuration);
  require(!configuration.servers.empty() || configuration.capture.only, "there is a server");
  for (const auto& [pattern, servers] : configuration.servers) {
    require(!servers.empty(), "nobody has an empty list of servers");
    for (const std::string& server : servers) {
      require(is_server(server), "a server is an address or a name");
      require(std::count(servers.begin(), servers.end(), server) == 1, "no server is there twice");
    }
  }
  require(configuration.port != 0 && configuration.port != 65535, "there is a port above for the clients");
  require(configuration.relay_port != configuration.port && configuration.relay_port != 0, "the relay port is another");
  require(std::none_of(configuration.pid_file.begin(), configuration.pid_file.end(), is_control),
          "the process' file has a name");
  std::for_each(configuration.warnings.begin(), configuration.warnings.end(), check_sentence);
  require(configuration.capture.only ||
              (!relay::servers_text(configuration).empty() && !relay::downstream_text(configuration).empty()),
          "servers and downstream interfaces are told");
  require(relay::flags_for_next_start(configuration, configuration).empty(), "nothing differs from itself");
}

// What came of it, as text: the first letter says which of the three.
std::string read(const std::vector<std::string>& words) {
  try {
    const auto result = relay::read_configuration(words, "versions\n");
    if (const auto* print = std::get_if<relay::PrintAndExit>(&result)) {
      require(!print->text.empty() && print->text.ends_with('\n'), "what is printed ends its line");
      return "P" + print->text;
    }
    const auto& configuration = std::get<relay::Configuration>(result);
    check(configuration);
    return "C" + fuzz::described(configuration);
  } catch (const relay::UsageError& error) {
    check_sentence(error.what());
    return std::string("U") + error.what();
  }  // anything else ends the run
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ConfigFile file;
  std::string input(size, '\0');
  std::copy_n(data, size, input.begin());
  fuzz::CommandLine line = fuzz::read_input(input);
  redirect(line.words, file);
  file.write(line.file);
  const std::string first = read(line.words);
  require(first == read(line.words), "the same words mean the same twice");
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  if (seed % 3 == 0) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  std::string input(size, '\0');
  std::copy_n(data, size, input.begin());
  fuzz::CommandLine line = fuzz::read_input(input);
  fuzz::CommandLineMutator{seed}.change(line);
  const std::string changed = fuzz::written_input(line);
  const std::size_t written = std::min(changed.size(), max_size);
  std::copy_n(changed.begin(), written, data);
  return written;
}
