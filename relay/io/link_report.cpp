#include "relay/io/link_report.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "relay/io/rtnetlink.h"

namespace relay::io {

using namespace rtnetlink;

namespace {

/// What a link is by its kind: a VLAN device, a bridge or something else.
void read_kind(Attributes<IFLA_MAX>& attributes, LinkState& link) {
  Attributes<IFLA_INFO_MAX> info{};
  if (!parse_nested<IFLA_INFO_MAX>(attributes[IFLA_LINKINFO], info)) {
    return;
  }
  const std::string kind = text_of(info[IFLA_INFO_KIND]);
  if (kind == "vlan") {
    Attributes<IFLA_VLAN_MAX> data{};
    if (parse_nested<IFLA_VLAN_MAX>(info[IFLA_INFO_DATA], data)) {
      link.vlan_id = short_number_of(data[IFLA_VLAN_ID]);
    }
    // With IFLA_LINK_NETNSID the index is one of another network namespace.
    if (attributes[IFLA_LINK_NETNSID] == nullptr) {
      link.parent_index = number_of(attributes[IFLA_LINK]).value_or(0);
    }
  } else if (kind == "bridge") {
    link.is_bridge = true;
    Attributes<IFLA_BR_MAX> data{};
    if (parse_nested<IFLA_BR_MAX>(info[IFLA_INFO_DATA], data)) {
      link.filters_vlans = is_set(data[IFLA_BR_VLAN_FILTERING]);
      link.default_pvid = short_number_of(data[IFLA_BR_VLAN_DEFAULT_PVID]).value_or(0);
    }
  }
}

/// net.ipv6.conf.IF.mtu; nothing where the link has no IPv6.
[[nodiscard]] std::optional<std::uint32_t> ipv6_mtu_of(nlattr* families) {
  Attributes<AF_INET6> by_family{};
  Attributes<IFLA_INET6_MAX> of_ipv6{};
  if (!parse_nested<AF_INET6>(families, by_family) || !parse_nested<IFLA_INET6_MAX>(by_family[AF_INET6], of_ipv6)) {
    return std::nullopt;
  }
  const nlattr* const settings = of_ipv6[IFLA_INET6_CONF];
  std::array<std::uint32_t, DEVCONF_MTU6 + 1> values{};  // the kernel's settings in their order, as many as it has
  if (settings == nullptr || nla_len(settings) < static_cast<int>(sizeof values)) {
    return std::nullopt;
  }
  std::memcpy(values.data(), nla_data(settings), sizeof values);
  return values[DEVCONF_MTU6];
}

}  // namespace

bool is_about_link(nlmsghdr* message) {
  return nlmsg_valid_hdr(message, sizeof(ifinfomsg)) != 0 && header_of<ifinfomsg>(message).ifi_family == AF_UNSPEC &&
         nlmsg_find_attr(message, sizeof(ifinfomsg), IFLA_WIRELESS) == nullptr;
}

std::optional<LinkState> read_link(nlmsghdr* message) {
  Attributes<IFLA_MAX> attributes{};
  if (!is_about_link(message) || !parse<ifinfomsg, IFLA_MAX>(message, attributes)) {
    return std::nullopt;
  }
  const auto header = header_of<ifinfomsg>(message);
  const std::optional<std::uint32_t> mtu = number_of(attributes[IFLA_MTU]);
  LinkState link;
  link.name = text_of(attributes[IFLA_IFNAME]);
  if (header.ifi_index <= 0 || link.name.empty() || !mtu) {
    return std::nullopt;
  }
  link.index = static_cast<std::uint32_t>(header.ifi_index);
  link.alias = text_of(attributes[IFLA_IFALIAS]);
  link.mtu = *mtu;
  link.ipv6_mtu = ipv6_mtu_of(attributes[IFLA_AF_SPEC]).value_or(*mtu);
  link.is_up = (header.ifi_flags & IFF_UP) != 0;
  link.has_carrier = (header.ifi_flags & IFF_LOWER_UP) != 0;
  link.master_index = number_of(attributes[IFLA_MASTER]).value_or(0);
  read_kind(attributes, link);
  if (header.ifi_type == ARPHRD_ETHER) {
    if (const auto octets = octets_of<decltype(MacAddress::octets)>(attributes[IFLA_ADDRESS])) {
      link.mac = {*octets};
      link.is_ethernet = true;
    }
  }
  return link;
}

std::optional<AddressReport> read_address(nlmsghdr* message) {
  using Octets = decltype(Ipv4Address::octets);
  Attributes<IFA_MAX> attributes{};
  if (!parse<ifaddrmsg, IFA_MAX>(message, attributes)) {
    return std::nullopt;
  }
  const auto header = header_of<ifaddrmsg>(message);
  const auto remote = octets_of<Octets>(attributes[IFA_ADDRESS]);
  const auto local = octets_of<Octets>(attributes[attributes[IFA_LOCAL] != nullptr ? IFA_LOCAL : IFA_ADDRESS]);
  if (header.ifa_family != AF_INET || header.ifa_prefixlen > 32 || !local) {
    return std::nullopt;
  }
  AddressReport report{header.ifa_index, {}};
  report.address.prefix = {{*local}, header.ifa_prefixlen};
  if (remote && remote != local) {
    report.address.peer = Ipv4Address{*remote};
  }
  report.address.scope = header.ifa_scope;
  report.address.is_secondary = (header.ifa_flags & IFA_F_SECONDARY) != 0;
  return report;
}

std::optional<AddressReport6> read_address6(nlmsghdr* message) {
  Attributes<IFA_MAX> attributes{};
  if (!parse<ifaddrmsg, IFA_MAX>(message, attributes)) {
    return std::nullopt;
  }
  const auto header = header_of<ifaddrmsg>(message);
  // Of a point-to-point link IFA_ADDRESS is the other end's.
  const auto* const own = attributes[attributes[IFA_LOCAL] != nullptr ? IFA_LOCAL : IFA_ADDRESS];
  const auto octets = octets_of<decltype(Ipv6Address::octets)>(own);
  if (header.ifa_family != AF_INET6 || header.ifa_prefixlen > 128 || !octets) {
    return std::nullopt;
  }
  // All flags that are wanted are among the first eight, and so in the header too.
  const auto has = [&header](unsigned flag) { return (header.ifa_flags & flag) != 0; };
  AddressReport6 report{header.ifa_index, {}, true};
  report.address.prefix = {{*octets}, header.ifa_prefixlen};
  report.address.is_deprecated = has(IFA_F_DEPRECATED);
  report.address.is_temporary = has(IFA_F_TEMPORARY);
  report.is_usable = !has(IFA_F_DADFAILED) && (!has(IFA_F_TENTATIVE) || has(IFA_F_OPTIMISTIC));
  return report;
}

}  // namespace relay::io
