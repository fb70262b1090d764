#include "tests/support/message_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace test_support {

namespace {

constexpr std::size_t header_size = 236;
constexpr std::size_t max_message_size = 65535;
constexpr std::size_t line_size = 32;  // octets that are written on one line
constexpr std::array<std::uint8_t, 4> cookie{99, 130, 83, 99};

// --- the fixed fields
// --------------------------------------------------------------------------------------------------

enum class FieldForm : std::uint8_t { decimal, hexadecimal, address, hardware_address, octets };

struct Field {
  std::string_view name;
  std::size_t offset;
  std::size_t size;
  FieldForm form;
  std::uint8_t initial = 0;  ///< of each octet: the field is left out where it has this value
};

constexpr std::array fields{
    Field{"op", 0, 1, FieldForm::decimal},         Field{"htype", 1, 1, FieldForm::decimal, 1},
    Field{"hlen", 2, 1, FieldForm::decimal, 6},    Field{"hops", 3, 1, FieldForm::decimal},
    Field{"xid", 4, 4, FieldForm::hexadecimal},    Field{"secs", 8, 2, FieldForm::decimal},
    Field{"flags", 10, 2, FieldForm::hexadecimal}, Field{"ciaddr", 12, 4, FieldForm::address},
    Field{"yiaddr", 16, 4, FieldForm::address},    Field{"siaddr", 20, 4, FieldForm::address},
    Field{"giaddr", 24, 4, FieldForm::address},    Field{"chaddr", 28, 16, FieldForm::hardware_address},
    Field{"sname", 44, 64, FieldForm::octets},     Field{"file", 108, 128, FieldForm::octets},
};

[[nodiscard]] std::span<const std::uint8_t> without_zeros(std::span<const std::uint8_t> octets) {
  while (!octets.empty() && octets.back() == 0) {
    octets = octets.first(octets.size() - 1);
  }
  return octets;
}

[[nodiscard]] std::string field_text(const Field& field, std::span<const std::uint8_t> octets, std::size_t hlen) {
  switch (field.form) {
    case FieldForm::decimal:
      return std::to_string(octets.size() == 1 ? octets[0] : octets[0] * 256 + octets[1]);
    case FieldForm::hexadecimal:
      return hex_text(octets);
    case FieldForm::address:
      return address_text(ip(octets[0], octets[1], octets[2], octets[3]));
    case FieldForm::hardware_address:
      return colon_text(octets.first(std::max(without_zeros(octets).size(), std::min(hlen, octets.size()))));
    case FieldForm::octets:
      return value_text(without_zeros(octets), ValueForm::text);
  }
  return {};
}

[[nodiscard]] std::string_view field_comment(const Field& field, std::span<const std::uint8_t> octets) {
  if (field.name == "op" && (octets[0] == 1 || octets[0] == 2)) {
    return octets[0] == 1 ? "  # BOOTREQUEST" : "  # BOOTREPLY";
  }
  if (field.name == "flags") {
    return (octets[0] & 0x80U) != 0 ? "  # BROADCAST" : "  # BROADCAST is not set";
  }
  return {};
}

[[nodiscard]] Lines header_lines(std::span<const std::uint8_t> header) {
  Lines lines;
  for (const Field& field : fields) {
    const auto octets = header.subspan(field.offset, field.size);
    const bool is_initial = std::ranges::all_of(octets, [&](std::uint8_t octet) { return octet == field.initial; });
    if (field.offset == 0 || !is_initial) {
      lines.push_back(std::string(field.name) + ' ' + field_text(field, octets, header[2]) +
                      std::string(field_comment(field, octets)));
    }
  }
  return lines;
}

[[nodiscard]] Bytes field_octets(const Field& field, std::string_view words) {
  std::string_view rest = words;
  const std::string_view word = take_word(rest);
  switch (field.form) {
    case FieldForm::decimal: {
      const std::uint32_t value = number(word, field.size == 1 ? 255 : 65535);
      return field.size == 1 ? Bytes{static_cast<std::uint8_t>(value)}
                             : Bytes{static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value)};
    }
    case FieldForm::hexadecimal: {
      const std::uint32_t value = hex_number(word, 2 * field.size);
      const auto octets = relay::Ipv4Address::from_host_order(value).octets;
      return {octets.end() - static_cast<std::ptrdiff_t>(field.size), octets.end()};
    }
    case FieldForm::address: {
      const auto octets = address(word).octets;
      return {octets.begin(), octets.end()};
    }
    case FieldForm::hardware_address:
      return colon_octets(word);
    case FieldForm::octets:
      return value_octets(words);
  }
  return {};
}

// --- options
// -----------------------------------------------------------------------------------------------------------

struct CodeText {
  std::uint8_t code;
  ValueForm form;
  std::string_view name;
};

constexpr std::array options{
    CodeText{1, ValueForm::addresses, "subnet mask"},
    CodeText{3, ValueForm::addresses, "routers"},
    CodeText{6, ValueForm::addresses, "name servers"},
    CodeText{12, ValueForm::text, "host name"},
    CodeText{15, ValueForm::text, "domain"},
    CodeText{43, ValueForm::octets, "vendor-specific, opaque"},
    CodeText{50, ValueForm::addresses, "requested address"},
    CodeText{51, ValueForm::octets, "lease time"},
    CodeText{52, ValueForm::octets, "sname and file hold options"},
    CodeText{54, ValueForm::addresses, "server"},
    CodeText{55, ValueForm::octets, "parameter list"},
    CodeText{57, ValueForm::octets, "maximum size"},
    CodeText{60, ValueForm::text, "vendor class"},
    CodeText{61, ValueForm::octets, "client-id"},
    CodeText{66, ValueForm::text, "TFTP server"},
    CodeText{67, ValueForm::text, "boot file"},
    CodeText{82, ValueForm::octets, "option 82"},
    CodeText{90, ValueForm::octets, "authentication"},
};

constexpr std::array sub_options{
    CodeText{1, ValueForm::text, "circuit-id"},
    CodeText{2, ValueForm::text, "remote-id"},
    CodeText{5, ValueForm::addresses, "link selection"},
    CodeText{6, ValueForm::text, "subscriber-id"},
    CodeText{10, ValueForm::octets, "flags"},
    CodeText{11, ValueForm::addresses, "server-id override"},
    CodeText{12, ValueForm::text, "relay-id"},
    CodeText{19, ValueForm::octets, "source port"},
    CodeText{151, ValueForm::octets, "VSS"},
    CodeText{152, ValueForm::octets, "VSS control"},
};

constexpr std::array<std::string_view, 14> message_types{
    "",        "DISCOVER", "OFFER",      "REQUEST",    "DECLINE",         "ACK",          "NAK",
    "RELEASE", "INFORM",   "FORCERENEW", "LEASEQUERY", "LEASEUNASSIGNED", "LEASEUNKNOWN", "LEASEACTIVE"};

/// One option or sub-option as a line.
[[nodiscard]] std::string option_line(std::span<const CodeText> known, std::uint8_t code,
                                      std::span<const std::uint8_t> value) {
  const auto found = std::ranges::find(known, code, &CodeText::code);
  std::string line = std::to_string(code);
  if (!value.empty()) {
    line += ' ' + value_text(value, found == known.end() ? ValueForm::octets : found->form);
  }
  return found == known.end() ? line : line + "  # " + std::string(found->name);
}

/// The sub-options of option 82, one line each; nothing where they are broken.
[[nodiscard]] std::optional<Lines> sub_option_lines(std::span<const std::uint8_t> content) {
  Lines lines;
  while (!content.empty()) {
    if (content.size() < 2 || content.size() - 2 < content[1]) {
      return std::nullopt;
    }
    lines.push_back("  " + option_line(sub_options, content[0], content.subspan(2, content[1])));
    content = content.subspan(std::size_t{2} + content[1]);
  }
  return lines;
}

void write_option(std::uint8_t code, std::span<const std::uint8_t> value, Lines& lines) {
  if (code == 82) {
    if (const auto content = sub_option_lines(value)) {
      lines.emplace_back("82");
      lines.insert(lines.end(), content->begin(), content->end());
      return;
    }
  }
  if (code == 53 && value.size() == 1 && value[0] > 0 && value[0] < message_types.size()) {
    lines.push_back("53 " + hex_text(value) + "  # " + std::string(message_types.at(value[0])));
    return;
  }
  lines.push_back(option_line(options, code, value));
}

// --- what follows the fixed fields
// ---------------------------------------------------------------------------------------

/// `rest` is the end of the message, and no option is in it.
void write_octets(std::span<const std::uint8_t> message, std::span<const std::uint8_t> rest, Lines& lines) {
  auto octets = without_zeros(rest);
  while (!octets.empty()) {
    auto segment = first_segment(octets);
    const bool is_run = std::ranges::all_of(segment, [&](std::uint8_t octet) { return octet == segment.front(); });
    segment = segment.first(is_run ? segment.size() : std::min(segment.size(), line_size));
    lines.push_back("octets " + value_text(segment, ValueForm::octets));
    octets = octets.subspan(segment.size());
  }
  if (without_zeros(rest).size() < rest.size()) {
    lines.push_back("pad to " + std::to_string(message.size()));
  }
}

void write_options(std::span<const std::uint8_t> message, std::span<const std::uint8_t> field, Lines& lines) {
  while (!without_zeros(field).empty()) {
    const auto zeros =
        static_cast<std::size_t>(std::ranges::find_if(field, [](auto o) { return o != 0; }) - field.begin());
    if (zeros > 0) {
      lines.push_back("pad " + std::to_string(zeros));
      field = field.subspan(zeros);
    } else if (field[0] == 255) {
      lines.emplace_back("end");
      field = field.subspan(1);
      break;
    } else if (field.size() < 2 || field.size() - 2 < field[1]) {
      break;  // broken off
    } else {
      write_option(field[0], field.subspan(2, field[1]), lines);
      field = field.subspan(std::size_t{2} + field[1]);
    }
  }
  write_octets(message, field, lines);
}

/// Reads lines one by one and puts together the message that they describe.
class MessageReader {
 public:
  void read(std::string_view line) {
    const bool is_nested = line.starts_with(' ');
    std::string_view rest = line;
    const std::string_view word = take_word(rest);
    if (word.empty()) {
      return;  // nothing but a comment
    }
    const auto* const field = std::ranges::find(fields, word, &Field::name);
    if (is_nested) {
      read_sub_option(word, rest);
    } else if (field != fields.end()) {
      read_field(*field, rest);
    } else {
      open_option_.reset();
      read_body(word, rest);
    }
    if (message_.size() > max_message_size) {
      throw TextError("expected at most " + std::to_string(max_message_size) + " octets in all");
    }
  }

  [[nodiscard]] Bytes message() && { return std::move(message_); }

 private:
  void read_field(const Field& field, std::string_view words) {
    if (field.offset == 0 && message_.empty()) {
      message_.resize(header_size, 0);
      message_[1] = 1;
      message_[2] = 6;
    } else if (message_.size() != header_size || field.offset < least_offset_) {
      throw TextError("expected op first, then the other fields in their order, then options");
    }
    least_offset_ = field.offset + 1;
    const Bytes octets = field_octets(field, words);
    if (octets.size() > field.size) {
      throw TextError(std::string(field.name) + " has no more than " + std::to_string(field.size) + " octets");
    }
    const auto at = message_.begin() + static_cast<std::ptrdiff_t>(field.offset);
    std::fill_n(std::ranges::copy(octets, at).out, field.size - octets.size(), 0);
  }

  void read_body(std::string_view word, std::string_view rest) {
    least_offset_ = header_size;
    if (word == "cookie") {
      append(cookie);
    } else if (word == "end") {
      message_.push_back(255);
    } else if (word == "octets") {
      append(value_octets(rest));
    } else if (word == "pad") {
      read_pad(rest);
    } else if (word.find_first_not_of("0123456789") == std::string_view::npos) {
      const Bytes value = value_octets(rest);
      if (value.size() > 255) {
        throw TextError("expected a value of at most 255 octets");
      }
      if (word == "82" && value.empty()) {
        open_option_ = message_.size();
      }
      append(encoded(static_cast<std::uint8_t>(number(word, 255)), value));
    } else {
      throw TextError("expected a field's name, an option's code, cookie, end, pad or octets, not '" +
                      std::string(word) + "'");
    }
  }

  void read_pad(std::string_view rest) {
    const std::string_view word = take_word(rest);
    if (word != "to") {
      message_.resize(message_.size() + number(word, max_message_size));
      return;
    }
    const std::size_t size = number(take_word(rest), max_message_size);
    if (size < message_.size()) {
      throw TextError("the message has " + std::to_string(message_.size()) + " octets already");
    }
    message_.resize(size);
  }

  void read_sub_option(std::string_view word, std::string_view rest) {
    const Bytes value = value_octets(rest);
    if (!open_option_) {
      throw TextError("expected sub-options behind a line with 82 alone");
    }
    const std::size_t size = message_[*open_option_ + 1] + 2 + value.size();
    if (size > 255) {
      throw TextError("expected at most 255 octets in option 82");
    }
    append(encoded(static_cast<std::uint8_t>(number(word, 255)), value));
    message_[*open_option_ + 1] = static_cast<std::uint8_t>(size);
  }

  void append(std::span<const std::uint8_t> octets) { message_.insert(message_.end(), octets.begin(), octets.end()); }

  Bytes message_;
  std::size_t least_offset_ = 0;
  std::optional<std::size_t> open_option_;  ///< where the option 82 stands whose sub-options follow
};

}  // namespace

Lines MessageText::lines() const {
  Lines all = header;
  all.insert(all.end(), body.begin(), body.end());
  return all;
}

MessageText message_text(std::span<const std::uint8_t> message) {
  MessageText text;
  if (message.size() < header_size) {
    write_octets(message, message, text.body);
    return text;
  }
  text.header = header_lines(message.first(header_size));
  const auto rest = message.subspan(header_size);
  if (rest.size() < cookie.size() || !std::ranges::equal(rest.first(cookie.size()), cookie)) {
    write_octets(message, rest, text.body);
    return text;
  }
  text.body.emplace_back("cookie");
  write_options(message, rest.subspan(cookie.size()), text.body);
  return text;
}

Bytes message_octets(std::span<const std::string> lines) {
  MessageReader reader;
  for (std::size_t line = 0; line < lines.size(); ++line) {
    try {
      reader.read(lines[line]);
    } catch (const TextError& error) {
      throw TextError(error.what(), line);
    }
  }
  return std::move(reader).message();
}

}  // namespace test_support
