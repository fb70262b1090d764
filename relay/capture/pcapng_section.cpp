#include "relay/capture/pcapng_section.h"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <limits>
#include <string_view>

namespace relay::capture {

namespace {

using std::chrono::nanoseconds;

constexpr std::size_t option_head_size = 4;
constexpr std::size_t max_text_size = 256;  // of a name or description; what is behind it is left out
constexpr std::size_t max_addresses = 16;   // of an interface; likewise

struct Option {
  std::uint16_t code = 0;
  Octets value;
};

/// Walks options: a code, a length, and the value, padded to four octets.
class Options {
 public:
  Options(Octets octets, ByteOrder order) : rest_(octets), order_(order) {}

  /// Nothing at the end, which `opt_endofopt` or the block's end is, or at a fault.
  [[nodiscard]] std::optional<Option> next() {
    if (rest_.size() < option_head_size) {
      return std::nullopt;
    }
    const Option head{number16_at(rest_, 0, order_), {}};
    const std::size_t size = number16_at(rest_, 2, order_);
    if (head.code == 0) {
      return std::nullopt;
    }
    if (size > rest_.size() - option_head_size) {
      fault_ = BlockFault{"has an option of " + std::to_string(size) + " octets, more than fit into it"};
      return std::nullopt;
    }
    const Option option{head.code, rest_.subspan(option_head_size, size)};
    rest_ = rest_.subspan(std::min(option_head_size + (size + 3) / 4 * 4, rest_.size()));
    return option;
  }

  [[nodiscard]] const std::optional<BlockFault>& fault() const noexcept { return fault_; }

 private:
  Octets rest_;
  ByteOrder order_;
  std::optional<BlockFault> fault_;
};

[[nodiscard]] std::string text_of(Octets value) {
  const auto end = std::ranges::find(value, std::uint8_t{0});  // some writers put the end of a C string there
  const auto size = std::min<std::size_t>(static_cast<std::size_t>(end - value.begin()), max_text_size);
  return {value.begin(), value.begin() + static_cast<std::ptrdiff_t>(size)};
}

[[nodiscard]] Ipv4Prefix prefix_of(Octets value) noexcept {
  return {.address = Ipv4Address::from_host_order(number32_at(value, 0)),
          .length = static_cast<std::uint8_t>(std::countl_one(number32_at(value, 4)))};
}

[[nodiscard]] Ipv6Prefix prefix6_of(Octets value) noexcept {
  Ipv6Prefix prefix{{}, std::min<std::uint8_t>(value[16], 128)};
  std::ranges::copy(value.first(prefix.address.octets.size()), prefix.address.octets.begin());
  return prefix;
}

/// Units of 10^-exponent seconds.
[[nodiscard]] std::array<std::uint64_t, 2> seconds_and_nanoseconds(std::uint64_t units, std::size_t exponent) noexcept {
  constexpr std::size_t nano = 9;
  for (; exponent > nano; --exponent) {
    units /= 10;
  }
  std::uint64_t per_second = 1;
  std::uint64_t nanoseconds_per_unit = 1'000'000'000;
  for (; exponent > 0; --exponent) {
    per_second *= 10;
    nanoseconds_per_unit /= 10;
  }
  return {units / per_second, units % per_second * nanoseconds_per_unit};
}

/// Units of 2^-exponent seconds, to 2^-34, with which a product of nanoseconds fits into 64 bits.
[[nodiscard]] std::array<std::uint64_t, 2> seconds_and_nanoseconds_of_two(std::uint64_t units,
                                                                          std::size_t exponent) noexcept {
  constexpr std::size_t most = 34;
  if (exponent > most) {
    units = exponent - most < 64 ? units >> (exponent - most) : 0;
    exponent = most;
  }
  const std::uint64_t fraction = units & ((std::uint64_t{1} << exponent) - 1);
  return {units >> exponent, fraction * 1'000'000'000 >> exponent};
}

/// The nearest time there is: nanoseconds reach from 1677 to 2262.
[[nodiscard]] nanoseconds nearest_time(std::uint64_t seconds, std::int64_t seconds_offset,
                                       std::uint64_t rest) noexcept {
  constexpr std::int64_t most = 9'223'372'035;  // seconds of which the nanoseconds, and some more, fit
  constexpr std::int64_t farthest = std::numeric_limits<std::int64_t>::max() / 2;
  const auto known = static_cast<std::int64_t>(std::min(seconds, static_cast<std::uint64_t>(farthest)));
  const std::int64_t sum = known + std::clamp(seconds_offset, -farthest, farthest);
  if (sum > most) {
    return nanoseconds::max();
  }
  if (sum < -most) {
    return nanoseconds::min();
  }
  return std::chrono::seconds{sum} + nanoseconds{rest};
}

[[nodiscard]] Direction direction_of(std::uint32_t flags) noexcept {
  switch (flags & 3U) {
    case 1:
      return Direction::inbound;
    case 2:
      return Direction::outbound;
    default:
      return Direction::unknown;
  }
}

[[nodiscard]] BlockFault too_short(std::string_view what) {
  return {"is too short for " + std::string{what}};
}

[[nodiscard]] BlockFault too_large(std::size_t size) {
  return {"has a packet of " + std::to_string(size) + " octets, more than fit into it"};
}

[[nodiscard]] BlockFault no_interface(std::size_t number) {
  return {"names interface " + std::to_string(number) + ", which its section does not have"};
}

}  // namespace

std::variant<CapturedInterface, BlockFault> PcapngSection::add_interface(Octets body) {
  constexpr std::size_t head_size = 8;
  if (body.size() < head_size) {
    return too_short("an interface");
  }
  CapturedInterface facts;
  Interface interface;
  interface.link_type = link_type_of(number16_at(body, 0, order_));
  interface.snap_size = number32_at(body, 4, order_);
  facts.link_type = interface.link_type;
  if (auto fault = read_interface_options(body.subspan(head_size), facts, interface)) {
    return *std::move(fault);
  }
  interfaces_.push_back(interface);
  return facts;
}

std::optional<BlockFault> PcapngSection::read_interface_options(Octets options, CapturedInterface& facts,
                                                                Interface& interface) const {
  enum : std::uint16_t {
    name = 2,
    description = 3,
    ipv4_address = 4,
    ipv6_address = 5,
    mac_address = 6,
    resolution = 9,
    offset = 14
  };
  Options reader{options, order_};
  while (const auto option = reader.next()) {
    const Octets value = option->value;
    if (option->code == name) {
      facts.name = text_of(value);
    } else if (option->code == description) {
      facts.description = text_of(value);
    } else if (option->code == ipv4_address && value.size() == 8 && facts.addresses.size() < max_addresses) {
      facts.addresses.push_back(prefix_of(value));
    } else if (option->code == ipv6_address && value.size() == 17 && facts.addresses6.size() < max_addresses) {
      facts.addresses6.push_back(prefix6_of(value));
    } else if (option->code == mac_address && value.size() == 6) {
      std::ranges::copy(value, facts.mac.emplace().octets.begin());
    } else if (option->code == resolution && value.size() == 1) {
      interface.resolution = value[0];
    } else if (option->code == offset && value.size() == 8) {
      interface.seconds_offset = static_cast<std::int64_t>(number_at(value, 0, 8, order_));
    }
  }
  return reader.fault();
}

std::variant<Packet, BlockFault> PcapngSection::packet(BlockType type, Octets body) const {
  constexpr std::size_t head_size = 20;
  constexpr std::uint16_t flags_code = 2;  // epb_flags and pack_flags
  if (type == BlockType::simple_packet) {
    return simple_packet(body);
  }
  if (body.size() < head_size) {
    return too_short("a packet");
  }
  const std::size_t number = type == BlockType::packet ? number16_at(body, 0, order_) : number32_at(body, 0, order_);
  if (number >= interfaces_.size()) {
    return no_interface(number);
  }
  const std::size_t size = number32_at(body, 12, order_);
  if (size > body.size() - head_size) {
    return too_large(size);
  }
  Packet packet{.interface = first_interface_ + number,
                .link_type = interfaces_[number].link_type,
                .time = time(body, interfaces_[number]),
                .octets = body.subspan(head_size, size),
                .original_size = number32_at(body, 16, order_)};
  const Octets behind = body.subspan(head_size + size);
  Options options{behind.subspan(std::min((4 - size % 4) % 4, behind.size())), order_};
  while (const auto option = options.next()) {
    if (option->code == flags_code && option->value.size() == 4) {
      packet.direction = direction_of(number32_at(option->value, 0, order_));
    }
  }
  if (options.fault()) {
    return *options.fault();
  }
  return packet;
}

std::variant<Packet, BlockFault> PcapngSection::simple_packet(Octets body) const {
  constexpr std::size_t head_size = 4;
  if (body.size() < head_size) {
    return too_short("a packet");
  }
  if (interfaces_.empty()) {
    return no_interface(0);
  }
  const std::size_t original_size = number32_at(body, 0, order_);
  const std::size_t snap_size = interfaces_[0].snap_size;
  const std::size_t size = snap_size == 0 ? original_size : std::min(original_size, snap_size);
  if (size > body.size() - head_size) {
    return too_large(size);
  }
  return Packet{.interface = first_interface_,
                .link_type = interfaces_[0].link_type,
                .octets = body.subspan(head_size, size),
                .original_size = original_size};
}

std::chrono::nanoseconds PcapngSection::time(Octets body, const Interface& interface) const noexcept {
  const std::uint64_t units = std::uint64_t{number32_at(body, 4, order_)} << 32U | number32_at(body, 8, order_);
  const std::size_t exponent = interface.resolution & 0x7fU;
  const auto [seconds, rest] = (interface.resolution & 0x80U) != 0 ? seconds_and_nanoseconds_of_two(units, exponent)
                                                                   : seconds_and_nanoseconds(units, exponent);
  return nearest_time(seconds, interface.seconds_offset, rest);
}

}  // namespace relay::capture
