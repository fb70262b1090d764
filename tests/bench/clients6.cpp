#include "clients6.h"

#include <linux/filter.h>
#include <linux/if_ether.h>

#include <algorithm>

namespace bench {

namespace {

constexpr std::uint32_t client_port = 546;
constexpr std::uint32_t server_port = 547;
constexpr std::uint8_t neighbour_solicitation = 135;  // RFC 4861
constexpr std::uint8_t neighbour_advertisement = 136;
constexpr std::size_t solicited = wire6::payload + 8;  // the address that is asked for
constexpr std::size_t solicitation_size = solicited + wire6::address_size;
constexpr std::size_t hardware_size = 6;
constexpr std::size_t duid_size = 4 + hardware_size;

/// UDP to the clients' port in an IPv6 packet without extensions, or a neighbour solicitation.
constexpr std::array<sock_filter, 8> to_clients{{{BPF_LD | BPF_B | BPF_ABS, 0, 0, wire6::next_header},
                                                 {BPF_JMP | BPF_JEQ | BPF_K, 2, 0, wire6::icmp},
                                                 {BPF_LD | BPF_H | BPF_ABS, 0, 0, wire6::payload + 2},
                                                 {BPF_JMP | BPF_JEQ | BPF_K, 2, 3, client_port},
                                                 {BPF_LD | BPF_B | BPF_ABS, 0, 0, wire6::payload},
                                                 {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, neighbour_solicitation},
                                                 {BPF_RET | BPF_K, 0, 0, 0xffff},
                                                 {BPF_RET | BPF_K, 0, 0, 0}}};

// Places in a frame: the client's number stands at the end of the hardware address, of the link-local address that is
// made of it, and of the DUID.
constexpr std::size_t message = wire6::headers_size;
constexpr std::size_t client_duid = message + wire6::options + wire6::option_header_size;
constexpr std::size_t identity = client_duid + duid_size + 6 + 8;  // after Elapsed Time and Option Request

void put_hardware_address(wire::Octets octets, std::size_t at, std::uint32_t client) {
  wire::put16(octets, at, 0x02aa);
  wire::put32(octets, at + 2, client);
}

/// fe80::aa:xxff:fexx:xxxx (RFC 4291 appendix A)
void put_link_local(wire::Octets octets, std::size_t at, std::uint32_t client) {
  wire::put32(octets, at, 0xfe800000);
  wire::put32(octets, at + 4, 0);
  wire::put16(octets, at + 8, 0x00aa);
  wire::put16(octets, at + 10, (client >> 16U & 0xff00U) | 0xffU);
  wire::put32(octets, at + 12, 0xfe000000U | (client & 0xffffffU));
}

[[nodiscard]] std::optional<std::uint32_t> client_of(wire::ConstOctets link_local) {
  if (wire::load32(link_local, 0) != 0xfe800000 || wire::load32(link_local, 4) != 0 ||
      wire6::load16(link_local, 8) != 0x00aa || link_local[11] != 0xff || link_local[12] != 0xfe) {
    return std::nullopt;
  }
  return std::uint32_t{link_local[10]} << 24U | wire6::load24(link_local, 13);
}

/// RFC 4861 section 7.2.4, to the router that asks; its size, or 0 where it is not for a client, or asks whether an
/// address is taken.
[[nodiscard]] std::size_t advertise_neighbour(wire::ConstOctets frame, wire::Octets into) {
  if (frame.size() < solicitation_size || frame[wire6::payload] != neighbour_solicitation) {
    return 0;
  }
  const wire::ConstOctets router = frame.subspan(wire6::source, wire6::address_size);
  const wire::ConstOctets target = frame.subspan(solicited, wire6::address_size);
  const std::optional<std::uint32_t> client = client_of(target);
  if (!client || wire::load32(router, 0) == 0) {
    return 0;
  }
  wire6::Writer writer{into};
  writer.put(frame.subspan(hardware_size, hardware_size));
  std::array<std::uint8_t, hardware_size> own{};
  put_hardware_address(own, 0, *client);
  writer.put(own);
  writer.put16(ETH_P_IPV6);
  writer.put32(6U << 28U);
  writer.put16(8 + wire6::address_size + 2 + hardware_size);
  writer.put(wire6::icmp);
  writer.put(255);
  writer.put(target);
  writer.put(router);
  writer.put16(std::uint32_t{neighbour_advertisement} << 8U);
  writer.put16(0);
  writer.put32(0x60000000);  // solicited, and to be believed
  writer.put(target);
  writer.put16(0x0201);  // the target's link-layer address
  writer.put(own);
  wire6::finish_checksum(into.first(writer.size()), 2);
  return writer.size();
}

}  // namespace

Clients6::Clients6() {
  constexpr std::array<std::uint8_t, wire6::address_size> all_relays{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2};
  wire6::Writer writer{common_};
  writer.put16(0x3333);  // RFC 2464 section 7
  writer.put(wire::ConstOctets{all_relays}.last(4));
  put_hardware_address(common_, writer.size(), 0);
  wire::put16(common_, 12, ETH_P_IPV6);
  const wire::Octets frame{common_};
  wire::put32(frame, wire::ethernet_size, 6U << 28U);
  frame[wire6::next_header] = wire6::udp;
  frame[wire6::hop_limit] = 1;
  put_link_local(frame, wire6::source, 0);
  std::ranges::copy(all_relays, frame.subspan(wire6::destination).begin());
  wire::put16(frame, wire6::payload, client_port);
  wire::put16(frame, wire6::payload + 2, server_port);
  wire6::Writer options{frame.subspan(message + wire6::options)};
  const std::size_t duid = options.begin(wire6::client_id);
  options.put16(3);  // DUID-LL
  options.put16(1);  // Ethernet
  options.put16(0x02aa);
  options.put32(0);
  options.end(duid);
  options.put_option(wire6::elapsed_time, std::array<std::uint8_t, 2>{});
  const std::size_t wanted = options.begin(wire6::option_request);
  options.put16(wire6::name_servers);
  options.put16(wire6::domain_list);
  options.end(wanted);
  options.put_option(wire6::ia_na, std::array<std::uint8_t, wire6::identity_size>{0, 0, 0, 1});
}

void Clients6::write(const Attempt& attempt, std::uint8_t kind, wire::Octets into) const {
  std::ranges::copy(common_, into.begin());
  put_hardware_address(into, hardware_size, attempt.client);
  put_link_local(into, wire6::source, attempt.client);
  wire::put32(into, message, std::uint32_t{kind} << 24U | (attempt.xid & 0xffffffU));
  wire::put32(into, client_duid + 6, attempt.client);
}

std::size_t Clients6::write(const Attempt& attempt, wire::Octets into) const {
  write(attempt, wire6::solicit, into);
  wire6::finish_datagram(into.first(common_size));
  return common_size;
}

std::size_t Clients6::write(const Request& request, wire::Octets into) const {
  write(request.of, wire6::request, into);
  wire6::Writer rest{into.subspan(common_size)};
  const std::size_t address = rest.begin(wire6::ia_address);
  rest.put(request.address);
  rest.put32(0);  // lifetimes, which are the server's to say
  rest.put32(0);
  rest.end(address);
  wire::put16(into, identity + 2, static_cast<std::uint32_t>(wire6::identity_size + rest.size()));
  rest.put_option(wire6::server_id, wire::ConstOctets{request.server}.first(request.server_size));
  const std::size_t size = common_size + rest.size();
  wire6::finish_datagram(into.first(size));
  return size;
}

Reading Clients6::read(wire::ConstOctets frame, wire::Octets room) const {
  if (frame.size() <= message + wire6::options) {
    return {};
  }
  if (frame[wire6::next_header] == wire6::icmp) {
    return {Meaning::question, 0, advertise_neighbour(frame, room)};
  }
  const std::uint8_t kind = frame[message];
  if (kind != wire6::advertise && kind != wire6::reply) {
    return {};
  }
  return {kind == wire6::advertise ? Meaning::offer : Meaning::acknowledgement, wire6::load24(frame, message + 1)};
}

std::optional<Clients6::Request> Clients6::request_after(wire::ConstOctets offer) const {
  const wire::ConstOctets options = offer.subspan(message + wire6::options);
  const auto client = wire6::find_option(options, wire6::client_id);
  const auto server = wire6::find_option(options, wire6::server_id);
  const auto identity_of_client = wire6::find_option(options, wire6::ia_na);
  if (!client || client->size() != duid_size || !server || server->size() > duid_room || !identity_of_client ||
      identity_of_client->size() < wire6::identity_size) {
    return std::nullopt;
  }
  const auto address = wire6::find_option(identity_of_client->subspan(wire6::identity_size), wire6::ia_address);
  if (!address || address->size() < wire6::address_size) {
    return std::nullopt;
  }
  Request request{{wire::load32(*client, duid_size - 4), wire6::load24(offer, message + 1)}, {}, {}, server->size()};
  std::ranges::copy(address->first(wire6::address_size), request.address.begin());
  std::ranges::copy(*server, request.server.begin());
  return request;
}

Hearing Clients6::hearing() {
  return {ETH_P_IPV6, to_clients};
}

}  // namespace bench
