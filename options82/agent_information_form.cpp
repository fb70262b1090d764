#include "options82/agent_information_form.h"

#include <algorithm>

namespace options82 {

namespace {

constexpr std::size_t sub_option_head_size = 2;
constexpr std::uint8_t unicast_flag = 0x80;  // RFC 5010 section 3

using HardwareAddressText = std::array<char, max_size(Blank::client_hardware_address)>;

[[nodiscard]] std::string_view text_of(Octets hardware_address, HardwareAddressText& storage) noexcept {
  constexpr std::string_view digits = "0123456789abcdef";
  std::size_t size = 0;
  for (const std::uint8_t octet :
       hardware_address.first(std::min(hardware_address.size(), max_hardware_address_size))) {
    if (size > 0) {
      storage[size++] = ':';
    }
    storage[size++] = digits[octet >> 4U];
    storage[size++] = digits[octet & 0xfU];
  }
  return {storage.data(), size};
}

[[nodiscard]] std::string_view as_text(Octets octets) noexcept {
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

[[nodiscard]] Octets as_octets(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// How many octets at the start of `value` a blank can have been filled in with, for which the rest `fits`.
template <typename Fits>
[[nodiscard]] bool blank_matches(Blank blank, Octets value, const EchoFacts& facts, Fits&& fits) noexcept {
  const auto starts_with = [&](std::string_view text) {
    return as_text(value).starts_with(text) && fits(value.subspan(text.size()));
  };
  switch (blank) {
    case Blank::client_hardware_address: {
      HardwareAddressText storage{};
      return starts_with(text_of(facts.hardware_address, storage));
    }
    case Blank::client_port:
      return starts_with(facts.interface_name) || std::ranges::any_of(facts.ports, starts_with);
    case Blank::relay_flags:
      return !value.empty() && (value.front() & ~unicast_flag) == 0 && fits(value.subspan(1));
  }
  return false;
}

}  // namespace

bool AgentInformationForm::add(SubOption sub_option, const FormValue& value) {
  std::string known;
  std::vector<Place> places;
  std::size_t most_octets = sub_option_head_size;
  const std::size_t start = known_.octets().size();
  for (const auto& part : value) {
    if (const auto* const text = std::get_if<std::string>(&part)) {
      known += *text;
      most_octets += text->size();
    } else {
      const Blank blank = std::get<Blank>(part);
      places.push_back({blank, start, start + sub_option_head_size + known.size()});
      most_octets += max_size(blank);
    }
  }
  if (most_octets_ + most_octets > max_option_value_size || !known_.add(sub_option, as_octets(known))) {
    return false;
  }
  places_.insert(places_.end(), places.begin(), places.end());
  most_octets_ += most_octets;
  return true;
}

bool AgentInformationForm::add(SubOption sub_option, Octets value) {
  return add(sub_option, FormValue{std::string{as_text(value)}});
}

bool AgentInformationForm::has(Blank blank) const noexcept {
  return std::ranges::any_of(places_, [blank](const Place& place) { return place.blank == blank; });
}

bool AgentInformationForm::has_blanks(SubOption sub_option) const noexcept {
  return std::ranges::any_of(places_, [&](const Place& place) {
    return known_.octets()[place.sub_option] == static_cast<std::uint8_t>(sub_option);
  });
}

Octets AgentInformationForm::filled(const ClientFacts& facts,
                                    std::span<std::uint8_t, max_option_value_size> storage) const noexcept {
  const Octets known = known_.octets();
  if (places_.empty()) {
    return known;
  }
  HardwareAddressText text_storage{};
  const std::uint8_t flags = facts.came_by_unicast ? unicast_flag : 0;
  std::size_t size = 0;
  std::size_t from = 0;  // first known octet that was not copied yet
  const auto append = [&](Octets octets) {
    std::ranges::copy(octets, storage.subspan(size).begin());
    size += octets.size();
  };
  std::size_t sub_option = known.size();  // the one that is being filled in, and where it went
  std::size_t moved_to = 0;
  for (const Place& place : places_) {
    if (place.sub_option != sub_option) {
      sub_option = place.sub_option;
      moved_to = size + (sub_option - from);
    }
    append(known.subspan(from, place.offset - from));
    from = place.offset;
    const std::size_t before = size;
    switch (place.blank) {
      case Blank::client_hardware_address:
        append(as_octets(text_of(facts.hardware_address, text_storage)));
        break;
      case Blank::client_port:
        append(as_octets(facts.port.substr(0, max_port_name_size)));
        break;
      case Blank::relay_flags:
        append({&flags, 1});
        break;
    }
    storage[moved_to + 1] = static_cast<std::uint8_t>(storage[moved_to + 1] + (size - before));
  }
  append(known.subspan(from));
  return Octets{storage}.first(size);
}

bool AgentInformationForm::value_matches(std::size_t sub_option, Octets value, const EchoFacts& facts) const noexcept {
  const Octets known = known_.octets();
  const std::size_t known_end = sub_option + sub_option_head_size + known[sub_option + 1];
  const auto first = std::ranges::find(places_, sub_option, &Place::sub_option);
  const auto last =
      std::find_if(first, places_.end(), [&](const Place& place) { return place.sub_option != sub_option; });

  // From the known octets at `from` and the blank at `place` on. As deep as a value has blanks.
  const auto rest_matches = [&](const auto& self, std::size_t from, auto place, Octets rest) noexcept -> bool {
    const std::size_t until = place == last ? known_end : place->offset;
    const Octets expected = known.subspan(from, until - from);
    if (rest.size() < expected.size() || !std::ranges::equal(rest.first(expected.size()), expected)) {
      return false;
    }
    rest = rest.subspan(expected.size());
    if (place == last) {
      return rest.empty();
    }
    return blank_matches(place->blank, rest, facts,
                         [&](Octets behind) { return self(self, until, std::next(place), behind); });
  };
  return rest_matches(rest_matches, sub_option + sub_option_head_size, first, value);
}

bool AgentInformationForm::matches(Octets content, const EchoFacts& facts) const noexcept {
  if (places_.empty() && std::ranges::equal(known_.octets(), content)) {
    return true;
  }
  SubOptionReader ours{known_.octets()};
  SubOptionReader theirs{content};
  auto their = theirs.next();
  for (std::size_t at = 0; const auto our = ours.next(); at = ours.offset()) {
    if (our->code == SubOption::vss_control && (!their || their->code != our->code)) {
      continue;
    }
    if (!their || their->code != our->code || !value_matches(at, their->value, facts)) {
      return false;
    }
    their = theirs.next();
  }
  return !their && !theirs.is_damaged();
}

bool AgentInformationForm::matches_circuit_id(Octets value, const EchoFacts& facts) const noexcept {
  SubOptionReader ours{known_.octets()};
  for (std::size_t at = 0; const auto our = ours.next(); at = ours.offset()) {
    if (our->code == SubOption::circuit_id) {
      return value_matches(at, value, facts);
    }
  }
  return false;
}

}  // namespace options82
