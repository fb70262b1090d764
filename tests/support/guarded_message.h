// A message for tests in storage that tells on whoever writes beside it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "relay/core/message_buffer.h"
#include "tests/support/message_builder.h"

namespace test_support {

/// A message between a guard and `room` octets that are filled with a canary. The storage ends with the room, so
/// that an address sanitizer sees the first octet that is read or written behind it.
class GuardedMessage {
 public:
  static constexpr std::size_t guard = 42;

  explicit GuardedMessage(Bytes message, std::size_t room = 0, std::uint8_t canary = 0xa5)
      : original_(std::move(message)),
        canary_(canary),
        storage_(guard + original_.size() + room, canary),
        buffer_(std::span{storage_}.subspan(guard), original_.size()) {
    std::ranges::copy(original_, storage_.begin() + guard);
  }

  GuardedMessage(const GuardedMessage&) = delete;
  GuardedMessage& operator=(const GuardedMessage&) = delete;
  ~GuardedMessage() = default;

  [[nodiscard]] relay::MessageBuffer& buffer() noexcept { return buffer_; }

  [[nodiscard]] Bytes octets() const {
    const auto octets = buffer_.octets();
    return {octets.begin(), octets.end()};
  }

  /// Whether the message is what it was, and nothing was written beside it.
  [[nodiscard]] bool is_untouched() const { return octets() == original_ && is_intact_beside(); }

  /// Whether nothing was written in front of the message, nor behind the larger of its sizes then and now.
  [[nodiscard]] bool is_intact_beside() const {
    const auto is_canary = [this](std::uint8_t octet) { return octet == canary_; };
    const std::span all{storage_};
    return std::ranges::all_of(all.first(guard), is_canary) &&
           std::ranges::all_of(all.subspan(guard + std::max(original_.size(), buffer_.size())), is_canary);
  }

 private:
  Bytes original_;
  std::uint8_t canary_;
  Bytes storage_;
  relay::MessageBuffer buffer_;
};

}  // namespace test_support
