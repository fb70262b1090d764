// The one table of flags: what the parser accepts, what `--help` prints and what each flag sets.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "relay/config/configuration.h"
#include "relay/config/values.h"

namespace relay::flags {

/// A group of `--help`.
enum class Group : std::uint8_t {
  interfaces_and_servers,
  relaying,
  option_82,
  dhcpv6,
  replies,
  captures,
  process_and_logging
};

/// Which protocol a flag says something about.
enum class Scope : std::uint8_t { both, dhcpv4, dhcpv6 };

struct Flag {
  std::string_view isc{};    ///< ISC dhcrelay's word, dash included; empty: none
  std::string_view name{};   ///< the long name without its dashes
  std::string_view value{};  ///< how `--help` calls the value; empty: the flag takes none
  Group group = Group::interfaces_and_servers;
  Scope scope = Scope::both;
  bool repeatable = false;
  bool command_line_only = false;  ///< refused in the file
  bool names_downstream = false;   ///< the value is, or starts with `IF=`, a pattern of downstream interfaces
  std::string_view initial{};      ///< the default, for `--help`
  std::string_view help{};
  /// Checks the value and fills in what it sets; throws UsageError.
  void (*apply)(Configuration& configuration, const Given& given) = nullptr;

  [[nodiscard]] constexpr bool takes_value() const noexcept { return !value.empty(); }
};

/// All flags, in the order of `--help`.
[[nodiscard]] std::span<const Flag> all() noexcept;

/// The flag whose long name is `name`, or null.
[[nodiscard]] const Flag* find_name(std::string_view name) noexcept;

/// The flag that `word` is exactly, `-id` or `--downstream`, or null.
[[nodiscard]] const Flag* find_word(std::string_view word) noexcept;

/// The first of `givens` whose flag has this long name, or null.
[[nodiscard]] const Given* find_given(const std::vector<Given>& givens, std::string_view name) noexcept;

/// The word, dashes included, that `word` was probably meant to be; empty where none is near. Dashes in front and case
/// do not count.
[[nodiscard]] std::string nearest_word(std::string_view word);

/// What `--help` prints, at most 100 columns wide.
[[nodiscard]] std::string help_text();

}  // namespace relay::flags
