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

/// A message between a guard and `room` octets that are filled with a canary, and behind `headroom` such octets. The
/// storage ends with the room, so that an address sanitizer sees the first octet that is read or written behind it.
class GuardedMessage {
 public:
  static constexpr std::size_t guard = 42;

  explicit GuardedMessage(Bytes message, std::size_t room = 0, std::uint8_t canary = 0xa5, std::size_t headroom = 0)
      : original_(std::move(message)),
        canary_(canary),
        storage_(guard + headroom + original_.size() + room, canary),
        original_end_(guard + headroom + original_.size()),
        buffer_(std::span{storage_}.subspan(guard), original_.size(), headroom) {
    std::ranges::copy(original_, storage_.begin() + guard + static_cast<std::ptrdiff_t>(headroom));
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
    const std::size_t begin = guard + buffer_.headroom();
    return std::ranges::all_of(all.first(begin), is_canary) &&
           std::ranges::all_of(all.subspan(std::max(original_end_, begin + buffer_.size())), is_canary);
  }

 private:
  Bytes original_;
  std::uint8_t canary_;
  Bytes storage_;
  std::size_t original_end_;  // offset in the storage
  relay::MessageBuffer buffer_;
};

}  // namespace test_support
