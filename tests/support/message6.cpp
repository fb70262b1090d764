#include "tests/support/message6.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cassert>

namespace test_support {

namespace {

Bytes joined_all(Bytes result, std::initializer_list<Bytes> parts) {
  for (const Bytes& part : parts) {
    result.insert(result.end(), part.begin(), part.end());
  }
  return result;
}

relay::Ipv6Address address_at(const Bytes& message, std::size_t offset) {
  relay::Ipv6Address address;
  std::copy_n(message.begin() + static_cast<std::ptrdiff_t>(offset), 16, address.octets.begin());
  return address;
}

std::size_t number_at(const Bytes& octets, std::size_t offset) {
  return octets[offset] * std::size_t{256} + octets[offset + 1];
}

Bytes client_identifier() {
  return option6(1, {0, 3, 0, 1, 2, 0, 0, 0, 0, 1});  // DUID-LL
}

}  // namespace

relay::Ipv6Address ip6(const std::string& text) {
  relay::Ipv6Address address;
  [[maybe_unused]] const int read = ::inet_pton(AF_INET6, text.c_str(), address.octets.data());
  assert(read == 1);
  return address;
}

std::string described(const relay::Ipv6Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(AF_INET6, address.octets.data(), text.data(), text.size());
}

Bytes option6(std::uint16_t code, const Bytes& value) {
  assert(value.size() <= 65535);
  return joined_all({static_cast<std::uint8_t>(code / 256), static_cast<std::uint8_t>(code % 256),
                     static_cast<std::uint8_t>(value.size() / 256), static_cast<std::uint8_t>(value.size() % 256)},
                    {value});
}

Bytes message6(std::uint8_t type, std::initializer_list<Bytes> options) {
  return joined_all({type, 0x12, 0x34, 0x56}, options);
}

Bytes relay_message6(std::uint8_t type, std::uint8_t hop_count, const relay::Ipv6Address& link_address,
                     const relay::Ipv6Address& peer_address, std::initializer_list<Bytes> options) {
  Bytes header{type, hop_count};
  header.insert(header.end(), link_address.octets.begin(), link_address.octets.end());
  header.insert(header.end(), peer_address.octets.begin(), peer_address.octets.end());
  return joined_all(header, options);
}

Bytes solicit6() {
  return message6(1, {client_identifier(), option6(6, {0, 23, 0, 24}), option6(8, {0, 0}),
                      option6(3, {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0})});
}

Bytes advertise6() {
  return message6(2, {client_identifier(), option6(2, {0, 3, 0, 1, 2, 0, 0, 0, 0, 9}), option6(13, {0, 0})});
}

Bytes forwarded6(std::uint8_t hop_count, const Bytes& message) {
  return relay_message6(12, hop_count, ip6("2001:db8:77::1"), ip6("fe80::7"),
                        {option6(18, text("below")), option6(9, message)});
}

Bytes relay_reply6(const Bytes& message, std::initializer_list<Bytes> options) {
  return joined_all(relay_message6(13, 0, ip6("2001:db8:1::1"), ip6("fe80::1"), options), {option6(9, message)});
}

std::optional<Bytes> ParsedOptions6::find(std::uint16_t code) const {
  const auto found = std::ranges::find(options, code, &ParsedOption6::code);
  return found == options.end() ? std::nullopt : std::optional{found->value};
}

std::vector<std::uint16_t> ParsedOptions6::codes() const {
  std::vector<std::uint16_t> result;
  std::ranges::transform(options, std::back_inserter(result), &ParsedOption6::code);
  return result;
}

ParsedOptions6 parsed_options6(const Bytes& octets) {
  ParsedOptions6 result;
  std::size_t at = 0;
  while (at < octets.size()) {
    if (octets.size() < at + 4 || octets.size() < at + 4 + number_at(octets, at + 2)) {
      result.is_damaged = true;
      break;
    }
    const std::size_t end = at + 4 + number_at(octets, at + 2);
    result.options.push_back(
        {static_cast<std::uint16_t>(number_at(octets, at)), Bytes(octets.begin() + static_cast<std::ptrdiff_t>(at) + 4,
                                                                  octets.begin() + static_cast<std::ptrdiff_t>(end))});
    at = end;
  }
  return result;
}

ParsedRelayMessage6 parsed_relay_message6(const Bytes& message) {
  assert(message.size() >= 34);
  return {message[0], message[1], address_at(message, 2), address_at(message, 18),
          parsed_options6(Bytes(message.begin() + 34, message.end()))};
}

}  // namespace test_support
