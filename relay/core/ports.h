// The UDP ports of a relay agent.
#pragma once

#include <cstdint>
#include <optional>

namespace relay {

struct Ports {
  std::uint16_t server = 67;             ///< we listen here, and servers do
  std::optional<std::uint16_t> relay{};  ///< source of messages to servers, where it is another (RFC 8357)

  [[nodiscard]] constexpr std::uint16_t client() const noexcept { return static_cast<std::uint16_t>(server + 1); }
  [[nodiscard]] constexpr bool listens_on(std::uint16_t port) const noexcept { return port == server || port == relay; }
};

}  // namespace relay
