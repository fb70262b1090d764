// What `--capture*` and `--replay*` ask for, as plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/core/address.h"

namespace relay {

struct CaptureSettings {
  std::string file;                      ///< empty: no capture; `-`: standard output
  std::uint64_t max_size = 100'000'000;  ///< of one file, octets
  std::size_t max_count = 5;             ///< files, the one that is written included
  std::string filter;                    ///< `--capture-filter`; empty: none
  bool only = false;                     ///< relay nothing

  friend bool operator==(const CaptureSettings&, const CaptureSettings&) = default;
};

/// One address of an interface that exists during a replay; several of one name are several addresses of one interface.
struct ReplayInterface {
  std::string name;
  Ipv4Prefix address;
  std::optional<MacAddress> mac;         ///< at most one of those with the same name has it
  std::optional<Ipv6Prefix> address6{};  ///< instead of `address`

  friend bool operator==(const ReplayInterface&, const ReplayInterface&) = default;
};

struct ReplaySettings {
  std::string file;  ///< empty: no replay; `-`: standard input
  std::vector<ReplayInterface> interfaces;

  friend bool operator==(const ReplaySettings&, const ReplaySettings&) = default;
};

}  // namespace relay
