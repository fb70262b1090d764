// rtnetlink: links and addresses of this host, first all of them, then each change as the kernel reports it, in
// portions, so that whoever follows thousands of changes has time for messages between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "relay/core/address.h"
#include "relay/core/families.h"
#include "relay/io/descriptor.h"
#include "relay/io/interface_view.h"

namespace relay::io {

/// How far the view is in step with the kernel.
enum class LinkProgress : std::uint8_t {
  in_step,  ///< all that was reported has been read
  behind,   ///< more waits to be read: another turn goes on
  asking,   ///< the kernel dropped reports and is asked for everything; `wake` is called when there is an answer
  failed,   ///< it did not answer, or not with one piece: `ask_again` after a while
};

/// A socket to which the kernel reports changes of links, and of the addresses of these families.
struct LinkReports {
  Descriptor socket;
  Families families;
};

/// With CAP_NET_ADMIN it has room for some 2,000
/// of them, else for what net.core.rmem_max allows. Throws std::system_error.
[[nodiscard]] LinkReports open_link_reports(Families families = {.ipv4 = true});

/// Needs no privilege and opens nothing after construction. A link is up when it is so administratively (IFF_UP). Its
/// carrier (IFF_LOWER_UP) is told apart, since the kernel reports it late.
class LinkMonitor {
 public:
  /// Opens the other sockets; throws std::system_error. `view` must outlive the monitor. `wake` is called on another
  /// thread, also while the monitor is being destroyed. `reports` is of `open_link_reports`.
  LinkMonitor(InterfaceView& view, std::function<void()> wake, LinkReports reports = open_link_reports());
  ~LinkMonitor();
  LinkMonitor(const LinkMonitor&) = delete;
  LinkMonitor& operator=(const LinkMonitor&) = delete;

  /// Brings the view in step with the kernel at once, before any changes are read: addresses are in the kernel's order.
  /// Throws std::system_error.
  void synchronise();

  /// Readable when the kernel has reported changes.
  [[nodiscard]] int descriptor() const noexcept;

  /// Whether `read_changes` has anything to do.
  [[nodiscard]] bool has_changes() const noexcept;

  /// One turn: reads some of the reported changes without waiting for any, or brings some interfaces in step with what
  /// the kernel answered. Where the kernel had to drop reports (ENOBUFS), begins to ask it for everything.
  [[nodiscard]] LinkProgress read_changes() noexcept;

  /// What the last turn came to.
  [[nodiscard]] LinkProgress progress() const noexcept;

  /// After `failed`: asks for everything anew. Without need it does nothing.
  void ask_again() noexcept;

  /// MTU of the route to `destination`, octets of IP datagram; nothing where there is no route now. Does not wait for
  /// those who change links.
  [[nodiscard]] std::optional<std::size_t> route_mtu(Ipv4Address destination);

  /// Index of the interface by which messages to `destination` leave; nothing where there is no route now.
  [[nodiscard]] std::optional<std::uint32_t> route_egress(const IpAddress& destination);

  /// Whether this host has `address` now, whatever the view has been told of it. True where the kernel does not answer.
  [[nodiscard]] bool holds(Ipv4Address address) noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::io
