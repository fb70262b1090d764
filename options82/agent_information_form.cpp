#include "options82/agent_information_form.h"

#include <algorithm>

namespace options82 {

namespace {

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

/// Takes `start` off the front of `rest`; false where it does not begin so.
[[nodiscard]] bool take(Octets& rest, Octets start) noexcept {
  if (rest.size() < start.size() || !std::ranges::equal(rest.first(start.size()), start)) {
    return false;
  }
  rest = rest.subspan(start.size());
  return true;
}

/// The flags octet, of whatever way the message came by.
[[nodiscard]] bool take_flags(Octets& rest) noexcept {
  if (rest.empty() || (rest.front() & ~unicast_flag) != 0) {
    return false;
  }
  rest = rest.subspan(1);
  return true;
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

std::optional<ValueEnds> AgentInformationForm::ends(SubOption sub_option) const noexcept {
  const Octets known = known_.octets();
  std::optional<ValueEnds> ends;
  for (const Place& place : places_) {
    if (known[place.sub_option] == static_cast<std::uint8_t>(sub_option)) {
      const std::size_t start = place.sub_option + sub_option_head_size;
      const std::size_t end = start + known[place.sub_option + 1];
      ends = {ends ? ends->front : known.subspan(start, place.offset - start),
              known.subspan(place.offset, end - place.offset)};
    }
  }
  return ends;
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
    std::copy(octets.begin(), octets.end(), storage.subspan(size).begin());
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

/// Whether one of the fillings that a request of ours can have had `fits`: the port is the same in all its blanks.
template <typename Fits>
bool AgentInformationForm::any_filling(bool has_port, const EchoFacts& facts, Fits&& fits) noexcept {
  HardwareAddressText storage{};
  const std::string_view hardware_address = text_of(facts.hardware_address, storage);
  return fits(Filling{hardware_address, facts.interface_name}) ||
         (has_port && std::ranges::any_of(facts.ports, [&](std::string_view port) {
            return fits(Filling{hardware_address, port});
          }));
}

bool AgentInformationForm::value_matches(std::size_t sub_option, Octets value, const Filling& filling) const noexcept {
  const Octets known = known_.octets();
  const std::size_t end = sub_option + sub_option_head_size + known[sub_option + 1];
  std::size_t from = sub_option + sub_option_head_size;  // first known octet that was not compared yet
  for (const Place& place : places_) {
    if (place.sub_option != sub_option) {
      continue;
    }
    if (!take(value, known.subspan(from, place.offset - from))) {
      return false;
    }
    from = place.offset;
    bool is_taken = false;
    switch (place.blank) {
      case Blank::client_hardware_address:
        is_taken = take(value, as_octets(filling.hardware_address));
        break;
      case Blank::client_port:
        is_taken = take(value, as_octets(filling.port));
        break;
      case Blank::relay_flags:
        is_taken = take_flags(value);
        break;
    }
    if (!is_taken) {
      return false;
    }
  }
  return std::ranges::equal(value, known.subspan(from, end - from));
}

bool AgentInformationForm::content_matches(Octets content, const Filling& filling) const noexcept {
  SubOptionReader ours{known_.octets()};
  SubOptionReader theirs{content};
  auto their = theirs.next();
  for (std::size_t at = 0; const auto our = ours.next(); at = ours.offset()) {
    if (our->code == SubOption::vss_control && (!their || their->code != our->code)) {
      continue;
    }
    if (!their || their->code != our->code || !value_matches(at, their->value, filling)) {
      return false;
    }
    their = theirs.next();
  }
  return !their && !theirs.is_damaged();
}

bool AgentInformationForm::matches(Octets content, const EchoFacts& facts) const noexcept {
  if (places_.empty() && std::ranges::equal(known_.octets(), content)) {
    return true;
  }
  return any_filling(has(Blank::client_port), facts,
                     [&](const Filling& filling) { return content_matches(content, filling); });
}

bool AgentInformationForm::matches_circuit_id(Octets value, const EchoFacts& facts) const noexcept {
  SubOptionReader ours{known_.octets()};
  for (std::size_t at = 0; const auto our = ours.next(); at = ours.offset()) {
    if (our->code == SubOption::circuit_id) {
      const bool has_port = std::ranges::any_of(
          places_, [&](const Place& place) { return place.sub_option == at && place.blank == Blank::client_port; });
      return any_filling(has_port, facts, [&](const Filling& filling) { return value_matches(at, value, filling); });
    }
  }
  return false;
}

}  // namespace options82
