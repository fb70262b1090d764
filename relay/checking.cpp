#include "relay/checking.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "relay/check/facts.h"
#include "relay/check/judgement.h"
#include "relay/core/delegation_text.h"
#include "relay/io/account_rights.h"
#include "relay/io/capture_file.h"
#include "relay/io/delegated_routes.h"
#include "relay/io/look_around.h"
#include "relay/io/metrics_endpoint.h"
#include "relay/io/pid_file.h"
#include "relay/io/privileges.h"
#include "relay/io/privileges_lacked.h"
#include "relay/io/resolve.h"
#include "relay/io/state_file.h"
#include "relay/log/finding_text.h"
#include "relay/log/system_log.h"
#include "relay/opening.h"
#include "relay/wiring.h"

namespace relay {

namespace {

/// The orders with the servers whose names are known; a sentence for each other one.
[[nodiscard]] io::Orders known_orders(const Configuration& configuration, std::vector<std::string>& unresolved) {
  Configuration known = configuration;
  for (auto& [pattern, servers] : known.servers) {
    std::erase_if(servers, [&](const std::string& server) {
      try {
        static_cast<void>(io::resolve(std::vector{server}, configuration.families, io::look_up));
        return false;
      } catch (const std::runtime_error& error) {
        if (std::ranges::find(unresolved, error.what()) == unresolved.end()) {
          unresolved.emplace_back(error.what());
        }
        return true;
      }
    });
  }
  return orders_of(known, io::look_up);
}

using Account = std::optional<io::Account>;

[[nodiscard]] bool has_capture_file(const Configuration& configuration) {
  return !configuration.capture.file.empty() && configuration.capture.file != "-";
}

/// By this user, who opens them.
[[nodiscard]] std::vector<check::FileFault> unwritable_files(const Configuration& configuration, const Account& account,
                                                             const std::vector<check::PortHolder>& holders) {
  std::vector<check::FileFault> unwritable;
  const auto add = [&unwritable](const std::string& file, std::string why) {
    if (!why.empty()) {
      unwritable.push_back({file, std::move(why)});
    }
  };
  if (const auto fault = configuration.pid_file.empty() ? std::nullopt : io::PidFile::fault(configuration.pid_file)) {
    // That of the relay which this one would take the place of is no more than its port.
    const bool is_of_holder = std::ranges::any_of(holders, [&fault](const check::PortHolder& holder) {
      return fault->holder != 0 && static_cast<std::uint32_t>(fault->holder) == holder.pid;
    });
    add(configuration.pid_file, is_of_holder ? std::string{} : fault->why);
  }
  if (has_capture_file(configuration)) {
    const std::string& file = configuration.capture.file;
    std::string why = io::CaptureFile::refusal(capture_file_options(configuration, account));
    add(file, why.empty() ? io::write_fault(file) : std::move(why));
  }
  return unwritable;
}

/// Why the state file cannot be read or made, a sentence; empty: it can. The start makes its directory, where that
/// alone is missing.
[[nodiscard]] std::string state_fault(const std::string& file) {
  const std::filesystem::path folder = std::filesystem::path{file}.parent_path();
  std::error_code error;
  if (!folder.empty() && !std::filesystem::exists(folder, error)) {
    const std::string why = io::write_fault(folder.string());
    return why.empty() ? why : "cannot make the directory " + folder.string() + ": " + why;
  }
  try {
    static_cast<void>(io::StateFile{file, std::nullopt}.read(most_delegation_text));
  } catch (const std::runtime_error& fault) {
    return fault.what();
  }
  return {};
}

/// What keeps routes to delegated prefixes from being made, or their leases from being known after a restart.
void look_at_routes(const Configuration& configuration, const Account& account, check::Facts& facts) {
  if (!configuration.prefixes.routes || !facts.families.ipv6) {
    return;
  }
  facts.lacks_net_admin = !io::may_change_routes();
  const std::string& file = configuration.prefixes.state_file;
  facts.state_fault = state_fault(file);
  std::error_code error;
  if (const std::filesystem::path folder = std::filesystem::path{file}.parent_path();
      facts.state_fault.empty() && !folder.empty() && !std::filesystem::exists(folder, error)) {
    facts.missing_state_directory = folder.string();
  }
  if (facts.state_fault.empty() && facts.account_fault.empty() && !io::may_make_files_beside(account, file)) {
    facts.unkept_state = file;
  }
}

/// The sentence that the start would fail with; empty if it would not.
[[nodiscard]] std::string metrics_fault(const Configuration& configuration) {
  try {
    if (const auto& metrics = configuration.metrics) {
      static_cast<void>(io::open_metrics_socket(metrics->address, metrics->port));
    }
  } catch (const std::system_error& error) {
    return error.what();
  }
  return {};
}

/// What SIGHUP reads, and what names of servers are looked up by then.
[[nodiscard]] std::vector<std::string> files_read_again(const Configuration& configuration) {
  std::vector<std::string> files;
  if (!configuration.config_file.empty()) {
    files.push_back(configuration.config_file);
  }
  if (io::has_name(configuration.servers)) {
    files.insert(files.end(), {"/etc/nsswitch.conf", "/etc/hosts", "/etc/resolv.conf"});
  }
  return files;
}

/// What this user can do with files and the relay cannot, once it is the account.
void look_as_account(const Configuration& configuration, const Account& account, check::Facts& facts) {
  facts.account = account ? account->name : std::string{};
  facts.account_fault = io::become_fault(account);
  if (!facts.account_fault.empty()) {
    return;
  }
  for (const std::string& file : files_read_again(configuration)) {
    if (std::string why = io::read_fault(account, file); !why.empty()) {
      facts.unreadable.push_back({file, std::move(why)});
    }
  }
  const CaptureSettings& capture = configuration.capture;
  if (has_capture_file(configuration) && capture.max_count > 1 && !io::may_make_files_beside(account, capture.file)) {
    facts.bound_capture = capture.file;
  }
}

}  // namespace

int check_host(const Configuration& configuration) {
  const Account account = account_of(configuration);
  check_filter(configuration);
  std::vector<std::string> unresolved;
  io::Orders orders = known_orders(configuration, unresolved);
  if (orders.families == Families{}) {
    // Of which family the servers are whose names are not known is not known either.
    orders.families = {.ipv4 = configuration.families.ipv4, .ipv6 = !configuration.families.ipv4};
  }
  check::Facts facts = io::look_around(orders, {configuration.port, configuration.relay_port});
  facts.unresolved_servers = std::move(unresolved);
  facts.warnings = configuration.warnings;
  facts.metrics_fault = metrics_fault(configuration);
  facts.unwritable = unwritable_files(configuration, account, facts.port_holders);
  facts.log_fault = configuration.foreground ? std::string{} : SystemLog{}.fault();
  facts.is_root = io::is_root();
  look_as_account(configuration, account, facts);
  look_at_routes(configuration, account, facts);
  const std::vector<check::Finding> findings = check::judge(facts);
  report_findings(findings, configuration.log_format, [](std::string_view line) { std::cout << line << '\n'; });
  if (!std::cout.flush()) {
    throw std::runtime_error("standard output cannot be written");
  }
  return check::worst(findings) == check::Severity::error ? 2 : 0;
}

}  // namespace relay
