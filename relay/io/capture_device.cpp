#include "relay/io/capture_device.h"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "relay/capture/datagram.h"

#include <pcap/pcap.h>

namespace relay::io {

namespace {

constexpr int snapshot_size = 65535 + 64;  // more than any IP packet with its link header: nothing is cut
constexpr int packets_in_a_row = 1024;

using Handle = std::unique_ptr<pcap_t, decltype(&::pcap_close)>;

[[noreturn]] void fail(pcap_t* handle) {
  throw std::runtime_error(::pcap_geterr(handle));
}

void activate(pcap_t* handle) {
  const int result = ::pcap_activate(handle);
  if (result < 0) {
    const std::string_view detail = ::pcap_geterr(handle);
    if (result == PCAP_ERROR_PERM_DENIED) {
      throw CaptureForbidden(detail.empty() ? ::pcap_statustostr(result) : std::string{detail});
    }
    throw std::runtime_error(detail.empty() ? ::pcap_statustostr(result) : std::string{detail});
  }
}

void filter(pcap_t* handle, const std::string& expression) {
  bpf_program program{};
  if (::pcap_compile(handle, &program, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
    fail(handle);
  }
  const int result = ::pcap_setfilter(handle, &program);
  ::pcap_freecode(&program);
  if (result != 0) {
    fail(handle);
  }
}

}  // namespace

class CaptureDevice::Impl {
 public:
  Impl(const capture::HostView::Point& point, const Options& options) : point_(point), handle_(nullptr, &::pcap_close) {
    std::array<char, PCAP_ERRBUF_SIZE> error{};
    handle_.reset(::pcap_create(point.name.c_str(), error.data()));
    if (!handle_) {
      throw std::runtime_error(error.data());
    }
    ::pcap_set_snaplen(handle_.get(), snapshot_size);
    ::pcap_set_promisc(handle_.get(), 0);
    ::pcap_set_timeout(handle_.get(), static_cast<int>(options.patience.count()));
    ::pcap_set_buffer_size(handle_.get(), static_cast<int>(options.buffer_size));
    ::pcap_set_tstamp_precision(handle_.get(), PCAP_TSTAMP_PRECISION_NANO);
    activate(handle_.get());
    if (point.index == 0) {
      ::pcap_set_datalink(handle_.get(), DLT_LINUX_SLL2);  // which has the interface's index
    }
    if (::pcap_setnonblock(handle_.get(), 1, error.data()) != 0) {
      throw std::runtime_error(error.data());
    }
    filter(handle_.get(), options.filter);
    link_type_ = capture::link_type_of(static_cast<std::uint32_t>(::pcap_datalink(handle_.get())));
    is_nanoseconds_ = ::pcap_get_tstamp_precision(handle_.get()) == PCAP_TSTAMP_PRECISION_NANO;
  }

  [[nodiscard]] int descriptor() const noexcept { return ::pcap_get_selectable_fd(handle_.get()); }

  void read(const Tell& tell) {
    tell_ = &tell;
    const int count = ::pcap_dispatch(handle_.get(), packets_in_a_row, &Impl::take, reinterpret_cast<u_char*>(this));
    if (fault_) {
      std::rethrow_exception(std::exchange(fault_, nullptr));
    }
    if (count < 0) {
      fail(handle_.get());
    }
  }

  [[nodiscard]] Statistics statistics() const {
    pcap_stat counted{};
    return ::pcap_stats(handle_.get(), &counted) == 0 ? Statistics{counted.ps_recv, counted.ps_drop} : Statistics{};
  }

  [[nodiscard]] const capture::HostView::Point& point() const noexcept { return point_; }
  void describe(const capture::HostView::Point& point) { point_ = point; }

 private:
  // NOLINTNEXTLINE(readability-non-const-parameter): a pcap_handler
  static void take(u_char* self, const pcap_pkthdr* header, const u_char* octets) {
    Impl& impl = *reinterpret_cast<Impl*>(self);
    try {
      impl.take(*header, {octets, header->caplen});
    } catch (...) {
      impl.fault_ = std::current_exception();  // which must not pass through libpcap
      ::pcap_breakloop(impl.handle_.get());
    }
  }

  void take(const pcap_pkthdr& header, std::span<const std::uint8_t> octets) {
    capture::Packet packet;
    packet.link_type = link_type_;
    packet.time = std::chrono::seconds{header.ts.tv_sec} +
                  std::chrono::nanoseconds{header.ts.tv_usec * (is_nanoseconds_ ? 1 : 1000)};
    packet.direction = direction_of(octets);
    packet.octets = octets;
    packet.original_size = header.len;
    (*tell_)(packet, point_.index != 0 ? point_.index : interface_index_of(octets));
  }

  /// Of a cooked header, version 2.
  [[nodiscard]] static std::uint32_t interface_index_of(std::span<const std::uint8_t> octets) noexcept {
    constexpr std::size_t offset = 4;
    std::uint32_t index = 0;
    for (std::size_t at = offset; at < offset + sizeof index && at < octets.size(); ++at) {
      index = index << 8U | octets[at];
    }
    return index;
  }

  /// libpcap does not tell: what carries the interface's own hardware address as its source is on its way out; on links
  /// without frames, what carries one of the interface's addresses.
  [[nodiscard]] capture::Direction direction_of(std::span<const std::uint8_t> octets) const noexcept {
    using enum capture::Direction;
    const auto packet = capture::ip_packet(link_type_, octets);
    if (!packet) {
      return unknown;
    }
    if (packet->direction != unknown) {
      return packet->direction;
    }
    if (link_type_ == capture::LinkType::ethernet) {
      return packet->link_source == point_.mac ? outbound : inbound;
    }
    return is_of_point(packet->source) ? outbound : inbound;
  }

  [[nodiscard]] bool is_of_point(const capture::Address& address) const noexcept {
    const auto has = [&address](const auto& prefixes) {
      return std::ranges::any_of(prefixes, [&](const auto& own) { return capture::Address{own.address} == address; });
    };
    return address.is_ipv6() ? has(point_.addresses6) : has(point_.addresses);
  }

  capture::HostView::Point point_;
  Handle handle_;
  capture::LinkType link_type_ = capture::LinkType::ethernet;
  bool is_nanoseconds_ = true;
  const Tell* tell_ = nullptr;
  std::exception_ptr fault_;  // of `tell_`
};

CaptureDevice::CaptureDevice(const capture::HostView::Point& point, const Options& options)
    : impl_(std::make_unique<Impl>(point, options)) {}
CaptureDevice::~CaptureDevice() = default;

int CaptureDevice::descriptor() const noexcept {
  return impl_->descriptor();
}

void CaptureDevice::read(const Tell& tell) {
  impl_->read(tell);
}

CaptureDevice::Statistics CaptureDevice::statistics() const {
  return impl_->statistics();
}

const capture::HostView::Point& CaptureDevice::point() const noexcept {
  return impl_->point();
}

void CaptureDevice::describe(const capture::HostView::Point& point) {
  impl_->describe(point);
}

}  // namespace relay::io
