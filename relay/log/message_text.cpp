#include "relay/log/message_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <string_view>
#include <variant>

#include "options82/agent_information.h"
#include "relay/core/options6.h"

namespace relay {

namespace {

using options82::Octets;
using options82::SubOption;

constexpr std::string_view hex_digits = "0123456789abcdef";

/// Names of DHCP message types, from 1 on (RFC 2132 section 9.6, RFC 3203, RFC 4388 section 6.1).
constexpr std::array<std::string_view, bootp::message_type::lease_active> message_type_names{
    "DISCOVER", "OFFER",      "REQUEST",    "DECLINE",         "ACK",          "NAK",        "RELEASE",
    "INFORM",   "FORCERENEW", "LEASEQUERY", "LEASEUNASSIGNED", "LEASEUNKNOWN", "LEASEACTIVE"};

void append_octet(std::string& out, std::uint8_t octet) {
  out += hex_digits[octet >> 4U];
  out += hex_digits[octet & 0x0fU];
}

[[nodiscard]] std::string hex_text(Octets octets) {
  std::string result{"0x"};
  for (const std::uint8_t octet : octets) {
    append_octet(result, octet);
  }
  return result;
}

[[nodiscard]] std::string colon_text(Octets octets) {
  std::string result;
  for (const std::uint8_t octet : octets) {
    if (!result.empty()) {
      result += ':';
    }
    append_octet(result, octet);
  }
  return result;
}

/// The name of a sub-option in the IANA registry, in our spelling; empty for one that we have no name for.
[[nodiscard]] std::string_view name_of(SubOption sub_option) noexcept {
  switch (sub_option) {
    case SubOption::circuit_id:
      return "circuit-id";
    case SubOption::remote_id:
      return "remote-id";
    case SubOption::link_selection:
      return "link-selection";
    case SubOption::subscriber_id:
      return "subscriber-id";
    case SubOption::relay_flags:
      return "relay-flags";
    case SubOption::server_id_override:
      return "server-id-override";
    case SubOption::relay_id:
      return "relay-id";
    case SubOption::source_port:
      return "relay-source-port";
    case SubOption::vss:
      return "vss";
    case SubOption::vss_control:
      return "vss-control";
  }
  return {};
}

[[nodiscard]] bool is_address(SubOption sub_option, Octets value) noexcept {
  return value.size() == 4 && (sub_option == SubOption::link_selection || sub_option == SubOption::server_id_override);
}

/// Whether the value reads as text: visible ASCII and blanks, no quotes and backslashes, which would need escapes.
[[nodiscard]] bool is_text(Octets value) noexcept {
  return !value.empty() && std::ranges::all_of(value, [](std::uint8_t octet) {
    return octet >= ' ' && octet <= '~' && octet != '"' && octet != '\\';
  });
}

[[nodiscard]] bool is_text(SubOption sub_option, Octets value) noexcept {
  return sub_option != SubOption::relay_flags && is_text(value);
}

/// How sub-options are put into words.
struct Style {
  std::string_view between;       // two sub-options
  std::string_view before_value;  // and behind the name
  std::string_view quote;         // around text
  std::string_view not_in_text;   // text with one of these is told in hexadecimal digits
};

constexpr Style sentence{.between = ", ", .before_value = " ", .quote = "\"", .not_in_text = ""};
constexpr Style field{.between = ",", .before_value = "=", .quote = "", .not_in_text = ",="};

/// Whether text would not be told from what stands around it, or from hexadecimal digits.
[[nodiscard]] bool is_misleading(std::string_view text, const Style& style) noexcept {
  return text.find_first_of(style.not_in_text) != std::string_view::npos ||
         (style.quote.empty() && text.starts_with("0x"));
}

[[nodiscard]] std::string value_text(SubOption sub_option, Octets value, const Style& style) {
  if (is_address(sub_option, value)) {
    Ipv4Address address;
    std::ranges::copy(value, address.octets.begin());
    return address_text(address);
  }
  if (is_text(sub_option, value)) {
    const std::string text(value.begin(), value.end());
    if (!is_misleading(text, style)) {
      return std::string{style.quote} + text + std::string{style.quote};
    }
  }
  return hex_text(value);
}

/// Of no sub-option that has a spelling of its own.
[[nodiscard]] std::string plain_text(Octets value, const Style& style) {
  return value.empty() && !style.quote.empty() ? "empty" : value_text(SubOption::circuit_id, value, style);
}

[[nodiscard]] std::string relay_option_value(std::uint16_t code, dhcpv6::Octets value, const Style& style) {
  constexpr std::size_t enterprise_size = 4;
  if (code == dhcpv6::code::relay_source_port && value.size() == 2) {
    return std::to_string(dhcpv6::number(value.first<2>()));
  }
  if (code == dhcpv6::code::remote_id && value.size() > enterprise_size) {
    const std::string enterprise = std::to_string(dhcpv6::long_number(value.first<4>()));
    const std::string text = plain_text(value.subspan(enterprise_size), style);
    return style.quote.empty() ? enterprise + ':' + text : text + " of enterprise " + enterprise;
  }
  return plain_text(value, style);
}

[[nodiscard]] std::string in_words(Octets content, const Style& style) {
  std::string result;
  const auto append = [&](const std::string& name, const std::string& value) {
    result.append(result.empty() ? std::string_view{} : style.between);
    result.append(name).append(style.before_value).append(value);
  };
  options82::SubOptionReader reader{content};
  while (const auto sub_option = reader.next()) {
    const std::string_view known = name_of(sub_option->code);
    append(known.empty() ? "sub-option-" + std::to_string(static_cast<unsigned>(sub_option->code)) : std::string{known},
           value_text(sub_option->code, sub_option->value, style));
  }
  if (reader.is_damaged()) {
    append("damaged", hex_text(content.subspan(reader.offset())));
  }
  return result;
}

}  // namespace

std::string type_text(bootp::Header header, std::span<const std::uint8_t> message) {
  const std::uint8_t op = bootp::op(header);
  if (op != bootp::op_request && op != bootp::op_reply) {
    return "op-" + std::to_string(op);
  }
  if (const auto type = options82::survey(bootp::options_field(message)).message_type) {
    return *type >= 1 && *type <= message_type_names.size() ? std::string{message_type_names[*type - 1U]}
                                                            : "type-" + std::to_string(*type);
  }
  return op == bootp::op_request ? "BOOTREQUEST" : "BOOTREPLY";
}

std::string xid_text(bootp::Header header) {
  return hex_text(Ipv4Address::from_host_order(bootp::xid(header)).octets);
}

std::string type6_text(std::uint8_t type) {
  constexpr std::array<std::string_view, 14> names{
      "",        "SOLICIT",     "ADVERTISE",           "REQUEST",    "CONFIRM",   "RENEW", "REBIND", "REPLY", "RELEASE",
      "DECLINE", "RECONFIGURE", "INFORMATION-REQUEST", "RELAY-FORW", "RELAY-REPL"};
  return type == 0 || type >= names.size() ? "type-" + std::to_string(type) : std::string{names[type]};
}

std::string xid6_text(dhcpv6::Octets message) {
  return hex_text(message.subspan<1, 3>());
}

std::string chaddr_text(bootp::Header header) {
  return colon_text(bootp::hardware_address(header));
}

std::string address_text(Ipv4Address address) {
  std::string result;
  for (const std::uint8_t octet : address.octets) {
    if (!result.empty()) {
      result += '.';
    }
    result += std::to_string(octet);
  }
  return result;
}

std::string address_text(const Ipv6Address& address) {
  constexpr std::size_t count = 8;
  std::array<unsigned, count> fields{};
  for (std::size_t place = 0; place < count; ++place) {
    fields[place] = unsigned{address.octets[2 * place]} << 8U | address.octets[2 * place + 1];
  }
  // RFC 5952 section 4.2: the longest run of zero fields is shortened, the first of equals, and never a single field.
  std::size_t begin = count;
  std::size_t size = 1;
  for (std::size_t place = 0; place < count; ++place) {
    std::size_t zeros = 0;
    while (place + zeros < count && fields[place + zeros] == 0) {
      ++zeros;
    }
    if (zeros > size) {
      begin = place;
      size = zeros;
    }
  }
  std::string result;
  for (std::size_t place = 0; place < count; ++place) {
    if (place == begin) {
      result += "::";
      place += size - 1;
      continue;
    }
    if (!result.empty() && result.back() != ':') {
      result += ':';
    }
    std::array<char, 4> digits{};
    auto* const end = std::to_chars(digits.data(), digits.data() + digits.size(), fields[place], 16).ptr;
    result.append(digits.data(), end);
  }
  return result;
}

std::string address_text(const IpAddress& address) {
  return std::visit([](const auto& known) { return address_text(known); }, address);
}

std::string address_text(const IpAddress& address, std::string_view zone) {
  const auto* const ipv6 = std::get_if<Ipv6Address>(&address);
  const bool has_zone = ipv6 != nullptr && (ipv6->is_link_local() || ipv6->is_multicast()) && !zone.empty();
  return has_zone ? address_text(*ipv6).append("%").append(zone) : address_text(address);
}

std::string address_text(const capture::Address& address) {
  return address.is_ipv6() ? address_text(address.ipv6()) : address_text(address.ipv4());
}

std::string mac_text(const MacAddress& mac) {
  return colon_text(mac.octets);
}

std::string printable_text(std::string_view text) {
  std::string result;
  for (const char character : text) {
    if (character >= ' ' && character <= '~') {
      result += character;
    } else {
      result += R"(\x)";
      append_octet(result, static_cast<std::uint8_t>(character));
    }
  }
  return result;
}

std::string octets_sentence(std::span<const std::uint8_t> octets) {
  if (octets.empty()) {
    return "empty";
  }
  return is_text(octets) ? '"' + std::string(octets.begin(), octets.end()) + '"' : hex_text(octets);
}

std::string relay_option_name(std::uint16_t code) {
  switch (code) {
    case dhcpv6::code::interface_id:
      return "interface-id";
    case dhcpv6::code::remote_id:
      return "remote-id";
    case dhcpv6::code::subscriber_id:
      return "subscriber-id";
    case dhcpv6::code::relay_id:
      return "relay-id";
    case dhcpv6::code::relay_supplied_options:
      return "relay-supplied-options";
    case dhcpv6::code::vss:
      return "vss";
    case dhcpv6::code::client_link_layer_address:
      return "client-link-layer-address";
    case dhcpv6::code::relay_source_port:
      return "relay-source-port";
    default:
      return "option-" + std::to_string(code);
  }
}

std::string relay_option_sentence(std::uint16_t code, dhcpv6::Octets value) {
  return relay_option_name(code) + ' ' + relay_option_value(code, value, sentence);
}

std::string relay_options_field(dhcpv6::Octets relay_message) {
  constexpr std::size_t most_octets = 255;
  std::string result;
  dhcpv6::OptionReader options{dhcpv6::relay_options(relay_message)};
  while (const auto option = options.next()) {
    if (option->code == dhcpv6::code::relay_message) {
      break;
    }
    result.append(result.empty() ? std::string_view{} : field.between);
    result.append(relay_option_name(option->code)).append(field.before_value);
    result += option->value.size() > most_octets ? std::to_string(option->value.size()) + "-octets"
                                                 : relay_option_value(option->code, option->value, field);
  }
  return result;
}

std::string agent_information_sentence(Octets content) {
  return content.empty() ? "empty" : in_words(content, sentence);
}

std::string agent_information_field(Octets content) {
  return in_words(content, field);
}

std::optional<std::vector<std::uint8_t>> agent_information_of(std::span<const std::uint8_t> message) {
  const Octets options = bootp::options_field(message);
  if (options82::survey(options).agent_information_count == 0) {
    return std::nullopt;
  }
  std::array<std::uint8_t, options82::max_joined_size> storage{};
  const Octets joined = options82::join_agent_information(options, storage);
  return std::vector<std::uint8_t>(joined.begin(), joined.end());
}

}  // namespace relay
