#include "relay/config/capture_flags.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "relay/config/flags.h"

namespace relay::flags {

namespace {

constexpr std::uint32_t most_megabytes = 1'000'000;
constexpr std::uint32_t most_files = 1'000;
constexpr std::uint64_t megabyte = 1'000'000;
constexpr std::size_t filter_size = 4095;

// Six pairs of hexadecimal digits with colons between them.
std::optional<MacAddress> mac_address(std::string_view text) {
  constexpr std::size_t pair = 3;
  MacAddress mac;
  if (text.size() != mac.octets.size() * pair - 1) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < mac.octets.size(); ++i) {
    const char* const digits = text.data() + i * pair;
    const auto [stopped, error] = std::from_chars(digits, digits + 2, mac.octets[i], 16);
    const bool is_last = i + 1 == mac.octets.size();
    if (error != std::errc{} || stopped != digits + 2 || (!is_last && digits[2] != ':')) {
      return std::nullopt;
    }
  }
  return mac;
}

// An address of either family with the length of its prefix.
void set_address(ReplayInterface& interface, const Given& given, std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    reject(given, "expected the address with its prefix length, such as 192.0.2.1/24");
  }
  const std::string_view written = text.substr(0, slash);
  const std::string_view behind = text.substr(slash + 1);
  const bool is_ipv6 = written.find(':') != std::string_view::npos;
  if (!is_ipv6) {
    interface.address.address = host_address(given, written);
  }
  const auto length = static_cast<std::uint8_t>(number(given, behind, "a prefix length", 1, is_ipv6 ? 128 : 32));
  interface.address.length = length;
  if (is_ipv6) {
    const std::optional<Ipv6Address> address = ipv6_address(written);
    if (!address || !address->is_host()) {
      reject(given, "expected the IPv6 address of one host, such as 2001:db8::1");
    }
    interface.address = {};
    interface.address6 = {*address, length};
  }
}

bool has_same_address(const ReplayInterface& one, const ReplayInterface& other) {
  return one.address6 && other.address6
             ? one.address6->address == other.address6->address
             : one.address6.has_value() == other.address6.has_value() && one.address.address == other.address.address;
}

}  // namespace

void set_capture_filter(Configuration& configuration, const Given& given) {
  const auto is_control = [](char octet) { return static_cast<unsigned char>(octet) < 0x20 || octet == 0x7f; };
  if (given.value.empty() || std::any_of(given.value.begin(), given.value.end(), is_control)) {
    reject(given, "expected a filter expression such as 'host 192.0.2.1', without control characters");
  }
  if (given.value.size() > filter_size) {
    reject(given, "too long: a filter expression has at most 4095 octets");
  }
  configuration.capture.filter = given.value;
}

void set_capture_size(Configuration& configuration, const Given& given) {
  configuration.capture.max_size = number(given, "a number of megabytes", 1, most_megabytes) * megabyte;
}

void set_capture_files(Configuration& configuration, const Given& given) {
  configuration.capture.max_count = number(given, "a number of files", 1, most_files);
}

void set_capture_only(Configuration& configuration, const Given& /*given*/) {
  configuration.capture.only = true;
  configuration.foreground = true;
}

void set_replay(Configuration& configuration, const Given& given) {
  configuration.replay.file = file_name(given);
  configuration.foreground = true;
}

void add_replay_interface(Configuration& configuration, const Given& given) {
  const std::string_view value = given.value;
  const std::size_t equals = value.find('=');
  if (equals == std::string_view::npos) {
    reject(given, "expected an interface's name and its address, such as eth0=192.0.2.1/24");
  }
  const std::size_t comma = std::min(value.find(',', equals), value.size());
  ReplayInterface added{.name = interface_name(given, value.substr(0, equals)), .address = {}, .mac = {}};
  set_address(added, given, value.substr(equals + 1, comma - equals - 1));
  if (comma < value.size()) {
    added.mac = mac_address(value.substr(comma + 1));
    if (!added.mac || !added.mac->is_station()) {
      reject(given, "expected the MAC address of one station behind the comma, such as 02:00:5e:10:00:01");
    }
  }
  for (const ReplayInterface& other : configuration.replay.interfaces) {
    if (other.name == added.name && has_same_address(other, added)) {
      reject(given, "this interface is given this address twice; expected once");
    }
    if (other.name == added.name && other.mac && added.mac) {
      reject(given, "this interface is given a MAC address twice; expected once");
    }
  }
  configuration.replay.interfaces.push_back(std::move(added));
}

void check_captures(const Configuration& configuration, const std::vector<Given>& givens) {
  const CaptureSettings& capture = configuration.capture;
  const bool replays = !configuration.replay.file.empty();
  if (const Given* given = find_given(givens, "replay"); given != nullptr && capture.only) {
    reject(*given, "contradicts --capture-only; expected one of them");
  }
  for (const std::string_view name : {"capture-size", "capture-files"}) {
    if (const Given* given = find_given(givens, name); given != nullptr && capture.file.empty()) {
      throw UsageError(given->spelled + " needs --capture, which names the file");
    }
  }
  if (const Given* given = find_given(givens, "capture-filter");
      given != nullptr && capture.file.empty() && !capture.only && !replays) {
    throw UsageError(given->spelled + " needs --capture, --capture-only or --replay");
  }
  if (const Given* given = find_given(givens, "replay-interface"); given != nullptr && !replays) {
    throw UsageError(given->spelled + " needs --replay, which names the file to replay");
  }
  if (const Given* given = find_given(givens, "capture");
      given != nullptr && capture.file == "-" && !configuration.foreground) {
    reject(*given, "needs -d: a daemon has no standard output");
  }
}

}  // namespace relay::flags
