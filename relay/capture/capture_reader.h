// Reads captures, pcap (micro- and nanoseconds, both byte orders) and pcapng, packet by packet. What is wrong in a file
// ends the reading with one sentence; all in front of it is told. Of bounded memory. Knows no file: it asks for octets.
// Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "relay/capture/packet.h"

namespace relay::capture {

class CaptureReader {
 public:
  /// Fills `octets` with the next ones of the file and returns how many there were: fewer at its end alone.
  using Source = std::function<std::size_t(std::span<std::uint8_t> octets)>;

  explicit CaptureReader(Source source);
  ~CaptureReader();
  CaptureReader(const CaptureReader&) = delete;
  CaptureReader& operator=(const CaptureReader&) = delete;

  /// The next packet, whose octets are valid until the next call; nothing at the end of the file or at a fault. Its
  /// time is the nearest that nanoseconds can tell, and 1970 where the file tells none (simple packet blocks).
  [[nodiscard]] std::optional<Packet> next();

  /// What ended the reading before the end of the file: one clause without a stop, such as `the file ends inside
  /// packet 7` or `not a capture file: it begins with 0x7f454c46`; empty where the file was read whole.
  [[nodiscard]] const std::string& fault() const noexcept;

  /// The interfaces of all sections so far, at most 4,096; `Packet::interface` is a position in it. A pcap file has
  /// one without a name. Of a name and a description there are at most 256 octets, any octets, and at most 16
  /// addresses.
  [[nodiscard]] const std::vector<CapturedInterface>& interfaces() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::capture
