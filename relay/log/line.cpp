#include "relay/log/line.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <string>
#include <system_error>
#include <variant>

#include "relay/core/bootp.h"
#include "relay/log/message_text.h"

namespace relay {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

void append_octet_in_hex(std::string& out, std::uint8_t octet) {
  out += hex_digits[octet >> 4U];
  out += hex_digits[octet & 0x0fU];
}

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits{};  // the size of 2^64 - 1
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), result.ptr);
}

void append_padded(std::string& out, std::uint64_t number, std::size_t width) {
  const std::size_t start = out.size();
  append_number(out, number);
  const std::size_t size = out.size() - start;
  if (size < width) {
    out.insert(start, width - size, '0');
  }
}

/// ISO 8601 in UTC with milliseconds.
void append_time(std::string& out, LogLine::Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::milliseconds>(time - day)};
  append_padded(out, static_cast<std::uint64_t>(std::max(0, static_cast<int>(date.year()))), 4);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_padded(out, static_cast<std::uint64_t>(clock.hours().count()), 2);
  out += ':';
  append_padded(out, static_cast<std::uint64_t>(clock.minutes().count()), 2);
  out += ':';
  append_padded(out, static_cast<std::uint64_t>(clock.seconds().count()), 2);
  out += '.';
  append_padded(out, static_cast<std::uint64_t>(clock.subseconds().count()), 3);
  out += 'Z';
}

struct LevelName {
  std::string_view in_text;
  std::string_view in_json;
};

LevelName level_name(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return {"TRACE", "trace"};
    case LogLevel::debug:
      return {"DEBUG", "debug"};
    case LogLevel::info:
      return {"INFO", "info"};
    case LogLevel::warning:
      return {"WARNING", "warning"};
    case LogLevel::error:
      return {"ERROR", "error"};
  }
  return {};
}

std::string_view delivery_name(Delivery delivery) {
  switch (delivery) {
    case Delivery::link_unicast:
      return "link_unicast";
    case Delivery::link_broadcast:
      return "link_broadcast";
    case Delivery::routed:
      return "routed";
  }
  return {};
}

std::string_view outcome_name(AgentInformationOutcome outcome) {
  switch (outcome) {
    case AgentInformationOutcome::untouched:
      return "untouched";
    case AgentInformationOutcome::added:
      return "added";
    case AgentInformationOutcome::appended:
      return "appended";
    case AgentInformationOutcome::replaced:
      return "replaced";
    case AgentInformationOutcome::did_not_fit:
      return "did_not_fit";
  }
  return {};
}

std::string_view change_name(InterfaceChange change) {
  switch (change) {
    case InterfaceChange::appeared:
      return "appeared";
    case InterfaceChange::vanished:
      return "vanished";
    case InterfaceChange::released:
      return "released";
    case InterfaceChange::renamed:
      return "renamed";
    case InterfaceChange::came_up:
      return "came_up";
    case InterfaceChange::went_down:
      return "went_down";
    case InterfaceChange::giaddr_changed:
      return "giaddr_changed";
    case InterfaceChange::link_address_changed:
      return "link_address_changed";
    case InterfaceChange::no_link_local:
      return "no_link_local";
    case InterfaceChange::has_link_local:
      return "has_link_local";
    case InterfaceChange::became_passive:
      return "became_passive";
    case InterfaceChange::became_active:
      return "became_active";
  }
  return {};
}

std::string numbered(std::string_view word, std::uint64_t number) {
  std::string result{word};
  append_number(result, number);
  return result;
}

std::optional<bootp::Header> header_of(std::span<const std::uint8_t> message) {
  if (message.size() < bootp::header_size) {
    return std::nullopt;
  }
  return message.first<bootp::header_size>();
}

std::string prefix_text(const Ipv6Prefix& prefix) {
  std::string text = address_text(prefix.address) + '/';
  append_number(text, prefix.length);
  return text;
}

struct RefusalText {
  std::string_view reason;
  std::string_view hint;
};

RefusalText refusal_text(DelegationRefusal refusal) {
  switch (refusal) {
    case DelegationRefusal::client_limit:
      return {"client_limit",
              "The client has as many prefixes as --prefixes-per-client allows; there is no route to "
              "this one."};
    case DelegationRefusal::interface_limit:
      return {"interface_limit",
              "The interface has as many prefixes as --prefixes-per-interface allows; there is no "
              "route to this one."};
    case DelegationRefusal::limit_in_all:
      return {"limit_in_all",
              "There are 262144 delegated prefixes, and no room for more; there is no route to this "
              "one."};
    case DelegationRefusal::unroutable:
      return {"unroutable",
              "Look at the server's pools: a prefix of global or unique-local addresses has 16 bits or "
              "more."};
  }
  return {};
}

}  // namespace

LogLine::LogLine(std::string& storage, LogFormat format, std::optional<Time> time, LogLevel level,
                 std::string_view event)
    : storage_(storage), format_(format) {
  storage_.clear();
  if (is_json()) {
    storage_ += '{';
    if (time) {
      storage_ += R"("time":")";
      append_time(storage_, *time);
      storage_ += "\",";
    }
    storage_.append(R"("level":")").append(level_name(level).in_json);
    storage_.append(R"(","event":")").append(event).append("\"");
    return;
  }
  if (time) {
    append_time(storage_, *time);
    storage_ += ' ';
  }
  storage_.append(level_name(level).in_text).append(" ").append(event);
}

LogLine& LogLine::field(std::string_view key, std::string_view value) {
  begin_field(key);
  if (is_json() || value.empty() || value.find_first_of(" \"=") != std::string_view::npos) {
    append_quoted(value);
  } else {
    append_escaped(value);
  }
  return *this;
}

LogLine& LogLine::field(std::string_view key, std::uint64_t value) {
  begin_field(key);
  append_number(storage_, value);
  return *this;
}

LogLine& LogLine::field(std::string_view key, Ipv4Address value) {
  return field(key, address_text(value));
}

LogLine& LogLine::field(std::string_view key, const Ipv6Address& value) {
  return field(key, address_text(value));
}

LogLine& LogLine::field(std::string_view key, const capture::Address& value) {
  return field(key, address_text(value));
}

LogLine& LogLine::field(std::string_view key, std::span<const Ipv4Address> values) {
  return list(key, values, [](Ipv4Address address) { return address_text(address); });
}

LogLine& LogLine::field(std::string_view key, std::span<const Server6> values) {
  return list(key, values, [](const Server6& server) { return address_text(server.address); });
}

template <typename Value, typename TextOf>
LogLine& LogLine::list(std::string_view key, std::span<const Value> values, TextOf text_of) {
  std::string texts;
  const std::string_view quote = is_json() ? "\"" : "";
  for (const Value& value : values) {
    texts.append(texts.empty() ? "" : ",").append(quote).append(text_of(value)).append(quote);
  }
  if (!is_json()) {
    return field(key, texts);
  }
  begin_field(key);
  storage_.append("[").append(texts).append("]");
  return *this;
}

std::string_view LogLine::finish() {
  if (is_json()) {
    storage_ += '}';
  }
  return storage_;
}

void LogLine::begin_field(std::string_view key) {
  if (is_json()) {
    storage_.append(",\"").append(key).append("\":");
  } else {
    storage_.append(" ").append(key).append("=");
  }
}

void LogLine::append_escaped(std::string_view octets) {
  for (const char c : octets) {
    if (c == '"' || c == '\\') {
      storage_ += '\\';
      storage_ += c;
    } else if (c >= ' ' && c <= '~') {
      storage_ += c;
    } else {
      storage_ += is_json() ? "\\u00" : "\\x";
      append_octet_in_hex(storage_, static_cast<std::uint8_t>(c));
    }
  }
}

void LogLine::append_quoted(std::string_view octets) {
  storage_ += '"';
  append_escaped(octets);
  storage_ += '"';
}

namespace {

void add_identity4(LogLine& line, std::span<const std::uint8_t> message, std::optional<std::string_view> interface) {
  const auto header = header_of(message);
  if (header) {
    line.field("type", type_text(*header, message));
    line.field("xid", xid_text(*header));
    if (bootp::hlen(*header) != 0) {
      line.field("chaddr", chaddr_text(*header));
    }
  }
  if (interface) {
    line.field("interface", *interface);
  }
  if (header) {
    line.field("giaddr", bootp::giaddr(*header));
  }
}

void add_identity6(LogLine& line, std::span<const std::uint8_t> message, std::optional<std::string_view> interface) {
  const bool has_header = dhcpv6::has_header(message);
  const bool is_of_relays = has_header && dhcpv6::is_of_relays(message);
  if (has_header) {
    line.field("type", type6_text(dhcpv6::msg_type(message)));
  }
  if (has_header && !is_of_relays) {
    line.field("xid", xid6_text(message));
  }
  if (interface) {
    line.field("interface", *interface);
  }
  if (is_of_relays) {
    const dhcpv6::RelayHeader header = message.first<dhcpv6::relay_header_size>();
    line.field("hops", std::uint64_t{dhcpv6::hop_count(header)});
    line.field("link_address", dhcpv6::link_address(header)).field("peer_address", dhcpv6::peer_address(header));
  }
}

void add_size(LogLine& line, std::span<const std::uint8_t> message) {
  line.field("size", message.size());
  if (const auto content = agent_information_of(message)) {
    line.field("agent_information", agent_information_field(*content));
  }
}

void add_journey(LogLine& line, std::span<const std::uint8_t> message, const capture::Address& source,
                 const capture::Address& destination) {
  line.field("source", source).field("destination", destination);
  if (const auto header = header_of(message)) {
    line.field("hops", bootp::hops(*header)).field("secs", bootp::secs(*header));
  }
  add_size(line, message);
}

}  // namespace

void add_identity(LogLine& line, Family family, std::span<const std::uint8_t> message,
                  std::optional<std::string_view> interface) {
  family == Family::ipv4 ? add_identity4(line, message, interface) : add_identity6(line, message, interface);
}

void add_message(LogLine& line, const MessageEvent& event) {
  add_identity4(line, event.message, interface_label(event.interface, event.ingress.interface_index));
}

void add_arrival(LogLine& line, const MessageEvent& event) {
  add_journey(line, event.message, event.ingress.source, event.ingress.destination);
}

void add_seen(LogLine& line, const capture::Annotated& annotated) {
  const capture::UdpDatagram& datagram = annotated.datagram;
  const Family family = datagram.source.family();
  add_identity(line, family, datagram.payload, annotated.point.name);
  if (family == Family::ipv6) {
    line.field("source", datagram.source).field("destination", datagram.destination);
    line.field("size", datagram.payload.size());
    return;
  }
  if (const auto header = header_of(datagram.payload)) {
    const auto add_address = [&line](std::string_view key, Ipv4Address address) {
      if (!address.is_unspecified()) {
        line.field(key, address);
      }
    };
    add_address("ciaddr", bootp::ciaddr(*header));
    add_address("yiaddr", bootp::yiaddr(*header));
  }
  add_journey(line, datagram.payload, datagram.source, datagram.destination);
}

void add_destination(LogLine& line, const MessageEvent& event) {
  if (event.decision == nullptr) {
    return;
  }
  const auto header = header_of(event.message);
  if (const auto* request = std::get_if<ToServers>(event.decision)) {
    line.field("servers", request->servers).field("source", request->source);
    if (header) {
      line.field("hops", bootp::hops(*header));
    }
    line.field("option82", outcome_name(request->agent_information));
  } else if (const auto* reply = std::get_if<ToClient>(event.decision)) {
    line.field("server", event.ingress.source);
    if (reply->egress != nullptr) {
      line.field("egress", reply->egress->name);
    }
    line.field("delivery", delivery_name(reply->delivery)).field("destination", reply->destination);
    if (header) {
      line.field("yiaddr", bootp::yiaddr(*header));
    }
  }
  add_size(line, event.message);
}

void add_message(LogLine& line, const MessageEvent6& event) {
  add_identity6(line, event.message, interface_label(event.interface, event.ingress.interface_index));
}

void add_arrival(LogLine& line, const MessageEvent6& event) {
  line.field("source", event.ingress.source).field("destination", event.ingress.destination);
  line.field("size", event.message.size());
}

void add_destination(LogLine& line, const MessageEvent6& event) {
  if (event.decision == nullptr) {
    return;
  }
  if (const auto* request = std::get_if<ToServers6>(event.decision)) {
    line.field("servers", request->servers).field("source", request->source);
    if (dhcpv6::has_header(event.message) && dhcpv6::is_of_relays(event.message)) {
      if (const std::string options = relay_options_field(event.message); !options.empty()) {
        line.field("options", options);
      }
    }
  } else if (const auto* reply = std::get_if<ToPeer6>(event.decision)) {
    line.field("server", event.ingress.source);
    if (reply->egress != nullptr) {
      line.field("egress", reply->egress->name);
    }
    line.field("destination", reply->destination).field("port", std::uint64_t{reply->destination_port});
  }
  line.field("size", event.message.size());
}

void add_explanation(LogLine& line, DropReason reason, std::string_view hint) {
  const DropReasonText& words = text(reason);
  line.field("reason", words.name).field("meaning", words.meaning).field("hint", hint.empty() ? words.hint : hint);
}

std::string_view state_of(const Interface& interface) noexcept {
  if (!interface.is_up) {
    return "down";
  }
  return interface.has_carrier ? "up" : "no_carrier";
}

void add_change(LogLine& line, const InterfaceEvent& event) {
  line.field("interface", event.interface.name);
  if (!event.interface.alias.empty()) {
    line.field("alias", event.interface.alias);
  }
  line.field("change", change_name(event.change));
  if (event.change == InterfaceChange::renamed) {
    line.field("previous_name", event.previous_name);
  }
  if (!event.new_name.empty()) {
    line.field("renamed_to", event.new_name);
  }
  line.field("state", state_of(event.interface));
  if (event.interface.giaddr) {
    line.field("giaddr", *event.interface.giaddr);
  } else if (event.interface.is_downstream) {
    line.field("giaddr", "none");
  }
  const Ipv6Address& link_address = event.interface.v6.link_address;
  if (!link_address.is_unspecified()) {
    line.field("link_address", link_address);
  } else if (event.change == InterfaceChange::link_address_changed) {
    line.field("link_address", "none");
  }
  if (event.change == InterfaceChange::no_link_local) {
    line.field("hint",
               "No DHCPv6 client is served here without a link-local address. Where IPv6 is disabled: sysctl -w "
               "net/ipv6/conf/" +
                   event.interface.name + "/disable_ipv6=0; else see ip -6 address show dev " + event.interface.name +
                   ", and --check.");
  }
}

void add_server_change(LogLine& line, const ServerEvent& event) {
  const auto seconds = static_cast<std::uint64_t>(event.time.count());
  line.field("server", address_text(event.server, event.zone));
  if (event.is_answering) {
    line.field("change", "answers_again").field("silent_seconds", seconds);
    return;
  }
  line.field("change", event.has_answered ? "stopped_answering" : "never_answered");
  line.field("unanswered", event.unanswered).field("seconds", seconds);
  line.field("others", event.others_answer ? "answer" : "silent");
  const bool is_ipv4 = family_of(event.server) == Family::ipv4;
  const std::string back = is_ipv4 ? "giaddr" : "the relay's address";
  line.field("hint",
             (event.others_answer ? "" : "None that was asked since has answered. ") +
                 std::string{"Look first whether a DHCP server runs there and listens on UDP port "} +
                 (is_ipv4 ? "67" : "547") + " or that of -p: ICMP" + (is_ipv4 ? "" : "v6") +
                 " port unreachable from it, in a tcpdump of the servers' side, says that none does. Then look " +
                 (event.others_answer
                      ? "whether it has addresses for these clients and a route back to " + back
                      : "at the route to this server, its route back to " + back + ", and the firewalls between") +
                 "; requests are still sent to it.");
}

void add_counters(LogLine& line, const CounterSums& counters) {
  line.field("requests_received", counters.requests_received).field("requests_relayed", counters.requests_relayed);
  line.field("request_copies", counters.request_copies).field("request_copies_failed", counters.request_copies_failed);
  line.field("replies_received", counters.replies_received).field("replies_delivered", counters.replies_delivered);
  line.field("option82_omitted", counters.option82_omitted).field("dropped", counters.dropped_in_all());
  for (const DropReason reason : all_drop_reasons()) {
    if (const std::uint64_t count = counters.dropped[static_cast<std::size_t>(reason)]; count != 0) {
      line.field(text(reason).name, count);
    }
  }
}

void add_delegations(LogLine& line, const DelegationCounters& counters) {
  line.field("prefixes", counters.active.value()).field("prefixes_delegated", counters.delegated.value());
  line.field("prefixes_renewed", counters.renewed.value()).field("prefixes_released", counters.released.value());
  line.field("prefixes_expired", counters.expired.value()).field("prefixes_refused", counters.refused.value());
  line.field("routes_refused", counters.routes_refused.value());
}

std::string_view delegation_event_name(DelegationChange change) noexcept {
  switch (change) {
    case DelegationChange::delegated:
      return "prefix_delegated";
    case DelegationChange::renewed:
      return "prefix_renewed";
    case DelegationChange::moved:
      return "prefix_moved";
    case DelegationChange::released:
      return "prefix_released";
    case DelegationChange::expired:
      return "prefix_expired";
    case DelegationChange::refused:
      return "prefix_refused";
  }
  return {};
}

void add_delegation(LogLine& line, const DelegationEvent& event) {
  const Delegation& delegation = event.delegation;
  std::string client;
  for (const std::uint8_t octet : event.duid) {
    append_octet_in_hex(client, octet);
  }
  line.field("prefix", prefix_text(delegation.prefix)).field("client", client).field("iaid", delegation.iaid);
  line.field("interface", event.interface).field("next_hop", delegation.next_hop);
  line.field("preferred", delegation.preferred_lifetime).field("valid", delegation.valid_lifetime);
  if (event.refusal) {
    const auto [reason, hint] = refusal_text(*event.refusal);
    line.field("count", event.count).field("reason", reason).field("hint", hint);
  }
}

void add_route_refusal(LogLine& line, const RouteRefusal& refusal) {
  line.field("prefix", prefix_text(refusal.prefix)).field("interface", refusal.interface);
  line.field("count", refusal.count).field("error", std::generic_category().message(refusal.error));
  line.field("hint", refusal.error == EEXIST
                         ? "Somebody else has a route to this prefix, which stays: look at ip -6 route show."
                         : "Packets to this prefix do not reach its client: look at ip -6 route show, and at the "
                           "interface.");
}

std::string interface_label(const Interface* interface, std::uint32_t index) {
  return interface != nullptr ? interface->name : numbered("index-", index);
}

}  // namespace relay
