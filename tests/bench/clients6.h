// DHCPv6 clients: they send SOLICIT and REQUEST to ff02::1:2, each from the link-local address that its hardware
// address makes, and answer the router that asks who has it. The highest bit of an xid is for what is malformed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "clients.h"
#include "wire6.h"

namespace bench {

class Clients6 {
 public:
  static constexpr std::size_t duid_room = 32;  // RFC 8415 allows 130

  struct Request {
    Attempt of;
    std::array<std::uint8_t, wire6::address_size> address;  // that was offered
    std::array<std::uint8_t, duid_room> server;             // that offered it
    std::size_t server_size;
  };

  static constexpr std::uint32_t xid_mask = 0x7fffff;
  /// As that of DHCPv4, but of 24 bits: storms of more than 131,072 messages meet those beside them.
  [[nodiscard]] static constexpr std::uint32_t first_xid(std::uint32_t first_client) {
    return (first_client & 0x3fU) * 0x020000U;
  }

  Clients6();

  std::size_t write(const Attempt& attempt, wire::Octets into) const;
  std::size_t write(const Request& request, wire::Octets into) const;
  [[nodiscard]] Reading read(wire::ConstOctets frame, wire::Octets room) const;
  [[nodiscard]] std::optional<Request> request_after(wire::ConstOctets offer) const;
  [[nodiscard]] static Spoilt spoil(wire::Octets frame, std::uint32_t number);
  [[nodiscard]] static Hearing hearing();

 private:
  static constexpr std::size_t common_size = 110;

  void write(const Attempt& attempt, std::uint8_t kind, wire::Octets into) const;

  std::array<std::uint8_t, common_size> common_{};
};

static_assert(Clients<Clients6>);

}  // namespace bench
