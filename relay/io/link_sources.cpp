#include "relay/io/link_sources.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <net/if_arp.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "relay/core/dhcpv6.h"
#include "relay/core/transaction_hash.h"
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

/// Of what clients send to the group, or to us from link-local addresses, `size` octets from the IPv6 header on: from
/// other ones it may be crossing this router. A load behind the end returns 0, which is "drop".
[[nodiscard]] std::array<sock_filter, 15> filter_for(std::uint16_t port, std::uint32_t size) {
  constexpr std::uint32_t next_header = 6;
  constexpr std::uint32_t source = 8;
  constexpr std::uint32_t destination_port = 40 + 2;
  constexpr std::uint32_t type = 40 + 8;
  return {
      statement(BPF_LD | BPF_B | BPF_ABS, next_header),
      jump(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 12),
      statement(BPF_LD | BPF_H | BPF_ABS, destination_port),
      jump(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 10),
      statement(BPF_LD | BPF_B | BPF_ABS, type),
      jump(BPF_JMP | BPF_JEQ | BPF_K, dhcpv6::message_type::relay_forward, 8, 0),
      jump(BPF_JMP | BPF_JEQ | BPF_K, dhcpv6::message_type::relay_reply, 7, 0),
      statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE)),
      jump(BPF_JMP | BPF_JEQ | BPF_K, PACKET_MULTICAST, 4, 0),
      jump(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OTHERHOST, 4, 0),
      statement(BPF_LD | BPF_H | BPF_ABS, source),
      statement(BPF_ALU | BPF_AND | BPF_K, 0xffc0),
      jump(BPF_JMP | BPF_JEQ | BPF_K, 0xfe80, 0, 1),  // RFC 4291 section 2.4
      statement(BPF_RET | BPF_K, size),
      statement(BPF_RET | BPF_K, 0),
  };
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

void LinkSources::take(std::chrono::nanoseconds now) noexcept {
  for (std::size_t batch = 0; batch < most_batches; ++batch) {
    for (mmsghdr& header : headers_) {
      header.msg_hdr.msg_namelen = sizeof(sockaddr_ll);
    }
    const int result = ::recvmmsg(socket_.number(), headers_.data(), batch_size, MSG_DONTWAIT, nullptr);
    const std::size_t count = result > 0 ? static_cast<std::size_t>(result) : 0;
    for (std::size_t position = 0; position < count; ++position) {
      if (headers_[position].msg_len == seen_size) {
        learn(seen_[position], frames_[position], now);
      }
    }
    if (count < batch_size) {
      return;
    }
  }
}

void LinkSources::learn_run(const Received6& run, std::chrono::nanoseconds now) noexcept {
  if (run.octets.size() < run.message_size) {
    return;
  }
  if (const auto mac = of(run.ingress, run.octets.first(run.message_size))) {
    for_each_message(run, [&](std::span<const std::uint8_t> message) {
      if (const auto key = key_of(run.ingress.interface_index, run.ingress.source, message)) {
        remember(*key, *mac, now);
      }
    });
  }
}

void LinkSources::learn(const Seen& seen, const sockaddr_ll& frame, std::chrono::nanoseconds now) noexcept {
  MacAddress mac;
  if (frame.sll_hatype != ARPHRD_ETHER || frame.sll_halen != mac.octets.size()) {
    return;
  }
  std::copy_n(std::begin(frame.sll_addr), mac.octets.size(), mac.octets.begin());
  if (!mac.is_station()) {
    return;
  }
  constexpr std::size_t source_offset = 8;  // RFC 8200 section 3
  Ipv6Address source;
  std::copy_n(seen.begin() + source_offset, source.octets.size(), source.octets.begin());
  if (const auto key =
          key_of(static_cast<std::uint32_t>(frame.sll_ifindex), source, std::span{seen}.subspan<message_offset>())) {
    remember(*key, mac, now);
  }
}

/// Where there is no room, the oldest of the set has to go.
void LinkSources::remember(const Key& key, const MacAddress& mac, std::chrono::nanoseconds now) noexcept {
  const std::span<Entry> set = std::span{entries_}.subspan(first_of_set(key), ways);
  const auto place = std::ranges::find(set, key, &Entry::key);
  if (place == set.end() || place->seen == never) {
    *std::ranges::min_element(set, {}, &Entry::seen) = {key, mac, false, false, now};
  } else if (place->mac == mac && !place->is_disputed) {
    place->seen = now;
  } else if (now - place->seen > lifetime) {
    *place = {key, mac, false, false, now};
  } else if (place->mac != mac) {
    *place = {key, mac, true, false, now};
  }
}

std::optional<MacAddress> LinkSources::of(const Ingress6& ingress,
                                          std::span<const std::uint8_t> message) const noexcept {
  const auto key = key_of(ingress.interface_index, ingress.source, message);
  const Entry* const entry = key ? find(*key) : nullptr;
  return entry == nullptr || entry->is_disputed ? std::nullopt : std::optional{entry->mac};
}

void LinkSources::relayed(const Ingress6& ingress, std::span<const std::uint8_t> message) noexcept {
  const auto key = key_of(ingress.interface_index, ingress.source, message);
  if (!key) {
    return;
  }
  const std::span<Entry> set = std::span{entries_}.subspan(first_of_set(*key), ways);
  const auto place = std::ranges::find(set, *key, &Entry::key);
  if (place != set.end() && ingress.link_source == place->mac) {
    place->is_relayed = true;
  }
}

std::optional<MacAddress> LinkSources::of_asker(std::uint32_t interface_index, const Ipv6Address& client,
                                                std::span<const std::uint8_t> answer,
                                                std::chrono::nanoseconds now) const noexcept {
  const auto key = key_of(interface_index, client, answer);
  const Entry* const entry = key ? find(*key) : nullptr;
  if (entry == nullptr || entry->is_disputed || !entry->is_relayed || now - entry->seen > lifetime ||
      dhcpv6::msg_type(answer) == dhcpv6::message_type::reconfigure) {
    return std::nullopt;
  }
  return entry->mac;
}

/// Nothing for what has no transaction-id: relay agents' messages, and what is broken off.
std::optional<LinkSources::Key> LinkSources::key_of(std::uint32_t interface_index, const Ipv6Address& client,
                                                    std::span<const std::uint8_t> message) noexcept {
  if (message.size() < dhcpv6::message_header_size || dhcpv6::is_of_relays(message)) {
    return std::nullopt;
  }
  return Key{client, interface_index, dhcpv6::transaction_id(message)};
}

const LinkSources::Entry* LinkSources::find(const Key& key) const noexcept {
  const std::span<const Entry> set = std::span{entries_}.subspan(first_of_set(key), ways);
  const auto place = std::ranges::find(set, key, &Entry::key);
  return place == set.end() || place->seen == never ? nullptr : &*place;
}

std::size_t LinkSources::first_of_set(const Key& key) const noexcept {
  const std::uint64_t seed_of_link = seed_ + (std::uint64_t{key.interface_index} << 32U);
  return (transaction_hash(key.transaction_id, key.source.octets, seed_of_link) % set_count) * ways;
}

}  // namespace relay::io
