// A map in one array, for keys that are looked up per message: a look-up reads one line of the processor's cache, where
// std::unordered_map reads three. Its keys are this host's own, so nobody sends such that collide.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace relay {

/// Open addressing with linear probing; at most half of the slots are taken. Keys and values are made without
/// arguments, movable, and small. A map that was moved from can be assigned to and destroyed.
template <typename Key, typename Value>
class FlatMap {
 public:
  /// Valid until the next change. Null where there is none.
  [[nodiscard]] const Value* find(const Key& key) const noexcept {
    const std::size_t at = slot_of(key);
    return slots_[at].is_taken ? &slots_[at].value : nullptr;
  }
  [[nodiscard]] bool contains(const Key& key) const noexcept { return slots_[slot_of(key)].is_taken; }

  /// The value of `key`, which is made where there is none; valid until the next change.
  [[nodiscard]] Value& operator[](const Key& key);

  /// Does nothing where there is none.
  void erase(const Key& key);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  static constexpr std::size_t line_size = 64;  // of the cache: no slot that fits in one line lies in two
  struct alignas(std::min(line_size, std::bit_ceil(sizeof(std::pair<std::pair<Key, bool>, Value>)))) Slot {
    Key key{};
    bool is_taken = false;
    Value value{};
  };

  /// Where the search for `key` begins: the upper bits of a product with 2^64 divided by the golden ratio.
  [[nodiscard]] std::size_t home_of(const Key& key) const noexcept {
    return static_cast<std::size_t>(std::uint64_t{std::hash<Key>{}(key)} * 0x9e3779b97f4a7c15U >> 32U) & mask();
  }
  /// The slot of `key`, or the free one where it would go: there is one always.
  [[nodiscard]] std::size_t slot_of(const Key& key) const noexcept {
    std::size_t at = home_of(key);
    while (slots_[at].is_taken && slots_[at].key != key) {
      at = (at + 1) & mask();
    }
    return at;
  }
  [[nodiscard]] std::size_t mask() const noexcept { return slots_.size() - 1; }
  void grow();

  std::vector<Slot> slots_ = std::vector<Slot>(8);  // a power of two of them
  std::size_t size_ = 0;
};

template <typename Key, typename Value>
Value& FlatMap<Key, Value>::operator[](const Key& key) {
  std::size_t at = slot_of(key);
  if (!slots_[at].is_taken) {
    if (2 * (size_ + 1) > slots_.size()) {
      grow();
      at = slot_of(key);
    }
    slots_[at].key = key;
    slots_[at].is_taken = true;
    ++size_;
  }
  return slots_[at].value;
}

template <typename Key, typename Value>
void FlatMap<Key, Value>::erase(const Key& key) {
  std::size_t gap = slot_of(key);
  if (!slots_[gap].is_taken) {
    return;
  }
  --size_;
  // Whoever stands behind the gap because its home was taken moves up, so that no search ends at the gap too early.
  for (std::size_t at = (gap + 1) & mask(); slots_[at].is_taken; at = (at + 1) & mask()) {
    if (((at - home_of(slots_[at].key)) & mask()) >= ((at - gap) & mask())) {
      slots_[gap] = std::exchange(slots_[at], {});
      gap = at;
    }
  }
  slots_[gap] = {};
}

template <typename Key, typename Value>
void FlatMap<Key, Value>::grow() {
  std::vector<Slot> before(2 * slots_.size());
  before.swap(slots_);
  for (Slot& slot : before) {
    if (slot.is_taken) {
      slots_[slot_of(slot.key)] = std::move(slot);
    }
  }
}

}  // namespace relay
