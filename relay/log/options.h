// How much is logged and in which form; what config reads and log obeys.
#pragma once

#include <cstdint>

namespace relay {

enum class LogLevel : std::uint8_t { trace, debug, info, warning, error };
enum class LogFormat : std::uint8_t { text, json };

}  // namespace relay
