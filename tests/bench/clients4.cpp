#include "clients4.h"

#include <linux/filter.h>
#include <linux/if_ether.h>

#include <algorithm>

namespace bench {

namespace {

constexpr std::size_t kind_value = wire::options + 2;
constexpr std::size_t client_identifier = wire::options + 3;
constexpr std::size_t after_common_options = client_identifier + 9 + 4 + 9;
constexpr std::uint32_t client_port = 68;
constexpr std::uint32_t server_port = 67;

/// An unfragmented IPv4 datagram of UDP to the clients' port, behind an Ethernet header.
constexpr std::array<sock_filter, 9> to_clients{{{BPF_LD | BPF_B | BPF_ABS, 0, 0, 23},
                                                 {BPF_JMP | BPF_JEQ | BPF_K, 0, 6, 17},
                                                 {BPF_LD | BPF_H | BPF_ABS, 0, 0, 20},
                                                 {BPF_JMP | BPF_JSET | BPF_K, 4, 0, 0x1fff},
                                                 {BPF_LDX | BPF_B | BPF_MSH, 0, 0, 14},
                                                 {BPF_LD | BPF_H | BPF_IND, 0, 0, 16},
                                                 {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, client_port},
                                                 {BPF_RET | BPF_K, 0, 0, 0xffff},
                                                 {BPF_RET | BPF_K, 0, 0, 0}}};

void put_hardware_address(wire::Octets octets, std::size_t at, std::uint32_t client) {
  wire::put16(octets, at, 0x02aa);
  wire::put32(octets, at + 2, client);
}

}  // namespace

Clients4::Clients4() {
  const wire::Octets frame{common_};
  std::ranges::fill(frame.first(6), std::uint8_t{0xff});
  wire::put16(frame, 12, 0x0800);
  const wire::Octets ipv4 = frame.subspan(wire::ethernet_size);
  ipv4[0] = 0x45;
  wire::put16(ipv4, 2, frame_size - wire::ethernet_size);
  ipv4[8] = 64;  // time to live
  ipv4[9] = 17;  // UDP
  wire::put32(ipv4, 16, 0xffffffff);
  const wire::Octets udp = ipv4.subspan(wire::ipv4_size);
  wire::put16(udp, 0, client_port);
  wire::put16(udp, 2, server_port);
  wire::put16(udp, 4, wire::udp_size + wire::least_message);
  const wire::Octets message = udp.subspan(wire::udp_size);
  message[wire::op] = wire::boot_request;
  message[1] = 1;  // htype: Ethernet
  message[2] = 6;  // hlen
  wire::put32(message, wire::cookie, 0x63825363);
  constexpr std::array<std::uint8_t, after_common_options - wire::options> common_options{
      53, 1, 0, 61, 7, 1, 0, 0, 0, 0, 0, 0, 57, 2, 0x05, 0xdc, 55, 7, 1, 3, 6, 12, 15, 42, 121};
  std::ranges::copy(common_options, message.subspan(wire::options).begin());
}

void Clients4::write(const Attempt& attempt, std::uint8_t kind, wire::Octets into) const {
  std::ranges::copy(common_, into.begin());
  put_hardware_address(into, 6, attempt.client);
  const wire::Octets message = into.subspan(wire::headers_size);
  wire::put32(message, wire::xid, attempt.xid);
  put_hardware_address(message, wire::chaddr, attempt.client);
  put_hardware_address(message, client_identifier + 3, attempt.client);
  message[kind_value] = kind;
}

std::size_t Clients4::write(const Attempt& attempt, wire::Octets into) const {
  write(attempt, wire::discover, into);
  into[wire::headers_size + after_common_options] = wire::end;
  wire::finish_checksums(into.first(frame_size));
  return frame_size;
}

std::size_t Clients4::write(const Request& request, wire::Octets into) const {
  write(request.of, wire::request, into);
  const wire::Octets rest = into.subspan(wire::headers_size + after_common_options);
  wire::put16(rest, 0, 50U << 8U | 4U);  // the address that is requested
  wire::put32(rest, 2, request.address);
  wire::put16(rest, 6, std::uint32_t{wire::server_identifier} << 8U | 4U);
  wire::put32(rest, 8, request.server);
  rest[12] = wire::end;
  wire::finish_checksums(into.first(frame_size));
  return frame_size;
}

Reading Clients4::read(wire::ConstOctets frame, wire::Octets /*room*/) const {
  if (frame.size() <= wire::headers_size + wire::options) {
    return {};
  }
  const wire::ConstOctets message = frame.subspan(wire::headers_size);
  const std::uint8_t kind = wire::octet_of(message, wire::kind);
  if (message[wire::op] != wire::boot_reply || (kind != wire::offer && kind != wire::ack)) {
    return {};
  }
  return {kind == wire::offer ? Meaning::offer : Meaning::acknowledgement, wire::load32(message, wire::xid)};
}

std::optional<Clients4::Request> Clients4::request_after(wire::ConstOctets offer) const {
  const wire::ConstOctets message = offer.subspan(wire::headers_size);
  const std::optional<std::size_t> at = wire::find_option(message, wire::server_identifier);
  if (!at || *at + 6 > message.size()) {
    return std::nullopt;
  }
  return Request{{wire::load32(message, wire::chaddr + 2), wire::load32(message, wire::xid)},
                 wire::load32(message, wire::yiaddr),
                 wire::load32(message, *at + 2)};
}

Hearing Clients4::hearing() {
  return {ETH_P_IP, to_clients};
}

}  // namespace bench
