// Has the kernel turn away, on the socket of requests, what floods (`Shedding`): interfaces are the flows.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>

#include "relay/core/families.h"
#include "relay/core/shedding.h"
#include "relay/io/descriptor.h"
#include "relay/io/socket_filters.h"

namespace relay::io {

class RequestShedding {
 public:
  /// `socket` is that of `accept_requests`, and must outlive this.
  RequestShedding(const Descriptor& socket, Family family) : socket_(socket), family_(family) {}

  /// A request was taken from the socket; it had its turn; it was given up for want of room.
  void took(std::uint32_t interface_index, std::span<const std::uint8_t> request) noexcept {
    if (shedding_.has_flows()) {
      shedding_.took(interface_index, shed_kind_of(request, family_));
    }
  }
  void served(std::uint32_t interface_index, std::span<const std::uint8_t> request) noexcept {
    if (shedding_.has_flows()) {
      shedding_.served(interface_index, shed_kind_of(request, family_));
    }
  }
  void gave_up(std::uint32_t interface_index, std::span<const std::uint8_t> request) noexcept {
    shedding_.gave_up(interface_index, shed_kind_of(request, family_));
  }

  /// Once a turn: has the kernel keep what `Shedding` says, or everything if `keeps_all`. What the kernel refused is
  /// asked for again.
  void adjust(bool keeps_all, std::chrono::nanoseconds now) noexcept;

  /// Whether another turn is due though no message comes: something has to be told or asked for again.
  [[nodiscard]] bool is_unsettled() const noexcept { return is_due_ || shedding_.has_flows(); }

  /// As those of `Shedding`.
  template <typename Tell>
  [[nodiscard]] bool split(std::uint64_t count, Tell&& tell) {
    return shedding_.split(count, tell);
  }
  void all_told() noexcept { shedding_.all_told(); }

 private:
  const Descriptor& socket_;
  Family family_;
  Shedding shedding_;
  std::chrono::nanoseconds adjusted_{};
  bool is_due_ = false;  // the kernel does not know the shares yet
};

}  // namespace relay::io
