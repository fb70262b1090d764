// The edits a relay agent makes in an options field: append our option 82 as the last one, take it out again.
// The only file that moves octets of a message. Whatever it does not name stays as it was, in the same order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "options82/agent_information_form.h"
#include "options82/options.h"

namespace options82 {

/// The least size of a BOOTP message, UDP payload (RFC 951 section 3, RFC 1542 section 2.1): what we edited is padded
/// to it.
inline constexpr std::size_t min_message_size = 300;

/// A message in its storage. `storage[0, size)` is the UDP payload; its options field is `storage[options_offset,
/// size)`. The edits change `size` and never touch an octet at or behind `storage.size()`.
struct EditableMessage {
  std::span<std::uint8_t> storage;
  std::size_t size = 0;
  std::size_t options_offset = 0;
};

/// The size that `message` would have with an option 82 of `content_size` octets appended, after `removed` octets of
/// other option 82s were taken out. `found` surveys its field as it is now, which must not be damaged.
[[nodiscard]] std::size_t size_with_option(const EditableMessage& message, const Survey& found,
                                           std::size_t content_size, std::size_t removed = 0) noexcept;

/// Appends option 82 with `content` (at most 255 octets) as the last option, before END, and adds END where it is
/// missing (RFC 3046 section 2.1). PADs behind the options make room first; then the message grows, to 300 at least.
/// Needs an undamaged field and `size_with_option(...) <= storage.size()`.
void append_agent_information(EditableMessage& message, const Survey& found, Octets content) noexcept;

/// Takes every option 82 out of an undamaged field and leaves a well-formed one: END present, 300 octets at least as
/// far as the storage goes. Changes nothing where there is none.
void remove_agent_information(EditableMessage& message) noexcept;

/// What a look for our option 82 found.
enum class Removal : std::uint8_t {
  absent,   ///< no option 82 in the field
  foreign,  ///< option 82 is there, none of it is ours
  removed,  ///< ours is there (or was, once it is removed); somebody else's, if there is one, stays
};

/// By what ours is told from somebody else's.
enum class Recognition : std::uint8_t {
  exact,          ///< the content as we wrote it
  by_circuit_id,  ///< or, where a server changed the rest, our circuit-id
};

/// What is ours in a reply to one client of one interface.
struct OwnInformation {
  const AgentInformationForm& form;  ///< that we would fill in now
  EchoFacts facts;
  Recognition recognition = Recognition::by_circuit_id;
};

/// Takes out of a reply the option 82 that a request was given by us, and nothing else (RFC 3046 section 2.1).
/// It is looked for at the end of all instances' values together, which are one option, split (RFC 3396 section 7),
/// alone or behind a downstream agent's sub-options; and as the value of instances, all of which go. Needs an undamaged
/// field.
[[nodiscard]] Removal remove_own_agent_information(EditableMessage& message, const OwnInformation& own) noexcept;

/// What `remove_own_agent_information` would find, so that a caller can check before it writes. Any field will do.
[[nodiscard]] Removal find_own_agent_information(Octets field, const OwnInformation& own) noexcept;

}  // namespace options82
