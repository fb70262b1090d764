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

/// The same of DHCPv6 (RFC 8415 section 7.2), where clients are one port below.
struct Ports6 {
  std::uint16_t server = 547;
  std::optional<std::uint16_t> relay{};

  [[nodiscard]] constexpr std::uint16_t client() const noexcept { return static_cast<std::uint16_t>(server - 1); }
  [[nodiscard]] constexpr bool listens_on(std::uint16_t port) const noexcept { return port == server || port == relay; }
};

}  // namespace relay
