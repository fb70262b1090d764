#include "relay/io/replay_capture.h"

namespace relay::io {

namespace {

[[nodiscard]] bool never() noexcept {
  return false;
}

}  // namespace

ReplayCapture::ReplayCapture(const CaptureFile::Options& options, capture::SectionFacts section, std::string filter)
    : file_(options), section_(std::move(section)), filter_(std::move(filter)) {
  append_section();
  file_.write(blocks_, never);
}

std::uint64_t ReplayCapture::write(const capture::CapturedInterface& interface, const capture::Packet& packet,
                                   std::string_view comment) {
  blocks_.clear();
  append(interface, packet, comment);
  if (file_.is_full(blocks_.size())) {
    file_.rotate();
    blocks_.clear();
    append_section();
    append(interface, packet, comment);
  }
  file_.write(blocks_, never);
  return ++packet_count_;
}

void ReplayCapture::append_section() {
  packet_count_ = 0;
  numbers_.clear();
  writer_.section(section_);
}

void ReplayCapture::append(const capture::CapturedInterface& interface, const capture::Packet& packet,
                           std::string_view comment) {
  const auto [entry, is_new] = numbers_.try_emplace({interface.name, interface.link_type});
  if (is_new) {
    entry->second = writer_.interface(interface, filter_);
  }
  writer_.packet(entry->second, packet, {.comment = comment});
}

}  // namespace relay::io
