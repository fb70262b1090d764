#include "relay/check/wording.h"

namespace relay::check {

std::vector<std::uint16_t> server_ports(const Facts& facts) {
  std::vector<std::uint16_t> ports;
  if (facts.families.ipv4) {
    ports.push_back(facts.ports.server);
  }
  if (facts.families.ipv6 && (ports.empty() || ports.front() != facts.policy6.ports.server)) {
    ports.push_back(facts.policy6.ports.server);
  }
  return ports;
}

std::string server_ports_text(const Facts& facts) {
  std::string text;
  for (const std::uint16_t port : server_ports(facts)) {
    text += (text.empty() ? "" : " or ") + std::to_string(port);
  }
  return text;
}

std::string_view protocol_before(const Facts& facts, Family family) noexcept {
  if (family == Family::ipv6) {
    return "DHCPv6 ";
  }
  return facts.families.ipv6 ? "DHCPv4 " : "";
}

}  // namespace relay::check
