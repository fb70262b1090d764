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

/// What a section says of itself; an empty text is left out.
struct SectionFacts {
  std::string hardware;     ///< shb_hardware
  std::string system;       ///< shb_os
  std::string application;  ///< shb_userappl
  std::string comment;      ///< opt_comment
};

/// What stands beside a packet.
struct PacketNotes {
  std::string_view comment;                    ///< empty: none; cut at 65,535 octets
  std::optional<std::uint64_t> lost_before{};  ///< epb_dropcount: packets lost between this one and the one before it
};

/// What the capture counted on an interface when it ended.
struct InterfaceStatistics {
  std::uint64_t received = 0;   ///< isb_ifrecv
  std::uint64_t dropped = 0;    ///< isb_osdrop: by the kernel, for want of room
  std::uint64_t delivered = 0;  ///< isb_usrdeliv: written to the file
  std::string_view comment{};
};

/// Each function appends exactly one whole block to the buffer. Text of any octets is made printable UTF-8 without line
/// breaks where the format wants UTF-8.
class PcapngWriter {
 public:
  /// `buffer` must outlive the writer and may be emptied between calls.
  explicit PcapngWriter(std::vector<std::uint8_t>& buffer) : buffer_(buffer) {}

  /// Begins a section, whose interfaces and packets count from zero.
  void section(const SectionFacts& facts);
  /// The interface's number in this section. Times are in nanoseconds. `filter` is the capture filter in words; empty:
  /// none.
  std::uint32_t interface(const CapturedInterface& facts, std::string_view filter);
  /// `interface` is a number that `interface` returned in this section; `packet.interface` plays no part.
  void packet(std::uint32_t interface, const Packet& packet, const PacketNotes& notes);
  void statistics(std::uint32_t interface, std::chrono::nanoseconds time, const InterfaceStatistics& statistics);

 private:
  std::vector<std::uint8_t>& buffer_;
  std::uint32_t interface_count_ = 0;
};

}  // namespace relay::capture
