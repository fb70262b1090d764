#include "options82/agent_information.h"

#include <algorithm>

namespace options82 {

bool AgentInformation::add(SubOption sub_option, Octets value) noexcept {
  if (value.size() > octets_.size() || octets_.size() - size_ < sub_option_head_size + value.size()) {
    return false;
  }
  octets_[size_] = static_cast<std::uint8_t>(sub_option);
  octets_[size_ + 1] = static_cast<std::uint8_t>(value.size());
  std::ranges::copy(value, octets_.begin() + static_cast<std::ptrdiff_t>(size_ + sub_option_head_size));
  size_ += sub_option_head_size + value.size();
  return true;
}

std::optional<Octets> find_sub_option(Octets content, SubOption sub_option) noexcept {
  SubOptionReader reader{content};
  while (const auto found = reader.next()) {
    if (found->code == sub_option) {
      return found->value;
    }
  }
  return std::nullopt;
}

Octets join_agent_information(Octets field, std::span<std::uint8_t> storage) noexcept {
  std::size_t size = 0;
  OptionReader reader{field};
  while (const auto option = reader.next()) {
    if (option->code == code::agent_information) {
      const Octets part = option->value.first(std::min(option->value.size(), storage.size() - size));
      std::copy(part.begin(), part.end(), storage.subspan(size).begin());
      size += part.size();
    }
  }
  return storage.first(size);
}

bool is_well_formed(Octets content) noexcept {
  SubOptionReader reader{content};
  while (reader.next()) {
  }
  return !reader.is_damaged();
}

}  // namespace options82
