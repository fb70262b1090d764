#include "relay/config/values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <system_error>

#include "relay/config/configuration.h"

namespace relay::flags {

namespace {

constexpr std::size_t shown_size = 60;
constexpr std::size_t interface_name_size = 15;  // IFNAMSIZ without the terminating zero
constexpr std::size_t pattern_size = 64;         // brackets make a pattern longer than the names it stands for
constexpr std::size_t file_name_size = 4095;
constexpr std::size_t account_name_size = 256;  // LOGIN_NAME_MAX of Linux
constexpr std::size_t host_name_size = 253;     // RFC 1035 section 2.3.4, in text
constexpr std::size_t label_size = 63;

bool is_control(char octet) noexcept {
  return static_cast<unsigned char>(octet) < 0x20 || octet == 0x7f;
}

bool is_digit(char octet) noexcept {
  return octet >= '0' && octet <= '9';
}

bool is_letter(char octet) noexcept {
  return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z');
}

std::string escaped(char octet) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(octet);
  if (value < 0x20 || value > 0x7e) {
    return {'\\', 'x', digits[value >> 4U], digits[value & 0xfU]};
  }
  if (octet == '\'' || octet == '\\') {
    return {'\\', octet};
  }
  return {octet};
}

bool is_label(std::string_view label) noexcept {
  return !label.empty() && label.size() <= label_size && !label.starts_with('-') && !label.ends_with('-') &&
         std::all_of(label.begin(), label.end(),
                     [](char octet) { return is_digit(octet) || is_letter(octet) || octet == '-'; });
}

bool is_host_name(std::string_view name) noexcept {
  if (name.ends_with('.')) {
    name.remove_suffix(1);
  }
  if (name.size() > host_name_size) {
    return false;
  }
  while (true) {
    const std::size_t dot = name.find('.');
    if (!is_label(name.substr(0, dot))) {
      return false;
    }
    if (dot == std::string_view::npos) {
      // RFC 1123 section 2.1: the highest label is alphabetic at least in part, which tells a name from an address.
      return !std::all_of(name.begin(), name.end(), is_digit);
    }
    name.remove_prefix(dot + 1);
  }
}

void check_server_address(const Given& given, Ipv4Address address) {
  if (address.is_limited_broadcast()) {
    reject(given, "no router forwards this broadcast; expected a server's address or its subnet's broadcast address");
  }
  if (address.is_unspecified()) {
    reject(given, "this address is nobody's; expected a server's address");
  }
  if (address.is_loopback()) {
    reject(given, "the relay itself listens on this address; expected another host's");
  }
  if (address.is_multicast()) {
    reject(given,
           "multicast is not sent by this version; expected a server's address or its subnet's broadcast address");
  }
  if (!address.is_host()) {
    reject(given, "this address is reserved; expected a server's address");
  }
}

// Which multicast scopes leave an interface: RFC 4291 section 2.7.
bool leaves_the_interface(const Ipv6Address& group) noexcept {
  constexpr unsigned interface_local = 1;
  constexpr unsigned reserved = 15;
  const unsigned scope = group.octets[1] & 0x0fU;
  return scope > interface_local && scope < reserved;
}

void check_server_address(const Given& given, const Ipv6Address& address, bool has_interface) {
  if (address.is_unspecified()) {
    reject(given, "this address is nobody's; expected a server's address");
  }
  if (address.is_loopback()) {
    reject(given, "the relay itself listens on this address; expected another host's");
  }
  if (address.is_ipv4_mapped()) {
    reject(given, "this address stands for an IPv4 address; expected that one, such as 192.0.2.1");
  }
  if (address.is_multicast() && !leaves_the_interface(address)) {
    reject(given, "no host is reached by this multicast address; expected one such as ff05::1:3%eth1");
  }
  if (address.is_multicast() && !has_interface) {
    reject(given, "expected the interface of this multicast address behind it, such as ff05::1:3%eth1");
  }
  if (address.is_link_local() && !has_interface) {
    reject(given, "expected the interface of this link-local address behind it, such as fe80::1%eth1");
  }
}

// `address[%IF]`; what has a colon is nothing else.
void check_server6(const Given& given, std::string_view text) {
  const std::size_t percent = text.find('%');
  const std::string_view written = text.substr(0, percent);
  const std::optional<Ipv6Address> address = ipv6_address(written);
  if (!address && written.starts_with('[')) {
    reject(given, "expected an IPv6 address without brackets and port, such as 2001:db8::1; the port is set by -p");
  }
  if (!address && std::count(written.begin(), written.end(), ':') == 1) {
    reject(given, "expected a server's address or name alone; its port is set by -p");
  }
  if (!address) {
    reject(given, "expected an IPv6 address such as 2001:db8::1 or fe80::1%eth1");
  }
  check_server_address(given, *address, percent != std::string_view::npos);
  if (percent != std::string_view::npos) {
    static_cast<void>(interface_name(given, text.substr(percent + 1)));
  }
}

void check_interface(const Given& given, std::string_view text) {
  const bool has_bad_octet = std::any_of(text.begin(), text.end(), [](char octet) {
    return is_control(octet) || octet == ' ' || octet == '/' || octet == ':';
  });
  if (text.empty() || text == "." || text == ".." || has_bad_octet) {
    reject(given, "expected an interface's name of 1 to 15 octets without '/', ':' or white space");
  }
}

}  // namespace

// inet_pton(3) reads C strings: a text with a zero in it is no address.
std::optional<Ipv4Address> ipv4_address(std::string_view text) {
  Ipv4Address address;
  if (text.find('\0') != std::string_view::npos ||
      inet_pton(AF_INET, std::string(text).c_str(), address.octets.data()) != 1) {
    return std::nullopt;
  }
  return address;
}

std::optional<Ipv6Address> ipv6_address(std::string_view text) {
  Ipv6Address address;
  if (text.find('\0') != std::string_view::npos ||
      inet_pton(AF_INET6, std::string(text).c_str(), address.octets.data()) != 1) {
    return std::nullopt;
  }
  return address;
}

std::string printable(std::string_view text) {
  std::string result;
  for (const char octet : text) {
    if (result.size() >= shown_size) {
      return result + "...";
    }
    result += escaped(octet);
  }
  return result;
}

std::string shown(std::string_view text) {
  std::string result(1, '\'');
  result += printable(text);
  result += '\'';
  return result;
}

void reject(const Given& given, std::string_view sentence) {
  throw UsageError(given.spelled + " " + shown(given.value) + ": " + std::string(sentence));
}

void reject_choice(const Given& given, std::initializer_list<std::string_view> words) {
  std::string sentence = "expected ";
  for (const auto* word = words.begin(); word != words.end(); ++word) {
    if (word != words.begin()) {
      sentence += word + 1 == words.end() ? " or " : ", ";
    }
    sentence += *word;
  }
  reject(given, sentence);
}

std::uint32_t number(const Given& given, std::string_view noun, std::uint32_t least, std::uint32_t most) {
  return number(given, given.value, noun, least, most);
}

std::uint32_t number(const Given& given, std::string_view text, std::string_view noun, std::uint32_t least,
                     std::uint32_t most) {
  std::uint32_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end || value < least || value > most) {
    reject(given, "expected " + std::string(noun) + " from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

Ipv4Address host_address(const Given& given, std::string_view text) {
  const std::optional<Ipv4Address> address = ipv4_address(text);
  if (!address) {
    reject(given, "expected an IPv4 address such as 192.0.2.1");
  }
  if (!address->is_host()) {
    reject(given, "expected the IPv4 address of one host, not a multicast, broadcast, loopback or reserved one");
  }
  return *address;
}

std::string server(const Given& given, std::string_view text) {
  if (const std::optional<Ipv4Address> address = ipv4_address(text)) {
    check_server_address(given, *address);
  } else if (text.find('/') != std::string_view::npos) {
    reject(given, "expected a server's address or name, not a subnet");
  } else if (text.find(':') != std::string_view::npos) {
    check_server6(given, text);
  } else if (text.find('=') != std::string_view::npos) {
    reject(given, "expected a server's address or name; servers of one interface are given as --server IF=ADDR");
  } else if (text.find('.') != std::string_view::npos &&
             text.find_first_not_of("0123456789.") == std::string_view::npos) {
    reject(given, "expected an IPv4 address such as 192.0.2.1");
  } else if (!is_host_name(text)) {
    reject(given, "expected an IP address or a host name of letters, digits, hyphens and dots, at most 253 octets");
  }
  return std::string(text);
}

std::vector<std::string> servers_in(const Given& given) {
  if (given.positional) {
    return {server(given, given.value)};
  }
  const std::string list = for_interfaces(given).value;
  std::vector<std::string> servers;
  for (std::size_t start = 0; start <= list.size();) {
    const std::size_t comma = std::min(list.find(',', start), list.size());
    servers.push_back(server(given, std::string_view(list).substr(start, comma - start)));
    start = comma + 1;
  }
  return servers;
}

std::string interface_name(const Given& given, std::string_view text) {
  check_interface(given, text);
  if (is_pattern(text)) {
    reject(given, "expected one interface's name, not a pattern");
  }
  if (text.size() > interface_name_size) {
    reject(given, "too long: an interface's name has at most 15 octets");
  }
  return std::string(text);
}

std::string interface_pattern(const Given& given, std::string_view text) {
  if (!is_pattern(text)) {
    return interface_name(given, text);
  }
  check_interface(given, text);
  if (text.size() > pattern_size) {
    reject(given, "too long: a pattern of interface names has at most 64 octets");
  }
  const std::size_t bracket = text.find('[');
  if (bracket != std::string_view::npos && text.find(']', bracket + 1) == std::string_view::npos) {
    reject(given, "expected a shell pattern; '[' stands without its ']'");
  }
  return std::string(text);
}

ForInterfaces for_interfaces(const Given& given) {
  const std::size_t equals = given.value.find('=');
  if (equals == std::string::npos) {
    return {"*", given.value};
  }
  return {interface_pattern(given, std::string_view(given.value).substr(0, equals)), given.value.substr(equals + 1)};
}

ListenAddress listen_address(const Given& given) {
  constexpr std::string_view expected = "expected a numeric address and a port, such as 127.0.0.1:9577 or [::1]:9577";
  const std::string_view value = given.value;
  const std::size_t colon = value.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    reject(given, expected);
  }
  std::string_view address = value.substr(0, colon);
  const bool has_brackets = address.starts_with('[') && address.ends_with(']');
  if (has_brackets) {
    address = address.substr(1, address.size() - 2);
  }
  const std::optional<Ipv4Address> ipv4 = ipv4_address(address);
  const bool is_ipv6 = !ipv4 && ipv6_address(address).has_value();
  if (is_ipv6 != has_brackets || (!ipv4 && !is_ipv6)) {
    reject(given, expected);
  }
  if (ipv4 && (ipv4->is_multicast() || ipv4->is_limited_broadcast())) {
    reject(given, "expected the address of one host, or 0.0.0.0 for all of this host's");
  }
  const std::uint32_t port = number(given, value.substr(colon + 1), "a port", 1, 65535);
  return {std::string(address), static_cast<std::uint16_t>(port)};
}

std::string file_name(const Given& given) {
  if (given.value.empty() || std::any_of(given.value.begin(), given.value.end(), is_control)) {
    reject(given, "expected the name of a file without control characters");
  }
  if (given.value.size() > file_name_size) {
    reject(given, "too long: the name of a file has at most 4095 octets");
  }
  return given.value;
}

std::string account_name(const Given& given) {
  const auto is_unfit = [](char octet) { return is_control(octet) || octet == ' ' || octet == ':' || octet == '/'; };
  if (given.value.empty() || given.value.size() > account_name_size ||
      std::any_of(given.value.begin(), given.value.end(), is_unfit)) {
    reject(given, "expected the name of an account such as nobody");
  }
  return given.value;
}

}  // namespace relay::flags
