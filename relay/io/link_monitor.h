// rtnetlink: links and IPv4 addresses of this host, first all of them, then each change as the kernel reports it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "relay/core/address.h"
#include "relay/io/interface_view.h"

namespace relay::io {

/// Needs no privilege and opens nothing after construction. A link is up when it is so administratively (IFF_UP). Its
/// carrier (IFF_LOWER_UP) is told apart, since the kernel reports it late.
class LinkMonitor {
 public:
  /// Opens the sockets and subscribes; throws std::system_error. `view` must outlive the monitor.
  explicit LinkMonitor(InterfaceView& view);
  ~LinkMonitor();
  LinkMonitor(const LinkMonitor&) = delete;
  LinkMonitor& operator=(const LinkMonitor&) = delete;

  /// Brings the view in step with the kernel: what is gone is removed, what is there is added or changed, addresses are
  /// in the kernel's order. Throws std::system_error and leaves the view as it was where the kernel does not answer.
  void synchronise();

  /// Readable when the kernel has reported changes.
  [[nodiscard]] int descriptor() const noexcept;

  /// Whether the kernel has reported changes that were not read.
  [[nodiscard]] bool has_changes() const noexcept;

  /// Reads all reported changes without waiting for any. Where the kernel had to drop some (ENOBUFS), synchronises
  /// instead. Returns whether the view is in step with the kernel: if not, the next call tries again.
  [[nodiscard]] bool read_changes() noexcept;

  /// MTU of the route to `destination`, octets of IP datagram; nothing where there is no route now.
  [[nodiscard]] std::optional<std::size_t> route_mtu(Ipv4Address destination);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::io
