// The text of one log line, as text or JSON: which fields an event has, in which order, and how octets become
// characters. Every character of a line is printable ASCII, whatever the message or an interface's alias contains.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "relay/capture/annotator.h"
#include "relay/core/address.h"
#include "relay/core/counter_sums.h"
#include "relay/core/decision.h"
#include "relay/core/delegation_counters.h"
#include "relay/core/events.h"
#include "relay/core/interface_table.h"
#include "relay/log/options.h"

namespace relay {

/// One line while it is built in `storage`, which it clears first and which must outlive it.
/// Text: `<time>Z LEVEL event key=value ...`; a value that is empty or has a space, a quote or `=` stands in quotes;
/// other octets are `\xNN`, quotes and backslashes have a backslash before them.
/// JSON: one flat object, `{"time":...,"level":...,"event":...,key:value,...}`; other octets are `\u00NN`.
/// Keys and the event are the program's own words: printable, without spaces, quotes and backslashes, each key once.
class LogLine {
 public:
  using Time = std::chrono::system_clock::time_point;

  /// Without `time` the line has none: syslog keeps its own.
  LogLine(std::string& storage, LogFormat format, std::optional<Time> time, LogLevel level, std::string_view event);

  LogLine& field(std::string_view key, std::string_view value);
  LogLine& field(std::string_view key, std::uint64_t value);
  LogLine& field(std::string_view key, Ipv4Address value);
  LogLine& field(std::string_view key, const Ipv6Address& value);
  LogLine& field(std::string_view key, const capture::Address& value);
  /// Text: joined by commas; JSON: an array.
  LogLine& field(std::string_view key, std::span<const Ipv4Address> values);
  LogLine& field(std::string_view key, std::span<const Server6> values);

  /// The whole line without its newline, valid as long as the storage is left alone; nothing can be added afterwards.
  [[nodiscard]] std::string_view finish();

 private:
  [[nodiscard]] bool is_json() const noexcept { return format_ == LogFormat::json; }
  template <typename Value, typename TextOf>
  LogLine& list(std::string_view key, std::span<const Value> values, TextOf text_of);
  void begin_field(std::string_view key);
  void append_escaped(std::string_view octets);
  void append_quoted(std::string_view octets);

  std::string& storage_;
  LogFormat format_;
};

/// What a message says of itself, in the words of its protocol, with its interface in the midst of it if that is known.
void add_identity(LogLine& line, Family family, std::span<const std::uint8_t> message,
                  std::optional<std::string_view> interface);

/// What the message says of itself and where it arrived: type, xid, chaddr, interface, giaddr. Of a message that is
/// shorter than its header only the interface.
void add_message(LogLine& line, const MessageEvent& event);

/// The same of DHCPv6: type, xid, interface; of a relay message hops, link_address and peer_address.
void add_message(LogLine& line, const MessageEvent6& event);

/// What a captured message says of itself, where it was seen, and how it was addressed.
void add_seen(LogLine& line, const capture::Annotated& annotated);

/// How the message arrived: source, destination, hops, secs, size; and agent_information where it has option 82.
void add_arrival(LogLine& line, const MessageEvent& event);

/// The same of DHCPv6: source, destination, size.
void add_arrival(LogLine& line, const MessageEvent6& event);

/// Where a forwarded message goes: servers, source, hops, option82; or server, egress, delivery, destination, yiaddr;
/// then size; and agent_information where it has option 82.
void add_destination(LogLine& line, const MessageEvent& event);

/// The same of DHCPv6: servers, source; or server, egress, destination, port; then size.
void add_destination(LogLine& line, const MessageEvent6& event);

/// reason, meaning, hint: that of the reason, unless another one says more.
void add_explanation(LogLine& line, DropReason reason, std::string_view hint = {});

/// What happened to the interface, and how it stands now.
void add_change(LogLine& line, const InterfaceEvent& event);

/// What the line of this change is called, and what it says: prefix, client, iaid, interface, next hop, lifetimes.
[[nodiscard]] std::string_view delegation_event_name(DelegationChange change) noexcept;
void add_delegation(LogLine& line, const DelegationEvent& event);

/// Which route, why not, and what can be done.
void add_route_refusal(LogLine& line, const RouteRefusal& refusal);

/// Which server fell silent, since when, and what can be done; or that it answers again.
void add_server_change(LogLine& line, const ServerEvent& event);

/// Every counter by name, `dropped` in total, and the reasons that are not zero.
void add_counters(LogLine& line, const CounterSums& counters);
void add_delegations(LogLine& line, const DelegationCounters& counters);

/// What lines call an interface that arrived as `index`: its name, or `index-7` where the table does not know it.
[[nodiscard]] std::string interface_label(const Interface* interface, std::uint32_t index);

}  // namespace relay
