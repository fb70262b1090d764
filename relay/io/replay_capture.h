// The capture that a replay writes: the messages of its input with comments, and those that would be sent.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "relay/capture/packet.h"
#include "relay/capture/pcapng_writer.h"
#include "relay/io/capture_file.h"

namespace relay::io {

class ReplayCapture {
 public:
  /// `filter` is what was selected of the input, in words. Throws as `CaptureFile` does.
  ReplayCapture(const CaptureFile::Options& options, capture::SectionFacts section, std::string filter);

  /// The interface of this name is this one from now on: it is described in this file and at the start of each later
  /// one. Nothing where it is the same as before. Throws as `CaptureFile::write`.
  void describe(const capture::CapturedInterface& interface);

  /// Writes the packet. Those of interfaces of which all is the same are of one interface. Returns the packet's number
  /// in the file, the first one being 1. Throws as `CaptureFile::write`.
  std::uint64_t write(const capture::CapturedInterface& interface, const capture::Packet& packet,
                      std::string_view comment);

 private:
  void append_section();
  std::uint32_t append(const std::string& key, const capture::CapturedInterface& interface);
  void append(const capture::CapturedInterface& interface, const capture::Packet& packet, std::string_view comment);

  CaptureFile file_;
  std::uint64_t max_size_;
  capture::SectionFacts section_;
  std::string filter_;
  std::vector<std::uint8_t> blocks_;
  capture::PcapngWriter writer_{blocks_};
  std::uint64_t packet_count_ = 0;                       // in this file
  std::map<std::string, std::uint32_t> numbers_;         // of interfaces in this file, by their keys
  std::vector<capture::CapturedInterface> described_;    // each name once
  std::map<std::string, std::size_t> position_by_name_;  // in `described_`
};

}  // namespace relay::io
