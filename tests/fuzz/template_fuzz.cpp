// Any text as a template, expanded for an interface that the input describes, and the form that is made of it: never
// more than announced, and what was filled in is ours.
// Input: eight octets that choose the facts, as many octets of text as the first says, then what is in an echo.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "options82/agent_information_form.h"
#include "options82/template.h"
#include "tests/fuzz/slow_options.h"

namespace {

using fuzz::Octets;
using fuzz::require;
using options82::AgentInformationForm;
using options82::Blank;
using options82::FormValue;
using options82::SubOption;
using options82::Template;
using View = std::span<const std::uint8_t>;

constexpr std::size_t choices_size = 8;

/// What the input says of the interface and of the client.
struct Facts {
  explicit Facts(std::span<const std::uint8_t, choices_size> choices, View rest) : hardware_address(choices[1] % 17) {
    const auto text = [&rest](std::size_t size) {
      size = std::min(size, rest.size());
      const std::string result(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size));
      rest = rest.subspan(size);
      return result;
    };
    name = text(1U + choices[2] % 15);
    alias = text(choices[3]);
    host = text(choices[4]);
    ports = {text(1 + choices[5] % 15), "swp1", "swp10"};
    std::ranges::sort(ports);
    std::ranges::fill(hardware_address, choices[6]);
    interface.name = name;
    interface.index = choices[7] * 0x1010101U;
    interface.alias = alias;
    interface.host = host;
    if ((choices[7] & 1U) != 0) {
      interface.mac = std::array<std::uint8_t, 6>{choices[1], choices[2], choices[3], choices[4], choices[5], 255};
    }
    if ((choices[7] & 2U) != 0) {
      interface.vlan_id = static_cast<std::uint16_t>(choices[6] * 16U);
    }
    if ((choices[7] & 4U) != 0) {
      interface.giaddr = std::array<std::uint8_t, 4>{choices[1], choices[2], choices[3], choices[4]};
    }
    client = {hardware_address, ports[choices[6] % ports.size()], (choices[7] & 8U) != 0};
    echo = {hardware_address, name, ports};
  }
  Facts(const Facts&) = delete;
  Facts& operator=(const Facts&) = delete;
  ~Facts() = default;

  Octets hardware_address;
  std::string name;
  std::string alias;
  std::string host;
  std::vector<std::string> ports;
  options82::InterfaceFacts interface;
  options82::ClientFacts client;
  options82::EchoFacts echo;
};

std::size_t most_octets_of(const FormValue& value) {
  std::size_t most = 0;
  for (const auto& part : value) {
    const auto* const known = std::get_if<std::string>(&part);
    require(known == nullptr || !known->empty(), "no part is empty");
    most += known != nullptr ? known->size() : max_size(std::get<Blank>(part));
  }
  return most;
}

std::size_t count_of(const FormValue& value, Blank blank) {
  return static_cast<std::size_t>(std::ranges::count(value, FormValue::value_type{blank}));
}

/// In storage of its own size, behind which the address sanitizer watches.
Octets filled(const AgentInformationForm& form, const options82::ClientFacts& facts) {
  Octets storage(options82::max_option_value_size);
  const View octets = form.filled(facts, std::span<std::uint8_t, options82::max_option_value_size>{storage});
  return {octets.begin(), octets.end()};
}

void check_form(const AgentInformationForm& form, const Facts& facts, View rest) {
  const Octets content = filled(form, facts.client);
  require(content.size() <= options82::max_option_value_size, "a filled form has at most 255 octets");
  require(options82::is_well_formed(content), "a filled form is well-formed");
  require(form.matches(content, facts.echo), "what was filled in is ours");
  if (const auto circuit_id = options82::find_sub_option(content, SubOption::circuit_id)) {
    require(form.matches_circuit_id(*circuit_id, facts.echo), "and so is its circuit-id");
  }
  auto unknown_port = facts.client;
  unknown_port.port = facts.name;
  require(form.matches(filled(form, unknown_port), facts.echo), "the interface takes the place of a port");

  Octets shorter = content;
  shorter.pop_back();
  require(!form.matches(shorter, facts.echo), "what is cut is not ours");
  Octets longer = content;
  longer.push_back(0);
  require(!form.matches(longer, facts.echo), "what is damaged is not ours");
  (void)form.matches(Octets(rest.begin(), rest.end()), facts.echo);
  (void)form.matches_circuit_id(Octets(rest.begin(), rest.end()), facts.echo);
}

void check_template(const Template& read, const Facts& facts, View rest) {
  const FormValue value = read.expand(facts.interface);
  const std::size_t most = read.most_octets();
  require(most <= options82::max_option_value_size, "a template never gets more than 255 octets");
  require(most_octets_of(value) <= most, "an expansion never gets more than the template announced");
  // Ports of which one starts another's name can be put together in more ways than a fuzzer has time for.
  constexpr std::size_t most_ports = 6;
  if (count_of(value, Blank::client_port) > most_ports) {
    return;
  }
  AgentInformationForm form;
  const bool fits = form.add(SubOption::circuit_id, value);
  require(fits == (most_octets_of(value) + 2 <= options82::max_option_value_size), "the worst case decides");
  require(fits || form.empty(), "what does not fit changes nothing");
  (void)form.add(SubOption::relay_flags, FormValue{Blank::relay_flags});
  (void)form.add(SubOption::remote_id, value);
  if (form.add(SubOption::vss, FormValue{"x"})) {
    (void)form.add(SubOption::vss_control, FormValue{});
  }
  if (!form.empty()) {
    check_form(form, facts, rest);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < choices_size) {
    return -1;
  }
  const View input{data, size};
  const View rest = input.subspan(choices_size);
  const View text = rest.first(std::min<std::size_t>(input[0], rest.size()));
  const Facts facts{input.first<choices_size>(), rest.subspan(text.size())};
  const std::string copy{text.begin(), text.end()};  // the address sanitizer watches its end
  const auto read = Template::parse(copy);
  if (const auto* const found = std::get_if<Template>(&read)) {
    check_template(*found, facts, rest.subspan(text.size()));
  }
  return 0;
}
