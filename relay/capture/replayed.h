// One message of a capture and what became of it in a replay. Plain data.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "relay/capture/address.h"
#include "relay/capture/arrival.h"
#include "relay/capture/verdict.h"

namespace relay::capture {

/// Borrows; valid during the call that it is given to.
struct ReplayedMessage {
  std::uint64_t frame = 0;  ///< of the packet that completed it, the first one of the file being 1
  std::chrono::nanoseconds time{};
  std::span<const std::uint8_t> octets;  ///< what is there of the UDP payload, as it was received
  std::size_t size = 0;                  ///< of the payload, as the UDP header says
  std::string_view interface;            ///< where it was seen, or was taken to have arrived; empty: nowhere
  Address source;
  Address destination;
  std::uint16_t destination_port = 0;
  std::uint16_t vlan_id = 0;        ///< of the outermost tag
  std::optional<NotRun> not_run{};  ///< otherwise `verdict` says what became of it
  const Verdict* verdict = nullptr;
  std::string_view egress{};  ///< name of the interface of `Verdict::egress_index`
};

}  // namespace relay::capture
