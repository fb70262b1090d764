#include "relay/io/capture_devices.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace relay::io {

namespace {

using capture::HostView;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::size_t most_sockets = 128;

// The kernel hands packets over when a block of them is full or this old, by a timer for each socket.
constexpr milliseconds patience{50};
constexpr milliseconds patience_of_many{200};

// The kernel's buffers of all interfaces together, and the least that libpcap can use for one.
constexpr std::size_t buffers_size = 64U << 20U;
constexpr std::size_t least_buffer_size = 512U << 10U;
constexpr std::size_t most_buffer_size = 4U << 20U;
constexpr std::size_t shared_buffer_size = 16U << 20U;

constexpr std::chrono::seconds retry_interval{1};
constexpr std::chrono::seconds loss_interval{1};

/// Stands for all interfaces in libpcap and here; no interface has this index.
[[nodiscard]] HostView::Point all_interfaces() {
  HostView::Point point;
  point.name = "any";
  return point;
}

[[nodiscard]] const HostView::Point* find(const HostView& view, std::uint32_t index) {
  const auto place = std::ranges::lower_bound(view.points, index, {}, &HostView::Point::index);
  return place == view.points.end() || place->index != index ? nullptr : &*place;
}

}  // namespace

milliseconds capture_patience(std::size_t interfaces) noexcept {
  return interfaces <= most_sockets / 4 ? patience : patience_of_many;
}

CaptureDevices::CaptureDevices(std::string filter, CannotListen cannot_listen)
    : filter_(std::move(filter)), cannot_listen_(std::move(cannot_listen)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_.is_open()) {
    throw std::system_error(errno, std::generic_category(), "epoll_create1");
  }
}

bool CaptureDevices::shares_socket() const noexcept {
  return view_->points.size() > most_sockets;
}

void CaptureDevices::follow(const HostView& view) {
  view_ = &view;
  reconcile();
}

void CaptureDevices::reconcile() {
  must_retry_ = false;
  std::erase_if(listening_, [this](const auto& entry) {
    const auto& [index, listening] = entry;
    const HostView::Point* const point = find(*view_, index);
    return shares_socket() ? index != 0 : point == nullptr || point->name != listening.device->point().name;
  });
  if (shares_socket()) {
    if (listening_.empty()) {
      open(all_interfaces());
    }
    return;
  }
  for (const HostView::Point& point : view_->points) {
    if (const auto listening = listening_.find(point.index); listening != listening_.end()) {
      listening->second.device->describe(point);
    } else {
      open(point);
    }
  }
  std::erase_if(refused_, [this](std::uint32_t index) { return find(*view_, index) == nullptr; });
}

void CaptureDevices::open(const HostView::Point& point) {
  const std::size_t buffer_size =
      shares_socket() ? shared_buffer_size
                      : std::clamp(buffers_size / view_->points.size(), least_buffer_size, most_buffer_size);
  try {
    Listening listening{std::make_unique<CaptureDevice>(
        point, CaptureDevice::Options{filter_, capture_patience(view_->points.size()), buffer_size})};
    epoll_event event{.events = EPOLLIN, .data = {.u32 = point.index}};
    if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, listening.device->descriptor(), &event) != 0) {
      throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
    listening_.insert_or_assign(point.index, std::move(listening));
    refused_.erase(point.index);
  } catch (const CaptureForbidden& error) {
    hopeless_ = "cannot capture on " + point.name + ": " + error.what();
    refused_.insert(point.index);
    cannot_listen_(point.name, error.what());
  } catch (const std::runtime_error& error) {
    must_retry_ = true;
    if (refused_.insert(point.index).second) {
      cannot_listen_(point.name, error.what());
    }
  }
}

void CaptureDevices::read(nanoseconds now, const Tell& tell) {
  std::array<epoll_event, most_sockets> events{};
  const int count = ::epoll_wait(epoll_.number(), events.data(), static_cast<int>(events.size()), 0);
  for (int number = 0; number < count; ++number) {
    read(events[static_cast<std::size_t>(number)].data.u32, tell);
  }
  if (must_retry_ && now >= reconciled_at_ + retry_interval) {
    reconciled_at_ = now;
    reconcile();
  }
  if (now >= counted_at_ + loss_interval) {
    counted_at_ = now;
    count_losses();
  }
}

void CaptureDevices::read(std::uint32_t index, const Tell& tell) {
  const auto listening = listening_.find(index);
  if (listening == listening_.end()) {
    return;
  }
  const CaptureDevice& device = *listening->second.device;
  try {
    listening->second.device->read([&](const capture::Packet& packet, std::uint32_t interface_index) {
      const HostView::Point* const point = index != 0 ? &device.point() : find(*view_, interface_index);
      if (point != nullptr) {
        tell(*point, packet);
      }
    });
  } catch (const std::runtime_error&) {
    // Gone, or down: the view tells of the first, and another attempt finds the end of the second.
    count_losses(listening->second);
    listening_.erase(listening);
    must_retry_ = true;
  }
}

void CaptureDevices::count_losses() {
  for (auto& [index, listening] : listening_) {
    count_losses(listening);
  }
}

void CaptureDevices::count_losses(Listening& listening) {
  const std::uint64_t dropped = listening.device->statistics().dropped;
  const std::uint64_t more = dropped - std::min(dropped, listening.counted);
  listening.counted = dropped;
  listening.lost += more;
  lost_ += more;
}

std::uint64_t CaptureDevices::take_lost(std::uint32_t index) {
  const auto listening = listening_.find(shares_socket() ? 0 : index);
  return listening == listening_.end() ? 0 : std::exchange(listening->second.lost, 0);
}

CaptureDevice::Statistics CaptureDevices::statistics(std::uint32_t index) const {
  const auto listening = listening_.find(index);
  return listening == listening_.end() ? CaptureDevice::Statistics{} : listening->second.device->statistics();
}

}  // namespace relay::io
