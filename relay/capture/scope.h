// Which protocols a capture is about, and the relay's ports of each.
#pragma once

#include <cstdint>

#include "relay/core/families.h"
#include "relay/core/ports.h"

namespace relay::capture {

struct Scope {
  Ports ipv4{};
  Ports6 ipv6{};
  Families families{.ipv4 = true, .ipv6 = true};

  [[nodiscard]] constexpr bool covers(Family family) const noexcept {
    return family == Family::ipv4 ? families.ipv4 : families.ipv6;
  }
  [[nodiscard]] constexpr std::uint16_t server_port(Family family) const noexcept {
    return family == Family::ipv4 ? ipv4.server : ipv6.server;
  }
  [[nodiscard]] constexpr std::uint16_t client_port(Family family) const noexcept {
    return family == Family::ipv4 ? ipv4.client() : ipv6.client();
  }
  [[nodiscard]] constexpr bool listens_on(Family family, std::uint16_t port) const noexcept {
    return family == Family::ipv4 ? ipv4.listens_on(port) : ipv6.listens_on(port);
  }
};

}  // namespace relay::capture
