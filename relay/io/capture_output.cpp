#include "relay/io/capture_output.h"

#include <utility>

namespace relay::io {

namespace {

constexpr std::size_t flush_size = 64U << 10U;  // the most that is kept back
constexpr std::size_t described_at_once = 256;
constexpr std::size_t notes_size = 1024;  // about what stands beside a packet, for the look whether a file is full

[[nodiscard]] capture::CapturedInterface facts_of(const capture::HostView::Point& point, capture::LinkType link_type) {
  capture::CapturedInterface facts;
  facts.name = point.name;
  facts.description = point.description;
  facts.link_type = link_type;
  facts.addresses = point.addresses;
  facts.addresses6 = point.addresses6;
  if (point.is_ethernet) {
    facts.mac = point.mac;
  }
  return facts;
}

[[nodiscard]] capture::LinkType usual_link_type(const capture::HostView::Point& point) noexcept {
  return point.is_ethernet ? capture::LinkType::ethernet : capture::LinkType::raw;
}

}  // namespace

CaptureOutput::CaptureOutput(CaptureFile& file, capture::SectionFacts section, std::string filter, Count before)
    : file_(file),
      section_(std::move(section)),
      filter_(std::move(filter)),
      packets_(before.packets),
      packets_written_(before.packets),
      packets_before_(before.in_earlier_files) {
  writer_.section(section_);
}

void CaptureOutput::describe(const capture::HostView& view) {
  for (const capture::HostView::Point& point : view.points) {
    const auto found = described_.find(point.index);
    static_cast<void>(number_of(point, found != described_.end() ? found->second.link_type : usual_link_type(point)));
  }
}

std::uint32_t CaptureOutput::number_of(const capture::HostView::Point& point, capture::LinkType link_type) {
  const auto found = described_.find(point.index);
  if (found != described_.end() && found->second.point == point && found->second.link_type == link_type) {
    return found->second.number;
  }
  const std::uint32_t number = writer_.interface(facts_of(point, link_type), filter_);
  described_.insert_or_assign(point.index, Described{point, link_type, number});
  return number;
}

std::uint64_t CaptureOutput::packet(const capture::HostView::Point& point, const capture::Packet& packet,
                                    const Comment& comment, std::uint64_t lost_before,
                                    const std::function<bool()>& should_stop) {
  if (file_.is_full(buffer_.size() + packet.octets.size() + notes_size)) {
    flush(should_stop);
    begin_next_file();
  }
  const std::uint32_t number = number_of(point, packet.link_type);
  ++packets_;
  const std::string text = comment();
  writer_.packet(number, packet,
                 {text, lost_before != 0 ? std::optional{lost_before} : std::optional<std::uint64_t>{}});
  if (buffer_.size() >= flush_size) {
    flush(should_stop);
  }
  return packets_;
}

void CaptureOutput::begin_next_file() {
  file_.rotate();
  packets_before_ = packets_;
  const auto described = std::exchange(described_, {});
  writer_.section(section_);
  if (described.size() > described_at_once) {
    return;  // each with its first packet, so that a small file has room for packets too
  }
  for (const auto& [index, interface] : described) {
    static_cast<void>(number_of(interface.point, interface.link_type));
  }
}

std::optional<std::uint64_t> CaptureOutput::frame_of(std::uint64_t number) const noexcept {
  return number > packets_before_ ? std::optional{number - packets_before_} : std::nullopt;
}

void CaptureOutput::statistics(const capture::HostView::Point& point, std::chrono::nanoseconds time,
                               const capture::InterfaceStatistics& statistics) {
  const auto found = described_.find(point.index);
  if (found != described_.end()) {
    writer_.statistics(found->second.number, time, statistics);
  }
}

void CaptureOutput::flush(const std::function<bool()>& should_stop) {
  if (!buffer_.empty()) {
    file_.write(buffer_, should_stop);
    buffer_.clear();
    packets_written_ = packets_;
  }
}

}  // namespace relay::io
