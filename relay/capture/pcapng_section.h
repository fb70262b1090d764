// One section of a pcapng file (draft-ietf-opsawg-pcapng section 4): what its blocks say, block by block. Views into
// the blocks. Knows neither the file nor what is in front of the section.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "relay/capture/octets.h"
#include "relay/capture/packet.h"

namespace relay::capture {

/// What is wrong with a block: a clause whose subject is the block, such as `is too short for a packet`.
struct BlockFault {
  std::string text;
};

class PcapngSection {
 public:
  /// The types of blocks that are not skipped.
  enum class BlockType : std::uint32_t {
    interface_description = 1,
    packet = 2,  ///< obsolete
    simple_packet = 3,
    enhanced_packet = 6,
    section_header = 0x0a0d0d0a,
  };

  PcapngSection() = default;
  /// `first_interface`: how many interfaces the sections in front of it have.
  PcapngSection(ByteOrder order, std::size_t first_interface) : order_(order), first_interface_(first_interface) {}

  [[nodiscard]] ByteOrder order() const noexcept { return order_; }

  /// An interface description's body: all between the block's two lengths. The next packets may be of it.
  [[nodiscard]] std::variant<CapturedInterface, BlockFault> add_interface(Octets body);

  /// The body of a block of one of the three types that hold a packet. `Packet::interface` counts those of the sections
  /// in front of it, too. The octets are those of the body.
  [[nodiscard]] std::variant<Packet, BlockFault> packet(BlockType type, Octets body) const;

 private:
  /// What packets need of an interface.
  struct Interface {
    LinkType link_type = LinkType::ethernet;
    std::uint32_t snap_size = 0;      ///< 0: no limit
    std::uint8_t resolution = 6;      ///< if_tsresol: a power of ten, or of two with the uppermost bit
    std::int64_t seconds_offset = 0;  ///< if_tsoffset
  };

  [[nodiscard]] std::optional<BlockFault> read_interface_options(Octets options, CapturedInterface& facts,
                                                                 Interface& interface) const;
  [[nodiscard]] std::variant<Packet, BlockFault> simple_packet(Octets body) const;
  [[nodiscard]] std::chrono::nanoseconds time(Octets body, const Interface& interface) const noexcept;

  ByteOrder order_ = ByteOrder::little;
  std::size_t first_interface_ = 0;
  std::vector<Interface> interfaces_;
};

}  // namespace relay::capture
