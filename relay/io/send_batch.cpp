#include "relay/io/send_batch.h"

#include <net/ethernet.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

namespace relay::io {

namespace {

[[nodiscard]] sockaddr_ll link_address(const Interface& interface, const MacAddress& destination,
                                       Family family) noexcept {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(family == Family::ipv4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
  address.sll_ifindex = static_cast<int>(interface.index);
  address.sll_halen = ETH_ALEN;
  std::ranges::copy(destination.octets, std::begin(address.sll_addr));
  return address;
}

/// The kernel only reads what is sent; its types do not say so.
[[nodiscard]] iovec vector_of(std::span<const std::uint8_t> octets) noexcept {
  return {const_cast<std::uint8_t*>(octets.data()), octets.size()};
}

/// 0 or the errno.
[[nodiscard]] int send_one(int socket, const msghdr& header) noexcept {
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

template <typename Value>
void write(cmsghdr& control, int level, int type, const Value& value) noexcept {
  control.cmsg_level = level;
  control.cmsg_type = type;
  control.cmsg_len = CMSG_LEN(sizeof(value));
  std::memcpy(CMSG_DATA(&control), &value, sizeof(value));
}

void write_destination(sockaddr_in& to, Ipv4Address address, std::uint16_t port, std::uint32_t /*interface*/) noexcept {
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr = to_in_addr(address);
}

/// RFC 4007 section 6: where the address is of a smaller scope than the world, the interface tells which zone is meant.
void write_destination(sockaddr_in6& to, const Ipv6Address& address, std::uint16_t port,
                       std::uint32_t interface) noexcept {
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(port);
  to.sin6_addr = to_in_addr(address);
  to.sin6_scope_id = address.is_link_local() || address.is_multicast() ? interface : 0;
}

[[nodiscard]] in_pktinfo packet_info(Ipv4Address source, std::uint32_t interface) noexcept {
  in_pktinfo info{};
  info.ipi_ifindex = static_cast<int>(interface);
  info.ipi_spec_dst = to_in_addr(source);
  return info;
}

[[nodiscard]] in6_pktinfo packet_info(const Ipv6Address& source, std::uint32_t interface) noexcept {
  in6_pktinfo info{};
  info.ipi6_ifindex = interface;
  info.ipi6_addr = to_in_addr(source);
  return info;
}

}  // namespace

template <typename Protocol>
DatagramBatchOf<Protocol>::DatagramBatchOf(std::size_t capacity, RunRefused refused)
    : refused_(std::move(refused)),
      entries_(capacity),
      runs_(capacity),
      headers_(capacity),
      destinations_(capacity),
      controls_(capacity),
      vectors_(capacity) {
  for (std::size_t number = 0; number < capacity; ++number) {
    msghdr& header = headers_[number].msg_hdr;
    header.msg_name = &destinations_[number];
    header.msg_namelen = sizeof(typename Form::SocketAddress);
    header.msg_control = controls_[number].octets.data();
  }
}

template <typename Protocol>
void DatagramBatchOf<Protocol>::add(const SendingOf<Protocol>& sending, std::span<const std::uint8_t> payload,
                                    const Address& source, std::uint16_t port, std::uint32_t interface_index) noexcept {
  assert(!is_full());
  const auto entry = static_cast<std::uint32_t>(entry_count_++);
  entries_[entry] = {sending, payload, none};
  const Run wanted{sending.destination, source, interface_index, port, entry, entry, 1};
  const std::size_t oldest = run_count_ > looked_back ? run_count_ - looked_back : 0;
  for (std::size_t number = run_count_; forms_runs_ && number > oldest; --number) {
    Run& run = runs_[number - 1];
    if (can_join(run, wanted, payload.size())) {
      entries_[run.last].next = entry;
      run.last = entry;
      ++run.count;
      return;
    }
  }
  runs_[run_count_++] = wanted;
}

template <typename Protocol>
bool DatagramBatchOf<Protocol>::can_join(const Run& run, const Run& wanted, std::size_t size) const noexcept {
  return run.destination == wanted.destination && run.source == wanted.source &&
         run.interface_index == wanted.interface_index && run.port == wanted.port &&
         entries_[run.first].payload.size() == size && size != 0 && size <= largest_in_run_ &&
         run.count < largest_run && (run.count + 1) * size <= max_run_octets;
}

template <typename Protocol>
void DatagramBatchOf<Protocol>::lay_out() noexcept {
  std::size_t vector = 0;
  for (std::size_t number = 0; number < run_count_; ++number) {
    const Run& run = runs_[number];
    write_destination(destinations_[number], run.destination, run.port, run.interface_index);
    msghdr& header = headers_[number].msg_hdr;
    header.msg_iov = &vectors_[vector];
    header.msg_iovlen = run.count;
    for (std::uint32_t entry = run.first; entry != none; entry = entries_[entry].next) {
      vectors_[vector++] = vector_of(entries_[entry].payload);
    }
    write_control(number);
  }
}

template <typename Protocol>
void DatagramBatchOf<Protocol>::write_control(std::size_t number) noexcept {
  const Run& run = runs_[number];
  msghdr& header = headers_[number].msg_hdr;
  header.msg_controllen = run.count > 1 ? sizeof(Control::octets) : CMSG_SPACE(sizeof(typename Form::PacketInfo));
  cmsghdr* const first = CMSG_FIRSTHDR(&header);
  assert(first != nullptr);
  write(*first, Form::level, Form::packet_info, packet_info(run.source, run.interface_index));
  if (run.count > 1) {
    cmsghdr* const second = CMSG_NXTHDR(&header, first);
    assert(second != nullptr);
    write(*second, IPPROTO_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(entries_[run.first].payload.size()));
  }
}

template <typename Protocol>
int DatagramBatchOf<Protocol>::send_alone(int socket, std::size_t number, std::uint32_t entry) noexcept {
  iovec vector = vector_of(entries_[entry].payload);
  msghdr header = headers_[number].msg_hdr;
  header.msg_controllen = CMSG_SPACE(sizeof(typename Form::PacketInfo));
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  return send_one(socket, header);
}

/// A message is too large for its link, or something on the way knows no segmentation: none of it concerns what leaves
/// alone.
template <typename Protocol>
bool DatagramBatchOf<Protocol>::is_about_runs(int error) noexcept {
  return error == EINVAL || error == EMSGSIZE || error == EIO || error == EOPNOTSUPP || error == ENOPROTOOPT;
}

template <typename Protocol>
void DatagramBatchOf<Protocol>::refuse(int error, std::size_t size) {
  if (error == EINVAL || error == EMSGSIZE) {
    largest_in_run_ = std::min(largest_in_run_, size - 1);  // it needs fragments
    return;
  }
  refuse_runs(error);
}

template <typename Protocol>
void DatagramBatchOf<Protocol>::refuse_runs(int error) {
  is_refused_ = true;
  forms_runs_ = false;
  if (refused_ && error != 0) {
    refused_(error);
  }
}

template class DatagramBatchOf<Dhcpv4>;
template class DatagramBatchOf<Dhcpv6>;

template <typename Protocol>
FrameBatchOf<Protocol>::FrameBatchOf(std::size_t capacity)
    : sendings_(capacity), headers_(capacity), vectors_(capacity), destinations_(capacity), frame_headers_(capacity) {
  for (std::size_t position = 0; position < capacity; ++position) {
    vectors_[position][0] = vector_of(frame_headers_[position]);
    msghdr& header = headers_[position].msg_hdr;
    header.msg_name = &destinations_[position];
    header.msg_namelen = sizeof(sockaddr_ll);
    header.msg_iov = vectors_[position].data();
    header.msg_iovlen = vectors_[position].size();
  }
}

template <typename Protocol>
void FrameBatchOf<Protocol>::add(const SendingOf<Protocol>& sending, const Addresses& addresses,
                                 std::span<const std::uint8_t> payload) noexcept {
  assert(!is_full());
  sendings_[count_] = sending;
  frame_headers_[count_] = frame_headers(addresses, payload);
  vectors_[count_][1] = vector_of(payload);
  destinations_[count_] = link_address(*sending.interface, addresses.link_destination, Protocol::family);
  ++count_;
}

template class FrameBatchOf<Dhcpv4>;
template class FrameBatchOf<Dhcpv6>;

int send_fragments(int socket, const Interface& interface, const FrameAddresses& addresses,
                   std::span<const std::uint8_t> payload) noexcept {
  auto first = udp_header(addresses, payload);
  sockaddr_ll destination = link_address(interface, addresses.link_destination, Family::ipv4);
  const std::size_t total = first.size() + payload.size();
  const std::size_t size = fragment_size(interface.mtu);
  for (std::size_t offset = 0; offset < total; offset += size) {
    const std::size_t here = std::min(size, total - offset);
    auto headers = link_and_ip_headers(addresses, here, offset, offset + here < total);
    // The datagram is the UDP header and the payload; a fragment has 8 octets at least.
    const std::size_t of_header = offset == 0 ? first.size() : 0;
    const auto part = payload.subspan(offset == 0 ? 0 : offset - first.size(), here - of_header);
    std::array<iovec, 3> vectors{vector_of(headers), vector_of(std::span{first}.first(of_header)), vector_of(part)};
    msghdr header{};
    header.msg_name = &destination;
    header.msg_namelen = sizeof(destination);
    header.msg_iov = vectors.data();
    header.msg_iovlen = vectors.size();
    if (const int error = send_one(socket, header); error != 0) {
      return error;
    }
  }
  return 0;
}

}  // namespace relay::io
