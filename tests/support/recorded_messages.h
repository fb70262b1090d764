// BOOTP, DHCP and DHCPv6 messages that other projects recorded, read where they lie (DHCP_RELAY_SHARED); none is part
// of ours.
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

/// The same of DHCPv6: the payloads in corpora/v6, and those of UDP ports 546 and 547 in captures, where they are whole
/// and right behind an IPv6 header on Ethernet.
[[nodiscard]] std::vector<RecordedMessage> recorded_messages6();

}  // namespace test_support
