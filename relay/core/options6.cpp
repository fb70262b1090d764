#include "relay/core/options6.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace relay::dhcpv6 {

Octets carried_message(Octets relay_message) noexcept {
  OptionReader options{relay_options(relay_message)};
  while (const auto option = options.next()) {
    if (option->code == code::relay_message) {
      return option->value;
    }
  }
  return {};
}

void OptionWriter::put(Octets octets) noexcept {
  assert(octets.size() <= rest_.size());
  std::ranges::copy(octets, rest_.begin());
  rest_ = rest_.subspan(octets.size());
}

void OptionWriter::put_number(std::uint16_t value) noexcept {
  put(std::array{static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value)});
}

void OptionWriter::put_head(std::uint16_t code, std::size_t size) noexcept {
  assert(size <= max_option_value_size);
  put_number(code);
  put_number(static_cast<std::uint16_t>(size));
}

void append_option(std::vector<std::uint8_t>& options, std::uint16_t code, Octets value) {
  const std::size_t offset = options.size();
  options.resize(offset + option_head_size + value.size());
  OptionWriter writer{std::span{options}.subspan(offset)};
  writer.put_head(code, value.size());
  writer.put(value);
}

}  // namespace relay::dhcpv6
