#include "relay/io/link_sources.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <net/if_arp.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <string>
#include <system_error>
#include <utility>

#include "relay/core/dhcpv6.h"
#include "relay/io/privileges.h"

namespace relay::io {

namespace {

constexpr int receive_buffer = 4 << 20;  // frames of a burst; each costs the kernel some hundreds of octets

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

constexpr sock_filter statement(std::uint16_t code, std::uint32_t k) {
  return {code, 0, 0, k};
}
constexpr sock_filter jump(std::uint16_t code, std::uint32_t k, std::uint8_t if_true, std::uint8_t if_false) {
  return {code, if_true, if_false, k};
}

/// Of what clients send, `size` octets from the IPv6 header on. A load behind the end returns 0, which is "drop".
[[nodiscard]] std::array<sock_filter, 11> filter_for(std::uint16_t port, std::uint32_t size) {
  constexpr std::uint32_t next_header = 6;
  constexpr std::uint32_t destination_port = 40 + 2;
  constexpr std::uint32_t type = 40 + 8;
  return {
      statement(BPF_LD | BPF_B | BPF_ABS, next_header),
      jump(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 8),
      statement(BPF_LD | BPF_H | BPF_ABS, destination_port),
      jump(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 6),
      statement(BPF_LD | BPF_B | BPF_ABS, type),
      jump(BPF_JMP | BPF_JEQ | BPF_K, dhcpv6::message_type::relay_forward, 4, 0),
      jump(BPF_JMP | BPF_JEQ | BPF_K, dhcpv6::message_type::relay_reply, 3, 0),
      statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE)),
      jump(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OTHERHOST, 1, 0),
      statement(BPF_RET | BPF_K, size),
      statement(BPF_RET | BPF_K, 0),
  };
}

[[nodiscard]] std::uint32_t word(std::span<const std::uint8_t, 4> octets) noexcept {
  return std::uint32_t{octets[0]} << 24U | std::uint32_t{octets[1]} << 16U | std::uint32_t{octets[2]} << 8U | octets[3];
}

}  // namespace

Descriptor open_link_sources(const Ports6& ports) {
  // Without a protocol it receives nothing until it has its filter.
  Descriptor socket{::socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket.is_open()) {
    fail(errno == EPERM ? "cannot open a packet socket: " + it_takes("CAP_NET_RAW") : "cannot open a packet socket");
  }
  auto program = filter_for(ports.server, 40 + 8 + 4);
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (::setsockopt(socket.number(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) != 0) {
    fail("cannot attach a filter to a packet socket");
  }
  if (::setsockopt(socket.number(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof(receive_buffer)) != 0) {
    (void)::setsockopt(socket.number(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  }
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_IPV6);
  if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    fail("cannot receive IPv6 frames");
  }
  return socket;
}

LinkSources::LinkSources(Descriptor socket, std::uint64_t seed)
    : socket_(std::move(socket)),
      seed_(seed),
      entries_(set_count * ways),
      headers_(batch_size),
      vectors_(batch_size),
      frames_(batch_size),
      seen_(batch_size) {
  for (std::size_t position = 0; position < batch_size; ++position) {
    vectors_[position] = {seen_[position].data(), seen_[position].size()};
    msghdr& header = headers_[position].msg_hdr;
    header.msg_name = &frames_[position];
    header.msg_iov = &vectors_[position];
    header.msg_iovlen = 1;
  }
}

void LinkSources::take() noexcept {
  for (std::size_t batch = 0; batch < most_batches; ++batch) {
    for (mmsghdr& header : headers_) {
      header.msg_hdr.msg_namelen = sizeof(sockaddr_ll);
    }
    const int result = ::recvmmsg(socket_.number(), headers_.data(), batch_size, MSG_DONTWAIT, nullptr);
    const std::size_t count = result > 0 ? static_cast<std::size_t>(result) : 0;
    for (std::size_t position = 0; position < count; ++position) {
      if (headers_[position].msg_len == seen_size) {
        learn(seen_[position], frames_[position]);
      }
    }
    if (count < batch_size) {
      return;
    }
  }
}

void LinkSources::learn_run(const Received6& run) noexcept {
  if (run.octets.size() < run.message_size) {
    return;
  }
  if (const auto mac = of(run.ingress, run.octets.first(run.message_size))) {
    for_each_message(run, [&](std::span<const std::uint8_t> message) {
      if (message.size() >= dhcpv6::message_header_size) {
        remember({run.ingress.source, run.ingress.interface_index, word(message.first<4>())}, *mac);
      }
    });
  }
}

void LinkSources::learn(const Seen& seen, const sockaddr_ll& frame) noexcept {
  MacAddress mac;
  if (frame.sll_hatype != ARPHRD_ETHER || frame.sll_halen != mac.octets.size()) {
    return;
  }
  std::copy_n(std::begin(frame.sll_addr), mac.octets.size(), mac.octets.begin());
  if (!mac.is_station()) {
    return;
  }
  constexpr std::size_t source_offset = 8;  // RFC 8200 section 3
  Key key;
  key.interface_index = static_cast<std::uint32_t>(frame.sll_ifindex);
  std::copy_n(seen.begin() + source_offset, key.source.octets.size(), key.source.octets.begin());
  key.begin = word(std::span{seen}.subspan<message_offset, 4>());
  remember(key, mac);
}

/// The newest of what is the same takes its place; else the oldest of the set has to go.
void LinkSources::remember(const Key& key, const MacAddress& mac) noexcept {
  const std::span<Entry> set = std::span{entries_}.subspan(first_of_set(key), ways);
  auto place = std::ranges::find_if(set, [&key](const Entry& entry) { return entry.serial != 0 && entry.key == key; });
  if (place == set.end()) {
    place = std::ranges::min_element(set, {}, &Entry::serial);
  }
  *place = {key, mac, ++serial_};
}

std::optional<MacAddress> LinkSources::of(const Ingress6& ingress,
                                          std::span<const std::uint8_t> message) const noexcept {
  if (message.size() < dhcpv6::message_header_size) {
    return std::nullopt;
  }
  const Key key{ingress.source, ingress.interface_index, word(message.first<4>())};
  const std::span<const Entry> set = std::span{entries_}.subspan(first_of_set(key), ways);
  const auto place =
      std::ranges::find_if(set, [&key](const Entry& entry) { return entry.serial != 0 && entry.key == key; });
  return place == set.end() ? std::nullopt : std::optional{place->mac};
}

std::optional<MacAddress> LinkSources::of_asker(std::uint32_t interface_index, const Ipv6Address& client,
                                                std::span<const std::uint8_t> answer) const noexcept {
  if (answer.size() < dhcpv6::message_header_size) {
    return std::nullopt;
  }
  const Key key{client, interface_index, word(answer.first<4>())};
  const Entry* newest = nullptr;
  for (const Entry& entry : std::span{entries_}.subspan(first_of_set(key), ways)) {
    if (entry.serial > (newest == nullptr ? 0 : newest->serial) && entry.key.source == client &&
        entry.key.interface_index == interface_index && entry.key.transaction_id() == key.transaction_id()) {
      newest = &entry;
    }
  }
  return newest == nullptr ? std::nullopt : std::optional{newest->mac};
}

std::size_t LinkSources::first_of_set(const Key& key) const noexcept {
  std::uint64_t mixed = std::hash<Ipv6Address>{}(key.source) ^ seed_;
  mixed = (mixed ^ (std::uint64_t{key.interface_index} << 32U | key.transaction_id())) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 31U)) * 0x94d049bb133111ebU;
  return ((mixed ^ (mixed >> 29U)) % set_count) * ways;
}

}  // namespace relay::io
