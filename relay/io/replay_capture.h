// The capture that a replay writes: the messages of its input with comments, and those that would be sent.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/capture/packet.h"
#include "relay/capture/pcapng_writer.h"
#include "relay/io/capture_file.h"

namespace relay::io {

class ReplayCapture {
 public:
  /// `filter` is what was selected of the input, in words. Throws as `CaptureFile` does.
  ReplayCapture(const CaptureFile::Options& options, capture::SectionFacts section, std::string filter);

  /// Writes the packet. Those of interfaces with the same name and link type are of one interface, which is described
  /// as for the first of them. Returns the packet's number in the file, the first one being 1. Throws as
  /// `CaptureFile::write`.
  std::uint64_t write(const capture::CapturedInterface& interface, const capture::Packet& packet,
                      std::string_view comment);

 private:
  void append_section();
  void append(const capture::CapturedInterface& interface, const capture::Packet& packet, std::string_view comment);

  CaptureFile file_;
  capture::SectionFacts section_;
  std::string filter_;
  std::vector<std::uint8_t> blocks_;
  capture::PcapngWriter writer_{blocks_};
  std::uint64_t packet_count_ = 0;                                              // in this file
  std::map<std::pair<std::string, capture::LinkType>, std::uint32_t> numbers_;  // of interfaces in this file
};

}  // namespace relay::io
