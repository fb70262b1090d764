// One message in a buffer that belongs to the caller, with room behind it for options and in front of it for headers.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

namespace relay {

/// A UDP payload of `size()` octets with headroom in front of it. A view: it owns nothing, and the storage must outlive
/// it. Octets beside the message are never read and, but for what an edit prepends or appends, never written.
class MessageBuffer {
 public:
  /// The message stands behind `headroom` octets of `storage`. Needs `headroom + size <= storage.size()`.
  MessageBuffer(std::span<std::uint8_t> storage, std::size_t size, std::size_t headroom = 0) noexcept
      : storage_(storage), begin_(headroom), size_(size) {
    assert(headroom <= storage.size() && size <= storage.size() - headroom);
  }

  [[nodiscard]] std::span<const std::uint8_t> octets() const noexcept { return storage_.subspan(begin_, size_); }
  [[nodiscard]] std::span<std::uint8_t> octets() noexcept { return storage_.subspan(begin_, size_); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// The message and all the room behind it; `size()` octets of it are the message.
  [[nodiscard]] std::span<std::uint8_t> room() noexcept { return storage_.subspan(begin_); }
  [[nodiscard]] std::size_t capacity() const noexcept { return storage_.size() - begin_; }

  /// How many octets are free in front of the message.
  [[nodiscard]] std::size_t headroom() const noexcept { return begin_; }

  /// Needs `size <= capacity()`.
  void resize(std::size_t size) noexcept {
    assert(size <= capacity());
    size_ = size;
  }

  /// Makes `count` octets of the headroom the first ones of the message and returns them, to be written. Needs
  /// `count <= headroom()`.
  [[nodiscard]] std::span<std::uint8_t> prepend(std::size_t count) noexcept {
    assert(count <= begin_);
    begin_ -= count;
    size_ += count;
    return storage_.subspan(begin_, count);
  }

 private:
  std::span<std::uint8_t> storage_;
  std::size_t begin_;
  std::size_t size_;
};

}  // namespace relay
