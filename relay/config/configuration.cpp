#include "relay/config/configuration.h"

#include <fnmatch.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <set>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "relay/config/capture_flags.h"
#include "relay/config/dhcpv6_values.h"
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
// of one interface are told apart, and source addresses by their family; --pid-file and --no-pid are one decision, and
// so are -4 and -6.
std::string_view override_key(const Given& given) noexcept {
  const std::string_view name = given.flag->name;
  if (name == "server") {
    return given.positional || given.value.find('=') == std::string::npos ? "SERVER" : name;
  }
  if (name == "source-address") {
    return given.value.find(':') == std::string::npos ? name : "source-address6";
  }
  if (name == "ipv6-only") {
    return "ipv4-only";
  }
  return name == "no-pid" ? "pid-file" : name;
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

bool is_ipv6_server(std::string_view server) noexcept {
  return server.find(':') != std::string_view::npos;
}

// A name may have addresses of either family.
Families families_of(const std::string& server) {
  const bool is_ipv6 = is_ipv6_server(server);
  const bool is_ipv4 = flags::ipv4_address(server).has_value();
  return {.ipv4 = !is_ipv6, .ipv6 = !is_ipv4};
}

bool has_address4(const Configuration& configuration) {
  return std::any_of(configuration.servers.begin(), configuration.servers.end(), [](const auto& list) {
    return std::any_of(list.value.begin(), list.value.end(),
                       [](const auto& server) { return flags::ipv4_address(server).has_value(); });
  });
}

bool has_address6(const Configuration& configuration) {
  return std::any_of(configuration.servers.begin(), configuration.servers.end(), [](const auto& list) {
    return std::any_of(list.value.begin(), list.value.end(), is_ipv6_server);
  });
}

// What the servers demand for sure: a name that has been one of DHCPv4 may have got an IPv6 address since.
Families sure_families(const Configuration& configuration, const std::vector<Given>& givens) {
  const bool named6 = find_given(givens, "ipv6-only") != nullptr || find_given(givens, "lower") != nullptr ||
                      find_given(givens, "upper") != nullptr;
  return {.ipv4 = configuration.families.ipv4,
          .ipv6 = configuration.families.ipv6 && (named6 || has_address6(configuration))};
}

bool has_downstream4(const InterfaceSettings& interfaces) {
  return std::any_of(interfaces.roles.begin(), interfaces.roles.end(),
                     [](const auto& each) { return each.value.downstream; });
}

void settle_families(Configuration& configuration, const std::vector<Given>& givens) {
  const bool has_servers = !configuration.servers.empty();
  Families& families = configuration.families;
  families = {.ipv4 = !has_servers, .ipv6 = !has_servers};
  for (const auto& list : configuration.servers) {
    for (const std::string& server : list.value) {
      const Families each = families_of(server);
      families = {.ipv4 = families.ipv4 || each.ipv4, .ipv6 = families.ipv6 || each.ipv6};
    }
  }
  families.ipv4 &= find_given(givens, "ipv6-only") == nullptr &&
                   (configuration.capture.only || has_downstream4(configuration.interfaces));
  families.ipv6 &= find_given(givens, "ipv4-only") == nullptr;
}

// The settings of DHCPv6 that follow from several flags together.
void settle_dhcpv6(Configuration& configuration) {
  InterfaceSettings& interfaces = configuration.interfaces;
  // Those of -l come last and win, being DHCPv6's alone.
  interfaces.v6.interface_ids.insert(interfaces.v6.interface_ids.begin(), interfaces.circuit_ids.begin(),
                                     interfaces.circuit_ids.end());
  // Who answers to a multicast address is not known before.
  const auto is_group = [](const std::string& server) {
    const auto address = flags::ipv6_address(std::string_view(server).substr(0, server.find('%')));
    return address && address->is_multicast();
  };
  for (const auto& list : configuration.servers) {
    configuration.policy6.replies_from_anyone |= std::any_of(list.value.begin(), list.value.end(), is_group);
  }
}

// What -4 and -6 leave out must not be named.
void check_families(const std::vector<Given>& givens) {
  const Given* const only4 = find_given(givens, "ipv4-only");
  const Given* const only6 = find_given(givens, "ipv6-only");
  if (only4 != nullptr && only6 != nullptr) {
    throw UsageError(only4->spelled + " contradicts " + only6->spelled + "; expected one of them");
  }
  for (const Given& given : givens) {
    const std::string_view name = given.flag->name;
    if (only4 != nullptr && (name == "lower" || name == "upper")) {
      flags::reject(given, "an interface of DHCPv6 contradicts " + only4->spelled + "; expected one of them");
    }
    if (name != "server") {
      continue;
    }
    for (const std::string& server : flags::servers_in(given)) {
      if (only4 != nullptr && is_ipv6_server(server)) {
        flags::reject(given, "contradicts " + only4->spelled + "; expected an IPv4 address or a host name");
      }
      if (only6 != nullptr && flags::ipv4_address(server)) {
        flags::reject(given, "contradicts " + only6->spelled + "; expected an IPv6 address or a host name");
      }
    }
  }
}

// The clients' side and what has servers, of one protocol and of either.
struct Sides {
  Patterns downstream4;
  Patterns downstream;
  Patterns served;
  Patterns served6;
};

Sides sides_of(const Configuration& configuration) {
  Sides sides;
  for (const auto& [pattern, role] : configuration.interfaces.roles) {
    if (role.downstream) {
      sides.downstream4.add(pattern);
    }
    if (role.is_downstream6()) {
      sides.downstream.add(pattern);
    }
  }
  for (const auto& [pattern, servers] : configuration.servers) {
    sides.served.add(pattern);
    if (std::any_of(servers.begin(), servers.end(), [](const auto& server) { return families_of(server).ipv6; })) {
      sides.served6.add(pattern);
    }
  }
  return sides;
}

void check_setting(const Sides& sides, const Given& given) {
  const Flag& flag = *given.flag;
  const bool has_interface = !given.positional && given.value.find('=') != std::string::npos;
  if (!flag.names_downstream || (!has_interface && flag.name != "trust")) {
    return;
  }
  const bool is_dhcpv4 = flag.scope == flags::Scope::dhcpv4;
  const std::string pattern = flag.name == "trust" ? given.value : flags::for_interfaces(given).pattern;
  if (!(is_dhcpv4 ? sides.downstream4 : sides.downstream).meet(pattern)) {
    flags::reject(given, is_dhcpv4 ? "expected a downstream interface, one that -id or -i names"
                                   : "expected a downstream interface, one that -id, -i or -l names");
  }
}

void check_interfaces(const Configuration& configuration, const std::vector<Given>& givens) {
  const Sides sides = sides_of(configuration);
  for (const Given& given : givens) {
    const std::string_view name = given.flag->name;
    const bool is_downstream = name == "downstream" || name == "interface";
    if (is_downstream && !configuration.capture.only && !sides.served.meet(given.value)) {
      flags::reject(given, "this interface has no server; expected a SERVER, or --server IF=ADDR for it");
    }
    if (name == "lower" && !configuration.capture.only && !sides.served6.meet(flags::lower_interface(given).pattern)) {
      flags::reject(given, "this interface has no server; expected -u IF, an IPv6 SERVER, or --server IF=ADDR for it");
    }
    check_setting(sides, given);
  }
  if (!configuration.capture.only && !has_downstream4(configuration.interfaces) && has_address4(configuration)) {
    throw UsageError(
        "no downstream interface of DHCPv4, for which there is a server: expected the clients' side as -id IF");
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
  if (std::none_of(roles.begin(), roles.end(), [](const auto& each) { return each.value.is_downstream6(); })) {
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
  if (const Given* given = find_given(givens, "routes");
      given != nullptr && (configuration.capture.only || !configuration.replay.file.empty())) {
    throw UsageError(given->spelled + " contradicts " + (configuration.capture.only ? "--capture-only" : "--replay") +
                     ", which relays nothing; expected one of them");
  }
  if (const Given* given = find_given(givens, "link-selection-interface");
      given != nullptr && !giaddrs.empty() && giaddrs.front().pattern == "*") {
    flags::reject(*given, "contradicts --giaddr for all interfaces; expected one of them, or --giaddr IF=ADDR");
  }
}

// Numbers that are not right for both protocols.
void check_numbers(const Configuration& configuration, const std::vector<Given>& givens, Families sure) {
  const Ports6& ports6 = configuration.policy6.ports;
  if (const Given* given = find_given(givens, "relay-port"); given != nullptr) {
    for (const auto& [is_relayed, port] :
         {std::pair{sure.ipv4, configuration.port}, std::pair{sure.ipv6, ports6.server}}) {
      if (is_relayed && configuration.relay_port == port) {
        flags::reject(*given, "expected another port than that of -p, " + std::to_string(port));
      }
    }
  }
  if (const Given* given = find_given(givens, "port"); given != nullptr && sure.ipv6 && ports6.client() == 0) {
    flags::reject(*given, "expected a port from 2 to 65534, since clients of DHCPv6 are on the one below");
  }
  // RFC 1542 section 4.1.1.
  constexpr std::uint8_t most_hops = 16;
  if (const Given* given = find_given(givens, "max-hops");
      given != nullptr && sure.ipv4 && configuration.policy.max_hops > most_hops) {
    flags::reject(*given, "expected a number from 1 to 16, in DHCPv6 alone from 1 to 32");
  }
}

// What the RFCs of the sub-options demand of option 82 as a whole.
void check_option82(const Configuration& configuration, const std::vector<Given>& givens, Families sure) {
  if (!configuration.families.ipv4) {
    return;
  }
  for (const char* name : {"circuit-id", "remote-id", "subscriber-id", "link-selection", "server-id-override",
                           "relay-id", "vss", "suboption"}) {
    const Given* const given = find_given(givens, name);
    const bool is_for_dhcpv6 = given != nullptr && sure.ipv6 && given->flag->scope == flags::Scope::both;
    if (given != nullptr && !is_for_dhcpv6 && !configuration.policy.add_agent_information) {
      throw UsageError(given->spelled + " needs -a, which adds option 82");
    }
  }
  if (!configuration.policy.add_agent_information) {
    return;
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

// What the options of Relay-forward need of one another.
void check_dhcpv6(const Configuration& configuration, const std::vector<Given>& givens, Families sure) {
  const RelayForwardSettings& settings = configuration.interfaces.v6.relay_forward;
  flags::check_options6(givens, settings.options);
  if (!sure.ipv6 || sure.ipv4) {
    return;
  }
  if (const Given* given = find_given(givens, "remote-id"); given != nullptr && !settings.enterprise) {
    throw UsageError(given->spelled + " needs --enterprise N, with which Remote-Id of DHCPv6 begins (RFC 4649)");
  }
  if (const Given* given = find_given(givens, "relay-id"); given != nullptr && settings.relay_id.empty()) {
    flags::reject(*given, "expected a DUID, 0x and the hexadecimal digits of 3 to 130 octets (RFC 8415 section 11.1)");
  }
}

// Which protocol the flag is about as it is given here.
flags::Scope scope_of(const Given& given) noexcept {
  if (given.flag->name == "source-address") {
    return given.value.find(':') == std::string::npos ? flags::Scope::dhcpv4 : flags::Scope::dhcpv6;
  }
  return given.flag->scope;
}

// What has no effect is said, not refused: most of what is given may be meant for the other protocol.
void warn_of_scope(Configuration& configuration, const std::vector<Given>& givens, Families sure) {
  const auto warn = [&configuration](const std::string& sentence) {
    if (std::find(configuration.warnings.begin(), configuration.warnings.end(), sentence) ==
        configuration.warnings.end()) {
      configuration.warnings.push_back(sentence);
    }
  };
  for (const Given& given : givens) {
    if (scope_of(given) == flags::Scope::dhcpv4 && !configuration.families.ipv4) {
      warn(given.spelled + " has no effect where DHCPv4 is not relayed");
    }
    if (scope_of(given) == flags::Scope::dhcpv6 && !configuration.families.ipv6) {
      warn(given.spelled + " has no effect where DHCPv6 is not relayed");
    }
  }
  const RelayForwardSettings& settings = configuration.interfaces.v6.relay_forward;
  if (!sure.ipv6) {
    return;
  }
  if (const Given* given = find_given(givens, "state-file"); given != nullptr && !configuration.prefixes.routes) {
    warn(given->spelled + " has no effect without --routes");
  }
  for (const char* name : {"prefixes-per-client", "prefixes-per-interface"}) {
    if (const Given* given = find_given(givens, name); given != nullptr && !configuration.prefixes.are_watched()) {
      warn(given->spelled + " has no effect without --routes and --log-prefixes");
    }
  }
  if (const Given* given = find_given(givens, "reply-from");
      given != nullptr && given->value == "servers" && configuration.policy6.replies_from_anyone) {
    warn(given->spelled + " servers has no effect in DHCPv6 with a multicast SERVER, which does not say who answers");
  }
  if (!sure.ipv4) {
    return;
  }
  if (const Given* given = find_given(givens, "remote-id"); given != nullptr && !settings.enterprise) {
    warn(given->spelled + " has no effect in DHCPv6 without --enterprise, with which Remote-Id begins");
  }
  if (const Given* given = find_given(givens, "relay-id"); given != nullptr && settings.relay_id.empty()) {
    warn(given->spelled +
         " has no effect in DHCPv6, where it is a DUID, 0x and the hexadecimal digits of 3 to 130 octets");
  }
  for (const char* name : {"circuit-id", "remote-id", "subscriber-id", "relay-id", "vss"}) {
    if (const Given* given = find_given(givens, name);
        given != nullptr && !configuration.policy.add_agent_information) {
      warn(given->spelled + " has no effect in DHCPv4 without -a, which adds option 82");
    }
  }
}

// What ISC dhcrelay accepts without effect starts here too, since its users change the program's name alone.
void warn_of_no_effect(Configuration& configuration, const std::vector<Given>& givens) {
  if (configuration.policy.add_agent_information || !configuration.families.ipv4) {
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

void check_all(Configuration& configuration, const std::vector<Given>& givens) {
  const Families sure = sure_families(configuration, givens);
  check_families(givens);
  check_completeness(configuration);
  check_interfaces(configuration, givens);
  check_numbers(configuration, givens, sure);
  check_contradictions(configuration, givens);
  flags::check_captures(configuration, givens);
  check_option82(configuration, givens, sure);
  check_dhcpv6(configuration, givens, sure);
  warn_of_scope(configuration, givens, sure);
  warn_of_no_effect(configuration, givens);
}

/// Captures, metrics and routes of a file are those of the relay that the file is for: a replay or a `--capture-only`
/// that reads it too is not to overwrite the ones or stand in the way of the others.
void leave_out_outputs(std::vector<Given>& lines) {
  std::erase_if(lines, [](const Given& line) {
    return line.flag->name.starts_with("capture") || line.flag->name == "metrics" || line.flag->name == "routes";
  });
}

/// In the service's own folder, where the service manager has made one (systemd.exec(5), StateDirectory=): the first of
/// several.
std::string usual_state_file() {
  const char* const variable = std::getenv("STATE_DIRECTORY");
  const std::string folders = variable == nullptr ? "" : variable;
  return folders.empty() ? PrefixSettings{}.state_file : folders.substr(0, folders.find(':')) + "/prefixes";
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
  settle_families(configuration, givens);
  settle_dhcpv6(configuration);
  check_all(configuration, givens);
  if (configuration.foreground && find_given(givens, "pid-file") == nullptr) {
    configuration.pid_file.clear();
  }
  if (find_given(givens, "state-file") == nullptr) {
    configuration.prefixes.state_file = usual_state_file();
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
    if (role.is_downstream6()) {
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
  compare("relaying DHCPv4", now.families.ipv4 && !started.families.ipv4 && has_address4(now));
  compare("relaying DHCPv6", now.families.ipv6 && !started.families.ipv6 && has_address6(now));
  compare("--port", started.port != now.port);
  compare("--relay-port", started.relay_port != now.relay_port);
  compare("--foreground", started.foreground != now.foreground);
  compare("--pid-file", started.pid_file != now.pid_file);
  compare("--user", started.user != now.user);
  compare("--log-format", started.log_format != now.log_format);
  compare("--client-link-layer-address yes",
          now.policy6.client_link_layer_address && !started.policy6.client_link_layer_address);
  compare("--log-prefixes", started.prefixes.log != now.prefixes.log);
  compare("--routes", started.prefixes.routes != now.prefixes.routes);
  compare("--state-file", started.prefixes.state_file != now.prefixes.state_file);
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
