// Interfaces whose circuit-ids depend on the client, by what each of them begins and ends with whoever the client is.
// A look-up meets few interfaces as long as one end tells them apart, as their names do.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "options82/agent_information_form.h"

namespace relay {

/// Lets texts be looked up without becoming strings.
struct TextHash {
  using is_transparent = void;
  [[nodiscard]] std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};

class CircuitIdIndex {
 public:
  /// `ends` are those of the circuit-id of the interface, which is not in the index.
  void insert(const options82::ValueEnds& ends, std::uint32_t interface_index);

  /// Needs the interface to be in the index with these ends.
  void erase(const options82::ValueEnds& ends, std::uint32_t interface_index);

  /// Calls `consider(candidates)` with all interfaces, in order of index, whose circuit-ids can be `circuit_id` by
  /// their ends. No interface is in two of the calls; the candidates are valid until the index changes.
  template <typename Consider>
  void for_each_candidates(options82::Octets circuit_id, Consider&& consider) const noexcept;

 private:
  /// How many octets each of the ends has.
  struct Shape {
    std::size_t front = 0;
    std::size_t back = 0;
    friend bool operator<(const Shape& one, const Shape& other) noexcept {
      return one.front != other.front ? one.front < other.front : one.back < other.back;
    }
  };
  using KeyStorage = std::array<char, 1 + options82::max_option_value_size>;

  [[nodiscard]] static Shape shape_of(const options82::ValueEnds& ends) noexcept {
    return {ends.front.size(), ends.back.size()};
  }
  [[nodiscard]] static std::string_view key_of(const options82::ValueEnds& ends, KeyStorage& storage) noexcept;

  std::map<Shape, std::size_t> shapes_;  // with the number of interfaces: few, since templates have few lengths
  std::unordered_map<std::string, std::vector<std::uint32_t>, TextHash, std::equal_to<>> by_ends_;
};

/// The octets of both ends, and how many are in front, lest two shapes have the same key.
inline std::string_view CircuitIdIndex::key_of(const options82::ValueEnds& ends, KeyStorage& storage) noexcept {
  storage[0] = static_cast<char>(ends.front.size());
  auto* const behind = std::copy(ends.front.begin(), ends.front.end(), storage.begin() + 1);
  auto* const end = std::copy(ends.back.begin(), ends.back.end(), behind);
  return {storage.data(), static_cast<std::size_t>(end - storage.begin())};
}

template <typename Consider>
void CircuitIdIndex::for_each_candidates(options82::Octets circuit_id, Consider&& consider) const noexcept {
  KeyStorage storage;
  for (const auto& [shape, count] : shapes_) {
    if (shape.front + shape.back > circuit_id.size()) {
      continue;
    }
    const options82::ValueEnds ends{circuit_id.first(shape.front), circuit_id.last(shape.back)};
    const auto found = by_ends_.find(key_of(ends, storage));
    if (found != by_ends_.end()) {
      consider(std::span<const std::uint32_t>{found->second});
    }
  }
}

}  // namespace relay
