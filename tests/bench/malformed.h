// What a relay meets beside clients: messages that are broken in ten ways, each of which a segment has seen.
#pragma once

#include <cstdint>

#include "wire.h"

namespace bench {

/// Breaks a client's good frame in the way that `number` stands for (each number does) and gives the frame's new size.
/// The xid gets its highest bit, so that no answer is taken for a client's.
[[nodiscard]] std::size_t spoil(wire::Octets frame, std::uint32_t number);

/// Whether no socket gets what `spoil` makes with this number: the kernel looks at UDP's size and checksum itself.
[[nodiscard]] constexpr bool is_for_the_kernel(std::uint32_t number) noexcept {
  return number % 10 >= 8;
}

}  // namespace bench
