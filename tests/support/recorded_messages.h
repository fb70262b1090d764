// BOOTP and DHCP messages that other projects recorded, read where they lie (DHCP_RELAY_SHARED); none is part of ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace test_support {

struct RecordedMessage {
  std::string file;
  std::vector<std::uint8_t> octets;  ///< UDP payload
};

/// Whether DHCP_RELAY_SHARED names a folder.
[[nodiscard]] bool has_recorded_messages();

/// The payloads in corpora/v4 and those of UDP ports 67 and 68 in captures, ordered by file. Tunnels are not looked
/// into.
[[nodiscard]] std::vector<RecordedMessage> recorded_messages();

}  // namespace test_support
