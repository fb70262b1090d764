#include "relay/opening.h"

#include <stdexcept>
#include <system_error>
#include <utility>

#include "relay/config/values.h"
#include "relay/core/delegation_text.h"
#include "relay/io/delegated_routes.h"
#include "relay/io/link_monitor.h"
#include "relay/io/metrics_endpoint.h"
#include "relay/io/resolve.h"
#include "relay/wiring.h"

namespace relay {

namespace {

using Account = std::optional<io::Account>;

[[nodiscard]] std::string name_of(const Account& account) {
  return account ? account->name : "the relay's account";
}

[[nodiscard]] std::unique_ptr<io::CaptureFile> open_capture_file(const Configuration& configuration,
                                                                 const Account& account) {
  return configuration.capture.file.empty()
             ? nullptr
             : std::make_unique<io::CaptureFile>(capture_file_options(configuration, account));
}

void warn_of_config(Opened& opened, const std::string& file, const Account& account) {
  try {
    static_cast<void>(opened.resolver->read_file(file));
  } catch (const std::system_error& error) {
    opened.warnings.push_back("--config " + flags::shown(file) + " cannot be read by " + name_of(account) + ": " +
                              error.code().message() + "; SIGHUP changes nothing until it can");
  }
}

void warn_of_one_file(Opened& opened, const CaptureSettings& settings, const Account& account) {
  if (opened.capture_file->is_bound() && settings.max_count > 1) {
    opened.warnings.push_back(name_of(account) + " may not make files in the directory of " +
                              flags::shown(settings.file) +
                              ": the capture stays in this one, which gets as large as all files together and is then "
                              "begun anew; to have several, name a directory that this account may write");
  }
}

/// Before the privileges go: to other accounts the file may be nobody's business. Clients are served without it too.
void open_prefix_state(Opened& opened, const std::string& name, const Account& account) {
  io::PrefixState& state = opened.sockets.prefix_state;
  state.name = name;
  try {
    auto file = std::make_unique<io::StateFile>(
        name, account ? io::StateFile::Owner{{account->user, account->group}} : std::nullopt);
    if (!file->made_directory().empty()) {
      opened.notes.push_back("the directory " + flags::shown(file->made_directory()) +
                             " of --state-file was missing, and was made");
    }
    file->claim();
    state.text = file->read(most_delegation_text);
    state.file = std::move(file);
  } catch (const std::runtime_error& error) {
    opened.warnings.push_back(std::string{error.what()} +
                              ": delegated prefixes of before are not known, and none are kept over a restart; name "
                              "another --state-file");
  }
}

void warn_of_lost_state(Opened& opened, const Account& account) {
  io::PrefixState& state = opened.sockets.prefix_state;
  if (state.file && !state.file->is_writable()) {
    opened.warnings.push_back(name_of(account) + " may not make files in the directory of " + flags::shown(state.name) +
                              ": delegated prefixes are not kept over a restart; name a --state-file in a directory "
                              "that this account may write");
    state.file.reset();
  }
}

void drop(Opened& opened, const Configuration& configuration, const Account& account, bool routes) {
  const bool captures = !configuration.capture.file.empty() || configuration.capture.only;
  io::drop_privileges(account, (captures ? io::Kept::packet_sockets : io::Kept::nothing) |
                                   (routes ? io::Kept::routes : io::Kept::nothing));
  warn_of_lost_state(opened, account);
  if (opened.capture_file) {
    opened.capture_file->account_changed();
    warn_of_one_file(opened, configuration.capture, account);
  }
}

}  // namespace

Account account_of(const Configuration& configuration) {
  if (!io::is_root()) {
    return std::nullopt;
  }
  Account account = io::find_account(configuration.user);
  if (!account) {
    throw UsageError("--user " + flags::shown(configuration.user) +
                     ": there is no such account; expected the name of one, or root");
  }
  return account;
}

io::CaptureFile::Options capture_file_options(const Configuration& configuration, const Account& account) {
  const CaptureSettings& settings = configuration.capture;
  io::CaptureFile::Options options{settings.file, settings.max_size, settings.max_count};
  if (account) {
    options.owner = {account->user, account->group};
  }
  return options;
}

Opened open_for_relaying(const Configuration& configuration, const io::Orders& orders, const Account& account) {
  Opened opened;
  if (!configuration.config_file.empty() || io::has_name(configuration.servers)) {
    opened.resolver = std::make_shared<io::Resolver>(account);
  }
  opened.sockets =
      io::open_service_sockets({configuration.port, configuration.relay_port}, orders.policy6, orders.families);
  opened.capture_file = open_capture_file(configuration, account);
  if (!configuration.pid_file.empty()) {
    opened.pid_file = std::make_unique<io::PidFile>(configuration.pid_file);
  }
  if (const auto& metrics = configuration.metrics) {
    opened.metrics_socket = io::open_metrics_socket(metrics->address, metrics->port);
  }
  const bool routes = configuration.prefixes.routes && orders.families.ipv6;
  if (routes) {
    if (!io::may_change_routes()) {
      throw std::runtime_error("--routes: " + io::it_takes("CAP_NET_ADMIN") + " to change routes");
    }
    open_prefix_state(opened, configuration.prefixes.state_file, account);
  }
  drop(opened, configuration, account, routes);
  if (!configuration.config_file.empty()) {
    warn_of_config(opened, configuration.config_file, account);
  }
  return opened;
}

Opened open_for_capturing(const Configuration& configuration, const Account& account) {
  Opened opened;
  opened.sockets.link_reports = io::open_link_reports(configuration.families);
  opened.capture_file = open_capture_file(configuration, account);
  drop(opened, configuration, account, false);
  return opened;
}

}  // namespace relay
