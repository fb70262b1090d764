#include "relay/capture/host_view.h"

#include <algorithm>
#include <string_view>

namespace relay::capture {

namespace {

void append_address(std::string& text, Ipv4Address address) {
  std::string_view separator;
  for (const std::uint8_t octet : address.octets) {
    text.append(separator).append(std::to_string(octet));
    separator = ".";
  }
}

[[nodiscard]] std::string description(const Interface& interface, bool is_downstream, bool is_upstream,
                                      const InterfaceTable& table) {
  std::string text;
  if (is_downstream) {
    text = is_upstream ? "downstream and upstream" : "downstream";
    if (interface.giaddr) {
      text += table.is_local(*interface.giaddr) ? ", giaddr " : " (passive), giaddr ";
      append_address(text, *interface.giaddr);
      return text;
    }
  } else {
    text = "upstream";
  }
  if (interface.addresses.empty()) {
    return interface.v6.addresses.empty() ? text + ", no address" : text;
  }
  text += ", ";
  append_address(text, interface.addresses.front().address);
  return text + '/' + std::to_string(interface.addresses.front().length);
}

/// It is up, and has an address that others can reach.
[[nodiscard]] bool is_open_to_servers(const Interface& interface) noexcept {
  const bool has_address4 = !interface.addresses.empty() && !interface.addresses.front().address.is_loopback();
  return interface.is_up && (has_address4 || std::ranges::any_of(interface.v6.addresses, [](const auto& own) {
                               return own.prefix.address.is_globally_scoped();
                             }));
}

[[nodiscard]] std::vector<Ipv6Prefix> prefixes6(const Interface& interface) {
  std::vector<Ipv6Prefix> result;
  for (const InterfaceAddress6& own : interface.v6.addresses) {
    result.push_back(own.prefix);
  }
  return result;
}

}  // namespace

bool HostView::takes(Ipv4Address destination) const noexcept {
  return destination.is_limited_broadcast() || destination.is_multicast() || addresses.contains(destination) ||
         broadcasts.contains(destination);
}

bool HostView::takes(const Address& destination, const Point& point) const noexcept {
  if (!destination.is_ipv6()) {
    return takes(destination.ipv4());
  }
  const Ipv6Address address = destination.ipv6();
  return address.is_multicast() ? hears(address, point.hears_clients6) : holds(destination, point);
}

bool HostView::holds(const Address& address, const Point& point) const noexcept {
  return address.is_ipv6() && address.ipv6().is_link_local()
             ? std::ranges::find(point.addresses6, address.ipv6(), &Ipv6Prefix::address) != point.addresses6.end()
             : addresses.contains(address);
}

bool hears(const Ipv6Address& group, bool hears_clients) noexcept {
  constexpr Ipv6Address all_nodes{{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  return group == all_nodes || (hears_clients && group == all_dhcp_relay_agents_and_servers);
}

HostView host_view(const InterfaceTable& table, bool upstream_named, Families families) {
  HostView view;
  for (const auto& [index, interface] : table.all()) {
    view.names.emplace(index, interface.name);
    for (const Ipv4Prefix& own : interface.addresses) {
      view.addresses.insert(own.address);
      const auto last = Ipv4Address::from_host_order(own.network().host_order() | ~own.mask());
      if (interface.is_up && own.is_broadcast(last)) {
        view.broadcasts.insert(last);
      }
    }
    for (const InterfaceAddress6& own : interface.v6.addresses) {
      if (!own.prefix.address.is_link_local()) {
        view.addresses.insert(own.prefix.address);
      }
    }
    const bool is_downstream = families.ipv6 ? interface.is_downstream6() : interface.is_downstream;
    const bool is_named_upstream = families.ipv6 ? interface.is_upstream6() : interface.is_upstream;
    const bool is_upstream = is_named_upstream || (!upstream_named && !is_downstream && is_open_to_servers(interface));
    if (is_downstream || is_upstream) {
      view.points.push_back({index, interface.name, description(interface, is_downstream, is_upstream, table),
                             interface.addresses, interface.mac, interface.is_ethernet, prefixes6(interface),
                             families.ipv6 && is_downstream});
    }
  }
  std::ranges::sort(view.points, {}, &HostView::Point::index);
  return view;
}

}  // namespace relay::capture
