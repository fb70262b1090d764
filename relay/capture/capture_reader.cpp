#include "relay/capture/capture_reader.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <variant>

#include "relay/capture/octets.h"
#include "relay/capture/pcapng_section.h"

namespace relay::capture {

namespace {

using BlockType = PcapngSection::BlockType;

constexpr std::size_t max_size = std::size_t{16} << 20U;  // of a packet or block; more is a lie
constexpr std::size_t max_interfaces = 4096;
constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d;

[[nodiscard]] std::string too_large(std::size_t size) {
  return " has a length of " + std::to_string(size) + ", more than the " + std::to_string(max_size) + " that are read";
}

[[nodiscard]] std::string hexadecimal(Octets octets) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "0x";
  for (const std::uint8_t octet : octets) {
    text += {digits[octet >> 4U], digits[octet & 0x0fU]};
  }
  return text;
}

/// The octets of a file in pieces. Takes up no more than what was asked for and is there.
class Input {
 public:
  explicit Input(CaptureReader::Source source) : source_(std::move(source)) {}

  /// The next `size` octets, fewer at the end of the file, from where `take` was called last. The view is good until
  /// the next call.
  [[nodiscard]] Octets peek(std::size_t size) {
    constexpr std::size_t step = 65'536;
    while (piece_.size() < size && !is_ended_) {
      const std::size_t before = piece_.size();
      piece_.resize(std::min(size, before + step));
      const auto room = std::span{piece_}.subspan(before);
      const std::size_t count = std::min(source_(room), room.size());
      is_ended_ = count < room.size();
      piece_.resize(before + count);
    }
    return Octets{piece_}.first(std::min(size, piece_.size()));
  }

  /// Goes on behind what was looked at.
  void take() noexcept { piece_.clear(); }

 private:
  CaptureReader::Source source_;
  std::vector<std::uint8_t> piece_;
  bool is_ended_ = false;
};

/// What the first four octets of a pcap file say.
struct PcapForm {
  ByteOrder order = ByteOrder::big;
  bool has_nanoseconds = false;
  std::size_t record_head_size = 16;
};

[[nodiscard]] std::optional<PcapForm> pcap_form(Octets magic) noexcept {
  constexpr std::size_t modified_head_size = 24;  // Kuznetzov's: of which interface and kind, too
  for (const ByteOrder order : {ByteOrder::big, ByteOrder::little}) {
    switch (number32_at(magic, 0, order)) {
      case 0xa1b2c3d4:
        return PcapForm{.order = order};
      case 0xa1b23c4d:
        return PcapForm{.order = order, .has_nanoseconds = true};
      case 0xa1b2cd34:
        return PcapForm{.order = order, .record_head_size = modified_head_size};
      default:
        break;
    }
  }
  return std::nullopt;
}

}  // namespace

class CaptureReader::Impl {
 public:
  explicit Impl(Source source) : input_(std::move(source)) {}

  [[nodiscard]] std::optional<Packet> next();
  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }
  [[nodiscard]] const std::vector<CapturedInterface>& interfaces() const noexcept { return interfaces_; }

 private:
  enum class State : std::uint8_t { unread, in_pcap, in_pcapng, over };
  struct Block {
    BlockType type{};
    Octets body;
  };

  /// Each of these returns false or nothing where the reading is over.
  [[nodiscard]] bool begin();
  [[nodiscard]] bool begin_pcap(const PcapForm& form);
  [[nodiscard]] std::optional<Packet> next_of_pcap();
  [[nodiscard]] std::optional<Packet> next_of_pcapng();
  [[nodiscard]] std::optional<std::size_t> next_block_size(Octets head);
  [[nodiscard]] std::optional<Block> next_block();
  [[nodiscard]] bool begin_section(Octets body);
  [[nodiscard]] bool add_interface(Octets body);

  std::nullopt_t end(std::string fault = {}) {
    state_ = State::over;
    fault_ = std::move(fault);
    return std::nullopt;
  }
  std::nullopt_t end_at_block(const std::string& clause) { return end("block " + std::to_string(count_) + clause); }

  Input input_;
  State state_ = State::unread;
  std::string fault_;
  std::vector<CapturedInterface> interfaces_;
  std::uint64_t count_ = 0;  ///< packets of a pcap file, blocks of a pcapng file
  PcapForm pcap_;
  PcapngSection section_;
};

std::optional<Packet> CaptureReader::Impl::next() {
  if (state_ == State::unread && !begin()) {
    return std::nullopt;
  }
  switch (state_) {
    case State::in_pcap:
      return next_of_pcap();
    case State::in_pcapng:
      return next_of_pcapng();
    case State::unread:
    case State::over:
      break;
  }
  return std::nullopt;
}

bool CaptureReader::Impl::begin() {
  const Octets magic = input_.peek(4);
  if (magic.empty()) {
    end("the file is empty");
    return false;
  }
  if (magic.size() >= 2 && magic[0] == 0x1f && magic[1] == 0x8b) {
    end("the file is compressed with gzip; decompress it first");
    return false;
  }
  if (magic.size() == 4) {
    if (number32_at(magic, 0) == static_cast<std::uint32_t>(BlockType::section_header)) {
      state_ = State::in_pcapng;
      return true;
    }
    if (const auto form = pcap_form(magic)) {
      return begin_pcap(*form);
    }
  }
  end("not a capture file: it begins with " + hexadecimal(magic));
  return false;
}

bool CaptureReader::Impl::begin_pcap(const PcapForm& form) {
  constexpr std::size_t header_size = 24;
  constexpr std::uint16_t known_version = 2;
  const Octets header = input_.peek(header_size);
  if (header.size() < header_size) {
    end("the file ends inside its header");
    return false;
  }
  const std::uint16_t version = number16_at(header, 4, form.order);
  if (version != known_version) {
    end("a pcap file of version " + std::to_string(version) + ", which is not known");
    return false;
  }
  CapturedInterface interface;
  interface.link_type = link_type_of(number32_at(header, 20, form.order));
  interfaces_.push_back(std::move(interface));
  pcap_ = form;
  input_.take();
  state_ = State::in_pcap;
  return true;
}

std::optional<Packet> CaptureReader::Impl::next_of_pcap() {
  input_.take();
  const Octets head = input_.peek(pcap_.record_head_size);
  if (head.empty()) {
    return end();
  }
  const std::string name = "packet " + std::to_string(++count_);
  if (head.size() < pcap_.record_head_size) {
    return end("the file ends inside " + name);
  }
  const std::size_t size = number32_at(head, 8, pcap_.order);
  if (size > max_size) {
    return end(name + too_large(size));
  }
  const Octets record = input_.peek(pcap_.record_head_size + size);
  if (record.size() < pcap_.record_head_size + size) {
    return end("the file ends inside " + name);
  }
  const std::int64_t fraction = number32_at(record, 4, pcap_.order);
  return Packet{.link_type = interfaces_[0].link_type,
                .time = std::chrono::seconds{number32_at(record, 0, pcap_.order)} +
                        std::chrono::nanoseconds{pcap_.has_nanoseconds ? fraction : fraction * 1'000},
                .octets = record.subspan(pcap_.record_head_size),
                .original_size = number32_at(record, 12, pcap_.order)};
}

std::optional<Packet> CaptureReader::Impl::next_of_pcapng() {
  while (const auto block = next_block()) {
    switch (block->type) {
      case BlockType::section_header:
        if (!begin_section(block->body)) {
          return std::nullopt;
        }
        break;
      case BlockType::interface_description:
        if (!add_interface(block->body)) {
          return std::nullopt;
        }
        break;
      case BlockType::packet:
      case BlockType::simple_packet:
      case BlockType::enhanced_packet: {
        const auto read = section_.packet(block->type, block->body);
        if (const auto* const fault = std::get_if<BlockFault>(&read)) {
          return end_at_block(" " + fault->text);
        }
        return std::get<Packet>(read);
      }
    }
  }
  return std::nullopt;
}

/// The block's length, which is possible; `head` is its first 12 octets.
std::optional<std::size_t> CaptureReader::Impl::next_block_size(Octets head) {
  constexpr std::size_t least_size = 12;
  ByteOrder order = section_.order();
  if (number32_at(head, 0) == static_cast<std::uint32_t>(BlockType::section_header)) {  // the same in both orders
    order = number32_at(head, 8) == byte_order_magic ? ByteOrder::big : ByteOrder::little;
    if (number32_at(head, 8, order) != byte_order_magic) {
      return end_at_block(" begins a section in no known byte order: " + hexadecimal(head.subspan(8, 4)));
    }
    section_ = PcapngSection{order, interfaces_.size()};
  }
  const std::size_t size = number32_at(head, 4, order);
  if (size > max_size) {
    return end_at_block(too_large(size));
  }
  if (size < least_size) {
    return end_at_block(" has a length of " + std::to_string(size) + (size == 0 ? "" : ", too short for a block"));
  }
  if (size % 4 != 0) {
    return end_at_block(" has a length of " + std::to_string(size) + ", which is no multiple of 4");
  }
  return size;
}

std::optional<CaptureReader::Impl::Block> CaptureReader::Impl::next_block() {
  constexpr std::size_t head_size = 12;  // type, length, and what a section begins with or the smallest block ends with
  if (count_ > 0) {
    input_.take();
  }
  const Octets head = input_.peek(head_size);
  if (head.empty()) {
    return end();
  }
  ++count_;
  if (head.size() < head_size) {
    return end("the file ends inside block " + std::to_string(count_));
  }
  const auto size = next_block_size(head);
  if (!size) {
    return std::nullopt;
  }
  const Octets block = input_.peek(*size);
  if (block.size() < *size) {
    return end("the file ends inside block " + std::to_string(count_));
  }
  const std::size_t trailing_size = number32_at(block, *size - 4, section_.order());
  if (trailing_size != *size) {
    return end_at_block(" begins with a length of " + std::to_string(*size) + " and ends with one of " +
                        std::to_string(trailing_size));
  }
  return Block{BlockType{number32_at(block, 0, section_.order())}, block.subspan(8, *size - head_size)};
}

bool CaptureReader::Impl::begin_section(Octets body) {
  constexpr std::size_t least_size = 16;
  constexpr std::uint16_t known_version = 1;
  if (body.size() < least_size) {
    end_at_block(" is too short for a section");
    return false;
  }
  const std::uint16_t version = number16_at(body, 4, section_.order());
  if (version != known_version) {
    end_at_block(" begins a section of version " + std::to_string(version) + ", which is not known");
    return false;
  }
  return true;
}

bool CaptureReader::Impl::add_interface(Octets body) {
  if (interfaces_.size() == max_interfaces) {
    end_at_block(" is one interface more than the " + std::to_string(max_interfaces) + " that are read");
    return false;
  }
  auto read = section_.add_interface(body);
  if (const auto* const fault = std::get_if<BlockFault>(&read)) {
    end_at_block(" " + fault->text);
    return false;
  }
  interfaces_.push_back(std::get<CapturedInterface>(std::move(read)));
  return true;
}

CaptureReader::CaptureReader(Source source) : impl_(std::make_unique<Impl>(std::move(source))) {}
CaptureReader::~CaptureReader() = default;

std::optional<Packet> CaptureReader::next() {
  return impl_->next();
}

const std::string& CaptureReader::fault() const noexcept {
  return impl_->fault();
}

const std::vector<CapturedInterface>& CaptureReader::interfaces() const noexcept {
  return impl_->interfaces();
}

}  // namespace relay::capture
