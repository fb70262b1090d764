#include "relay/io/port_holders.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netlink/socket.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "relay/io/rtnetlink.h"

namespace relay::io {

namespace {

namespace filesystem = std::filesystem;
using check::PortHolder;

struct BoundSocket {
  std::uint16_t port = 0;
  std::uint32_t inode = 0;
  std::uint32_t user = 0;
};

/// An IPv6 socket keeps the port from IPv4 where it takes IPv4 too: bound to all addresses, or to a mapped one.
struct Takes {
  bool ipv4;
  bool ipv6;
};

[[nodiscard]] Takes taken_by(const inet_diag_msg& socket, const nlattr* only_ipv6) {
  if (socket.idiag_family == AF_INET) {
    return {.ipv4 = true, .ipv6 = false};
  }
  in6_addr address{};
  static_assert(sizeof(address) == sizeof(socket.id.idiag_src));
  std::copy_n(reinterpret_cast<const std::uint8_t*>(&socket.id.idiag_src), sizeof(address),
              reinterpret_cast<std::uint8_t*>(&address));
  const bool is_mapped = IN6_IS_ADDR_V4MAPPED(&address);
  const bool is_both = IN6_IS_ADDR_UNSPECIFIED(&address) && !rtnetlink::is_set(only_ipv6);
  return {.ipv4 = is_both || is_mapped, .ipv6 = !is_mapped};
}

[[nodiscard]] bool has(const std::vector<std::uint16_t>& ports, std::uint16_t port) {
  return std::ranges::find(ports, port) != ports.end();
}

[[nodiscard]] std::vector<BoundSocket> sockets_of(rtnetlink::Questions& questions, std::uint8_t family,
                                                  const PortsByFamily& ports) {
  inet_diag_req_v2 request{};
  request.sdiag_family = family;
  request.sdiag_protocol = IPPROTO_UDP;
  request.idiag_states = ~0U;
  const auto message = rtnetlink::request_message(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, request);
  std::vector<BoundSocket> sockets;
  static_cast<void>(questions.ask(*message, [&](nlmsghdr* answer) {
    rtnetlink::Attributes<INET_DIAG_MAX> attributes{};
    if (answer->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        !rtnetlink::parse<inet_diag_msg, INET_DIAG_MAX>(answer, attributes)) {
      return;
    }
    const auto socket = rtnetlink::header_of<inet_diag_msg>(answer);
    const std::uint16_t port = ntohs(socket.id.idiag_sport);
    const Takes takes = taken_by(socket, attributes[INET_DIAG_SKV6ONLY]);
    if ((takes.ipv4 && has(ports.ipv4, port)) || (takes.ipv6 && has(ports.ipv6, port))) {
      sockets.push_back({port, socket.idiag_inode, socket.idiag_uid});
    }
  }));
  return sockets;
}

[[nodiscard]] std::optional<std::uint32_t> number_in(std::string_view text) {
  std::uint32_t number = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && stopped == text.data() + text.size() ? std::optional{number} : std::nullopt;
}

/// The inode in `socket:[12345]`.
[[nodiscard]] std::optional<std::uint32_t> inode_in(std::string_view link) {
  constexpr std::string_view begin = "socket:[";
  if (!link.starts_with(begin) || !link.ends_with(']')) {
    return std::nullopt;
  }
  return number_in(link.substr(begin.size(), link.size() - begin.size() - 1));
}

/// What the process calls itself, since its file may be an interpreter's. The relay is known by its file: it may have
/// been called by the name of a link, as by ISC's, and a newer one may have been installed meanwhile.
[[nodiscard]] std::string process_name(const filesystem::path& process) {
  constexpr std::string_view relay = "dhcp-relay";
  std::error_code refused;
  const std::string executed = filesystem::read_symlink(process / "exe", refused).filename().string();
  if (executed == relay || executed == std::string{relay} + " (deleted)") {
    return std::string{relay};
  }
  std::ifstream file{process / "comm"};
  std::string name;
  std::getline(file, name);
  return name;
}

using Owners = std::map<std::uint32_t, std::vector<filesystem::path>>;  // of an inode

/// Notes which processes have one of these sockets. Processes come and go meanwhile.
void find_owners(Owners& owners) {
  std::error_code error;
  for (filesystem::directory_iterator process{"/proc", error}; !error && process != filesystem::directory_iterator{};
       process.increment(error)) {
    if (!number_in(process->path().filename().string())) {
      continue;
    }
    std::error_code refused;
    for (filesystem::directory_iterator entry{process->path() / "fd", refused};
         !refused && entry != filesystem::directory_iterator{}; entry.increment(refused)) {
      std::error_code gone;
      const auto inode = inode_in(filesystem::read_symlink(entry->path(), gone).string());
      if (const auto owner = inode ? owners.find(*inode) : owners.end();
          owner != owners.end() && (owner->second.empty() || owner->second.back() != process->path())) {
        owner->second.push_back(process->path());
      }
    }
  }
}

}  // namespace

std::vector<PortHolder> port_holders(const PortsByFamily& ports) {
  rtnetlink::Questions questions{NETLINK_SOCK_DIAG};
  std::vector<BoundSocket> sockets = sockets_of(questions, AF_INET, ports);
  const std::vector<BoundSocket> further = sockets_of(questions, AF_INET6, ports);
  sockets.insert(sockets.end(), further.begin(), further.end());
  Owners owners;
  for (const BoundSocket& socket : sockets) {
    owners[socket.inode];
  }
  if (!owners.empty()) {
    find_owners(owners);
  }
  std::vector<PortHolder> holders;
  const auto add = [&holders](const PortHolder& holder) {
    if (std::ranges::find(holders, holder) == holders.end()) {
      holders.push_back(holder);
    }
  };
  for (const BoundSocket& socket : sockets) {
    for (const filesystem::path& process : owners[socket.inode]) {
      add({socket.port, process_name(process), number_in(process.filename().string()).value_or(0), socket.user});
    }
    if (owners[socket.inode].empty()) {
      add({.port = socket.port, .user = socket.user});
    }
  }
  return holders;
}

}  // namespace relay::io
