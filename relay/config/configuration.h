// The command line and the optional file of flags, turned into plain data; the only user of Boost.Program_options.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "relay/config/capture_settings.h"
#include "relay/core/families.h"
#include "relay/core/interface_settings.h"
#include "relay/core/policy.h"
#include "relay/core/policy6.h"
#include "relay/core/prefix_settings.h"
#include "relay/log/options.h"

namespace relay {

/// Bad input on the command line or in the file: one sentence that names the flag, the value and what would be right.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Where to listen for TCP.
struct ListenAddress {
  std::string address;  ///< numeric, IPv4 or IPv6 without brackets
  std::uint16_t port = 0;

  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

struct Configuration {
  Policy policy;    ///< `upstream_mtu` is found out later
  Policy6 policy6;  ///< its `ports` are of the same flags as `port` and `relay_port`
  /// What the servers can ask for, a name both, without what `-4` and `-6` leave out.
  Families families;
  InterfaceSettings interfaces;  ///< `servers` is filled by resolving the names below
  /// Servers as given, addresses or names, none twice in a list: first those for all interfaces (pattern `*`), if there
  /// are any, then those of `--server IF=...`. Every downstream interface that is given by name has some, unless
  /// nothing is relayed.
  std::vector<Setting<std::vector<std::string>>> servers;
  std::uint16_t port = 67;                    ///< of DHCPv4: listen and send to servers here; clients are one above
  std::optional<std::uint16_t> relay_port{};  ///< `-rp`: source port of messages to servers (RFC 8357)
  PrefixSettings prefixes;
  CaptureSettings capture;
  ReplaySettings replay;
  bool check = false;  ///< look at the host, start nothing
  std::optional<ListenAddress> metrics{};
  bool foreground = false;  ///< set by `--capture-only` and `--replay` too
  bool quiet = false;
  std::string pid_file = "/run/dhcp-relay.pid";  ///< empty: none, as in the foreground unless it is given
  std::string user = "nobody";                   ///< name of the account to run as
  std::string config_file;                       ///< empty: none
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::text;
  std::vector<std::string> warnings{};  ///< sentences for the log: what was given and has no effect
};

/// What to do instead of relaying: print `text` on standard output and exit with status 0.
struct PrintAndExit {
  std::string text;
};

/// Reads a file for `read_configuration`, no more of it than just above 1 MiB. Throws std::system_error.
using ReadFile = std::function<std::string(const std::string& name)>;

/// Reads the words of a command line without the program's name, and the file that `--config` names, if any: flags win.
/// Throws UsageError. `versions` is what `--version` prints behind the program's own version. `read_file` reads the
/// file where this process is not to do it. Of the environment STATE_DIRECTORY counts, where no state file is named.
[[nodiscard]] std::variant<Configuration, PrintAndExit> read_configuration(const std::vector<std::string>& words,
                                                                           const std::string& versions,
                                                                           const ReadFile& read_file = {});

/// The servers as they were given, `ADDR,IF=ADDR`, and the downstream interfaces, for one line of the log.
[[nodiscard]] std::string servers_text(const Configuration& configuration);
[[nodiscard]] std::string downstream_text(const Configuration& configuration);

/// The flags in which `now` differs from `started` and which a running relay cannot obey, and what it would have to
/// relay in addition.
[[nodiscard]] std::vector<std::string> flags_for_next_start(const Configuration& started, const Configuration& now);

/// Every word that is a flag, ISC's (`-id`) and ours (`--downstream`), in the order of `--help`.
[[nodiscard]] std::vector<std::string> all_flag_words();

}  // namespace relay
