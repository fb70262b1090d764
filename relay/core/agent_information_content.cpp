#include "relay/core/agent_information_content.h"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "relay/core/interface_facts.h"

namespace relay {

namespace {

using options82::FormValue;
using options82::SubOption;

constexpr std::size_t sub_option_head_size = 2;
constexpr std::size_t address_size = 4;

/// Values of sub-options by code; what has none is left out.
using Content = std::map<std::uint8_t, FormValue>;

void put(Content& content, SubOption sub_option, FormValue value) {
  content.insert_or_assign(static_cast<std::uint8_t>(sub_option), std::move(value));
}

void put(Content& content, SubOption sub_option, Ipv4Address address) {
  put(content, sub_option, FormValue{std::string{address.octets.begin(), address.octets.end()}});
}

/// A sub-option without a value would say nothing (RFC 3993 section 3 and RFC 6925 section 5 forbid it).
void put_unless_empty(Content& content, SubOption sub_option, FormValue value) {
  if (!value.empty()) {
    put(content, sub_option, std::move(value));
  }
}

[[nodiscard]] options82::AgentInformationForm encoded(const Content& content) {
  options82::AgentInformationForm form;
  for (const auto& [code, value] : content) {
    [[maybe_unused]] const bool fits = form.add(static_cast<SubOption>(code), value);
    assert(fits);
  }
  return form;
}

[[nodiscard]] bool has_address(const Interface& interface, Ipv4Address address) {
  return std::ranges::any_of(interface.addresses,
                             [address](const Ipv4Prefix& prefix) { return prefix.address == address; });
}

[[nodiscard]] bool is_on_subnet(const Interface& interface, Ipv4Address address) {
  return std::ranges::any_of(interface.addresses, [address](const Ipv4Prefix& prefix) {
    return Ipv4Prefix{address, prefix.length}.network() == prefix.network();
  });
}

/// What goes into requests whose giaddr is ours alone.
void put_own(Content& content, const Interface& interface, const std::optional<Ipv4Prefix>& primary,
             const AgentInformationSettings& settings) {
  // RFC 3527 section 3: the subnet of the client, where giaddr does not name it.
  const bool is_foreign = interface.giaddr && !has_address(interface, *interface.giaddr);
  if (primary && (settings.link_selection || is_foreign)) {
    put(content, SubOption::link_selection, primary->network());
  }
  // RFC 5107 section 4: an address of ours at which the client reaches us. A giaddr on its subnet is one, and the one
  // that routers which take turns have in common.
  if (settings.server_id_override && (primary || interface.giaddr)) {
    const bool is_giaddr = !primary || (interface.giaddr && is_on_subnet(interface, *interface.giaddr));
    put(content, SubOption::server_id_override, is_giaddr ? *interface.giaddr : primary->address);
  }
  if (settings.source_port) {
    put(content, SubOption::source_port, FormValue{});
  }
  // RFC 6607 section 5: 152 shows in the reply whether the server understood 151.
  if (!settings.vss.empty()) {
    put(content, SubOption::vss, FormValue{settings.vss});
    put(content, SubOption::vss_control, FormValue{});
  }
}

[[nodiscard]] std::size_t most_octets_of(const std::vector<Setting<options82::Template>>& templates) {
  std::size_t most = 0;
  for (const auto& setting : templates) {
    most = std::max(most, setting.value.most_octets());
  }
  return most == 0 ? 0 : sub_option_head_size + most;
}

}  // namespace

options82::Template default_circuit_id() {
  return std::get<options82::Template>(options82::Template::parse("%i"));
}

void encode_agent_information(Interface& interface, const std::optional<Ipv4Prefix>& primary,
                              const AgentInformationTemplates& templates, const AgentInformationSettings& settings) {
  const options82::InterfaceFacts facts = facts_of(interface, settings.host_name);
  Content content;
  for (const auto& [code, value] : settings.sub_options) {
    content[code] = FormValue{value};
  }
  put_unless_empty(content, SubOption::circuit_id, templates.circuit_id.expand(facts));
  put_unless_empty(content, SubOption::remote_id, templates.remote_id.expand(facts));
  put_unless_empty(content, SubOption::subscriber_id, templates.subscriber_id.expand(facts));
  if (!settings.relay_id.empty()) {
    put(content, SubOption::relay_id, FormValue{settings.relay_id});
  }
  // RFC 5010 section 4: whoever sends the flags sends them in every option 82.
  if (settings.server_id_override) {
    put(content, SubOption::relay_flags, FormValue{options82::Blank::relay_flags});
  }
  interface.relayed_agent_information = encoded(content);
  put_own(content, interface, primary, settings);
  interface.agent_information = encoded(content);
}

std::size_t most_agent_information_octets(const InterfaceSettings& settings) {
  const AgentInformationSettings& own = settings.agent_information;
  auto circuit_ids = settings.circuit_ids;
  circuit_ids.push_back({"*", default_circuit_id()});
  std::size_t most = most_octets_of(circuit_ids) + most_octets_of(settings.remote_ids) +
                     most_octets_of(settings.subscriber_ids) + sub_option_head_size + address_size;  // link selection
  if (own.server_id_override) {
    most += 2 * sub_option_head_size + address_size + 1;
  }
  if (!own.relay_id.empty()) {
    most += sub_option_head_size + own.relay_id.size();
  }
  if (own.source_port) {
    most += sub_option_head_size;
  }
  if (!own.vss.empty()) {
    most += 2 * sub_option_head_size + own.vss.size();
  }
  for (const auto& [code, value] : own.sub_options) {
    most += sub_option_head_size + value.size();
  }
  return most;
}

}  // namespace relay
