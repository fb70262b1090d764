// One message in a buffer that belongs to the caller: room in front for a frame's headers, room behind for options.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

namespace relay {

/// A UDP payload of `size()` octets that stands `headroom()` octets into its storage. A view: it owns nothing, and the
/// storage must outlive it. Octets outside the message are never read and, but for what an edit appends, never written.
class MessageBuffer {
 public:
  /// Needs `headroom + size <= storage.size()`.
  MessageBuffer(std::span<std::uint8_t> storage, std::size_t headroom, std::size_t size) noexcept
      : storage_(storage), headroom_(headroom), size_(size) {
    assert(headroom + size <= storage.size());
  }

  [[nodiscard]] std::span<const std::uint8_t> octets() const noexcept { return storage_.subspan(headroom_, size_); }
  [[nodiscard]] std::span<std::uint8_t> octets() noexcept { return storage_.subspan(headroom_, size_); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t headroom() const noexcept { return headroom_; }

  /// The message and all the room behind it; `size()` octets of it are the message.
  [[nodiscard]] std::span<std::uint8_t> room() noexcept { return storage_.subspan(headroom_); }
  [[nodiscard]] std::size_t capacity() const noexcept { return storage_.size() - headroom_; }

  /// The message with the `count` octets in front of it, for a frame's headers. Needs `count <= headroom()`.
  [[nodiscard]] std::span<std::uint8_t> with_headers(std::size_t count) noexcept {
    assert(count <= headroom_);
    return storage_.subspan(headroom_ - count, count + size_);
  }

  /// Needs `size <= capacity()`.
  void resize(std::size_t size) noexcept {
    assert(size <= capacity());
    size_ = size;
  }

 private:
  std::span<std::uint8_t> storage_;
  std::size_t headroom_;
  std::size_t size_;
};

}  // namespace relay
