// Delegations as the text of the state file, which outlives the relay (RFC 8987 S-1) and which an operator can read:
// one line for each, between a first line with the form's number and a last one with their count.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "relay/core/delegations.h"

namespace relay {

/// The same moment on the clock of `Delegation::expires_at` and in seconds since 1970, which a file's times are in.
struct TimePair {
  std::chrono::nanoseconds now{};
  std::chrono::seconds since_1970{};
};

/// Whether the clock of the file's times was set in between, so that what was written by `before` is wrong `after`.
[[nodiscard]] bool was_set(const TimePair& before, const TimePair& after) noexcept;

/// More than a file of the most delegations that there may be at a time has.
inline constexpr std::size_t most_delegation_text = std::size_t{128} << 20U;

[[nodiscard]] std::string delegation_text(std::span<const KnownDelegation> delegations, const TimePair& time);

/// Nothing where anything in it is not as `delegation_text` writes it. Those that are over by now expire now; none
/// lasts longer than its valid lifetime, whatever became of the clock.
[[nodiscard]] std::optional<std::vector<KnownDelegation>> read_delegation_text(std::string_view text,
                                                                               const TimePair& time);

}  // namespace relay
