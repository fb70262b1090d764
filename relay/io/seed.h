// Numbers that nobody outside can know, for hashes over what others send.
#pragma once

#include <cstdint>
#include <random>

namespace relay::io {

[[nodiscard]] inline std::uint64_t unpredictable_number() {
  std::random_device source;
  return std::uint64_t{source()} << 32U | source();
}

}  // namespace relay::io
