#include "tests/support/random_arrivals.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <span>
#include <utility>

#include "relay/core/bootp.h"
#include "tests/support/message_builder.h"

namespace reference {

namespace {

using relay::Ipv4Address;
using test_support::encoded;
using test_support::ip;
using test_support::MessageBuilder;
using test_support::text;

constexpr std::uint32_t loopback = 1;
constexpr std::array<std::uint32_t, 3> downstream{2, 3, 4};
constexpr std::uint32_t upstream = 5;
constexpr std::uint32_t both = 6;
constexpr std::array<std::uint32_t, 2> ports{7, 8};
constexpr std::uint32_t unknown = 99;
constexpr Ipv4Address shared_giaddr = ip(203, 0, 113, 1);
constexpr std::chrono::seconds remembered_at{1'000};
constexpr std::array servers{ip(198, 51, 100, 10), ip(198, 51, 100, 11)};

bool one_in(Random& random, unsigned count) {
  return random() % count == 0;
}

std::uint8_t octet(Random& random) {
  return static_cast<std::uint8_t>(random());
}

template <typename Container>
const auto& any_of(Random& random, const Container& choices) {
  return choices[random() % choices.size()];
}

// Option 82

OwnSubOption circuit_id(Random& random, const std::string& name) {
  switch (random() % 6) {
    case 0:
      return {1, {text("all")}};  // the same everywhere
    case 1:
      return {1, {text(name + "/"), Blank::client_hardware_address}};
    case 2:
      return {1, {Blank::client_port}};
    case 3:
      return {1, {Blank::client_port, text("-"), Blank::client_hardware_address, text(name)}};
    default:
      return {1, {text(name)}};
  }
}

std::vector<OwnSubOption> sub_options_for_servers(Random& random) {
  std::vector<OwnSubOption> result;
  if (one_in(random, 4)) {
    result.push_back({2, {Blank::client_hardware_address}});
  } else if (one_in(random, 3)) {
    result.push_back({2, {text("router")}});
  }
  if (one_in(random, 8)) {
    result.push_back({6, {text("customer "), Blank::client_port}});
  }
  if (one_in(random, 3)) {
    result.push_back({10, {Blank::relay_flags}});
  }
  if (one_in(random, 10)) {
    result.push_back({12, {Bytes(random() % 200, 'i')}});
  }
  return result;
}

OwnInformation random_information(Random& random, const std::string& name) {
  OwnInformation result;
  if (one_in(random, 12)) {
    return result;
  }
  if (!one_in(random, 8)) {
    result.relayed.push_back(circuit_id(random, name));
  }
  for (auto& each : sub_options_for_servers(random)) {
    result.relayed.push_back(std::move(each));
  }
  result.own = result.relayed;
  if (one_in(random, 4)) {
    result.own.push_back({5, {Bytes{10, 1, 0, 0}}});
  }
  if (one_in(random, 4)) {
    result.own.push_back({19, {}});
  }
  if (one_in(random, 4)) {
    result.own.push_back({151, {text(one_in(random, 2) ? std::string("\0red", 4) : std::string("\xff"))}});
    result.own.push_back({152, {}});
  }
  return result;
}

/// What an echo of `content` may have become on its way.
Bytes altered(Random& random, Bytes content) {
  switch (random() % 10) {
    case 0:
      content = joined({encoded(1, text("port 7")), encoded(2, text("dslam")), content});
      break;
    case 1:
      content = joined({content, encoded(9, text("more"))});
      break;
    case 2:
      content.resize(random() % (content.size() + 1));
      break;
    case 3:
      if (!content.empty()) {
        content[random() % content.size()] = octet(random);
      }
      break;
    case 4: {
      const SubOptions sub_options = sub_options_of(content);
      content.clear();
      for (const Option& each : sub_options.all) {
        if (each.code != 152 && !one_in(random, 6)) {
          content = joined({content, encoded(each.code, one_in(random, 8) ? text("other") : each.value)});
        }
      }
      break;
    }
    case 5: {
      // RFC 6607 section 7.2: as a server that knows sub-option 151
      const SubOptions sub_options = sub_options_of(content);
      content.clear();
      for (const Option& each : sub_options.all) {
        if (each.code != 152) {
          content = joined({content, encoded(each.code, each.value)});
        }
      }
      break;
    }
    default:
      break;
  }
  return content;
}

Bytes random_content(Random& random, const Network& network, const Bytes& hardware_address) {
  switch (random() % 10) {
    case 0:
      return {};
    case 1:
      return joined({encoded(1, text("port 7")), encoded(2, text("dslam"))});
    case 2: {
      const Bytes vss = one_in(random, 2) ? Bytes{151, 1, 255} : Bytes{151, 4, 0, 'r', 'e', 'd'};
      return joined({vss, one_in(random, 2) ? Bytes{152, 0} : Bytes{}});
    }
    case 3:
      return Bytes(random() % 256, octet(random));
    default:
      break;
  }
  const std::uint32_t index = any_of(random, downstream);
  const relay::Interface& interface = *network.interfaces.find(index);
  const OwnInformation& information = network.information.at(index);
  const std::vector<std::string> names{"p0", "p1", interface.name, interface.name, "p9"};
  const Bytes other_client{2, 0, 0, 0, 0, 1};
  return altered(random, filled_in(one_in(random, 10) ? information.relayed : information.own,
                                   {one_in(random, 10) ? other_client : hardware_address, any_of(random, names),
                                    one_in(random, 2)}));
}

/// One option, or several that are one (RFC 3396), or several that are not.
std::vector<Bytes> random_contents(Random& random, const Network& network, const Bytes& hardware_address) {
  std::vector<Bytes> contents;
  const std::size_t count = one_in(random, 4) ? 0 : one_in(random, 4) ? 2 + random() % 2 : 1;
  for (std::size_t i = 0; i < count; ++i) {
    Bytes content = random_content(random, network, hardware_address);
    while (content.size() > 255 || (one_in(random, 5) && !content.empty())) {
      const auto at = static_cast<std::ptrdiff_t>(random() % std::min<std::size_t>(content.size() + 1, 255));
      contents.emplace_back(content.begin(), content.begin() + at);
      content.erase(content.begin(), content.begin() + at);
    }
    contents.push_back(content);
  }
  if (!contents.empty() && one_in(random, 8)) {
    contents.push_back(any_of(random, contents));
  }
  while (joined(contents).size() > 510) {
    contents.pop_back();  // more than two agents can have written
  }
  return contents;
}

// Messages

Bytes random_hardware_address(Random& random, std::uint8_t hlen) {
  Bytes address(std::min<std::size_t>(hlen, 16));
  std::generate(address.begin(), address.end(), [&] { return octet(random); });
  if (!address.empty()) {
    address[0] = one_in(random, 8) ? address[0] : 2;
    if (one_in(random, 30)) {
      address.assign(address.size(), 0);
    }
  }
  return address;
}

Ipv4Address random_address(Random& random) {
  static constexpr std::array choices{ip(10, 1, 0, 50),  ip(10, 1, 0, 50),  ip(10, 2, 0, 50),       ip(10, 1, 1, 60),
                                      ip(10, 1, 0, 255), ip(10, 1, 0, 0),   ip(10, 2, 0, 255),      ip(10, 1, 0, 1),
                                      ip(192, 0, 2, 1),  ip(172, 16, 0, 9), ip(224, 0, 0, 1),       ip(240, 0, 0, 1),
                                      ip(127, 0, 0, 1),  ip(0, 0, 0, 9),    ip(255, 255, 255, 255), ip(223, 9, 9, 9),
                                      ip(10, 3, 0, 1)};
  return any_of(random, choices);
}

Ipv4Address random_giaddr(Random& random, Direction direction) {
  static constexpr std::array ours{ip(10, 1, 0, 1), ip(10, 2, 0, 1), ip(10, 3, 0, 1),
                                   shared_giaddr,   shared_giaddr,   ip(10, 1, 1, 1)};
  static constexpr std::array others{ip(10, 50, 0, 1), ip(10, 50, 0, 1), ip(10, 99, 0, 1)};
  if (one_in(random, 20)) {
    return random_address(random);
  }
  if (direction == Direction::reply) {
    return one_in(random, 20) ? ip(0, 0, 0, 0) : one_in(random, 10) ? any_of(random, others) : any_of(random, ours);
  }
  return one_in(random, 3) ? any_of(random, others) : one_in(random, 12) ? any_of(random, ours) : ip(0, 0, 0, 0);
}

void add_fixed_fields(Random& random, Direction direction, MessageBuilder& builder) {
  const bool is_request = direction == Direction::request;
  builder.op(one_in(random, 60) ? octet(random)
             : is_request       ? 1
                                : 2)
      .htype(static_cast<std::uint8_t>(one_in(random, 15) ? random() % 33 : 1))
      .hops(one_in(random, 6) ? static_cast<std::uint8_t>(random() % 20) : 0)
      .xid(random() % 4)
      .secs(static_cast<std::uint16_t>(one_in(random, 8) ? random() : 3))
      .flags(static_cast<std::uint16_t>(one_in(random, 3) ? random() : 0))
      .giaddr(random_giaddr(random, direction))
      .siaddr(random_address(random))
      .sname(Bytes(64, octet(random)))
      .file(Bytes(128, octet(random)));
  const Ipv4Address yiaddr = one_in(random, 4) ? random_address(random) : ip(10, 1, 0, 50);
  if (!one_in(random, 4)) {
    builder.yiaddr(yiaddr);
  }
  if (one_in(random, 3)) {
    builder.ciaddr(one_in(random, 2) ? yiaddr : random_address(random));
  }
}

void add_options(Random& random, MessageBuilder& builder, const std::vector<Bytes>& contents) {
  static constexpr std::array<std::uint8_t, 10> codes{1, 12, 43, 52, 53, 60, 61, 90, 125, 254};
  if (!one_in(random, 12)) {
    builder.option(53, Bytes(one_in(random, 30) ? random() % 3 : 1,
                             static_cast<std::uint8_t>(1 + random() % (one_in(random, 6) ? 14 : 8))));
  }
  auto content = contents.begin();
  const std::size_t count = random() % 5;
  for (std::size_t i = 0; i <= count; ++i) {
    while (content != contents.end() && (i == count || one_in(random, 3))) {
      builder.agent_information(*content);
      ++content;
    }
    if (i < count) {
      Bytes value(one_in(random, 12) ? random() % 256 : random() % 12);
      std::generate(value.begin(), value.end(), [&] { return one_in(random, 4) ? std::uint8_t{82} : octet(random); });
      builder.option(any_of(random, codes), value);
    }
    builder.pad(one_in(random, 6) ? random() % 4 : 0);
  }
}

/// Sizes around 300 octets and around the limits, with and without END, PADs and more behind it.
void add_end(Random& random, MessageBuilder& builder) {
  static constexpr std::array<std::size_t, 7> sizes{0, 299, 300, 300, 301, 340, 548};
  if (one_in(random, 8)) {
    builder.without_end();
  }
  if (one_in(random, 12)) {
    builder.tail(Bytes(random() % 40, one_in(random, 2) ? 82 : octet(random)));
  }
  if (one_in(random, 25)) {
    builder.cookie({99, 130, 83, 98});
  }
  builder.padded_to(any_of(random, sizes));
}

/// One more option, with which the message gets about as large as a request may be once it has ours.
void fill_up(Random& random, const Network& network, const Bytes& hardware_address, MessageBuilder& builder) {
  const std::uint32_t index = any_of(random, downstream);
  const Bytes own = filled_in(network.information.at(index).own,
                              {hardware_address, network.interfaces.find(index)->name, one_in(random, 2)});
  const std::size_t limit = network.policy.max_request_size.value_or(network.policy.upstream_mtu - 28) + random() % 3;
  const std::size_t needed = builder.octets().size() + 2 + own.size() + 3;
  if (needed <= limit && limit - needed <= 255) {
    builder.option(43, Bytes(limit - needed, 43));
  }
}

relay::Ingress random_ingress(Random& random, Direction direction) {
  static constexpr std::array destinations{relay::limited_broadcast, relay::limited_broadcast, ip(10, 1, 0, 255),
                                           ip(224, 0, 0, 1),         ip(10, 1, 0, 1),          shared_giaddr};
  relay::Ingress ingress;
  const bool is_request = direction == Direction::request;
  ingress.interface_index = one_in(random, 20) ? any_of(random, std::array{loopback, upstream, both, unknown})
                            : is_request       ? any_of(random, downstream)
                                               : upstream;
  if (!is_request && one_in(random, 12)) {
    ingress.interface_index = one_in(random, 2) ? both : downstream[0];
  }
  ingress.source = is_request ? ip(0, 0, 0, 0) : one_in(random, 15) ? ip(198, 51, 100, 99) : any_of(random, servers);
  ingress.source_port = is_request ? 68 : 67;
  ingress.destination = is_request ? any_of(random, destinations) : ip(10, 1, 0, 1);
  ingress.bridge_port_index = one_in(random, 3) ? any_of(random, ports) : one_in(random, 12) ? unknown : 0;
  ingress.arrival = remembered_at + std::chrono::seconds{one_in(random, 8) ? 100 : 5};
  return ingress;
}

// Routers

relay::Interface random_interface(Random& random, std::uint32_t index, Ipv4Address address) {
  relay::Interface interface;
  interface.index = index;
  interface.name = "c" + std::to_string(index);
  interface.is_up = !one_in(random, 20);
  interface.is_ethernet = !one_in(random, 10);
  interface.mac = {{2, 0, 0, 0, 0, static_cast<std::uint8_t>(index)}};
  interface.is_downstream = true;
  interface.is_trusted = one_in(random, 3);
  interface.refuses_relayed = one_in(random, 10);
  interface.reply_delivery = static_cast<relay::ReplyDelivery>(one_in(random, 2) ? random() % 3 : 0);
  interface.addresses = {{address, static_cast<std::uint8_t>(one_in(random, 10) ? 31 : 24)}};
  if (index == downstream[0]) {
    interface.addresses.push_back({ip(10, 1, 1, 1), 24});
  }
  if (one_in(random, 3)) {
    interface.bridge_ports = {"p0", "p1"};
  }
  interface.giaddr = address;
  if (one_in(random, 3)) {
    interface.giaddr = shared_giaddr;
  } else if (one_in(random, 15)) {
    interface.giaddr = ip(10, 99, 0, 1);  // not held
  } else if (one_in(random, 15)) {
    interface.giaddr.reset();
    interface.addresses.clear();
  }
  interface.servers.assign(servers.begin(), servers.begin() + (one_in(random, 15) ? 0 : one_in(random, 4) ? 1 : 2));
  return interface;
}

relay::Policy random_policy(Random& random) {
  using Existing = relay::ExistingAgentInformation;
  static constexpr std::array policies{Existing::by_rfc,  Existing::by_rfc,  Existing::append,
                                       Existing::replace, Existing::forward, Existing::discard};
  relay::Policy policy;
  policy.add_agent_information = !one_in(random, 5);
  policy.existing_agent_information = any_of(random, policies);
  policy.drop_unmatched_replies = one_in(random, 4);
  if (one_in(random, 4)) {
    policy.max_request_size = 240 + random() % 340;
  }
  policy.upstream_mtu = one_in(random, 4) ? 330 + random() % 250 : 1500;
  policy.max_hops = static_cast<std::uint8_t>(one_in(random, 2) ? 4 : 1 + random() % 16);
  policy.min_secs = static_cast<std::uint16_t>(one_in(random, 12) ? 4 : 0);
  policy.min_size = one_in(random, 8) ? 300 : 236;
  if (one_in(random, 6)) {
    policy.reply_giaddr = one_in(random, 2) ? ip(0, 0, 0, 0) : ip(10, 1, 0, 254);
  }
  policy.replies_from_anyone = one_in(random, 4);
  policy.upstream_named = one_in(random, 3);
  if (one_in(random, 6)) {
    policy.source_address = ip(203, 0, 113, 9);
  }
  return policy;
}

}  // namespace

Network random_network(Random& random) {
  Network network;
  network.policy = random_policy(random);
  static constexpr std::array addresses{ip(10, 1, 0, 1), ip(10, 2, 0, 1), ip(10, 3, 0, 1)};
  for (std::size_t i = 0; i < downstream.size(); ++i) {
    relay::Interface interface = random_interface(random, downstream[i], addresses[i]);
    OwnInformation information = random_information(random, interface.name);
    network.put(std::move(interface), std::move(information));
  }
  relay::Interface other;
  other.is_up = true;
  other.index = loopback;
  other.name = "lo";
  other.addresses = {{ip(127, 0, 0, 1), 8}, {shared_giaddr, 32}};
  network.put(other, {});
  other.index = upstream;
  other.name = "s0";
  other.addresses = {{ip(192, 0, 2, 1), 24}};
  other.is_upstream = !one_in(random, 6);
  network.put(other, {});
  for (const std::uint32_t port : ports) {
    other.index = port;
    other.name = "p" + std::to_string(port - ports.front());
    other.addresses.clear();
    other.is_upstream = false;
    network.put(other, {});
  }
  relay::Interface last = random_interface(random, both, ip(10, 4, 0, 1));
  last.is_upstream = true;
  OwnInformation information = random_information(random, last.name);
  network.put(std::move(last), std::move(information));
  return network;
}

Arrival random_arrival(Random& random, Network& network, Direction direction) {
  MessageBuilder builder;
  add_fixed_fields(random, direction, builder);
  const auto hlen = static_cast<std::uint8_t>(one_in(random, 8) ? random() % 19 : 6);
  const Bytes hardware_address = random_hardware_address(random, hlen);
  builder.hlen(hlen).chaddr(hardware_address);
  const bool wants_option = direction == Direction::reply || one_in(random, 2);
  add_options(random, builder,
              wants_option ? random_contents(random, network, hardware_address) : std::vector<Bytes>{});
  if (one_in(random, 12)) {
    fill_up(random, network, hardware_address, builder);
  }
  add_end(random, builder);

  Arrival arrival;
  arrival.direction = direction;
  arrival.ingress = random_ingress(random, direction);
  arrival.message = damaged(random, builder.octets());
  arrival.room = one_in(random, 6) ? random() % 80 : 600;
  if (direction == Direction::reply && one_in(random, 2) && arrival.message.size() >= relay::bootp::header_size) {
    const std::span<const std::uint8_t> octets{arrival.message};
    for (int times = one_in(random, 10) ? 2 : 1; times > 0; --times) {
      network.transactions.remember(octets.first<relay::bootp::header_size>(),
                                    one_in(random, 10) ? unknown : any_of(random, downstream), remembered_at);
    }
  }
  return arrival;
}

Bytes damaged(Random& random, Bytes message) {
  if (one_in(random, 15)) {
    message.resize(random() % (message.size() + 1));
  }
  if (one_in(random, 10) && message.size() > 240) {
    for (std::size_t count = 1 + random() % 3; count > 0; --count) {
      static constexpr std::array<std::uint8_t, 6> octets{0, 1, 2, 53, 82, 255};
      message[240 + random() % (message.size() - 240)] = one_in(random, 2) ? any_of(random, octets) : octet(random);
    }
  }
  return message;
}

}  // namespace reference
