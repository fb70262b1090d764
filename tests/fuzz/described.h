// A configuration as text, so that two can be compared.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "relay/config/configuration.h"

namespace fuzz {

inline void describe(std::ostream& out, const std::string& value) {
  out << value.size() << ':' << value << ' ';
}
inline void describe(std::ostream& out, relay::Ipv4Address value) {
  out << value.host_order() << ' ';
}
inline void describe(std::ostream& out, relay::InterfaceRole value) {
  out << value.downstream << value.upstream << ' ';
}
inline void describe(std::ostream& out, relay::ReplyDelivery value) {
  out << static_cast<int>(value) << ' ';
}
inline void describe(std::ostream& out, bool value) {
  out << value << ' ';
}

inline void describe(std::ostream& out, relay::RateLimit value) {
  out << value.per_second << '/' << value.burst << ' ';
}
/// By what it comes to on an interface of which everything is known.
inline void describe(std::ostream& out, const options82::Template& value) {
  const options82::InterfaceFacts facts{
      "eth1", 7, "alias", "host", std::array<std::uint8_t, 6>{2}, 100, std::array<std::uint8_t, 4>{10, 0, 0, 1}};
  for (const auto& part : value.expand(facts)) {
    if (const auto* text = std::get_if<std::string>(&part)) {
      describe(out, *text);
    } else {
      out << static_cast<int>(std::get<options82::Blank>(part)) << ' ';
    }
  }
}

template <typename Value>
void describe(std::ostream& out, const std::vector<Value>& values) {
  out << values.size() << "( ";
  for (const Value& value : values) {
    describe(out, value);
  }
  out << ") ";
}
template <typename Value>
void describe(std::ostream& out, const std::vector<relay::Setting<Value>>& settings) {
  out << settings.size() << "[ ";
  for (const auto& [pattern, value] : settings) {
    describe(out, pattern);
    describe(out, value);
  }
  out << "] ";
}
inline void describe(std::ostream& out, const relay::Policy& policy) {
  out << policy.add_agent_information << ' ' << static_cast<int>(policy.existing_agent_information) << ' '
      << policy.drop_unmatched_replies << ' ' << policy.max_request_size.value_or(0) << ' ' << policy.upstream_mtu
      << ' ' << int{policy.max_hops} << ' ' << policy.min_secs << ' ' << policy.min_size << ' '
      << policy.reply_giaddr.index() << ' ' << policy.replies_from_anyone << ' ' << policy.upstream_named << ' ';
  if (const auto* giaddr = std::get_if<relay::Ipv4Address>(&policy.reply_giaddr)) {
    describe(out, *giaddr);
  }
  describe(out, policy.source_address.value_or(relay::Ipv4Address{}));
}

inline void describe(std::ostream& out, const relay::AgentInformationSettings& settings) {
  out << settings.link_selection << ' ' << settings.server_id_override << ' ' << settings.source_port << ' ';
  describe(out, settings.relay_id);
  describe(out, settings.vss);
  for (const auto& [code, value] : settings.sub_options) {
    out << int{code} << '=';
    describe(out, value);
  }
}

inline void describe(std::ostream& out, const relay::InterfaceSettings& settings) {
  describe(out, settings.roles);
  describe(out, settings.trusted);
  describe(out, settings.giaddrs);
  describe(out, settings.giaddr_interface);
  describe(out, settings.servers);
  describe(out, settings.reply_delivery);
  describe(out, settings.refuses_relayed);
  describe(out, settings.rate_limits);
  describe(out, settings.circuit_ids);
  describe(out, settings.remote_ids);
  describe(out, settings.subscriber_ids);
  describe(out, settings.agent_information);
}

inline std::string described(const relay::Configuration& configuration) {
  std::ostringstream out;
  describe(out, configuration.policy);
  describe(out, configuration.interfaces);
  describe(out, configuration.servers);
  out << configuration.port << ' ' << configuration.relay_port.value_or(0) << ' ' << configuration.foreground << ' '
      << configuration.quiet << ' ' << static_cast<int>(configuration.log_level) << ' '
      << static_cast<int>(configuration.log_format) << ' ';
  const auto& [file, max_size, max_count, filter, only] = configuration.capture;
  describe(out, file);
  describe(out, filter);
  out << max_size << ' ' << max_count << ' ' << only << ' ';
  describe(out, configuration.replay.file);
  for (const auto& [name, address, mac, address6] : configuration.replay.interfaces) {
    describe(out, name);
    describe(out, address.address);
    out << static_cast<int>(address.length) << ' ';
    for (const std::uint8_t octet : address6.value_or(relay::Ipv6Prefix{{}, 0}).address.octets) {
      out << static_cast<int>(octet) << ' ';
    }
    out << static_cast<int>(address6.value_or(relay::Ipv6Prefix{{}, 0}).length) << ' ';
    for (const std::uint8_t octet : mac.value_or(relay::MacAddress{}).octets) {
      out << static_cast<int>(octet) << ' ';
    }
  }
  describe(out, configuration.pid_file);
  describe(out, configuration.warnings);
  return out.str();
}

}  // namespace fuzz
