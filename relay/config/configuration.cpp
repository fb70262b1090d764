#include "relay/config/configuration.h"

#include <fnmatch.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "relay/config/capture_flags.h"
#include "relay/config/flags.h"
#include "relay/config/values.h"
#include "relay/config/words.h"
#include "relay/core/agent_information_content.h"

namespace relay {

namespace {

using flags::find_given;
using flags::Flag;
using flags::Given;

// Names and patterns of interfaces, asked whether another name or pattern can be about one of them.
class Patterns {
 public:
  void add(const std::string& pattern) {
    if (is_pattern(pattern)) {
      patterns_.push_back(pattern);
    } else {
      names_.insert(pattern);
    }
  }

  // Two patterns are taken to meet: which interfaces there will be is not known here.
  [[nodiscard]] bool meet(const std::string& pattern) const {
    if (is_pattern(pattern)) {
      return !patterns_.empty() || std::any_of(names_.begin(), names_.end(), [&pattern](const std::string& name) {
        return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
      });
    }
    return names_.contains(pattern) ||
           std::any_of(patterns_.begin(), patterns_.end(),
                       [&pattern](const std::string& each) { return fnmatch(each.c_str(), pattern.c_str(), 0) == 0; });
  }

 private:
  std::unordered_set<std::string> names_;
  std::vector<std::string> patterns_;
};

// What a flag on the command line takes the place of: the file's flags with the same key. The general servers and those
// of one interface are told apart, and --pid-file and --no-pid are one decision.
std::string_view override_key(const Given& given) noexcept {
  if (given.flag->name == "server") {
    return given.positional || given.value.find('=') == std::string::npos ? "SERVER" : "server";
  }
  return given.flag->name == "no-pid" ? "pid-file" : given.flag->name;
}

// `are_lines`: in the file a flag without a value is one decision too; on the command line its repetition is harmless.
void reject_repetition(const std::vector<Given>& givens, bool are_lines) {
  std::set<std::string_view> seen;
  for (const Given& given : givens) {
    const Flag& flag = *given.flag;
    if (!flag.repeatable && (flag.takes_value() || are_lines) && !seen.insert(flag.name).second) {
      flags::reject(given, "given twice; expected once");
    }
  }
}

// `name = false` in the file.
bool is_off(const Given& given) noexcept {
  return !given.flag->takes_value() && given.value == "false";
}

// The file's flags that the command line leaves in force, then the command line's.
std::vector<Given> merged(std::vector<Given> file, std::vector<Given> command_line) {
  std::set<std::string_view> overridden;
  for (const Given& given : command_line) {
    overridden.insert(override_key(given));
  }
  std::vector<Given> result;
  for (Given& given : file) {
    if (!is_off(given) && !overridden.contains(override_key(given))) {
      result.push_back(std::move(given));
    }
  }
  std::move(command_line.begin(), command_line.end(), std::back_inserter(result));
  return result;
}

Configuration applied(const std::vector<Given>& givens) {
  Configuration configuration;
  for (const Given& given : givens) {
    if (!is_off(given)) {
      given.flag->apply(configuration, given);
    }
  }
  return configuration;
}

void check_interfaces(const Configuration& configuration, const std::vector<Given>& givens) {
  Patterns downstream;
  Patterns served;
  for (const auto& [pattern, role] : configuration.interfaces.roles) {
    if (role.downstream) {
      downstream.add(pattern);
    }
  }
  for (const auto& setting : configuration.servers) {
    served.add(setting.pattern);
  }
  for (const Given& given : givens) {
    const Flag& flag = *given.flag;
    const bool is_downstream = flag.name == "downstream" || flag.name == "interface";
    if (is_downstream && !configuration.capture.only && !served.meet(given.value)) {
      flags::reject(given, "this interface has no server; expected a SERVER, or --server IF=ADDR for it");
    }
    const bool has_interface = !given.positional && given.value.find('=') != std::string::npos;
    if (flag.names_downstream && (has_interface || flag.name == "trust")) {
      const std::string pattern = flag.name == "trust" ? given.value : flags::for_interfaces(given).pattern;
      if (!downstream.meet(pattern)) {
        flags::reject(given, "expected a downstream interface, one that -id or -i names");
      }
    }
  }
}

void check_completeness(const Configuration& configuration) {
  const auto& roles = configuration.interfaces.roles;
  if (configuration.capture.only) {
    if (roles.empty()) {
      throw UsageError("no interface: expected one to listen on as -i IF, -id IF or -iu IF");
    }
    return;
  }
  if (std::none_of(roles.begin(), roles.end(), [](const auto& each) { return each.value.downstream; })) {
    throw UsageError(
        "no downstream interface: expected the clients' side as -id IF, or as -i IF if servers are there too");
  }
  if (configuration.servers.empty()) {
    throw UsageError("no server: expected the address or name of at least one SERVER");
  }
}

// RFC 3046 section 2.0: option 82 has at least one sub-option.
void check_some_content(const Configuration& configuration, const std::vector<Given>& givens) {
  const InterfaceSettings& interfaces = configuration.interfaces;
  const AgentInformationSettings& common = interfaces.agent_information;
  const bool has_common = common.link_selection || common.server_id_override || common.source_port ||
                          !common.relay_id.empty() || !common.vss.empty() || !common.sub_options.empty();
  const auto has_value = [](const auto& setting) { return setting.value.most_octets() > 0; };
  if (has_common || std::any_of(interfaces.remote_ids.begin(), interfaces.remote_ids.end(), has_value) ||
      std::any_of(interfaces.subscriber_ids.begin(), interfaces.subscriber_ids.end(), has_value)) {
    return;
  }
  for (const Given& given : givens) {
    if (given.flag->name == "circuit-id" && flags::for_interfaces(given).value == "none") {
      flags::reject(given, "leaves option 82 without any sub-option; expected another one as well");
    }
  }
}

void check_contradictions(const Configuration& configuration, const std::vector<Given>& givens) {
  const auto& giaddrs = configuration.interfaces.giaddrs;
  if (const Given* given = find_given(givens, "relay-port");
      given != nullptr && configuration.relay_port == configuration.port) {
    flags::reject(*given, "expected another port than that of -p, " + std::to_string(configuration.port));
  }
  if (const Given* given = find_given(givens, "pid-file");
      given != nullptr && find_given(givens, "no-pid") != nullptr) {
    flags::reject(*given, "contradicts --no-pid; expected one of them");
  }
  if (configuration.check && (configuration.capture.only || !configuration.replay.file.empty())) {
    throw UsageError(std::string{"--check contradicts "} +
                     (configuration.capture.only ? "--capture-only" : "--replay") + "; expected one of them");
  }
  if (const Given* given = find_given(givens, "metrics");
      given != nullptr && (configuration.capture.only || !configuration.replay.file.empty())) {
    flags::reject(*given, std::string("contradicts ") + (configuration.capture.only ? "--capture-only" : "--replay") +
                              ", which counts nothing; expected one of them");
  }
  if (const Given* given = find_given(givens, "link-selection-interface");
      given != nullptr && !giaddrs.empty() && giaddrs.front().pattern == "*") {
    flags::reject(*given, "contradicts --giaddr for all interfaces; expected one of them, or --giaddr IF=ADDR");
  }
}

// What the RFCs of the sub-options demand of option 82 as a whole.
void check_option82(const Configuration& configuration, const std::vector<Given>& givens) {
  for (const char* name : {"circuit-id", "remote-id", "subscriber-id", "link-selection", "server-id-override",
                           "relay-id", "vss", "suboption"}) {
    const Given* const given = find_given(givens, name);
    if (given != nullptr && !configuration.policy.add_agent_information) {
      throw UsageError(given->spelled + " needs -a, which adds option 82");
    }
  }
  // RFC 7839 section 6: 14 to 18 describe an access network, whose type is 13.
  const auto& sub_options = configuration.interfaces.agent_information.sub_options;
  const auto access_network = sub_options.lower_bound(14);
  if (access_network != sub_options.end() && access_network->first <= 18 && !sub_options.contains(13)) {
    throw UsageError("--suboption " + std::to_string(access_network->first) +
                     " needs --suboption 13=VALUE, the access technology type (RFC 7839 section 6)");
  }
  const std::size_t most = most_agent_information_octets(configuration.interfaces);
  if (most > options82::max_option_value_size) {
    throw UsageError("option 82 could get " + std::to_string(most) +
                     " octets with these templates and values; expected 255 at most");
  }
  check_some_content(configuration, givens);
}

// What ISC dhcrelay accepts without effect starts here too, since its users change the program's name alone.
void warn_of_no_effect(Configuration& configuration, const std::vector<Given>& givens) {
  if (configuration.policy.add_agent_information) {
    return;
  }
  const auto warn = [&configuration](const std::string& flag) {
    configuration.warnings.push_back(flag + " has no effect without -a, which adds option 82");
  };
  const ExistingAgentInformation policy = configuration.policy.existing_agent_information;
  if (policy == ExistingAgentInformation::append || policy == ExistingAgentInformation::replace) {
    const Given& given = *find_given(givens, "policy");
    warn(given.spelled + " " + given.value);
  }
  if (const Given* given = find_given(givens, "drop-unmatched"); given != nullptr) {
    warn(given->spelled);
  }
}

std::optional<PrintAndExit> printed(const std::vector<std::string>& words, const std::string& versions) {
  for (const std::string& word : words) {
    if (word == "--") {
      break;
    }
    if (word == "-h" || word == "--help") {
      return PrintAndExit{flags::help_text()};
    }
    if (word == "--version") {
      return PrintAndExit{"dhcp-relay " DHCP_RELAY_VERSION "\n" + versions};
    }
  }
  return std::nullopt;
}

/// Captures and metrics of a file are those of the relay that the file is for: a replay or a `--capture-only` that
/// reads it too is not to overwrite the ones or stand in the way of the others.
void leave_out_outputs(std::vector<Given>& lines) {
  std::erase_if(
      lines, [](const Given& line) { return line.flag->name.starts_with("capture") || line.flag->name == "metrics"; });
}

}  // namespace

std::variant<Configuration, PrintAndExit> read_configuration(const std::vector<std::string>& words,
                                                             const std::string& versions, const ReadFile& read_file) {
  if (std::optional<PrintAndExit> print = printed(words, versions)) {
    return *std::move(print);
  }
  std::vector<Given> givens = flags::read_words(words);
  reject_repetition(givens, false);
  if (const Given* config = find_given(givens, "config"); config != nullptr) {
    std::vector<Given> lines = flags::read_file(*config, read_file);
    reject_repetition(lines, true);
    static_cast<void>(applied(lines));  // a bad line is an error also where the command line overrides it
    if (find_given(givens, "replay") != nullptr || find_given(givens, "capture-only") != nullptr) {
      leave_out_outputs(lines);
    }
    givens = merged(std::move(lines), std::move(givens));
  }
  Configuration configuration = applied(givens);
  check_completeness(configuration);
  check_interfaces(configuration, givens);
  check_contradictions(configuration, givens);
  flags::check_captures(configuration, givens);
  check_option82(configuration, givens);
  warn_of_no_effect(configuration, givens);
  if (configuration.foreground && find_given(givens, "pid-file") == nullptr) {
    configuration.pid_file.clear();
  }
  return configuration;
}

std::string servers_text(const Configuration& configuration) {
  std::string text;
  for (const auto& [pattern, servers] : configuration.servers) {
    for (const std::string& server : servers) {
      text += (text.empty() ? "" : ",") + (pattern == "*" ? "" : pattern + "=") + server;
    }
  }
  return text;
}

std::string downstream_text(const Configuration& configuration) {
  std::string text;
  for (const auto& [pattern, role] : configuration.interfaces.roles) {
    if (role.downstream) {
      text += (text.empty() ? "" : ",") + pattern;
    }
  }
  return text;
}

std::vector<std::string> flags_for_next_start(const Configuration& started, const Configuration& now) {
  std::vector<std::string> flags;
  const auto compare = [&flags](const char* flag, bool differs) {
    if (differs) {
      flags.emplace_back(flag);
    }
  };
  compare("--port", started.port != now.port);
  compare("--relay-port", started.relay_port != now.relay_port);
  compare("--foreground", started.foreground != now.foreground);
  compare("--pid-file", started.pid_file != now.pid_file);
  compare("--user", started.user != now.user);
  compare("--log-format", started.log_format != now.log_format);
  compare("--capture", started.capture.file != now.capture.file);
  compare("--capture-size", started.capture.max_size != now.capture.max_size);
  compare("--capture-files", started.capture.max_count != now.capture.max_count);
  compare("--capture-filter", started.capture.filter != now.capture.filter);
  compare("--capture-only", started.capture.only != now.capture.only);
  compare("--metrics", started.metrics != now.metrics);
  compare("--replay", started.replay.file != now.replay.file);
  compare("--replay-interface", started.replay.interfaces != now.replay.interfaces);
  return flags;
}

std::vector<std::string> all_flag_words() {
  std::vector<std::string> words;
  for (const Flag& flag : flags::all()) {
    if (!flag.isc.empty()) {
      words.emplace_back(flag.isc);
    }
    words.push_back(std::string("--").append(flag.name));
  }
  return words;
}

}  // namespace relay
