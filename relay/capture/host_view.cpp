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

[[nodiscard]] std::string description(const Interface& interface, bool is_upstream, const InterfaceTable& table) {
  std::string text;
  if (interface.is_downstream) {
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
    return text + ", no address";
  }
  text += ", ";
  append_address(text, interface.addresses.front().address);
  return text + '/' + std::to_string(interface.addresses.front().length);
}

}  // namespace

bool HostView::takes(Ipv4Address destination) const noexcept {
  return destination.is_limited_broadcast() || destination.is_multicast() || addresses.contains(destination) ||
         broadcasts.contains(destination);
}

HostView host_view(const InterfaceTable& table, bool upstream_named) {
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
    const bool is_open_to_servers = !upstream_named && !interface.is_downstream && interface.is_up &&
                                    !interface.addresses.empty() && !interface.addresses.front().address.is_loopback();
    const bool is_upstream = interface.is_upstream || is_open_to_servers;
    if (interface.is_downstream || is_upstream) {
      view.points.push_back({index, interface.name, description(interface, is_upstream, table), interface.addresses,
                             interface.mac, interface.is_ethernet});
    }
  }
  std::ranges::sort(view.points, {}, &HostView::Point::index);
  return view;
}

}  // namespace relay::capture
