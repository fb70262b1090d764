#include "relay/io/replay_capture.h"

namespace relay::io {

namespace {

[[nodiscard]] bool never() noexcept {
  return false;
}

/// All that is told of an interface, as octets.
[[nodiscard]] std::string key_of(const capture::CapturedInterface& interface) {
  std::string key = interface.name + '\0' + interface.description + '\0' +
                    std::to_string(static_cast<unsigned>(interface.link_type)) + '\0';
  for (const Ipv4Prefix& each : interface.addresses) {
    key.append(each.address.octets.begin(), each.address.octets.end());
    key += static_cast<char>(each.length);
  }
  for (const Ipv6Prefix& each : interface.addresses6) {
    key.append(each.address.octets.begin(), each.address.octets.end());
    key += static_cast<char>(each.length);
  }
  if (interface.mac) {
    key.append(interface.mac->octets.begin(), interface.mac->octets.end());
  }
  return key;
}

}  // namespace

ReplayCapture::ReplayCapture(const CaptureFile::Options& options, capture::SectionFacts section, std::string filter)
    : file_(options), max_size_(options.max_size), section_(std::move(section)), filter_(std::move(filter)) {
  append_section();
  file_.write(blocks_, never);
}

void ReplayCapture::describe(const capture::CapturedInterface& interface) {
  const std::string key = key_of(interface);
  const auto [entry, is_new] = position_by_name_.try_emplace(interface.name, described_.size());
  if (is_new) {
    described_.push_back(interface);
  } else if (capture::CapturedInterface& before = described_[entry->second]; key_of(before) != key) {
    before = interface;
  } else {
    return;
  }
  blocks_.clear();
  append(key, interface);
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
  for (const capture::CapturedInterface& each : described_) {
    append(key_of(each), each);
  }
  if (blocks_.size() > max_size_ / 2) {  // no room is left for packets: those of packets alone
    blocks_.clear();
    numbers_.clear();
    writer_.section(section_);
  }
}

std::uint32_t ReplayCapture::append(const std::string& key, const capture::CapturedInterface& interface) {
  return numbers_[key] = writer_.interface(interface, filter_);
}

void ReplayCapture::append(const capture::CapturedInterface& interface, const capture::Packet& packet,
                           std::string_view comment) {
  const std::string key = key_of(interface);
  const auto known = numbers_.find(key);
  const std::uint32_t number = known == numbers_.end() ? append(key, interface) : known->second;
  writer_.packet(number, packet, {.comment = comment});
}

}  // namespace relay::io
