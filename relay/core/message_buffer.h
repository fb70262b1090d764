// One message in a buffer that belongs to the caller, with room behind it for options.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

namespace relay {

/// A UDP payload of `size()` octets at the start of its storage. A view: it owns nothing, and the storage must outlive
/// it. Octets behind the message are never read and, but for what an edit appends, never written.
class MessageBuffer {
 public:
  /// Needs `size <= room.size()`.
  MessageBuffer(std::span<std::uint8_t> room, std::size_t size) noexcept : room_(room), size_(size) {
    assert(size <= room.size());
  }

  [[nodiscard]] std::span<const std::uint8_t> octets() const noexcept { return room_.first(size_); }
  [[nodiscard]] std::span<std::uint8_t> octets() noexcept { return room_.first(size_); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// The message and all the room behind it; `size()` octets of it are the message.
  [[nodiscard]] std::span<std::uint8_t> room() noexcept { return room_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return room_.size(); }

  /// Needs `size <= capacity()`.
  void resize(std::size_t size) noexcept {
    assert(size <= capacity());
    size_ = size;
  }

 private:
  std::span<std::uint8_t> room_;
  std::size_t size_;
};

}  // namespace relay
