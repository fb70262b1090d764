// A filter in libpcap's language (pcap-filter(7)), applied to packets that were captured.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "relay/capture/packet.h"

namespace relay::io {

/// What is wrong with a filter: libpcap's words.
class FilterError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Needs no device and no privilege; names in the expression are looked up.
class PacketFilter {
 public:
  /// Throws FilterError where the expression is wrong, as it would be on Ethernet.
  explicit PacketFilter(const std::string& expression);
  ~PacketFilter();
  PacketFilter(const PacketFilter&) = delete;
  PacketFilter& operator=(const PacketFilter&) = delete;

  /// Throws FilterError where the expression does not go with the packet's link type.
  [[nodiscard]] bool selects(const capture::Packet& packet);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::io
