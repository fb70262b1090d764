#include "options82/template.h"

#include <algorithm>
#include <utility>

namespace options82 {

namespace {

constexpr std::size_t tr101_max_size = 63;  // TR-101 R-112
constexpr std::string_view tr101_preset = "tr101:";
constexpr std::string_view octets_prefix = "0x";
constexpr std::size_t max_name_size = max_port_name_size;
constexpr std::size_t max_text_size = 64;  // of a host name (HOST_NAME_MAX) and of an alias

[[nodiscard]] std::optional<Token> token_of(char letter) noexcept {
  switch (letter) {
    case 'i':
      return Token::interface_name;
    case 'I':
      return Token::interface_index;
    case 'd':
      return Token::interface_alias;
    case 'h':
      return Token::host_name;
    case 'm':
      return Token::interface_mac;
    case 'M':
      return Token::client_hardware_address;
    case 'v':
      return Token::vlan_id;
    case 'p':
      return Token::client_port;
    case 'g':
      return Token::giaddr;
    default:
      return std::nullopt;
  }
}

[[nodiscard]] std::size_t max_size(Token token) noexcept {
  switch (token) {
    case Token::interface_name:
      return max_name_size;
    case Token::interface_index:
      return 10;
    case Token::interface_alias:
    case Token::host_name:
      return max_text_size;
    case Token::interface_mac:
      return 17;
    case Token::client_hardware_address:
      return max_size(Blank::client_hardware_address);
    case Token::vlan_id:
      return 4;
    case Token::client_port:
      return max_size(Blank::client_port);
    case Token::giaddr:
      return 15;
    case Token::slot:
    case Token::port:
      return max_name_size / 2;
    case Token::vlan_suffix:
      return 5;
  }
  return 0;
}

[[nodiscard]] std::optional<unsigned> digit_of(char letter) noexcept {
  if (letter >= '0' && letter <= '9') {
    return static_cast<unsigned>(letter - '0');
  }
  if (letter >= 'a' && letter <= 'f') {
    return static_cast<unsigned>(letter - 'a' + 10);
  }
  if (letter >= 'A' && letter <= 'F') {
    return static_cast<unsigned>(letter - 'A' + 10);
  }
  return std::nullopt;
}

[[nodiscard]] std::string mac_text(const std::array<std::uint8_t, 6>& mac) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t octet : mac) {
    text.append(text.empty() ? "" : ":").append({digits[octet >> 4U], digits[octet & 0xfU]});
  }
  return text;
}

[[nodiscard]] std::string address_text(const std::array<std::uint8_t, 4>& address) {
  std::string text;
  for (const std::uint8_t octet : address) {
    text.append(text.empty() ? "" : ".").append(std::to_string(octet));
  }
  return text;
}

/// The last two numbers in an interface's name without what stands behind its first dot, a VLAN: `eth1.100` is 0/1,
/// `swp1s2` is 1/2.
struct SlotAndPort {
  std::string slot = "0";
  std::string port = "0";
};

[[nodiscard]] SlotAndPort slot_and_port(std::string_view name) {
  SlotAndPort numbers;
  name = name.substr(0, name.find('.'));
  constexpr std::string_view digits = "0123456789";
  bool is_first = true;
  for (std::size_t start = name.find_first_of(digits); start != std::string_view::npos;) {
    const std::size_t end = std::min(name.find_first_not_of(digits, start), name.size());
    numbers.slot = is_first ? "0" : numbers.port;
    numbers.port = name.substr(start, end - start);
    is_first = false;
    start = name.find_first_of(digits, end);
  }
  return numbers;
}

[[nodiscard]] std::string known_text(Token token, const InterfaceFacts& facts) {
  switch (token) {
    case Token::interface_name:
      return std::string{facts.name.substr(0, max_name_size)};
    case Token::interface_index:
      return std::to_string(facts.index);
    case Token::interface_alias:
      return std::string{facts.alias.substr(0, max_text_size)};
    case Token::host_name:
      return std::string{facts.host.substr(0, max_text_size)};
    case Token::interface_mac:
      return facts.mac ? mac_text(*facts.mac) : std::string{};
    case Token::vlan_id:
      return facts.vlan_id ? std::to_string(*facts.vlan_id) : std::string{};
    case Token::giaddr:
      return facts.giaddr ? address_text(*facts.giaddr) : std::string{};
    case Token::slot:
      return slot_and_port(facts.name).slot.substr(0, max_size(Token::slot));
    case Token::port:
      return slot_and_port(facts.name).port.substr(0, max_size(Token::port));
    case Token::vlan_suffix:
      return facts.vlan_id ? ":" + std::to_string(*facts.vlan_id) : std::string{};
    case Token::client_hardware_address:
    case Token::client_port:
      break;
  }
  return {};
}

[[nodiscard]] std::optional<Blank> blank_of(Token token) noexcept {
  if (token == Token::client_hardware_address) {
    return Blank::client_hardware_address;
  }
  return token == Token::client_port ? std::optional{Blank::client_port} : std::nullopt;
}

[[nodiscard]] std::optional<std::string> octets_of(std::string_view digits) {
  std::string octets;
  for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
    const auto high = digit_of(digits[at]);
    const auto low = digit_of(digits[at + 1]);
    if (!high || !low) {
      return std::nullopt;
    }
    octets += static_cast<char>(*high << 4U | *low);
  }
  return digits.empty() || digits.size() % 2 != 0 ? std::nullopt : std::optional{octets};
}

/// TR-101 R-122: the access node's name has no spaces. Nor percent signs, which look like tokens and are none here.
[[nodiscard]] bool is_access_node(std::string_view name) noexcept {
  return !name.empty() &&
         std::ranges::all_of(name, [](char letter) { return letter > ' ' && letter <= '~' && letter != '%'; });
}

}  // namespace

std::variant<Template, TemplateFault> Template::parse(std::string_view text) {
  Template result;
  std::size_t limit = max_option_value_size;
  if (text.empty()) {
    return TemplateFault::empty;
  }
  if (text.starts_with(octets_prefix)) {
    auto octets = octets_of(text.substr(octets_prefix.size()));
    if (!octets) {
      return TemplateFault::broken_octets;
    }
    result.parts_ = {*std::move(octets)};
  } else if (text.starts_with(tr101_preset)) {
    const std::string_view name = text.substr(tr101_preset.size());
    if (!is_access_node(name)) {
      return TemplateFault::bad_access_node;
    }
    limit = tr101_max_size;
    result.parts_ = {std::string{name} + " eth ", Token::slot, "/", Token::port, Token::vlan_suffix};
  } else if (!result.append_text(text)) {
    return TemplateFault::unknown_token;
  }
  return result.most_octets() > limit ? std::variant<Template, TemplateFault>{TemplateFault::too_long} : result;
}

/// False at an unknown token.
bool Template::append_text(std::string_view text) {
  std::string literal;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      literal += text[at];
      continue;
    }
    ++at;
    if (at < text.size() && text[at] == '%') {
      literal += '%';
      continue;
    }
    const auto token = at < text.size() ? token_of(text[at]) : std::nullopt;
    if (!token) {
      return false;
    }
    if (!literal.empty()) {
      parts_.emplace_back(std::exchange(literal, {}));
    }
    parts_.emplace_back(*token);
  }
  if (!literal.empty()) {
    parts_.emplace_back(std::move(literal));
  }
  return true;
}

FormValue Template::expand(const InterfaceFacts& facts) const {
  FormValue value;
  std::string text;
  const auto append_known = [&] {
    if (!text.empty()) {
      value.emplace_back(std::exchange(text, {}));
    }
  };
  for (const Part& part : parts_) {
    const auto* const literal = std::get_if<std::string>(&part);
    const auto blank = literal != nullptr ? std::nullopt : blank_of(std::get<Token>(part));
    if (blank) {
      append_known();
      value.emplace_back(*blank);
    } else {
      text += literal != nullptr ? *literal : known_text(std::get<Token>(part), facts);
    }
  }
  append_known();
  return value;
}

bool Template::may_be_empty_for_a_client() const noexcept {
  bool has_hardware_address = false;
  for (const Part& part : parts_) {
    const auto* const token = std::get_if<Token>(&part);
    if (token == nullptr || *token == Token::interface_name || *token == Token::interface_index ||
        *token == Token::client_port) {
      return false;
    }
    has_hardware_address |= *token == Token::client_hardware_address;
  }
  return has_hardware_address;
}

std::size_t Template::most_octets() const noexcept {
  std::size_t most = 0;
  for (const Part& part : parts_) {
    const auto* const literal = std::get_if<std::string>(&part);
    most += literal != nullptr ? literal->size() : max_size(std::get<Token>(part));
  }
  return most;
}

}  // namespace options82
