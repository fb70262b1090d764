#include "tests/support/reference_message.h"

#include <algorithm>
#include <iterator>

namespace reference {

namespace {

constexpr std::size_t header_size = 236;
constexpr std::uint8_t pad = 0;
constexpr std::uint8_t agent_information = 82;
constexpr std::uint8_t end = 255;
const Bytes cookie{99, 130, 83, 99};

Bytes part(const Bytes& octets, std::size_t from, std::size_t size) {
  Bytes result;
  for (std::size_t i = from; i < from + size; ++i) {
    result.push_back(octets.at(i));
  }
  return result;
}

Bytes from(const Bytes& octets, std::size_t offset) {
  return part(octets, offset, octets.size() - offset);
}

void add(Bytes& to, const Bytes& octets) {
  to.insert(to.end(), octets.begin(), octets.end());
}

}  // namespace

std::vector<Bytes> Message::values_of(std::uint8_t code) const {
  std::vector<Bytes> values;
  for (const Option& option : options) {
    if (option.code == code) {
      values.push_back(option.value);
    }
  }
  return values;
}

std::size_t Message::size_of(std::uint8_t code) const {
  std::size_t size = 0;
  for (const Bytes& value : values_of(code)) {
    size += 2 + value.size();
  }
  return size;
}

std::optional<std::uint8_t> Message::message_type() const {
  for (const Bytes& value : values_of(53)) {
    if (value.size() == 1) {
      return value.front();
    }
  }
  return std::nullopt;
}

void Message::remove(std::uint8_t code) {
  std::erase_if(options, [code](const Option& option) { return option.code == code; });
}

Message taken_apart(const Bytes& octets) {
  Message message;
  message.header = part(octets, 0, std::min(octets.size(), header_size));
  const Bytes behind = from(octets, message.header.size());
  if (behind.size() < cookie.size() || part(behind, 0, cookie.size()) != cookie) {
    message.rest = behind;
    return message;
  }
  message.has_options = true;
  std::size_t at = cookie.size();
  while (at < behind.size()) {
    if (behind[at] == pad) {
      message.options.push_back({pad, {}});
      at += 1;
    } else if (behind[at] == end) {
      message.has_end = true;
      message.rest = from(behind, at + 1);
      return message;
    } else if (at + 1 == behind.size() || at + 2 + behind[at + 1] > behind.size()) {
      message.is_damaged = true;
      message.rest = from(behind, at);
      return message;
    } else {
      message.options.push_back({behind[at], part(behind, at + 2, behind[at + 1])});
      at += 2U + behind[at + 1];
    }
  }
  return message;
}

Bytes put_together(const Message& message) {
  Bytes octets = message.header;
  if (message.has_options) {
    add(octets, cookie);
  }
  for (const Option& option : message.options) {
    octets.push_back(option.code);
    if (option.code != pad) {
      octets.push_back(static_cast<std::uint8_t>(option.value.size()));
      add(octets, option.value);
    }
  }
  if (message.has_end) {
    octets.push_back(end);
  }
  add(octets, message.rest);
  return octets;
}

void complete(Message& message) {
  if (message.has_end) {
    return;
  }
  while (!message.options.empty() && message.options.back().code == pad) {
    message.options.pop_back();
  }
  message.has_end = true;
}

void append_agent_information(Message& message, const Bytes& value) {
  message.options.push_back({agent_information, value});
  while (!message.rest.empty() && message.rest.back() == pad) {
    message.rest.pop_back();
  }
}

SubOptions sub_options_of(const Bytes& value) {
  SubOptions result;
  std::size_t at = 0;
  while (at < value.size()) {
    if (at + 1 == value.size() || at + 2 + value[at + 1] > value.size()) {
      result.is_damaged = true;
      break;
    }
    result.all.push_back({value[at], part(value, at + 2, value[at + 1])});
    result.offsets.push_back(at);
    at += 2U + value[at + 1];
  }
  result.offsets.push_back(at);
  return result;
}

Bytes joined(const std::vector<Bytes>& parts) {
  Bytes result;
  for (const Bytes& each : parts) {
    add(result, each);
  }
  return result;
}

}  // namespace reference
