// Puts the fragments of IP packets together (RFC 791 section 3.2, RFC 8200 section 4.5), for captures. Of bounded
// memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "relay/capture/datagram.h"

namespace relay::capture {

class Reassembly {
 public:
  Reassembly();
  ~Reassembly();
  Reassembly(const Reassembly&) = delete;
  Reassembly& operator=(const Reassembly&) = delete;

  /// The whole packet, once the last of its fragments was given: no fragment any more, with the link header of the one
  /// in front, its payload valid until the next call. Fragments that overlap with other octets (in IPv6, that overlap
  /// at all and are not the same), that would get over 65,535 octets, or that lack others for longer than 30 seconds
  /// (of the capture's time) are forgotten, and so are the oldest of more than 256 datagrams. Fragments that the
  /// capture has cut are passed over. Needs `fragment.is_fragment()`. Fragments of different interfaces, VLANs and
  /// directions do not mix.
  [[nodiscard]] std::optional<IpPacket> add(const IpPacket& fragment, std::size_t interface,
                                            std::chrono::nanoseconds time);

  /// The number of the datagram that the last fragment given was of, counted from 1; 0: it was cut, and of none.
  [[nodiscard]] std::uint64_t datagram() const noexcept;

  /// The numbers of those that were forgotten when the last fragment was given, valid until the next one is.
  [[nodiscard]] std::span<const std::uint64_t> forgotten() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::capture
