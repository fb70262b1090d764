#include "relay/core/circuit_id_index.h"

#include <cassert>

namespace relay {

void CircuitIdIndex::insert(const options82::ValueEnds& ends, std::uint32_t interface_index) {
  KeyStorage storage{};
  std::vector<std::uint32_t>& indices = by_ends_[std::string{key_of(ends, storage)}];
  indices.insert(std::lower_bound(indices.begin(), indices.end(), interface_index), interface_index);
  ++shapes_[shape_of(ends)];
}

void CircuitIdIndex::erase(const options82::ValueEnds& ends, std::uint32_t interface_index) {
  KeyStorage storage{};
  const auto found = by_ends_.find(key_of(ends, storage));
  assert(found != by_ends_.end());
  std::vector<std::uint32_t>& indices = found->second;
  indices.erase(std::lower_bound(indices.begin(), indices.end(), interface_index));
  if (indices.empty()) {
    by_ends_.erase(found);
  }
  const auto shape = shapes_.find(shape_of(ends));
  if (--shape->second == 0) {
    shapes_.erase(shape);
  }
}

}  // namespace relay
