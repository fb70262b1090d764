// Values of flags, checked: each reader returns what the rest of the program can rely on or throws UsageError with one
// line that names the flag, the value and what would be right. Knows no flag by name.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/core/address.h"

namespace relay {

struct ListenAddress;

}  // namespace relay

namespace relay::flags {

struct Flag;

/// One flag as it was given, on the command line or in the file.
struct Given {
  const Flag* flag = nullptr;
  std::string value{};      ///< empty for a flag without a value
  std::string spelled{};    ///< for messages: `-p`, `--port`, `SERVER` or `relay.conf:3: port`
  bool positional = false;  ///< a SERVER without a flag
};

/// A value with the interfaces that it is for: `*` where no `IF=` was given.
struct ForInterfaces {
  std::string pattern;
  std::string value;
};

/// `text` on one line and in about 60 characters: cut with `...`; control characters, octets above 0x7e, quotes and
/// backslashes escaped.
[[nodiscard]] std::string printable(std::string_view text);

/// The same in quotes.
[[nodiscard]] std::string shown(std::string_view text);

/// Throws UsageError: `-p '0': SENTENCE`.
[[noreturn]] void reject(const Given& given, std::string_view sentence);

/// A decimal number, digits alone, within `least` and `most`; `noun` as in "expected a port from 1 to 65534".
[[nodiscard]] std::uint32_t number(const Given& given, std::string_view noun, std::uint32_t least, std::uint32_t most);

/// The same for a part of the value.
[[nodiscard]] std::uint32_t number(const Given& given, std::string_view text, std::string_view noun,
                                   std::uint32_t least, std::uint32_t most);

/// Any address in dotted-decimal form; nothing where the text is none.
[[nodiscard]] std::optional<Ipv4Address> ipv4_address(std::string_view text);

/// Any address in the form of RFC 4291 section 2.2, without an interface; nothing where the text is none.
[[nodiscard]] std::optional<Ipv6Address> ipv6_address(std::string_view text);

/// An address that one host can have, in dotted-decimal form.
[[nodiscard]] Ipv4Address host_address(const Given& given, std::string_view text);

/// A server: an IPv4 address (of a host or a subnet's broadcast), an IPv6 address (of a host or a group, with `%` and
/// its interface where its scope is smaller than global) or a plausible host name (RFC 1123 section 2.1), as it was
/// given.
[[nodiscard]] std::string server(const Given& given, std::string_view text);

/// What is given as SERVER or behind --server, as it was given.
[[nodiscard]] std::vector<std::string> servers_in(const Given& given);

/// The name of one interface, as the kernel allows it: 1 to 15 octets without '/', ':' or white space.
[[nodiscard]] std::string interface_name(const Given& given, std::string_view text);

/// The same or a shell pattern of at most 64 octets.
[[nodiscard]] std::string interface_pattern(const Given& given, std::string_view text);

/// Takes `[IF=]VALUE` apart at the first '=' and checks IF.
[[nodiscard]] ForInterfaces for_interfaces(const Given& given);

/// `ADDR:PORT` or `[ADDR]:PORT`, an address that a host can listen on and a port other than 0.
[[nodiscard]] ListenAddress listen_address(const Given& given);

/// The name of a file: not empty, no control characters, at most PATH_MAX - 1 octets.
[[nodiscard]] std::string file_name(const Given& given);

/// The name of an account: not empty, no control characters, ':' or white space, at most 256 octets.
[[nodiscard]] std::string account_name(const Given& given);

/// Throws UsageError that lists `words`.
[[noreturn]] void reject_choice(const Given& given, std::initializer_list<std::string_view> words);

template <typename Value>
using Choice = std::pair<std::string_view, Value>;

/// The value that one of the given words stands for.
template <typename Value, typename... More>
[[nodiscard]] Value choice(const Given& given, std::string_view text, const Choice<Value>& first, const More&... more) {
  for (const Choice<Value>& each : {first, Choice<Value>(more)...}) {
    if (text == each.first) {
      return each.second;
    }
  }
  reject_choice(given, {first.first, more.first...});
}

}  // namespace relay::flags
