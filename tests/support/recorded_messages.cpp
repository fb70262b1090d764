#include "tests/support/recorded_messages.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "relay/capture/capture_reader.h"
#include "relay/capture/datagram.h"
#include "relay/capture/reassembly.h"

namespace test_support {

namespace {

using Bytes = std::vector<std::uint8_t>;
namespace capture = relay::capture;

std::optional<std::filesystem::path> shared_folder() {
  const char* const folder = std::getenv("DHCP_RELAY_SHARED");
  if (folder == nullptr || !std::filesystem::is_directory(folder)) {
    return std::nullopt;
  }
  return folder;
}

Bytes file_at(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

bool has_port(const capture::UdpDatagram& datagram, std::uint16_t port) {
  return datagram.source_port == port || datagram.destination_port == port;
}

/// The packet's IPv4 datagram, if it has come to its end; of one that the capture cuts, what is there.
std::optional<capture::Ipv4Packet> whole(const capture::Packet& packet, capture::Reassembly& reassembly) {
  auto ipv4 = capture::ipv4_packet(packet.link_type, packet.octets);
  return !ipv4 || !ipv4->is_fragment() || ipv4->is_cut ? ipv4 : reassembly.add(*ipv4, packet.interface, packet.time);
}

std::vector<Bytes> messages_of_capture(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  capture::CaptureReader reader{[&file](std::span<std::uint8_t> octets) {
    std::string text(octets.size(), '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    const auto count = static_cast<std::size_t>(file.gcount());
    std::copy_n(text.begin(), count, octets.begin());
    return count;
  }};
  capture::Reassembly reassembly;
  std::vector<Bytes> messages;
  while (const auto packet = reader.next()) {
    const auto ipv4 = whole(*packet, reassembly);
    const auto datagram = ipv4 ? capture::udp_datagram(*ipv4) : std::nullopt;
    if (datagram && !datagram->payload.empty() && (has_port(*datagram, 67) || has_port(*datagram, 68))) {
      messages.emplace_back(datagram->payload.begin(), datagram->payload.end());
    }
  }
  return messages;
}

std::vector<Bytes> messages_of(const std::filesystem::path& path) {
  if (path.extension() == ".bin") {
    return {file_at(path)};
  }
  return path.extension().string().starts_with(".pcap") ? messages_of_capture(path) : std::vector<Bytes>{};
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
