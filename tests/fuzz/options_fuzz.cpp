// The readers of options82 against their slow twin. Input: octets that are read as an options field, and as the content
// of option 82.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "options82/agent_information.h"
#include "options82/options.h"
#include "tests/fuzz/compare_readers.h"
#include "tests/fuzz/slow_options.h"

namespace {

using fuzz::Octets;
using fuzz::require;
using View = std::span<const std::uint8_t>;

void compare_sub_options(View content) {
  const auto slow = fuzz::read_slowly(content, false);
  require(options82::is_well_formed(content) == !slow.damaged, "is_well_formed agrees with the twin");
  for (unsigned code = 0; code < 256; ++code) {
    const auto found = options82::find_sub_option(content, static_cast<options82::SubOption>(code));
    const auto twin = std::ranges::find(slow.options, code, &fuzz::SlowOption::code);
    require(found.has_value() == (twin != slow.options.end()), "find_sub_option agrees with the twin");
    require(!found || std::ranges::equal(*found, twin->value), "find_sub_option agrees with the twin on the value");
  }
  if (slow.end_offset > 255) {
    return;
  }
  options82::AgentInformation built;
  for (const auto& option : slow.options) {
    require(built.add(static_cast<options82::SubOption>(option.code), option.value), "what fitted, fits again");
  }
  require(std::ranges::equal(built.octets(), content.first(slow.end_offset)), "add encodes what was read");
  const Octets too_long(slow.end_offset < 254 ? 254 - slow.end_offset : 0, 0);
  require(!built.add(options82::SubOption::circuit_id, too_long) &&
              std::ranges::equal(built.octets(), content.first(slow.end_offset)),
          "add changes nothing where there is no room");
}

// The instances of option 82 are one option, split, and what does not fit is left out (RFC 3396 section 7).
template <std::size_t room>
void compare_joined(View field) {
  Octets joined;
  for (const auto& option : fuzz::read_slowly(field).options) {
    if (option.code == 82) {
      joined.insert(joined.end(), option.value.begin(), option.value.end());
    }
  }
  joined.resize(std::min(joined.size(), room));
  Octets storage(room);  // nothing behind it: the address sanitizer watches
  require(std::ranges::equal(options82::join_agent_information(field, storage), joined),
          "join_agent_information agrees with the twin");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const View input{data, size};
  fuzz::compare_readers(input);
  compare_sub_options(input);
  compare_joined<512>(input);
  compare_joined<5>(input);
  return 0;
}
