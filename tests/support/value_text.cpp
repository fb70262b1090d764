#include "tests/support/value_text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace test_support {

namespace {

constexpr std::size_t least_run = 16;
constexpr std::size_t literal_size = 32;  // of one hexadecimal word, for the eye's sake

[[nodiscard]] bool is_printable(std::uint8_t octet) {
  return octet >= 0x20 && octet < 0x7f;
}

[[nodiscard]] std::size_t run_size(std::span<const std::uint8_t> octets) {
  const auto other = std::ranges::find_if(octets, [&](std::uint8_t octet) { return octet != octets.front(); });
  return static_cast<std::size_t>(other - octets.begin());
}

[[nodiscard]] std::string quoted(std::span<const std::uint8_t> octets) {
  std::string result = "\"";
  for (const std::uint8_t octet : octets) {
    if (octet == '"' || octet == '\\') {
      result += '\\';
    }
    result += static_cast<char>(octet);
  }
  return result + '"';
}

/// The octets of a word in quotes: a backslash stands before a quote, a backslash, or x and two digits.
[[nodiscard]] Bytes unquoted(std::string_view word) {
  Bytes result;
  for (std::size_t at = 1; at < word.size(); ++at) {
    if (word[at] == '"') {
      if (at + 1 != word.size()) {
        break;
      }
      return result;
    }
    if (word[at] == '\\' && at + 1 < word.size()) {
      ++at;
      if (word[at] == 'x') {
        result.push_back(static_cast<std::uint8_t>(hex_number(word.substr(at + 1, 2), 2)));
        at += 2;
        continue;
      }
    }
    result.push_back(static_cast<std::uint8_t>(word[at]));
  }
  throw TextError("expected a quote at the end of " + std::string(word));
}

[[nodiscard]] Bytes word_octets(std::string_view word) {
  if (word.front() == '"') {
    return unquoted(word);
  }
  if (word.find('.') != std::string_view::npos) {
    const auto octets = address(word).octets;
    return {octets.begin(), octets.end()};
  }
  if (const std::size_t times = word.find('x'); times != std::string_view::npos) {
    const auto octet = static_cast<std::uint8_t>(hex_number(word.substr(0, times), 2));
    return Bytes(number(word.substr(times + 1), 65535), octet);
  }
  if (word.size() % 2 != 0) {
    throw TextError("expected an even number of digits, not " + std::string(word));
  }
  Bytes result;
  for (std::size_t at = 0; at < word.size(); at += 2) {
    result.push_back(static_cast<std::uint8_t>(hex_number(word.substr(at, 2), 2)));
  }
  return result;
}

[[nodiscard]] std::string segment_text(std::span<const std::uint8_t> octets, ValueForm form) {
  if (octets.size() >= least_run && run_size(octets) == octets.size()) {
    return hex_text(octets.first(1)) + 'x' + std::to_string(octets.size());
  }
  if (form == ValueForm::text && std::ranges::all_of(octets, is_printable)) {
    return quoted(octets);
  }
  std::string result;
  for (; octets.size() > literal_size; octets = octets.subspan(literal_size)) {
    result += hex_text(octets.first(literal_size)) + ' ';
  }
  return result + hex_text(octets);
}

}  // namespace

std::span<const std::uint8_t> first_segment(std::span<const std::uint8_t> octets) {
  std::size_t size = 0;
  while (size < octets.size()) {
    const std::size_t run = run_size(octets.subspan(size));
    if (run >= least_run) {
      return octets.first(size == 0 ? run : size);
    }
    size += run;
  }
  return octets;
}

std::string value_text(std::span<const std::uint8_t> octets, ValueForm form) {
  std::string result;
  if (form == ValueForm::addresses && octets.size() % 4 == 0 && octets.size() <= literal_size) {
    for (; !octets.empty(); octets = octets.subspan(4)) {
      result += (result.empty() ? "" : " ") + address_text(ip(octets[0], octets[1], octets[2], octets[3]));
    }
    return result;
  }
  while (!octets.empty()) {
    const auto segment = first_segment(octets);
    result += (result.empty() ? "" : " ") + segment_text(segment, form);
    octets = octets.subspan(segment.size());
  }
  return result;
}

Bytes value_octets(std::string_view words) {
  Bytes result;
  for (auto word = take_word(words); !word.empty(); word = take_word(words)) {
    const Bytes octets = word_octets(word);
    result.insert(result.end(), octets.begin(), octets.end());
  }
  return result;
}

std::uint32_t number(std::string_view word, std::uint32_t most) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || error != std::errc{} || end != word.data() + word.size() || value > most) {
    throw TextError("expected a number up to " + std::to_string(most) + ", not '" + std::string(word) + "'");
  }
  return value;
}

std::uint32_t hex_number(std::string_view word, std::size_t digits) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, 16);
  if (word.size() != digits || error != std::errc{} || end != word.data() + word.size()) {
    throw TextError("expected " + std::to_string(digits) + " hexadecimal digits, not '" + std::string(word) + "'");
  }
  return value;
}

std::string hex_text(std::span<const std::uint8_t> octets) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (const std::uint8_t octet : octets) {
    result += digits[octet >> 4U];
    result += digits[octet & 15U];
  }
  return result;
}

relay::Ipv4Address address(std::string_view word) {
  const std::string_view whole = word;
  relay::Ipv4Address result;
  for (std::size_t part = 0; part < 4; ++part) {
    const std::size_t dot = std::min(word.find('.'), word.size());
    if ((part < 3) != (dot < word.size())) {
      throw TextError("expected an address such as 10.1.0.1, not '" + std::string(whole) + "'");
    }
    result.octets.at(part) = static_cast<std::uint8_t>(number(word.substr(0, dot), 255));
    word.remove_prefix(std::min(dot + 1, word.size()));
  }
  return result;
}

relay::Ipv6Address address6(std::string_view word) {
  relay::Ipv6Address result;
  if (::inet_pton(AF_INET6, std::string(word).c_str(), result.octets.data()) != 1) {
    throw TextError("expected an address such as 2001:db8::1, not '" + std::string(word) + "'");
  }
  return result;
}

std::string address_text(relay::Ipv4Address address) {
  std::string result;
  for (const std::uint8_t octet : address.octets) {
    result += (result.empty() ? "" : ".") + std::to_string(octet);
  }
  return result;
}

Bytes colon_octets(std::string_view word) {
  Bytes result;
  while (true) {
    const std::size_t colon = std::min(word.find(':'), word.size());
    result.push_back(static_cast<std::uint8_t>(hex_number(word.substr(0, colon), 2)));
    if (colon == word.size()) {
      return result;
    }
    word.remove_prefix(colon + 1);
  }
}

std::string colon_text(std::span<const std::uint8_t> octets) {
  std::string result;
  for (const std::uint8_t octet : octets) {
    result += (result.empty() ? "" : ":") + hex_text({&octet, 1});
  }
  return result;
}

std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  if (text.empty() || text.front() == '#') {
    text = {};
    return {};
  }
  std::size_t end = 0;
  bool is_quoted = false;
  for (; end < text.size() && (is_quoted || text[end] != ' '); ++end) {
    if (text[end] == '"') {
      is_quoted = !is_quoted;
    } else if (is_quoted && text[end] == '\\') {
      ++end;
    }
  }
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end, text.size()));
  return word;
}

}  // namespace test_support
