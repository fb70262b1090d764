#include "relay/io/routes.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <variant>

namespace relay::io {

using namespace rtnetlink;

namespace {

[[nodiscard]] unsigned char domain_of(Family family) {
  return family == Family::ipv4 ? AF_INET : AF_INET6;
}

[[nodiscard]] unsigned char bits_of(const IpAddress& address) {
  return family_of(address) == Family::ipv4 ? 32 : 128;
}

void put(nl_msg& message, int type, const void* octets, std::size_t size) {
  if (nla_put(&message, type, static_cast<int>(size), octets) < 0) {
    fail(ENOMEM, "Cannot make a rtnetlink request");
  }
}

void put_address(nl_msg& message, int type, const IpAddress& address) {
  std::visit([&](const auto& known) { put(message, type, known.octets.data(), known.octets.size()); }, address);
}

[[nodiscard]] std::optional<IpAddress> address_of(const nlattr* attribute) {
  if (const auto octets = octets_of<decltype(Ipv4Address::octets)>(attribute)) {
    return Ipv4Address{*octets};
  }
  if (const auto octets = octets_of<decltype(Ipv6Address::octets)>(attribute)) {
    return Ipv6Address{*octets};
  }
  return std::nullopt;
}

}  // namespace

Route route_to(Questions& questions, const IpAddress& destination, std::uint32_t interface) {
  rtmsg header{};
  header.rtm_family = domain_of(family_of(destination));
  header.rtm_dst_len = bits_of(destination);
  const Message message = request_message(RTM_GETROUTE, 0, header);
  put_address(*message, RTA_DST, destination);
  if (interface != 0) {
    put(*message, RTA_OIF, &interface, sizeof(interface));
  }
  Route route;
  static_cast<void>(questions.ask(*message, [&route](nlmsghdr* answer) {
    Attributes<RTA_MAX> attributes{};
    if (answer->nlmsg_type != RTM_NEWROUTE || !parse<rtmsg, RTA_MAX>(answer, attributes)) {
      return;
    }
    route.type = header_of<rtmsg>(answer).rtm_type;
    route.egress = number_of(attributes[RTA_OIF]);
    route.gateway = address_of(attributes[RTA_GATEWAY]);
    Attributes<RTAX_MAX> metrics{};
    if (parse_nested<RTAX_MAX>(attributes[RTA_METRICS], metrics)) {
      route.mtu = number_of(metrics[RTAX_MTU]);
    }
  }));
  return route;
}

std::string refusing_type(const std::error_code& error) {
  switch (error.value()) {
    case EINVAL:
      return "blackhole";
    case EHOSTUNREACH:
      return "unreachable";
    case EACCES:
      return "prohibit";
    default:
      return {};
  }
}

bool neighbour_has_failed(Questions& questions, std::uint32_t interface, const IpAddress& address) {
  ndmsg header{};
  header.ndm_family = domain_of(family_of(address));
  header.ndm_ifindex = static_cast<int>(interface);
  const Message message = request_message(RTM_GETNEIGH, 0, header);
  put_address(*message, NDA_DST, address);
  bool has_failed = false;
  try {
    static_cast<void>(questions.ask(*message, [&has_failed](nlmsghdr* answer) {
      if (answer->nlmsg_type == RTM_NEWNEIGH && nlmsg_valid_hdr(answer, sizeof(ndmsg)) != 0) {
        has_failed = (header_of<ndmsg>(answer).ndm_state & NUD_FAILED) != 0;
      }
    }));
  } catch (const std::system_error&) {
    return false;  // ENOENT: it was not asked for of late
  }
  return has_failed;
}

NeighbourLimits neighbour_limits(Questions& questions, Family family) {
  ndtmsg header{};
  header.ndtm_family = domain_of(family);
  const Message message = request_message(RTM_GETNEIGHTBL, NLM_F_DUMP, header);
  NeighbourLimits limits;
  try {
    static_cast<void>(questions.ask(*message, [&limits](nlmsghdr* answer) {
      Attributes<NDTA_MAX> attributes{};
      if (answer->nlmsg_type != RTM_NEWNEIGHTBL || !parse<ndtmsg, NDTA_MAX>(answer, attributes) ||
          attributes[NDTA_CONFIG] == nullptr) {
        return;
      }
      limits.most = number_of(attributes[NDTA_THRESH3]).value_or(0);
      if (const auto octets = octets_of<std::array<std::uint8_t, sizeof(ndt_config)>>(attributes[NDTA_CONFIG])) {
        ndt_config configuration{};
        std::memcpy(&configuration, octets->data(), sizeof(configuration));
        limits.entries = configuration.ndtc_entries;
      }
    }));
  } catch (const std::system_error&) {
    return {};
  }
  return limits;
}

}  // namespace relay::io
