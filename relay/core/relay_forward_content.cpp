#include "relay/core/relay_forward_content.h"

#include <array>
#include <tuple>
#include <utility>
#include <variant>

#include "relay/core/dhcpv6.h"
#include "relay/core/interface_facts.h"
#include "relay/core/options6.h"

namespace relay {

namespace {

namespace code = dhcpv6::code;

[[nodiscard]] dhcpv6::Octets octets_of(const std::string& text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// What `expanded` says of the interface.
[[nodiscard]] std::string text_of(const options82::FormValue& expanded) {
  std::string result;
  for (const auto& part : expanded) {
    if (const auto* known = std::get_if<std::string>(&part)) {
      result += *known;
    }
  }
  return result;
}

/// An option without a value would say nothing (RFC 4649 section 3 and RFC 4580 section 2 forbid it).
void append_unless_empty(RelayForwardOptions& options, std::uint16_t code, const std::string& value) {
  if (!value.empty()) {
    dhcpv6::append_option(options.octets, code, octets_of(value));
  }
}

/// RFC 4649 section 3: the enterprise number makes the value unique in the world.
void append_remote_id(RelayForwardOptions& options, std::uint32_t enterprise, const std::string& value) {
  if (!value.empty()) {
    const std::array<char, 4> number{static_cast<char>(enterprise >> 24U), static_cast<char>(enterprise >> 16U),
                                     static_cast<char>(enterprise >> 8U), static_cast<char>(enterprise)};
    dhcpv6::append_option(options.octets, code::remote_id,
                          octets_of(std::string{number.begin(), number.end()} + value));
  }
}

/// By what is worse; the first is the best.
[[nodiscard]] auto rank(const InterfaceAddress6& candidate) noexcept {
  const Ipv6Address& address = candidate.prefix.address;
  return std::make_tuple(candidate.is_deprecated, address.is_unique_local(), candidate.is_temporary, address);
}

}  // namespace

Ipv6Address choose_link_address(std::span<const InterfaceAddress6> addresses) noexcept {
  const InterfaceAddress6* best = nullptr;
  for (const InterfaceAddress6& candidate : addresses) {
    if (candidate.prefix.address.is_globally_scoped() && (best == nullptr || rank(candidate) < rank(*best))) {
      best = &candidate;
    }
  }
  return best == nullptr ? Ipv6Address{} : best->prefix.address;
}

void choose_addresses(Interface6& interface, const std::optional<Ipv6Address>& given) noexcept {
  const Ipv6Address chosen = choose_link_address(interface.addresses);
  interface.link_address = given.value_or(chosen);
  interface.source = given && interface.has(*given) ? *given : chosen;
  interface.link_local = {};
  for (const InterfaceAddress6& own : interface.addresses) {
    const Ipv6Address& address = own.prefix.address;
    if (address.is_link_local() && (interface.link_local.is_unspecified() || address < interface.link_local)) {
      interface.link_local = address;
    }
  }
}

void encode_relay_forward(Interface& interface, const RelayForwardTemplates& templates,
                          const RelayForwardSettings& settings) {
  const options82::InterfaceFacts facts = facts_of(interface, settings.host_name);
  RelayForwardOptions options;
  const std::string interface_id = text_of(templates.interface_id.expand(facts));
  append_unless_empty(options, code::interface_id, interface_id.empty() ? interface.name : interface_id);
  options.interface_id_size = options.octets.size();
  // RFC 6607 section 5: in the reply there is to be seen which interface's virtual subnet was selected.
  options.has_interface_id_always = settings.interface_id || !settings.vss.empty();
  if (settings.enterprise) {
    append_remote_id(options, *settings.enterprise, text_of(templates.remote_id.expand(facts)));
  }
  append_unless_empty(options, code::subscriber_id, text_of(templates.subscriber_id.expand(facts)));
  append_unless_empty(options, code::relay_id, settings.relay_id);
  append_unless_empty(options, code::vss, settings.vss);
  options.vss_size = settings.vss.size();
  options.vss_offset = options.octets.size() - options.vss_size;
  for (const auto& [code, value] : settings.options) {
    dhcpv6::append_option(options.octets, code, octets_of(value));
  }
  interface.v6.options = std::move(options);
}

std::size_t relay_forward_headroom(const Interface6& interface) noexcept {
  constexpr std::size_t of_each_message =
      dhcpv6::link_layer_option_size + dhcpv6::relay_port_option_size + dhcpv6::option_head_size;
  return dhcpv6::relay_header_size + interface.options.octets.size() + of_each_message;
}

}  // namespace relay
