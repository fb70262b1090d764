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

/// The packet of IP, if it has come to its end; of one that the capture cuts, what is there.
std::optional<capture::IpPacket> whole(const capture::Packet& packet, capture::Reassembly& reassembly) {
  auto ip = capture::ip_packet(packet.link_type, packet.octets);
  return !ip || !ip->is_fragment() || ip->is_cut ? ip : reassembly.add(*ip, packet.interface, packet.time);
}

std::uint16_t number_at(std::span<const std::uint8_t> octets, std::size_t offset) {
  return static_cast<std::uint16_t>(octets[offset] << 8U | octets[offset + 1]);
}

/// The DHCPv6 message in an Ethernet frame, VLAN tags in front of it or none.
std::optional<Bytes> dhcpv6_message(std::span<const std::uint8_t> frame) {
  constexpr std::size_t headers_size = 2 + 40 + 8;  // EtherType, IPv6 and UDP
  std::size_t at = 12;
  while (frame.size() >= at + headers_size && number_at(frame, at) == 0x8100) {
    at += 4;
  }
  if (frame.size() < at + headers_size || number_at(frame, at) != 0x86dd || frame[at + 2 + 6] != 17) {
    return std::nullopt;
  }
  const auto udp = frame.subspan(at + 2 + 40);
  const auto is_dhcpv6 = [](std::uint16_t port) { return port == 546 || port == 547; };
  const std::size_t size = number_at(udp, 4);
  if ((!is_dhcpv6(number_at(udp, 0)) && !is_dhcpv6(number_at(udp, 2))) || size <= 8 || size > udp.size()) {
    return std::nullopt;
  }
  return Bytes{udp.begin() + 8, udp.begin() + static_cast<std::ptrdiff_t>(size)};
}

/// Calls `take` for each packet of a capture.
template <typename Take>
void for_each_packet(const std::filesystem::path& path, Take&& take) {
  std::ifstream file{path, std::ios::binary};
  capture::CaptureReader reader{[&file](std::span<std::uint8_t> octets) {
    std::string text(octets.size(), '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    const auto count = static_cast<std::size_t>(file.gcount());
    std::copy_n(text.begin(), count, octets.begin());
    return count;
  }};
  while (const auto packet = reader.next()) {
    take(*packet);
  }
}

std::vector<Bytes> messages_of_capture(const std::filesystem::path& path) {
  capture::Reassembly reassembly;
  std::vector<Bytes> messages;
  for_each_packet(path, [&](const capture::Packet& packet) {
    const auto ipv4 = whole(packet, reassembly);
    const auto datagram = ipv4 ? capture::udp_datagram(*ipv4) : std::nullopt;
    if (datagram && !datagram->payload.empty() && (has_port(*datagram, 67) || has_port(*datagram, 68))) {
      messages.emplace_back(datagram->payload.begin(), datagram->payload.end());
    }
  });
  return messages;
}

std::vector<Bytes> messages6_of_capture(const std::filesystem::path& path) {
  std::vector<Bytes> messages;
  for_each_packet(path, [&](const capture::Packet& packet) {
    if (packet.link_type == capture::LinkType::ethernet) {
      if (auto message = dhcpv6_message(packet.octets)) {
        messages.push_back(std::move(*message));
      }
    }
  });
  return messages;
}

using MessagesOf = std::vector<Bytes> (*)(const std::filesystem::path&);

/// The payloads in `corpus`, and what `of_capture` finds in captures.
std::vector<RecordedMessage> messages_in(const char* corpus, MessagesOf of_capture) {
  std::set<std::filesystem::path> files;
  for (const char* const folder : {"captures", corpus}) {
    for (const auto& entry : std::filesystem::directory_iterator{shared_folder().value() / folder}) {
      files.insert(entry.path());
    }
  }
  std::vector<RecordedMessage> messages;
  for (const std::filesystem::path& path : files) {
    std::vector<Bytes> found;
    if (path.extension() == ".bin") {
      found = {file_at(path)};
    } else if (path.extension().string().starts_with(".pcap")) {
      found = of_capture(path);
    }
    for (Bytes& octets : found) {
      messages.push_back({path.filename().string(), std::move(octets)});
    }
  }
  return messages;
}

}  // namespace

bool has_recorded_messages() {
  return shared_folder().has_value();
}

std::vector<RecordedMessage> recorded_messages() {
  return messages_in("corpora/v4", messages_of_capture);
}

std::vector<RecordedMessage> recorded_messages6() {
  return messages_in("corpora/v6", messages6_of_capture);
}

}  // namespace test_support
