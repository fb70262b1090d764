// Counts what an executable allocates, for tests of what must not.
#pragma once

#include <cstddef>

namespace test_support {

/// How often this executable's operator new was called; from one thread.
[[nodiscard]] std::size_t allocations() noexcept;

}  // namespace test_support
