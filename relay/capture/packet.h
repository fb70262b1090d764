// A packet as a capture has it, and the interface on which it was seen. Plain data, whatever the file or device it is
// of.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "relay/core/address.h"

namespace relay::capture {

/// What stands in front of the IP header: values of the LINKTYPE_ registry, https://www.tcpdump.org/linktypes.html.
enum class LinkType : std::uint16_t {
  null = 0,  ///< BSD loopback: four octets of address family in the writer's byte order
  ethernet = 1,
  raw = 101,         ///< an IPv4 or IPv6 header at once
  ieee802_11 = 105,  ///< an IEEE 802.11 header
  loop = 108,        ///< OpenBSD loopback: address family in network byte order
  linux_sll = 113,   ///< Linux cooked capture v1
  radiotap = 127,    ///< what the radio says, then an IEEE 802.11 header
  ipv4 = 228,        ///< an IPv4 header at once
  ipv6 = 229,        ///< an IPv6 header at once
  linux_sll2 = 276,  ///< Linux cooked capture v2
};

/// The link type that a file's number or a device's (`pcap_datalink`) stands for. The bits above the type tell of check
/// sequences behind frames, and 12 and 14 are what systems call `raw` among themselves.
[[nodiscard]] constexpr LinkType link_type_of(std::uint32_t number) noexcept {
  const auto type = static_cast<std::uint16_t>(number);
  return type == 12 || type == 14 ? LinkType::raw : LinkType{type};
}

enum class Direction : std::uint8_t { unknown, inbound, outbound };

/// An interface of a capture.
struct CapturedInterface {
  std::string name;         ///< empty where the file has none
  std::string description;  ///< likewise
  LinkType link_type = LinkType::ethernet;
  std::vector<Ipv4Prefix> addresses;
  std::optional<MacAddress> mac;
  std::vector<Ipv6Prefix> addresses6{};
};

/// One packet. Borrows its octets from whoever tells of it.
struct Packet {
  std::size_t interface = 0;  ///< position in the teller's list of interfaces
  LinkType link_type = LinkType::ethernet;
  std::chrono::nanoseconds time{};  ///< since 1970-01-01 00:00 UTC
  Direction direction = Direction::unknown;
  std::span<const std::uint8_t> octets;  ///< what was captured
  std::size_t original_size = 0;         ///< what was on the wire, octets
};

}  // namespace relay::capture
