#include "relay/io/link_monitor.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>
#include <vector>

#include "relay/io/link_report.h"
#include "relay/io/link_survey.h"
#include "relay/io/routes.h"
#include "relay/io/rtnetlink.h"

namespace relay::io {

using namespace rtnetlink;

namespace {

/// Some 2,000 reports: what the kernel holds while the relay is busy with messages.
constexpr int report_buffer_size = 4 << 20;
/// More reports than the buffer holds: discarding ends even where a broken system reports for ever.
constexpr int max_discarded = 16384;
/// So many reports, or interfaces that differ, take well under a millisecond.
constexpr int reports_per_turn = 64;
constexpr std::size_t interfaces_per_turn = 64;

}  // namespace

LinkReports open_link_reports(Families families) {
  Descriptor socket{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE)};
  if (!socket.is_open()) {
    fail(errno, "Cannot open a rtnetlink socket, without which no interface is known");
  }
  // Beyond net.core.rmem_max where we may, else as near as we get: a smaller buffer means more synchronising only.
  if (::setsockopt(socket.number(), SOL_SOCKET, SO_RCVBUFFORCE, &report_buffer_size, sizeof report_buffer_size) != 0) {
    (void)::setsockopt(socket.number(), SOL_SOCKET, SO_RCVBUF, &report_buffer_size, sizeof report_buffer_size);
  }
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  // Of a family that is not relayed nothing is reported: with thousands of links each report counts.
  address.nl_groups = RTMGRP_LINK;
  address.nl_groups |= families.ipv4 ? RTMGRP_IPV4_IFADDR : 0;
  address.nl_groups |= families.ipv6 ? RTMGRP_IPV6_IFADDR : 0;
  if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail(errno, "Cannot subscribe to changes of links and addresses with rtnetlink");
  }
  return {std::move(socket), families};
}

class LinkMonitor::Impl {
 public:
  Impl(InterfaceView& view, std::function<void()> wake, LinkReports reports)
      : view_(view),
        wake_(std::move(wake)),
        reports_(std::move(reports.socket)),
        buffer_(read_size),
        survey_(reports.families) {}

  [[nodiscard]] int descriptor() const noexcept { return reports_.number(); }
  [[nodiscard]] LinkProgress progress() const noexcept { return progress_; }

  void synchronise();
  [[nodiscard]] bool has_changes() const noexcept;
  [[nodiscard]] LinkProgress read_changes() noexcept;
  void ask_again() noexcept;
  [[nodiscard]] std::optional<std::size_t> route_mtu(Ipv4Address destination);
  [[nodiscard]] std::optional<std::uint32_t> route_egress(const IpAddress& destination);
  [[nodiscard]] bool holds(Ipv4Address address) noexcept;

 private:
  [[nodiscard]] LinkProgress take_turn();
  [[nodiscard]] LinkProgress ask_for_everything();
  [[nodiscard]] LinkProgress read_reports();
  void discard_changes() const noexcept;
  void take(nlmsghdr* message);
  void take_address(nlmsghdr* message);

  InterfaceView& view_;
  std::function<void()> wake_;
  Descriptor reports_;
  Questions questions_;
  std::vector<std::uint8_t> buffer_;
  LinkProgress progress_ = LinkProgress::in_step;
  bool is_stale_ = false;     // changes were lost and not made up for
  bool is_settling_ = false;  // the view is being brought in step with an answer
  LinkSurvey survey_;
};

void LinkMonitor::Impl::synchronise() {
  discard_changes();
  LinkSurvey::Result result = survey_.ask();
  is_stale_ = !result.is_consistent;
  progress_ = is_stale_ ? LinkProgress::failed : LinkProgress::in_step;
  view_.synchronise(std::move(result.links));
}

bool LinkMonitor::Impl::has_changes() const noexcept {
  if (survey_.is_under_way()) {
    return survey_.is_finished();
  }
  pollfd waiting{descriptor(), POLLIN, 0};
  return is_settling_ || ::poll(&waiting, 1, 0) > 0;
}

LinkProgress LinkMonitor::Impl::read_changes() noexcept {
  try {
    progress_ = take_turn();
  } catch (const std::exception&) {
    is_stale_ = true;
    progress_ = LinkProgress::failed;
  }
  return progress_;
}

LinkProgress LinkMonitor::Impl::take_turn() {
  if (survey_.is_under_way()) {
    if (!survey_.is_finished()) {
      return LinkProgress::asking;
    }
    auto result = survey_.take();
    if (!result) {
      return LinkProgress::failed;
    }
    is_stale_ = !result->is_consistent;
    view_.begin_synchronise(std::move(result->links));
    is_settling_ = true;
  }
  if (is_settling_) {
    is_settling_ = !view_.settle_some(interfaces_per_turn);
    return LinkProgress::behind;
  }
  return read_reports();
}

LinkProgress LinkMonitor::Impl::read_reports() {
  for (int count = 0; count < reports_per_turn; ++count) {
    const Read read = read_from(descriptor(), buffer_);
    switch (read.outcome) {
      case ReadOutcome::messages:
        for_each_message(buffer_, read.size, [this](nlmsghdr* message) {
          take(message);
          return true;
        });
        break;
      case ReadOutcome::nothing:
        return is_stale_ ? LinkProgress::failed : LinkProgress::in_step;
      case ReadOutcome::lost:
        is_stale_ = true;
        return ask_for_everything();
    }
  }
  return LinkProgress::behind;
}

void LinkMonitor::Impl::ask_again() noexcept {
  if (!is_stale_ || is_settling_ || survey_.is_under_way()) {
    return;
  }
  try {
    progress_ = ask_for_everything();
  } catch (const std::exception&) {
    progress_ = LinkProgress::failed;
  }
}

/// After an overrun the kernel reports again only once everything has been read. What is discarded here is in the
/// answer; what changes from here on is reported.
LinkProgress LinkMonitor::Impl::ask_for_everything() {
  discard_changes();
  survey_.start(wake_);
  return LinkProgress::asking;
}

void LinkMonitor::Impl::discard_changes() const noexcept {
  for (int count = 0; count < max_discarded; ++count) {
    if (::recv(descriptor(), nullptr, 0, 0) < 0 && errno == EAGAIN) {
      return;
    }
  }
}

void LinkMonitor::Impl::take(nlmsghdr* message) {
  switch (message->nlmsg_type) {
    case RTM_NEWLINK:
      if (const auto state = read_link(message)) {
        view_.link_changed(*state);
      }
      break;
    case RTM_DELLINK:
      if (is_about_link(message)) {
        view_.link_removed(static_cast<std::uint32_t>(header_of<ifinfomsg>(message).ifi_index));
      }
      break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
      take_address(message);
      break;
    default:
      break;
  }
}

/// An IPv6 address is reported anew when it has passed its test, or failed it.
void LinkMonitor::Impl::take_address(nlmsghdr* message) {
  const bool is_there = message->nlmsg_type == RTM_NEWADDR;
  if (const auto report = read_address(message)) {
    is_there ? view_.address_added(report->index, report->address)
             : view_.address_removed(report->index, report->address);
  } else if (const auto report6 = read_address6(message)) {
    is_there && report6->is_usable ? view_.address6_added(report6->index, report6->address)
                                   : view_.address6_removed(report6->index, report6->address.prefix.address);
  }
}

std::optional<std::size_t> LinkMonitor::Impl::route_mtu(Ipv4Address destination) {
  try {
    const Route route = route_to(questions_, destination);
    return !route.mtu && route.egress ? view_.mtu_of(*route.egress) : route.mtu;
  } catch (const std::system_error&) {
    return std::nullopt;
  }
}

std::optional<std::uint32_t> LinkMonitor::Impl::route_egress(const IpAddress& destination) {
  try {
    return route_to(questions_, destination).egress;
  } catch (const std::system_error&) {
    return std::nullopt;
  }
}

bool LinkMonitor::Impl::holds(Ipv4Address address) noexcept {
  try {
    return route_to(questions_, address).type == RTN_LOCAL;
  } catch (const std::system_error& error) {
    return error.code() == std::errc::timed_out;
  } catch (const std::exception&) {
    return true;
  }
}

LinkMonitor::LinkMonitor(InterfaceView& view, std::function<void()> wake, LinkReports reports)
    : impl_(std::make_unique<Impl>(view, std::move(wake), std::move(reports))) {}
LinkMonitor::~LinkMonitor() = default;

void LinkMonitor::synchronise() {
  impl_->synchronise();
}

int LinkMonitor::descriptor() const noexcept {
  return impl_->descriptor();
}

bool LinkMonitor::has_changes() const noexcept {
  return impl_->has_changes();
}

LinkProgress LinkMonitor::read_changes() noexcept {
  return impl_->read_changes();
}

LinkProgress LinkMonitor::progress() const noexcept {
  return impl_->progress();
}

void LinkMonitor::ask_again() noexcept {
  impl_->ask_again();
}

std::optional<std::size_t> LinkMonitor::route_mtu(Ipv4Address destination) {
  return impl_->route_mtu(destination);
}

std::optional<std::uint32_t> LinkMonitor::route_egress(const IpAddress& destination) {
  return impl_->route_egress(destination);
}

bool LinkMonitor::holds(Ipv4Address address) noexcept {
  return impl_->holds(address);
}

}  // namespace relay::io
