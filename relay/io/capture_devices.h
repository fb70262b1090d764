// All interfaces that a capture listens on, as they come and go. A few have a socket each; of many, one socket on all
// interfaces of the host stands for them, since opening and closing one takes the kernel some 10 ms each.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "relay/capture/host_view.h"
#include "relay/capture/packet.h"
#include "relay/io/capture_device.h"
#include "relay/io/descriptor.h"

namespace relay::io {

class CaptureDevices {
 public:
  /// Told of each interface that cannot be listened on, once while that lasts.
  using CannotListen = std::function<void(const std::string& interface, const std::string& why)>;
  using Tell = std::function<void(const capture::HostView::Point&, const capture::Packet&)>;

  /// `filter` in libpcap's language. Throws std::system_error.
  CaptureDevices(std::string filter, CannotListen cannot_listen);

  /// Listens on the points of `view` and on nothing else. `view` must outlive the next call.
  void follow(const capture::HostView& view);

  /// Readable when there are packets.
  [[nodiscard]] int descriptor() const noexcept { return epoll_.number(); }

  /// Tells of what there is, without waiting, and tries again what could not be listened on a second ago.
  void read(std::chrono::nanoseconds now, const Tell& tell);

  /// Packets that the kernel dropped for want of room, in all and, since this was last asked, on one interface (where
  /// all share a socket, on any of them). Asks the kernel once a second at most, but for `count_losses`.
  void count_losses();
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }
  [[nodiscard]] std::uint64_t take_lost(std::uint32_t index);

  /// What the kernel counted on an interface; where all share a socket, nothing.
  [[nodiscard]] CaptureDevice::Statistics statistics(std::uint32_t index) const;

  /// Why nothing can be listened on, now or later: a missing privilege. Empty where that is not so.
  [[nodiscard]] const std::string& hopeless() const noexcept { return hopeless_; }

 private:
  struct Listening {
    std::unique_ptr<CaptureDevice> device;
    std::uint64_t counted = 0;  // dropped, at the last look
    std::uint64_t lost = 0;     // since somebody asked
  };

  [[nodiscard]] bool shares_socket() const noexcept;
  void reconcile();
  void open(const capture::HostView::Point& point);
  void read(std::uint32_t index, const Tell& tell);
  void count_losses(Listening& listening);

  std::string filter_;
  CannotListen cannot_listen_;
  Descriptor epoll_;
  const capture::HostView* view_ = nullptr;
  std::map<std::uint32_t, Listening> listening_;  // by index
  std::set<std::uint32_t> refused_;               // what `cannot_listen_` was told of
  std::string hopeless_;
  bool must_retry_ = false;
  std::chrono::nanoseconds reconciled_at_{};
  std::chrono::nanoseconds counted_at_{};
  std::uint64_t lost_ = 0;
};

/// How long the kernel may keep packets back before it hands them over, where so many interfaces are listened on.
[[nodiscard]] std::chrono::milliseconds capture_patience(std::size_t interfaces) noexcept;

}  // namespace relay::io
