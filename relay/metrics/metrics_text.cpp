#include "relay/metrics/metrics_text.h"

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "relay/core/transactions.h"
#include "relay/log/message_text.h"
#include "relay/metrics/exposition.h"

namespace relay::metrics {

namespace {

constexpr std::string_view family_ipv4 = "ipv4";
constexpr std::string_view family_ipv6 = "ipv6";

[[nodiscard]] std::string_view name_of(Family family) {
  return family == Family::ipv4 ? family_ipv4 : family_ipv6;
}

[[nodiscard]] double seconds_of(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>{time}.count();
}

/// Calls `with(interface, family, counters)` for all who have counted something, or will; under no name of messages
/// that arrived on no interface.
template <typename With>
void for_each_source(const Figures& figures, With&& with) {
  for (const InterfaceFigures& interface : figures.interfaces) {
    with(interface.name, family_ipv4, *interface.counters);
    if (interface.counters6 != nullptr) {
      with(interface.name, family_ipv6, *interface.counters6);
    }
  }
  if (figures.unattributed != nullptr) {
    with("", family_ipv4, *figures.unattributed);
  }
  if (figures.unattributed6 != nullptr) {
    with("", family_ipv6, *figures.unattributed6);
  }
}

/// Calls `with(interface, family, direction, messages)` for each direction of these.
template <typename With>
void for_each_direction(const Figures& figures, With&& with) {
  for_each_source(figures, [&with](std::string_view interface, std::string_view family, const auto& counters) {
    with(interface, family, name(Direction::request), counters.requests);
    with(interface, family, name(Direction::reply), counters.replies);
  });
}

void add_passed(Exposition& exposition, const Figures& figures) {
  const auto add = [&](auto count_of) {
    for_each_direction(figures, [&](std::string_view interface, std::string_view family, std::string_view direction,
                                    const auto& messages) {
      for (const auto kind : messages.kinds()) {
        if (const std::uint64_t count = count_of(messages, kind); count != 0) {
          exposition.value(
              {{"interface", interface}, {"family", family}, {"direction", direction}, {"type", name(kind)}},
              static_cast<double>(count));
        }
      }
    });
  };
  exposition.family("dhcp_relay_messages_received_total", Type::counter,
                    "Messages that arrived on an interface; of those without one, its name is empty.");
  add([](const auto& messages, auto kind) { return messages.received(kind).value(); });
  exposition.family("dhcp_relay_messages_forwarded_total", Type::counter,
                    "Requests that arrived on an interface and were sent to a server at least; replies that were sent "
                    "to a client on it.");
  add([](const auto& messages, auto kind) { return messages.forwarded(kind).value(); });
}

void add_dropped(Exposition& exposition, const Figures& figures) {
  exposition.family("dhcp_relay_messages_dropped_total", Type::counter,
                    "Messages that were dropped, by reason; those that occurred alone.");
  for_each_direction(figures, [&](std::string_view interface, std::string_view family, std::string_view direction,
                                  const auto& messages) {
    for (const DropReason reason : all_drop_reasons()) {
      if (messages.dropped(reason) == 0) {
        continue;
      }
      for (const auto kind : messages.kinds()) {
        if (const std::uint64_t count = messages.dropped(kind, reason).value(); count != 0) {
          exposition.value({{"interface", interface},
                            {"family", family},
                            {"direction", direction},
                            {"type", name(kind)},
                            {"reason", text(reason).name}},
                           static_cast<double>(count));
        }
      }
    }
  });
}

void add_interfaces(Exposition& exposition, const Figures& figures) {
  const auto add_counters = [&](std::string_view metric, std::string_view help, auto counter_of) {
    exposition.family(metric, Type::counter, help);
    for (const InterfaceFigures& interface : figures.interfaces) {
      const auto add = [&](std::string_view family, bool is_downstream, std::optional<std::uint64_t> count) {
        if (count && (is_downstream || *count != 0)) {
          exposition.value({{"interface", interface.name}, {"family", family}}, static_cast<double>(*count));
        }
      };
      add(family_ipv4, interface.is_downstream, counter_of(*interface.counters));
      if (interface.counters6 != nullptr) {
        add(family_ipv6, interface.is_downstream6, counter_of(*interface.counters6));
      }
    }
  };
  using Count = std::optional<std::uint64_t>;
  add_counters("dhcp_relay_request_copies_total", "Copies of requests that were sent, one for each server.",
               [](const auto& counters) { return Count{counters.request_copies.value()}; });
  add_counters("dhcp_relay_request_copies_failed_total", "Copies of requests that could not be sent.",
               [](const auto& counters) { return Count{counters.request_copies_failed.value()}; });
  add_counters("dhcp_relay_option82_omitted_total",
               "Requests relayed without option 82, since they would have become too large.", [](const auto& counters) {
                 constexpr bool has_option82 = std::is_same_v<decltype(counters), const Counters&>;
                 return has_option82 ? Count{counters.option82_omitted.value()} : std::nullopt;
               });
  exposition.family("dhcp_relay_interface_up", Type::gauge,
                    "Whether an interface that the relay uses is up and has carrier.");
  for (const InterfaceFigures& interface : figures.interfaces) {
    if (interface.is_used) {
      exposition.value({{"interface", interface.name}}, interface.is_up ? 1 : 0);
    }
  }
  exposition.family("dhcp_relay_interface_active", Type::gauge,
                    "Whether requests of a downstream interface can be relayed: it is up, and this host holds the "
                    "address that is its giaddr, or has a link-local address there.");
  for (const InterfaceFigures& interface : figures.interfaces) {
    if (interface.is_downstream) {
      exposition.value({{"interface", interface.name}, {"family", family_ipv4}}, interface.is_active ? 1 : 0);
    }
    if (interface.is_downstream6) {
      exposition.value({{"interface", interface.name}, {"family", family_ipv6}}, interface.is_active6 ? 1 : 0);
    }
  }
}

[[nodiscard]] bool is_group(const ServerFigures& server) {
  return std::visit([](const auto& address) { return address.is_multicast(); }, server.address);
}

/// Which a metric is of.
enum class Of : std::uint8_t {
  all_servers,
  those_who_answer,  ///< no multicast groups, whose members answer from other addresses
};

/// Calls `with(labels, counters)` for each server of these.
template <typename With>
void for_each_server(const Figures& figures, Of which, With&& with) {
  for (const ServerFigures& server : figures.servers) {
    if (which == Of::all_servers || !is_group(server)) {
      const std::string address = address_text(server.address, server.zone);
      with(Labels{{"server", address}, {"family", name_of(family_of(server.address))}}, *server.counters);
    }
  }
}

/// One family, with `value(counters)` of each server.
template <typename Value>
void add_of_servers(Exposition& exposition, const Figures& figures, Of which, std::string_view metric, Type type,
                    std::string_view help, Value&& value) {
  exposition.family(metric, type, help);
  for_each_server(figures, which, [&](const Labels& labels, const ServerCounters& counters) {
    exposition.value(labels, value(counters));
  });
}

[[nodiscard]] Histogram histogram_of(const ResponseHistogram& times) {
  Histogram result;
  std::uint64_t count = 0;
  for (std::size_t bucket = 0; bucket < ResponseHistogram::bounds.size(); ++bucket) {
    count += times.count(bucket);
    result.buckets.emplace_back(seconds_of(ResponseHistogram::bounds[bucket]), count);
  }
  count += times.count(ResponseHistogram::bounds.size());
  result.buckets.emplace_back(std::numeric_limits<double>::infinity(), count);
  result.sum = seconds_of(times.sum());
  return result;
}

/// Seconds since 1970, to the millisecond; 0 for never.
[[nodiscard]] double timestamp_of(std::uint64_t figure, const Moment& now) {
  if (figure == 0) {
    return 0;
  }
  const auto ago = now.figures - std::chrono::nanoseconds{static_cast<std::int64_t>(figure)};
  const auto wall = std::chrono::duration_cast<std::chrono::milliseconds>(now.wall.time_since_epoch() - ago);
  return std::chrono::duration<double>{wall}.count();
}

void add_servers(Exposition& exposition, const Figures& figures, const Moment& now) {
  const auto count_of = [](Counter ServerCounters::*counter) {
    return [counter](const ServerCounters& counters) { return static_cast<double>((counters.*counter).value()); };
  };
  add_of_servers(exposition, figures, Of::all_servers, "dhcp_relay_server_requests_total", Type::counter,
                 "Copies of requests that were sent to a server.", count_of(&ServerCounters::requests));
  add_of_servers(exposition, figures, Of::all_servers, "dhcp_relay_server_requests_failed_total", Type::counter,
                 "Copies of requests that could not be sent to a server.", count_of(&ServerCounters::requests_failed));
  add_of_servers(exposition, figures, Of::those_who_answer, "dhcp_relay_server_replies_total", Type::counter,
                 "Replies that came from a server, delivered or not.", count_of(&ServerCounters::replies));
  exposition.family("dhcp_relay_server_response_seconds", Type::histogram,
                    "Time from relaying a request to receiving a server's reply to it.");
  for_each_server(figures, Of::those_who_answer, [&](const Labels& labels, const ServerCounters& counters) {
    exposition.histogram(labels, histogram_of(counters.response_times));
  });
  add_of_servers(exposition, figures, Of::those_who_answer, "dhcp_relay_server_last_reply_timestamp_seconds",
                 Type::gauge, "When a server's last reply came, since 1970; 0: none came yet.",
                 [&now](const ServerCounters& counters) { return timestamp_of(counters.last_reply.value(), now); });
  add_of_servers(exposition, figures, Of::those_who_answer, "dhcp_relay_server_answering", Type::gauge,
                 "0: a server does not answer, though it was asked often enough and had the time.",
                 [](const ServerCounters& counters) { return counters.is_not_answering.value() == 0 ? 1.0 : 0.0; });
}

void add_load(Exposition& exposition, const Figures& figures, const Moment& now) {
  const auto add = [&](std::string_view family, std::uint64_t value) {
    exposition.value({{"family", family}}, static_cast<double>(value));
  };
  const auto add_of_queues = [&](const auto& value_of) {
    for (const auto& [family, queue] :
         {std::pair{family_ipv4, &figures.queue}, std::pair{family_ipv6, &figures.queue6}}) {
      if (queue->length != nullptr) {
        add(family, value_of(*queue));
      }
    }
  };
  exposition.family("dhcp_relay_queue_length", Type::gauge, "Requests that wait in the relay for their turn.");
  add_of_queues([](const QueueFigures& queue) { return queue.length->value(); });
  exposition.family("dhcp_relay_queue_capacity", Type::gauge, "Requests that can wait in the relay.");
  add_of_queues([](const QueueFigures& queue) { return queue.capacity; });
  exposition.family("dhcp_relay_kernel_drops_total", Type::counter,
                    "Messages that the kernel gave up before the relay took them, for want of room or by a wrong "
                    "checksum.");
  if (figures.unattributed != nullptr) {
    add(family_ipv4, figures.unattributed->lost_in_kernel.value());
  }
  if (figures.unattributed6 != nullptr) {
    add(family_ipv6, figures.unattributed6->lost_in_kernel.value());
  }
  if (figures.transactions != nullptr) {
    exposition.family("dhcp_relay_transactions", Type::gauge,
                      "Transactions remembered for replies that neither giaddr nor option 82 leads to an interface.");
    add(family_ipv4, figures.transactions->ahead(now.figures));
    exposition.family("dhcp_relay_transactions_capacity", Type::gauge, "Transactions that can be remembered.");
    add(family_ipv4, Transactions::default_capacity);
  }
}

void add_delegations(Exposition& exposition, const DelegationCounters& counters) {
  exposition.family("dhcp_relay_prefixes", Type::gauge, "Prefixes that clients have, as far as the relay knows.");
  exposition.value({}, static_cast<double>(counters.active.value()));
  exposition.family("dhcp_relay_prefix_changes_total", Type::counter,
                    "Prefixes that were delegated, renewed, released, expired or refused for a limit.");
  const auto add = [&exposition](std::string_view change, const Counter& counter) {
    exposition.value({{"change", change}}, static_cast<double>(counter.value()));
  };
  add("delegated", counters.delegated);
  add("renewed", counters.renewed);
  add("released", counters.released);
  add("expired", counters.expired);
  add("refused", counters.refused);
  exposition.family("dhcp_relay_prefix_routes_refused_total", Type::counter,
                    "Routes to delegated prefixes that the kernel did not take.");
  exposition.value({}, static_cast<double>(counters.routes_refused.value()));
}

void add_capture(Exposition& exposition, const capture::CaptureCounters& captured) {
  const auto add = [&](std::string_view metric, Type type, std::string_view help, std::uint64_t value) {
    exposition.family(metric, type, help);
    exposition.value({}, static_cast<double>(value));
  };
  add("dhcp_relay_capture_running", Type::gauge, "Whether the capture that was named is running.",
      captured.is_running.value());
  add("dhcp_relay_capture_packets_total", Type::counter, "Packets that were captured.", captured.packets.value());
  add("dhcp_relay_capture_packets_lost_total", Type::counter,
      "Packets that the kernel lost before they were captured, for want of room.", captured.lost_packets.value());
  add("dhcp_relay_capture_verdicts_lost_total", Type::counter, "Verdicts that their captured packets do not have.",
      captured.lost_verdicts.value());
}

void add_process(Exposition& exposition, const Constants& constants) {
  if (constants.lost_log_lines) {
    exposition.family("dhcp_relay_log_lines_lost_total", Type::counter,
                      "Lines of the log that nobody took in time, or that could not be written.");
    exposition.value({}, static_cast<double>(constants.lost_log_lines->count()));
  }
  exposition.family("dhcp_relay_build_info", Type::gauge, "1, and the version of the program.");
  exposition.value({{"version", constants.version}}, 1);
  exposition.family("process_start_time_seconds", Type::gauge, "When the relay was started, since 1970.");
  const auto started = std::chrono::duration_cast<std::chrono::milliseconds>(constants.started.time_since_epoch());
  exposition.value({}, std::chrono::duration<double>{started}.count());
}

}  // namespace

std::string metrics_text(const Figures& figures, const Constants& constants, const Moment& now) {
  Exposition exposition;
  add_passed(exposition, figures);
  add_dropped(exposition, figures);
  add_interfaces(exposition, figures);
  add_servers(exposition, figures, now);
  add_load(exposition, figures, now);
  if (figures.delegations) {
    add_delegations(exposition, *figures.delegations);
  }
  if (constants.captured) {
    add_capture(exposition, *constants.captured);
  }
  add_process(exposition, constants);
  return exposition.finish();
}

}  // namespace relay::metrics
