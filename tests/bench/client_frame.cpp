#include "client_frame.h"

#include <algorithm>

namespace bench {

namespace {

constexpr std::size_t kind_value = wire::options + 2;
constexpr std::size_t client_identifier = wire::options + 3;
constexpr std::size_t after_common_options = client_identifier + 9 + 4 + 9;
constexpr std::uint32_t client_port = 68;
constexpr std::uint32_t server_port = 67;

void put_hardware_address(wire::Octets octets, std::size_t at, std::uint32_t client) {
  wire::put16(octets, at, 0x02aa);
  wire::put32(octets, at + 2, client);
}

}  // namespace

ClientFrame::ClientFrame() {
  const wire::Octets frame{common_};
  std::ranges::fill(frame.first(6), std::uint8_t{0xff});
  wire::put16(frame, 12, 0x0800);
  const wire::Octets ipv4 = frame.subspan(wire::ethernet_size);
  ipv4[0] = 0x45;
  wire::put16(ipv4, 2, client_frame_size - wire::ethernet_size);
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

void ClientFrame::write(const Discover& client, std::uint8_t kind, wire::Octets into) const {
  std::ranges::copy(common_, into.begin());
  put_hardware_address(into, 6, client.client);
  const wire::Octets message = into.subspan(wire::headers_size);
  wire::put32(message, wire::xid, client.xid);
  put_hardware_address(message, wire::chaddr, client.client);
  put_hardware_address(message, client_identifier + 3, client.client);
  message[kind_value] = kind;
}

void ClientFrame::write(const Discover& discover, wire::Octets into) const {
  write(discover, wire::discover, into);
  into[wire::headers_size + after_common_options] = wire::end;
  wire::finish_checksums(into.first(client_frame_size));
}

void ClientFrame::write(const Request& request, wire::Octets into) const {
  write(request.of, wire::request, into);
  const wire::Octets rest = into.subspan(wire::headers_size + after_common_options);
  wire::put16(rest, 0, 50U << 8U | 4U);  // the address that is requested
  wire::put32(rest, 2, request.address);
  wire::put16(rest, 6, std::uint32_t{wire::server_identifier} << 8U | 4U);
  wire::put32(rest, 8, request.server);
  rest[12] = wire::end;
  wire::finish_checksums(into.first(client_frame_size));
}

}  // namespace bench
