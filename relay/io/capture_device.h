// libpcap on one interface: packets as they pass it, in both directions. The only user of live libpcap.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "relay/capture/host_view.h"
#include "relay/capture/packet.h"

namespace relay::io {

/// The process may not listen at all: it lacks CAP_NET_RAW.
class CaptureForbidden : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class CaptureDevice {
 public:
  struct Options {
    std::string filter;                    ///< of libpcap, pcap-filter(7)
    std::chrono::milliseconds patience{};  ///< how long the kernel may collect packets before it hands them over
    std::size_t buffer_size = 0;           ///< octets, the kernel's
  };
  struct Statistics {
    std::uint64_t received = 0;
    std::uint64_t dropped = 0;  ///< for want of room in the buffer
  };

  using Tell = std::function<void(const capture::Packet&, std::uint32_t interface_index)>;

  /// Needs CAP_NET_RAW. Not in promiscuous mode. A point without an index is libpcap's `any`: all interfaces of the
  /// host, whose packets have cooked headers. Throws CaptureForbidden, or std::runtime_error with a clause that says
  /// why not.
  CaptureDevice(const capture::HostView::Point& point, const Options& options);
  ~CaptureDevice();
  CaptureDevice(const CaptureDevice&) = delete;
  CaptureDevice& operator=(const CaptureDevice&) = delete;

  /// Readable when there are packets.
  [[nodiscard]] int descriptor() const noexcept;

  /// Calls `tell` for what is there, without waiting, with the index of the interface; `Packet::octets` are valid
  /// during the call alone. Throws std::runtime_error where the interface is gone or down, and what `tell` throws.
  void read(const Tell& tell);

  [[nodiscard]] Statistics statistics() const;

  [[nodiscard]] const capture::HostView::Point& point() const noexcept;
  /// Addresses and description changed; index and name did not.
  void describe(const capture::HostView::Point& point);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::io
