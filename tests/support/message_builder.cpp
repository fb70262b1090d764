#include "tests/support/message_builder.h"

#include <algorithm>
#include <cassert>

namespace test_support {

namespace {

MessageBuilder client_message(std::uint8_t op) {
  MessageBuilder builder;
  builder.op(op).htype(1).hlen(6).xid(0x11223344).chaddr(Bytes(client_mac.begin(), client_mac.end()));
  return builder;
}

MessageBuilder client_request(std::uint8_t type) {
  MessageBuilder builder = client_message(1);
  builder.message_type(type).option(61, joined({{1}, Bytes(client_mac.begin(), client_mac.end())}));
  return builder;
}

MessageBuilder server_reply(std::uint8_t type) {
  MessageBuilder builder = client_message(2);
  builder.giaddr(ip(10, 1, 0, 1)).message_type(type).option(54, {198, 51, 100, 10});
  return builder;
}

}  // namespace

Bytes text(std::string_view value) {
  return {value.begin(), value.end()};
}

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes result;
  for (const Bytes& part : parts) {
    result.insert(result.end(), part.begin(), part.end());
  }
  return result;
}

Bytes encoded(std::uint8_t code, const Bytes& value) {
  assert(value.size() <= 255);
  return joined({{code, static_cast<std::uint8_t>(value.size())}, value});
}

MessageBuilder& MessageBuilder::put(std::size_t offset, std::span<const std::uint8_t> octets) {
  assert(offset + octets.size() <= header_.size());
  std::ranges::copy(octets, header_.begin() + static_cast<std::ptrdiff_t>(offset));
  return *this;
}

MessageBuilder& MessageBuilder::op(std::uint8_t value) {
  return put(0, {&value, 1});
}

MessageBuilder& MessageBuilder::htype(std::uint8_t value) {
  return put(1, {&value, 1});
}

MessageBuilder& MessageBuilder::hlen(std::uint8_t value) {
  return put(2, {&value, 1});
}

MessageBuilder& MessageBuilder::hops(std::uint8_t value) {
  return put(3, {&value, 1});
}

MessageBuilder& MessageBuilder::xid(std::uint32_t value) {
  return put(4, relay::Ipv4Address::from_host_order(value).octets);
}

MessageBuilder& MessageBuilder::secs(std::uint16_t value) {
  return put(8, std::array{static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value)});
}

MessageBuilder& MessageBuilder::flags(std::uint16_t value) {
  return put(10, std::array{static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value)});
}

MessageBuilder& MessageBuilder::ciaddr(relay::Ipv4Address address) {
  return put(12, address.octets);
}

MessageBuilder& MessageBuilder::yiaddr(relay::Ipv4Address address) {
  return put(16, address.octets);
}

MessageBuilder& MessageBuilder::siaddr(relay::Ipv4Address address) {
  return put(20, address.octets);
}

MessageBuilder& MessageBuilder::giaddr(relay::Ipv4Address address) {
  return put(24, address.octets);
}

MessageBuilder& MessageBuilder::chaddr(const Bytes& address) {
  assert(address.size() <= 16);
  return put(28, address);
}

MessageBuilder& MessageBuilder::sname(const Bytes& value) {
  assert(value.size() <= 64);
  return put(44, value);
}

MessageBuilder& MessageBuilder::file(const Bytes& value) {
  assert(value.size() <= 128);
  return put(108, value);
}

MessageBuilder& MessageBuilder::cookie(const std::array<std::uint8_t, 4>& octets) {
  cookie_ = octets;
  return *this;
}

MessageBuilder& MessageBuilder::without_cookie() {
  cookie_.reset();
  return without_end();
}

MessageBuilder& MessageBuilder::option(std::uint8_t code, const Bytes& value) {
  return raw(encoded(code, value));
}

MessageBuilder& MessageBuilder::message_type(std::uint8_t type) {
  return option(53, {type});
}

MessageBuilder& MessageBuilder::agent_information(const Bytes& content) {
  return option(82, content);
}

MessageBuilder& MessageBuilder::pad(std::size_t count) {
  return raw(Bytes(count, 0));
}

MessageBuilder& MessageBuilder::raw(const Bytes& octets) {
  options_.insert(options_.end(), octets.begin(), octets.end());
  return *this;
}

MessageBuilder& MessageBuilder::without_end() {
  has_end_ = false;
  return *this;
}

MessageBuilder& MessageBuilder::tail(const Bytes& octets) {
  tail_.insert(tail_.end(), octets.begin(), octets.end());
  return *this;
}

MessageBuilder& MessageBuilder::padded_to(std::size_t size) {
  padded_to_ = size;
  return *this;
}

Bytes MessageBuilder::octets() const {
  Bytes result(header_.begin(), header_.end());
  if (cookie_) {
    result.insert(result.end(), cookie_->begin(), cookie_->end());
  }
  result.insert(result.end(), options_.begin(), options_.end());
  if (has_end_) {
    result.push_back(255);
  }
  result.insert(result.end(), tail_.begin(), tail_.end());
  result.resize(std::max(result.size(), padded_to_), 0);
  return result;
}

MessageBuilder discover() {
  MessageBuilder builder = client_request(1);
  builder.option(55, {1, 3, 6, 15}).padded_to(300);
  return builder;
}

MessageBuilder request() {
  MessageBuilder builder = client_request(3);
  builder.option(50, Bytes(client_address.octets.begin(), client_address.octets.end()))
      .option(54, {198, 51, 100, 10})
      .padded_to(300);
  return builder;
}

MessageBuilder bootp_request() {
  MessageBuilder builder = client_message(1);
  builder.without_cookie().padded_to(300);
  return builder;
}

MessageBuilder offer() {
  MessageBuilder builder = server_reply(2);
  builder.yiaddr(client_address).option(51, {0, 0, 14, 16}).option(1, {255, 255, 255, 0}).padded_to(300);
  return builder;
}

MessageBuilder ack() {
  MessageBuilder builder = server_reply(5);
  builder.yiaddr(client_address).option(51, {0, 0, 14, 16}).option(1, {255, 255, 255, 0}).padded_to(300);
  return builder;
}

MessageBuilder nak() {
  MessageBuilder builder = server_reply(6);
  builder.padded_to(300);
  return builder;
}

ParsedField parsed_field(std::span<const std::uint8_t> field) {
  ParsedField result;
  std::size_t at = 0;
  while (at < field.size()) {
    const std::uint8_t code = field[at];
    if (code == 0) {
      at += 1;
      continue;
    }
    if (code == 255) {
      result.has_end = true;
      result.end_offset = at;
      return result;
    }
    if (at + 1 >= field.size() || at + 2 + field[at + 1] > field.size()) {
      result.damaged = true;
      return result;
    }
    ParsedOption option{code, {}};
    for (std::size_t i = 0; i < field[at + 1]; ++i) {
      option.value.push_back(field[at + 2 + i]);
    }
    at += 2 + option.value.size();
    result.options.push_back(option);
    result.end_offset = at;
  }
  return result;
}

ParsedField parsed_message(const Bytes& message) {
  assert(message.size() >= 240);
  return parsed_field(std::span{message}.subspan(240));
}

std::vector<Bytes> values_of(const Bytes& message, std::uint8_t code) {
  std::vector<Bytes> result;
  for (const ParsedOption& option : parsed_message(message).options) {
    if (option.code == code) {
      result.push_back(option.value);
    }
  }
  return result;
}

Bytes without_trailing_pad(Bytes octets) {
  while (!octets.empty() && octets.back() == 0) {
    octets.pop_back();
  }
  return octets;
}

}  // namespace test_support
