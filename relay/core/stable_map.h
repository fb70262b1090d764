// A map whose values stay where they are, for values that are looked up per message and pointed to.
#pragma once

#include <unordered_map>

#include "relay/core/flat_map.h"

namespace relay {

/// An owner of the values, and a `FlatMap` of where they are.
template <typename Key, typename Value>
class StableMap {
 public:
  StableMap() = default;
  StableMap(const StableMap& other) : values_(other.values_) {
    for (auto& [key, value] : values_) {
      places_[key] = &value;
    }
  }
  StableMap(StableMap&&) noexcept = default;
  StableMap& operator=(const StableMap& other) {
    *this = StableMap{other};
    return *this;
  }
  StableMap& operator=(StableMap&&) noexcept = default;
  ~StableMap() = default;

  /// Valid until the value is erased. Null where there is none.
  [[nodiscard]] const Value* find(const Key& key) const noexcept {
    Value* const* const place = places_.find(key);
    return place == nullptr ? nullptr : *place;
  }
  [[nodiscard]] Value* find(const Key& key) noexcept {
    Value* const* const place = places_.find(key);
    return place == nullptr ? nullptr : *place;
  }

  /// The value of `key`, which is made where there is none.
  [[nodiscard]] Value& operator[](const Key& key) {
    Value& value = values_[key];
    places_[key] = &value;
    return value;
  }

  void erase(const Key& key) {
    places_.erase(key);
    values_.erase(key);
  }

  /// Every value, in no particular order; not for adding or erasing.
  [[nodiscard]] const std::unordered_map<Key, Value>& all() const noexcept { return values_; }
  [[nodiscard]] std::unordered_map<Key, Value>& all() noexcept { return values_; }

 private:
  std::unordered_map<Key, Value> values_;
  FlatMap<Key, Value*> places_;
};

}  // namespace relay
