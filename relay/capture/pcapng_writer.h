// Writes the blocks of a pcapng file (draft-ietf-opsawg-pcapng) into a buffer, in this host's byte order. Knows no
// file: whoever calls takes whole blocks and writes them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/capture/packet.h"

namespace relay::capture {

/// The most octets of a packet that are written: readers take a file with more for damaged.
inline constexpr std::size_t max_captured_size = 262'144;

/// What a section says of itself; an empty text is left out.
struct SectionFacts {
  std::string hardware;     ///< shb_hardware
  std::string system;       ///< shb_os
  std::string application;  ///< shb_userappl
  std::string comment;      ///< opt_comment
};

/// What stands beside a packet.
struct PacketNotes {
  std::string_view comment{};                  ///< empty: none
  std::optional<std::uint64_t> lost_before{};  ///< epb_dropcount: packets lost between this one and the one before it
};

/// What the capture counted on an interface when it ended.
struct InterfaceStatistics {
  std::uint64_t received = 0;   ///< isb_ifrecv
  std::uint64_t dropped = 0;    ///< isb_osdrop: by the kernel, for want of room
  std::uint64_t delivered = 0;  ///< isb_usrdeliv: written to the file
  std::string_view comment{};
};

/// Each function appends exactly one whole block to the buffer. Text may hold any octets: what is not printable ASCII
/// is written as `\x0a`, and texts end where 65,535 octets are full. Needs `interface` to be a number that the function
/// `interface` returned in this section.
class PcapngWriter {
 public:
  /// `buffer` must outlive the writer and may be emptied between calls.
  explicit PcapngWriter(std::vector<std::uint8_t>& buffer) : buffer_(buffer) {}

  /// Begins a section, whose interfaces and packets count from zero.
  void section(const SectionFacts& facts);
  /// The interface's number in this section. Times are in nanoseconds. `filter` is the capture filter in words; empty:
  /// none.
  std::uint32_t interface(const CapturedInterface& facts, std::string_view filter);
  /// `packet.interface` plays no part. A time before 1970 is written as 1970.
  void packet(std::uint32_t interface, const Packet& packet, const PacketNotes& notes);
  void statistics(std::uint32_t interface, std::chrono::nanoseconds time, const InterfaceStatistics& statistics);

 private:
  std::vector<std::uint8_t>& buffer_;
  std::uint32_t interface_count_ = 0;
};

}  // namespace relay::capture
