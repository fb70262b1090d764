#include "tests/support/recorded_messages.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>

namespace test_support {

namespace {

using Bytes = std::vector<std::uint8_t>;
using Octets = std::span<const std::uint8_t>;

std::optional<std::filesystem::path> shared_folder() {
  const char* const folder = std::getenv("DHCP_RELAY_SHARED");
  if (folder == nullptr || !std::filesystem::is_directory(folder)) {
    return std::nullopt;
  }
  return folder;
}

/// An integer of a capture file, in the order of the machine that wrote it; 0 behind the end.
struct Numbers {
  Octets file;
  bool is_big_endian = false;

  [[nodiscard]] std::size_t at(std::size_t offset, std::size_t size) const {
    std::size_t value = 0;
    for (std::size_t i = 0; i < size && offset + size <= file.size(); ++i) {
      value = value << 8U | file[offset + (is_big_endian ? i : size - 1 - i)];
    }
    return value;
  }
};

Octets part(Octets octets, std::size_t offset, std::size_t size) {
  return offset > octets.size() ? Octets{} : octets.subspan(offset, std::min(size, octets.size() - offset));
}

/// The UDP payload of a packet of the link type, if it is one for port 67 or 68 and whole.
std::optional<Bytes> payload(std::size_t link_type, Octets packet) {
  static const std::map<std::size_t, std::size_t> head_sizes{{0, 4}, {1, 14}, {12, 0}, {101, 0}, {113, 16}, {276, 20}};
  const auto head = head_sizes.find(link_type);
  const Octets ip = head == head_sizes.end() ? Octets{} : part(packet, head->second, packet.size());
  if (ip.size() < 28 || ip[0] >> 4U != 4 || ip[9] != 17) {
    return std::nullopt;
  }
  const Octets udp = part(ip, (ip[0] & 15U) * std::size_t{4}, ip.size());
  const Numbers numbers{udp, true};
  const std::set<std::size_t> ports{numbers.at(0, 2), numbers.at(2, 2)};
  if (udp.size() <= 8 || (!ports.contains(67) && !ports.contains(68))) {
    return std::nullopt;
  }
  return Bytes{udp.begin() + 8, udp.end()};
}

void add(std::vector<Bytes>& messages, std::optional<Bytes> message) {
  if (message) {
    messages.push_back(std::move(*message));
  }
}

std::vector<Bytes> messages_of_pcap(Octets file) {
  const Numbers numbers{file, file[0] == 0xa1};
  std::vector<Bytes> messages;
  for (std::size_t at = 24; at + 16 <= file.size(); at += 16 + numbers.at(at + 8, 4)) {
    add(messages, payload(numbers.at(20, 4) & 0xffffU, part(file, at + 16, numbers.at(at + 8, 4))));
  }
  return messages;
}

std::vector<Bytes> messages_of_pcapng(Octets file) {
  Numbers numbers{file};
  std::vector<std::size_t> link_types;
  std::vector<Bytes> messages;
  for (std::size_t at = 0; at + 12 <= file.size();) {
    if (numbers.at(at, 4) == 0x0a0d0d0a) {
      numbers.is_big_endian = file[at + 8] == 0x1a;
      link_types.clear();
    }
    const std::size_t size = numbers.at(at + 4, 4);
    const std::size_t interface = numbers.at(at + 8, 4);
    if (numbers.at(at, 4) == 1) {
      link_types.push_back(numbers.at(at + 8, 2));
    } else if (numbers.at(at, 4) == 6 && interface < link_types.size()) {
      add(messages, payload(link_types[interface], part(file, at + 28, numbers.at(at + 20, 4))));
    }
    at += std::max<std::size_t>(size, 12);
  }
  return messages;
}

std::vector<Bytes> messages_of(const std::filesystem::path& path) {
  std::string text(std::filesystem::file_size(path), '\0');
  std::ifstream{path, std::ios::binary}.read(text.data(), static_cast<std::streamsize>(text.size()));
  const Bytes file{text.begin(), text.end()};
  if (path.extension() == ".bin") {
    return {file};
  }
  if (file.size() < 24 || !path.extension().string().starts_with(".pcap")) {
    return {};
  }
  return file[0] == 0x0a ? messages_of_pcapng(file) : messages_of_pcap(file);
}

}  // namespace

bool has_recorded_messages() {
  return shared_folder().has_value();
}

std::vector<RecordedMessage> recorded_messages() {
  std::set<std::filesystem::path> files;
  for (const char* const folder : {"captures", "corpora/v4"}) {
    for (const auto& entry : std::filesystem::directory_iterator{shared_folder().value() / folder}) {
      files.insert(entry.path());
    }
  }
  std::vector<RecordedMessage> messages;
  for (const std::filesystem::path& file : files) {
    for (Bytes& octets : messages_of(file)) {
      messages.push_back({file.filename().string(), std::move(octets)});
    }
  }
  return messages;
}

}  // namespace test_support
