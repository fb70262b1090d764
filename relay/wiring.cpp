#include "relay/wiring.h"

#include <memory>
#include <string_view>
#include <utility>
#include <variant>

#include "relay/config/values.h"
#include "relay/io/host_facts.h"
#include "relay/log/message_text.h"
#include "relay/log/status_text.h"

namespace relay {

io::Orders orders_of(const Configuration& configuration, const io::LookUp& look_up) {
  io::ServerSettings servers = io::resolve(configuration.servers, configuration.families, look_up);
  io::Orders orders{configuration.policy, configuration.interfaces, configuration.policy6, servers.families()};
  orders.prefixes = configuration.prefixes;
  orders.interfaces.servers = std::move(servers.ipv4);
  orders.interfaces.v6.servers = std::move(servers.ipv6);
  orders.interfaces.agent_information.host_name = io::host_name();
  orders.interfaces.v6.relay_forward.host_name = orders.interfaces.agent_information.host_name;
  return orders;
}

capture::SectionFacts section_of(const std::vector<std::string>& words) {
  capture::SectionFacts facts;
  facts.system = io::system_name();
  facts.application = "dhcp-relay " DHCP_RELAY_VERSION;
  facts.comment = facts.application + " on " + printable_text(io::host_name()) + ':';
  for (const std::string& word : words) {
    const bool is_plain = !word.empty() && word.find_first_of(" '\"\\*?[]") == std::string::npos;
    facts.comment += is_plain ? ' ' + printable_text(word) : " '" + printable_text(word) + '\'';
  }
  return facts;
}

std::unique_ptr<io::PacketFilter> filter_of(const Configuration& configuration) {
  try {
    return std::make_unique<io::PacketFilter>(configuration.capture.filter);
  } catch (const io::FilterError& error) {
    throw filter_fault(configuration, error);
  }
}

void check_filter(const Configuration& configuration) {
  if (!configuration.capture.filter.empty()) {
    static_cast<void>(filter_of(configuration));
  }
}

UsageError filter_fault(const Configuration& configuration, const io::FilterError& error) {
  return UsageError("--capture-filter " + flags::shown(configuration.capture.filter) + ": " +
                    printable_text(error.what()));
}

Listener listener_of(Log& log) {
  Listener listener;
  listener.dropped = [&log](const MessageEvent& event) { log.dropped(event); };
  listener.message = [&log](const MessageEvent& event) { log.message(event); };
  listener.send_failed = [&log](const SendFailure& failure) { log.send_failed(failure); };
  listener.dropped6 = [&log](const MessageEvent6& event) { log.dropped(event); };
  listener.message6 = [&log](const MessageEvent6& event) { log.message(event); };
  listener.send_failed6 = [&log](const SendFailure6& failure) { log.send_failed(failure); };
  listener.membership_refused = [&log](const MembershipRefusal& refusal) { log.membership_refused(refusal); };
  listener.kernel_lost = [&log](const KernelLoss& loss) { log.kernel_lost(loss); };
  listener.offload_refused = [&log](Offload offload, int error) { log.offload_refused(offload, error); };
  listener.interface_changed = [&log](const InterfaceEvent& event) { log.interface_changed(event); };
  listener.server_changed = [&log](const ServerEvent& event) { log.server_changed(event); };
  listener.delegation_changed = [&log](const DelegationEvent& event) { log.delegation_changed(event); };
  listener.route_refused = [&log](const RouteRefusal& refusal) { log.route_refused(refusal); };
  listener.prefix_state = [&log](const PrefixStateEvent& event) { log.prefix_state(event); };
  listener.per_message = log.wants_messages();
  return listener;
}

void note_missing(Log& log, const std::vector<std::string>& missing) {
  for (const std::string& name : missing) {
    log.note(LogLevel::warning, "interface " + name + " does not exist; it is used as soon as it does");
  }
}

io::Surroundings surroundings_of(Log& log, Capturing* capturing, Metering* metering, const Configuration& started,
                                 const std::vector<std::string>& words, std::shared_ptr<const io::Resolver> resolver) {
  const auto wants_messages = [&log, capturing] {
    return log.wants_messages() || (capturing != nullptr && capturing->is_running());
  };
  const auto latest = std::make_shared<Configuration>(started);
  io::Surroundings surroundings;
  surroundings.reload = [latest, words, resolver = std::move(resolver)] {
    const auto read_file = [&](const std::string& name) { return resolver->read_file(name); };
    const auto look_up = [&](const std::string& name, Families families) { return resolver->look_up(name, families); };
    *latest = std::get<Configuration>(read_configuration(words, {}, read_file));
    return orders_of(*latest, look_up);
  };
  surroundings.reloaded = [&log, capturing, &started, latest, wants_messages](const std::vector<std::string>& missing) {
    if (capturing != nullptr) {
      capturing->policy_changed(latest->policy, latest->policy6);
    }
    log.set_threshold(latest->log_level);
    for (const std::string& flag : flags_for_next_start(started, *latest)) {
      log.note(LogLevel::warning, flag + " takes effect at the next start");
    }
    note_missing(log, missing);
    log.note(LogLevel::info, "the configuration was read again and is in force");
    return wants_messages();
  };
  surroundings.reload_failed = [&log](std::string_view why) {
    log.note(LogLevel::error, "the old configuration stays in force: " + std::string{why});
  };
  surroundings.log_counters = [&log](const InterfaceTable& table, const DelegationCounters* delegations) {
    log.counters(table, delegations);
  };
  surroundings.toggle_capture = [&log, capturing, wants_messages](const InterfaceTable& table) {
    if (capturing != nullptr) {
      capturing->toggle(table);
    } else {
      log.note(LogLevel::warning, no_capture_named);
    }
    return wants_messages();
  };
  surroundings.interfaces_changed = [capturing](const InterfaceTable& table) {
    if (capturing != nullptr) {
      capturing->interfaces_changed(table);
    }
  };
  if (metering != nullptr) {
    surroundings.figures_changed = [metering](Figures figures) { metering->publish(std::move(figures)); };
  }
  surroundings.report_suppressed = [&log] {
    log.report_suppressed();
    return log.has_suppressed();
  };
  surroundings.status = status_text;
  return surroundings;
}

}  // namespace relay
