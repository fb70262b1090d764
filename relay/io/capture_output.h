// The pcapng stream of a running capture: packets with their comments go in, files that are valid by themselves come
// out.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "relay/capture/host_view.h"
#include "relay/capture/packet.h"
#include "relay/capture/pcapng_writer.h"
#include "relay/io/capture_file.h"

namespace relay::io {

class CaptureOutput {
 public:
  using Comment = std::function<std::string()>;

  /// Packets so far, and those of them that are in earlier files.
  struct Count {
    std::uint64_t packets = 0;
    std::uint64_t in_earlier_files = 0;
  };

  /// `file` must outlive it. `filter` stands in the description of each interface. `before`: what is there already
  /// where the file goes on, whose readers count on.
  CaptureOutput(CaptureFile& file, capture::SectionFacts section, std::string filter, Count before);

  /// Describes the interfaces that the current file does not describe yet, or not as they are now.
  void describe(const capture::HostView& view);

  /// Appends a packet and returns its number in the whole capture, from 1 on. A full file is rotated before `comment`
  /// is asked; so throws as `flush`.
  std::uint64_t packet(const capture::HostView::Point& point, const capture::Packet& packet, const Comment& comment,
                       std::uint64_t lost_before, const std::function<bool()>& should_stop);

  /// The number, as readers of the current file count, of the packet that `packet` returned this number for; nothing
  /// where it is in an earlier file.
  [[nodiscard]] std::optional<std::uint64_t> frame_of(std::uint64_t number) const noexcept;

  void statistics(const capture::HostView::Point& point, std::chrono::nanoseconds time,
                  const capture::InterfaceStatistics& statistics);

  /// Hands what was appended to the file. Throws std::runtime_error with one sentence where that fails.
  void flush(const std::function<bool()>& should_stop);

  [[nodiscard]] std::size_t unwritten() const noexcept { return buffer_.size(); }
  /// Packets that were handed to the files, those before included.
  [[nodiscard]] Count written() const noexcept { return {packets_written_, packets_before_}; }

 private:
  struct Described {
    capture::HostView::Point point;
    capture::LinkType link_type = capture::LinkType::ethernet;
    std::uint32_t number = 0;
  };

  void begin_next_file();
  [[nodiscard]] std::uint32_t number_of(const capture::HostView::Point& point, capture::LinkType link_type);

  CaptureFile& file_;
  capture::SectionFacts section_;
  std::string filter_;
  std::vector<std::uint8_t> buffer_;
  capture::PcapngWriter writer_{buffer_};
  std::map<std::uint32_t, Described> described_;  // in this file, by index
  std::uint64_t packets_ = 0;                     // in all files
  std::uint64_t packets_written_ = 0;             // of these, handed over
  std::uint64_t packets_before_ = 0;              // in earlier files
};

}  // namespace relay::io
