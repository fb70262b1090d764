// Clients without an address: they broadcast DHCPDISCOVER and DHCPREQUEST of the usual shape, 300 octets.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "clients.h"
#include "wire.h"

namespace bench {

class Clients4 {
 public:
  struct Request {
    Attempt of;
    std::uint32_t address;  // that was offered
    std::uint32_t server;   // that offered it
  };

  static constexpr std::uint32_t xid_mask = 0xffffffff;
  /// Different for other first clients, so that two storms do not take each other's answers for their own.
  [[nodiscard]] static constexpr std::uint32_t first_xid(std::uint32_t first_client) {
    return 0x10000000U + (first_client & 0x3fU) * 0x01000000U;
  }

  Clients4();

  std::size_t write(const Attempt& attempt, wire::Octets into) const;
  std::size_t write(const Request& request, wire::Octets into) const;
  [[nodiscard]] Reading read(wire::ConstOctets frame, wire::Octets room) const;
  [[nodiscard]] std::optional<Request> request_after(wire::ConstOctets offer) const;
  [[nodiscard]] static Spoilt spoil(wire::Octets frame, std::uint32_t number);
  [[nodiscard]] static Hearing hearing();

 private:
  static constexpr std::size_t frame_size = wire::headers_size + wire::least_message;

  void write(const Attempt& attempt, std::uint8_t kind, wire::Octets into) const;

  std::array<std::uint8_t, frame_size> common_{};
};

static_assert(Clients<Clients4>);

}  // namespace bench
