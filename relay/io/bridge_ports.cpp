#include "relay/io/bridge_ports.h"

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <system_error>

namespace relay::io {

namespace {

/// An answer has some 100 octets, a refusal those of the question besides.
constexpr std::size_t answer_size = 1024;
/// Answers to earlier questions that could not be read then.
constexpr int max_reads = 64;

template <typename Value>
struct Attribute {
  nlattr header;
  std::array<std::uint8_t, (sizeof(Value) + NLA_ALIGNTO - 1) / NLA_ALIGNTO * NLA_ALIGNTO> octets{};

  Attribute(std::uint16_t type, const Value& value) noexcept
      : header{static_cast<std::uint16_t>(sizeof header + sizeof value), type} {
    std::memcpy(octets.data(), &value, sizeof value);
  }
};

/// RTM_GETNEIGH for one entry of a forwarding database, as it is sent; `vlan_id` is left out where there is none.
struct Question {
  nlmsghdr header{};
  ndmsg entry{};
  Attribute<std::uint32_t> bridge;
  Attribute<MacAddress> mac;
  Attribute<std::uint16_t> vlan_id;
};
static_assert(sizeof(Question) == sizeof(nlmsghdr) + sizeof(ndmsg) + 3 * sizeof(nlattr) + 4 + 8 + 4, "no gaps");

/// What begins `octets`; nothing where they are too few.
template <typename Header>
std::optional<Header> header_at(std::span<const std::byte> octets) noexcept {
  Header header{};
  if (octets.size() < sizeof header) {
    return std::nullopt;
  }
  std::memcpy(&header, octets.data(), sizeof header);
  return header;
}

/// The port in an RTM_NEWNEIGH about an address behind a port of `bridge_index`.
std::uint32_t port_in(std::span<const std::byte> body, std::uint32_t bridge_index) noexcept {
  const auto entry = header_at<ndmsg>(body);
  // Permanent entries are the addresses of the bridge and of its ports; a stale one is older than the bridge believes.
  constexpr unsigned current = NUD_REACHABLE | NUD_NOARP;
  if (!entry || entry->ndm_family != AF_BRIDGE || (entry->ndm_state & current) == 0 || entry->ndm_ifindex <= 0) {
    return 0;
  }
  const auto port = static_cast<std::uint32_t>(entry->ndm_ifindex);
  return port == bridge_index ? 0 : port;
}

}  // namespace

BridgePorts::BridgePorts() : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE)) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (!socket_.is_open() ||
      ::bind(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::system_error(errno, std::generic_category(),
                            "Cannot open a rtnetlink socket, without which no port of a bridge is known");
  }
}

std::uint32_t BridgePorts::port_of(std::uint32_t bridge_index, std::uint16_t vlan_id, const MacAddress& mac) noexcept {
  Question question{{}, {}, {NDA_MASTER, bridge_index}, {NDA_LLADDR, mac}, {NDA_VLAN, vlan_id}};
  const std::size_t size = vlan_id == 0 ? offsetof(Question, vlan_id) : sizeof question;
  question.header.nlmsg_len = static_cast<std::uint32_t>(size);
  question.header.nlmsg_type = RTM_GETNEIGH;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.header.nlmsg_seq = ++sequence_;
  question.entry.ndm_family = AF_BRIDGE;
  if (::send(socket_.number(), &question, size, 0) != static_cast<ssize_t>(size)) {
    return 0;
  }

  std::array<std::byte, answer_size> buffer;
  for (int count = 0; count < max_reads; ++count) {
    sockaddr_nl sender{};
    socklen_t sender_size = sizeof sender;
    const ssize_t received = ::recvfrom(socket_.number(), buffer.data(), buffer.size(), 0,
                                        reinterpret_cast<sockaddr*>(&sender), &sender_size);
    if (received < 0) {
      return 0;
    }
    const std::span<const std::byte> message{buffer.data(), static_cast<std::size_t>(received)};
    const auto header = header_at<nlmsghdr>(message);
    if (!header || sender.nl_pid != 0 || header->nlmsg_seq != sequence_) {
      continue;
    }
    return header->nlmsg_type == RTM_NEWNEIGH ? port_in(message.subspan(NLMSG_HDRLEN), bridge_index) : 0;
  }
  return 0;
}

}  // namespace relay::io
