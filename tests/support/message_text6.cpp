#include "tests/support/message_text6.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "tests/support/message6.h"
#include "tests/support/value_text.h"

namespace test_support {

namespace {

using Octets = std::span<const std::uint8_t>;

constexpr std::size_t link_offset = 2;
constexpr std::size_t peer_offset = 18;
constexpr std::string_view indentation = "  ";

[[nodiscard]] bool is_of_relays(std::uint8_t type) {
  return type == 12 || type == 13;
}

[[nodiscard]] std::size_t header_size(std::uint8_t type) {
  return is_of_relays(type) ? 34 : 4;
}

[[nodiscard]] std::size_t number_at(Octets octets, std::size_t offset) {
  return octets[offset] * std::size_t{256} + octets[offset + 1];
}

void write_field(std::string_view name, Octets octets, const std::string& value, Lines& lines) {
  if (std::ranges::any_of(octets, [](std::uint8_t octet) { return octet != 0; })) {
    lines.push_back(std::string(name) + ' ' + value);
  }
}

void write_address(std::string_view name, Octets octets, Lines& lines) {
  relay::Ipv6Address address;
  std::ranges::copy(octets, address.octets.begin());
  write_field(name, octets, described(address), lines);
}

void write_header(Octets message, Lines& lines) {
  lines.push_back("type " + std::to_string(message[0]));
  if (is_of_relays(message[0])) {
    write_field("hops", message.subspan(1, 1), std::to_string(message[1]), lines);
    write_address("link", message.subspan(link_offset, 16), lines);
    write_address("peer", message.subspan(peer_offset, 16), lines);
  } else {
    write_field("xid", message.subspan(1, 3), hex_text(message.subspan(1, 3)), lines);
  }
}

void write_option(std::size_t code, Octets value, Octets known, Lines& lines) {
  if (code != 9) {
    const std::string words = value_text(value, code == 18 || code == 38 ? ValueForm::text : ValueForm::octets);
    lines.push_back(std::to_string(code) + (words.empty() ? "" : " ") + words);
    return;
  }
  if (!known.empty() && std::ranges::equal(value, known)) {
    lines.emplace_back("9 as it came");
    return;
  }
  lines.emplace_back("9");
  for (const std::string& line : message6_text(value, known)) {
    lines.push_back(std::string(indentation) + line);
  }
}

/// Reads one message, and what options hold with it.
class Reader6 {
 public:
  explicit Reader6(std::span<const std::string> lines) : lines_(lines) {}

  /// Of the lines that are indented by `depth` or more, from the one on where reading stands.
  [[nodiscard]] Bytes read(std::size_t depth) {
    Bytes message;
    for (; line_ < lines_.size(); ++line_) {
      std::string_view rest = lines_[line_];
      const std::size_t indented_by = rest.find_first_not_of(' ');
      const std::string_view word = take_word(rest);
      if (word.empty()) {
        continue;
      }
      if (indented_by < depth) {
        break;
      }
      if (indented_by > depth) {
        throw TextError("expected a message behind a line with an option's code alone");
      }
      read_line(word, rest, depth, message);
    }
    return message;
  }

  /// Where reading stands.
  [[nodiscard]] std::size_t line() const noexcept { return line_; }

 private:
  void read_line(std::string_view word, std::string_view rest, std::size_t depth, Bytes& message) {
    if (word == "octets") {
      append(message, value_octets(rest));
    } else if (word.find_first_not_of("0123456789") != std::string_view::npos) {
      read_field(word, take_word(rest), message);
    } else {
      const auto code = static_cast<std::uint16_t>(number(word, 65535));
      Bytes value = value_octets(rest);
      if (value.empty()) {
        ++line_;
        value = read(depth + indentation.size());
        --line_;
      }
      if (value.size() > 65535) {
        throw TextError("expected a value of at most 65535 octets");
      }
      append(message, option6(code, value));
    }
  }

  static void read_field(std::string_view word, std::string_view value, Bytes& message) {
    if (word == "type" && message.empty()) {
      const auto type = static_cast<std::uint8_t>(number(value, 255));
      message.resize(header_size(type));
      message[0] = type;
      return;
    }
    const bool has_header_alone = !message.empty() && message.size() == header_size(message[0]);
    const bool is_relay_message = has_header_alone && is_of_relays(message[0]);
    if (word == "xid" && has_header_alone && !is_relay_message) {
      const std::uint32_t xid = hex_number(value, 6);
      std::ranges::copy(Bytes{static_cast<std::uint8_t>(xid >> 16U), static_cast<std::uint8_t>(xid >> 8U),
                              static_cast<std::uint8_t>(xid)},
                        message.begin() + 1);
    } else if (word == "hops" && is_relay_message) {
      message[1] = static_cast<std::uint8_t>(number(value, 255));
    } else if ((word == "link" || word == "peer") && is_relay_message) {
      std::ranges::copy(address6(value).octets,
                        message.begin() + static_cast<std::ptrdiff_t>(word == "link" ? link_offset : peer_offset));
    } else {
      throw TextError("expected type first, then fields of such a message, then options' codes or octets, not '" +
                      std::string(word) + "'");
    }
  }

  static void append(Bytes& message, const Bytes& octets) {
    message.insert(message.end(), octets.begin(), octets.end());
  }

  std::span<const std::string> lines_;
  std::size_t line_ = 0;
};

}  // namespace

Lines message6_text(Octets message, Octets known) {
  Lines lines;
  if (!message.empty() && message.size() >= header_size(message[0])) {
    write_header(message, lines);
    message = message.subspan(header_size(message[0]));
    while (message.size() >= 4 && message.size() - 4 >= number_at(message, 2)) {
      write_option(number_at(message, 0), message.subspan(4, number_at(message, 2)), known, lines);
      message = message.subspan(4 + number_at(message, 2));
    }
  }
  if (!message.empty()) {
    lines.push_back("octets " + value_text(message, ValueForm::octets));
  }
  return lines;
}

Bytes message6_octets(std::span<const std::string> lines) {
  Reader6 reader{lines};
  try {
    return reader.read(0);
  } catch (const TextError& error) {
    throw TextError(error.what(), reader.line());
  }
}

}  // namespace test_support
