#include "relay/capture/pcapng_writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <limits>
#include <span>

namespace relay::capture {

namespace {

using Buffer = std::vector<std::uint8_t>;

// Sections are those of draft-ietf-opsawg-pcapng.
enum class BlockType : std::uint32_t {
  interface_description = 1,   // section 4.2
  interface_statistics = 5,    // section 4.6
  enhanced_packet = 6,         // section 4.3
  section_header = 0x0a0d0d0a  // section 4.1
};

// Options of every block, section 3.5.
constexpr std::uint16_t end_of_options = 0;
constexpr std::uint16_t comment_option = 1;

constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d;
constexpr std::size_t max_option_size = std::numeric_limits<std::uint16_t>::max();
constexpr std::size_t alignment = 4;
constexpr std::uint8_t nanoseconds_resolution = 9;  // if_tsresol: ten to the minus ninth
constexpr std::uint8_t filter_is_text = 0;          // if_filter: the first octet tells a filter in libpcap's words

// epb_flags, section 4.3.1: the two lowest bits.
constexpr std::uint32_t flags_inbound = 1;
constexpr std::uint32_t flags_outbound = 2;

template <typename Value>
void append(Buffer& buffer, Value value) {
  const auto octets = std::bit_cast<std::array<std::uint8_t, sizeof value>>(value);
  buffer.insert(buffer.end(), octets.begin(), octets.end());
}

template <typename Value>
void overwrite(Buffer& buffer, std::size_t offset, Value value) {
  const auto octets = std::bit_cast<std::array<std::uint8_t, sizeof value>>(value);
  std::ranges::copy(octets, buffer.begin() + static_cast<std::ptrdiff_t>(offset));
}

/// One block, which has its length at both ends (section 3.1), and its options behind the fixed fields. The block is
/// whole once `end` was called.
class Block {
 public:
  Block(Buffer& buffer, BlockType type) : buffer_(buffer), start_(buffer.size()) {
    append(buffer_, type);
    append(buffer_, std::uint32_t{0});  // the length, once it is known
  }

  template <typename Value>
  void field(Value value) {
    append(buffer_, value);
  }

  void octets(std::span<const std::uint8_t> octets) { buffer_.insert(buffer_.end(), octets.begin(), octets.end()); }

  /// High 32 bits first, in either byte order (section 4.3).
  void time(std::chrono::nanoseconds time) {
    const auto count = static_cast<std::uint64_t>(std::max(time, std::chrono::nanoseconds{0}).count());
    field(static_cast<std::uint32_t>(count >> 32U));
    field(static_cast<std::uint32_t>(count));
  }

  void pad() { buffer_.resize(start_ + (buffer_.size() - start_ + alignment - 1) / alignment * alignment, 0); }

  /// An option whose value `write` appends: at most 65,535 octets.
  template <typename Write>
  void option(std::uint16_t code, Write&& write) {
    field(code);
    field(std::uint16_t{0});  // the length, once it is known
    const std::size_t value = buffer_.size();
    write();
    overwrite(buffer_, value - sizeof(std::uint16_t), static_cast<std::uint16_t>(buffer_.size() - value));
    pad();
    has_options_ = true;
  }

  template <typename Value>
  void number(std::uint16_t code, Value value) {
    option(code, [&] { field(value); });
  }

  /// An empty text is left out.
  void text(std::uint16_t code, std::string_view text) {
    if (!text.empty()) {
      option(code, [&] { printable(text, max_option_size); });
    }
  }

  /// Appends `text` with escapes for all that is not printable ASCII, cut before what would cross `max_size` octets.
  void printable(std::string_view text, std::size_t max_size) {
    constexpr std::string_view digits = "0123456789abcdef";
    constexpr std::size_t escape_size = 4;
    const std::size_t end = buffer_.size() + max_size;
    for (const char character : text) {
      const auto octet = static_cast<std::uint8_t>(character);
      const bool is_printable = octet >= 0x20 && octet < 0x7f;
      if (buffer_.size() + (is_printable ? 1 : escape_size) > end) {
        return;
      }
      if (is_printable) {
        field(octet);
      } else {
        field(std::array{'\\', 'x', digits[octet >> 4U], digits[octet & 0xfU]});
      }
    }
  }

  void end() {
    if (has_options_) {
      field(end_of_options);
      field(std::uint16_t{0});
    }
    const auto size = static_cast<std::uint32_t>(buffer_.size() - start_ + sizeof(std::uint32_t));
    field(size);
    overwrite(buffer_, start_ + sizeof(BlockType), size);
  }

 private:
  Buffer& buffer_;
  std::size_t start_;
  bool has_options_ = false;
};

}  // namespace

// Section 4.1
void PcapngWriter::section(const SectionFacts& facts) {
  constexpr std::uint16_t hardware = 2;
  constexpr std::uint16_t system = 3;
  constexpr std::uint16_t application = 4;
  Block block{buffer_, BlockType::section_header};
  block.field(byte_order_magic);
  block.field(std::uint16_t{1});  // version 1.0
  block.field(std::uint16_t{0});
  block.field(std::int64_t{-1});  // the section's length is not known
  block.text(comment_option, facts.comment);
  block.text(hardware, facts.hardware);
  block.text(system, facts.system);
  block.text(application, facts.application);
  block.end();
  interface_count_ = 0;
}

// Section 4.2
std::uint32_t PcapngWriter::interface(const CapturedInterface& facts, std::string_view filter) {
  constexpr std::uint16_t name = 2;
  constexpr std::uint16_t description = 3;
  constexpr std::uint16_t ipv4_address = 4;
  constexpr std::uint16_t ipv6_address = 5;
  constexpr std::uint16_t mac_address = 6;
  constexpr std::uint16_t time_resolution = 9;
  constexpr std::uint16_t filter_option = 11;
  Block block{buffer_, BlockType::interface_description};
  block.field(facts.link_type);
  block.field(std::uint16_t{0});  // reserved
  block.field(static_cast<std::uint32_t>(max_captured_size));
  block.text(name, facts.name);
  block.text(description, facts.description);
  for (const Ipv4Prefix& prefix : facts.addresses) {
    block.option(ipv4_address, [&] {
      block.octets(prefix.address.octets);
      block.octets(Ipv4Address::from_host_order(prefix.mask()).octets);
    });
  }
  for (const Ipv6Prefix& prefix : facts.addresses6) {
    block.option(ipv6_address, [&] {
      block.octets(prefix.address.octets);
      block.field(prefix.length);
    });
  }
  if (facts.mac) {
    block.option(mac_address, [&] { block.octets(facts.mac->octets); });
  }
  block.number(time_resolution, nanoseconds_resolution);
  if (!filter.empty()) {
    block.option(filter_option, [&] {
      block.field(filter_is_text);
      block.printable(filter, max_option_size - sizeof filter_is_text);
    });
  }
  block.end();
  return interface_count_++;
}

// Section 4.3
void PcapngWriter::packet(std::uint32_t interface, const Packet& packet, const PacketNotes& notes) {
  constexpr std::uint16_t flags = 2;
  constexpr std::uint16_t drop_count = 4;
  assert(interface < interface_count_);
  const auto captured = packet.octets.first(std::min(packet.octets.size(), max_captured_size));
  const std::size_t original_size =
      std::clamp<std::size_t>(packet.original_size, packet.octets.size(), std::numeric_limits<std::uint32_t>::max());
  Block block{buffer_, BlockType::enhanced_packet};
  block.field(interface);
  block.time(packet.time);
  block.field(static_cast<std::uint32_t>(captured.size()));
  block.field(static_cast<std::uint32_t>(original_size));
  block.octets(captured);
  block.pad();
  block.text(comment_option, notes.comment);
  if (packet.direction != Direction::unknown) {
    block.number(flags, packet.direction == Direction::inbound ? flags_inbound : flags_outbound);
  }
  if (notes.lost_before) {
    block.number(drop_count, *notes.lost_before);
  }
  block.end();
}

// Section 4.6
void PcapngWriter::statistics(std::uint32_t interface, std::chrono::nanoseconds time,
                              const InterfaceStatistics& statistics) {
  constexpr std::uint16_t end_time = 3;
  constexpr std::uint16_t received = 4;
  constexpr std::uint16_t dropped = 7;
  constexpr std::uint16_t delivered = 8;
  assert(interface < interface_count_);
  Block block{buffer_, BlockType::interface_statistics};
  block.field(interface);
  block.time(time);
  block.text(comment_option, statistics.comment);
  block.option(end_time, [&] { block.time(time); });
  block.number(received, statistics.received);
  block.number(dropped, statistics.dropped);
  block.number(delivered, statistics.delivered);
  block.end();
}

}  // namespace relay::capture
