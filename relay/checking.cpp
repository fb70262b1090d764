#include "relay/checking.h"

#include <algorithm>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "relay/check/facts.h"
#include "relay/check/judgement.h"
#include "relay/io/look_around.h"
#include "relay/io/metrics_endpoint.h"
#include "relay/io/privileges_lacked.h"
#include "relay/io/resolve.h"
#include "relay/log/finding_text.h"
#include "relay/opening.h"
#include "relay/wiring.h"

namespace relay {

namespace {

/// The orders with the servers whose names are known; a sentence for each other one.
[[nodiscard]] io::Orders known_orders(const Configuration& configuration, std::vector<std::string>& unresolved) {
  Configuration known = configuration;
  for (auto& [pattern, servers] : known.servers) {
    std::erase_if(servers, [&unresolved](const std::string& server) {
      try {
        return io::resolve({server}, io::look_up).empty();
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

[[nodiscard]] std::vector<check::Unwritable> unwritable_files(const Configuration& configuration) {
  std::vector<check::Unwritable> unwritable;
  for (const std::string& file : {configuration.pid_file, configuration.capture.file}) {
    if (file.empty() || file == "-") {
      continue;
    }
    if (std::string why = io::write_fault(file); !why.empty()) {
      unwritable.push_back({file, std::move(why)});
    }
  }
  return unwritable;
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

}  // namespace

int check_host(const Configuration& configuration) {
  static_cast<void>(account_of(configuration));
  check_filter(configuration);
  std::vector<std::string> unresolved;
  const io::Orders orders = known_orders(configuration, unresolved);
  check::Facts facts = io::look_around(orders, {configuration.port, configuration.relay_port});
  facts.unresolved_servers = std::move(unresolved);
  facts.warnings = configuration.warnings;
  facts.unwritable = unwritable_files(configuration);
  facts.metrics_fault = metrics_fault(configuration);
  const std::vector<check::Finding> findings = check::judge(facts);
  report_findings(findings, configuration.log_format, [](std::string_view line) { std::cout << line << '\n'; });
  if (!std::cout.flush()) {
    throw std::runtime_error("standard output cannot be written");
  }
  return check::worst(findings) == check::Severity::error ? 2 : 0;
}

}  // namespace relay
