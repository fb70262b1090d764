#include "relay/core/delegation_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace relay {

namespace {

using std::chrono::seconds;

constexpr std::string_view first_line = "dhcp-relay delegated prefixes, form 1";
constexpr std::string_view last_word = "end ";
constexpr std::string_view never_word = "never";
constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::size_t most_interface_octets = 15;
constexpr int octet_base = 16;

template <typename Number>
void append_number(std::string& text, Number number, int base = 10) {
  std::array<char, 24> digits{};
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  text.append(digits.data(), end);
}

/// Eight groups, none left out (RFC 4291 section 2.2, form 1).
void append_address(std::string& text, const Ipv6Address& address) {
  for (std::size_t at = 0; at < address.octets.size(); at += 2) {
    text += at == 0 ? "" : ":";
    append_number(text, static_cast<unsigned>(address.octets[at] << 8U | address.octets[at + 1]), octet_base);
  }
}

void append_line(std::string& text, const KnownDelegation& known, const TimePair& time) {
  const Delegation& delegation = known.delegation;
  append_address(text, delegation.prefix.address);
  text += '/';
  append_number(text, unsigned{delegation.prefix.length});
  text += " via ";
  append_address(text, delegation.next_hop);
  text.append(" dev ").append(known.interface).append(" client ");
  for (const std::uint8_t octet : known.duid) {
    text += hex_digits[octet >> 4U];
    text += hex_digits[octet & 0xfU];
  }
  text += " iaid ";
  append_number(text, delegation.iaid);
  text += " preferred ";
  append_number(text, delegation.preferred_lifetime);
  text += " valid ";
  append_number(text, delegation.valid_lifetime);
  text += " until ";
  if (delegation.expires_at == std::chrono::nanoseconds::max()) {
    text += never_word;
  } else {
    const auto left = std::chrono::ceil<seconds>(delegation.expires_at - time.now);
    append_number(text, (time.since_1970 + left).count());
  }
  text += '\n';
}

/// Takes a line apart; once something is missing, everything is.
class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept : rest_(text) {}

  [[nodiscard]] bool has_failed() const noexcept { return has_failed_; }
  [[nodiscard]] bool is_at_end() const noexcept { return rest_.empty(); }

  bool skip(std::string_view expected) noexcept {
    if (has_failed_ || !rest_.starts_with(expected)) {
      has_failed_ = true;
      return false;
    }
    rest_.remove_prefix(expected.size());
    return true;
  }

  template <typename Number>
  [[nodiscard]] Number number(int base = 10) noexcept {
    Number value{};
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value, base);
    has_failed_ |= error != std::errc{};
    if (!has_failed_) {
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    }
    return has_failed_ ? Number{} : value;
  }

  /// Up to the next space or the end.
  [[nodiscard]] std::string_view word() noexcept {
    const std::string_view result = rest_.substr(0, rest_.find(' '));
    has_failed_ |= result.empty();
    rest_.remove_prefix(result.size());
    return result;
  }

  [[nodiscard]] Ipv6Address address() noexcept {
    Ipv6Address address;
    for (std::size_t at = 0; at < address.octets.size() && !has_failed_; at += 2) {
      if (at != 0) {
        skip(":");
      }
      const auto group = number<std::uint16_t>(octet_base);
      address.octets[at] = static_cast<std::uint8_t>(group >> 8U);
      address.octets[at + 1] = static_cast<std::uint8_t>(group);
    }
    return address;
  }

  void fail() noexcept { has_failed_ = true; }

 private:
  std::string_view rest_;
  bool has_failed_ = false;
};

[[nodiscard]] std::optional<std::vector<std::uint8_t>> octets_of(std::string_view digits) {
  std::vector<std::uint8_t> octets;
  if (digits.size() % 2 != 0 || digits.size() < 2 * dhcpv6::min_duid_size ||
      digits.size() > 2 * dhcpv6::max_duid_size) {
    return std::nullopt;
  }
  for (std::size_t at = 0; at < digits.size(); at += 2) {
    const std::size_t high = hex_digits.find(digits[at]);
    const std::size_t low = hex_digits.find(digits[at + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) {
      return std::nullopt;
    }
    octets.push_back(static_cast<std::uint8_t>(high << 4U | low));
  }
  return octets;
}

[[nodiscard]] std::chrono::nanoseconds expiry(std::int64_t until, std::uint32_t valid, const TimePair& time) noexcept {
  const std::int64_t now = time.since_1970.count();
  if (until <= now) {
    return time.now;
  }
  // A clock that was set back prolongs nothing.
  return time.now + seconds{std::min<std::int64_t>(until - now, valid)};
}

[[nodiscard]] std::optional<KnownDelegation> read_line(std::string_view text, const TimePair& time) {
  Scanner scanner{text};
  KnownDelegation known;
  Delegation& delegation = known.delegation;
  delegation.prefix.address = scanner.address();
  scanner.skip("/");
  delegation.prefix.length = scanner.number<std::uint8_t>();
  scanner.skip(" via ");
  delegation.next_hop = scanner.address();
  scanner.skip(" dev ");
  known.interface = scanner.word();
  scanner.skip(" client ");
  auto duid = octets_of(scanner.word());
  scanner.skip(" iaid ");
  delegation.iaid = scanner.number<std::uint32_t>();
  scanner.skip(" preferred ");
  delegation.preferred_lifetime = scanner.number<std::uint32_t>();
  scanner.skip(" valid ");
  delegation.valid_lifetime = scanner.number<std::uint32_t>();
  scanner.skip(" until ");
  if (delegation.valid_lifetime == dhcpv6::infinity) {
    scanner.skip(never_word);
  } else {
    delegation.expires_at = expiry(scanner.number<std::int64_t>(), delegation.valid_lifetime, time);
  }
  if (scanner.has_failed() || !scanner.is_at_end() || !duid || delegation.prefix.length > 128 ||
      delegation.prefix != delegation.prefix.network() || !delegation.next_hop.is_link_local() ||
      known.interface.size() > most_interface_octets) {
    return std::nullopt;
  }
  known.duid = *std::move(duid);
  return known;
}

/// Nothing where no line ends.
[[nodiscard]] std::optional<std::string_view> take_line(std::string_view& text) noexcept {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

[[nodiscard]] bool is_last(std::string_view line, std::size_t count) noexcept {
  Scanner scanner{line};
  scanner.skip(last_word);
  return scanner.number<std::size_t>() == count && !scanner.has_failed() && scanner.is_at_end();
}

}  // namespace

bool was_set(const TimePair& before, const TimePair& after) noexcept {
  constexpr seconds least_step{2};  // the clocks' own difference is told to a second
  const auto step = (after.since_1970 - before.since_1970) - (after.now - before.now);
  return std::chrono::abs(step) >= least_step;
}

std::string delegation_text(std::span<const KnownDelegation> delegations, const TimePair& time) {
  std::string text{first_line};
  text += '\n';
  for (const KnownDelegation& known : delegations) {
    append_line(text, known, time);
  }
  text += last_word;
  append_number(text, delegations.size());
  text += '\n';
  return text;
}

std::optional<std::vector<KnownDelegation>> read_delegation_text(std::string_view text, const TimePair& time) {
  if (text.size() > most_delegation_text || take_line(text) != first_line) {
    return std::nullopt;
  }
  std::vector<KnownDelegation> result;
  while (const auto text_line = take_line(text)) {
    if (text_line->starts_with(last_word)) {
      return is_last(*text_line, result.size()) && text.empty() ? std::optional{std::move(result)} : std::nullopt;
    }
    auto known = read_line(*text_line, time);
    if (!known) {
      return std::nullopt;
    }
    result.push_back(*std::move(known));
  }
  return std::nullopt;
}

}  // namespace relay
