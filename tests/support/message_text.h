// A message as lines of text, and back: for golden cases, and for failures that a person has to read.
//
//   op 1  # BOOTREQUEST            the fixed fields; a field that is zero is left out, and so are htype 1 and hlen 6
//   chaddr 02:00:00:00:00:01
//   cookie                         the magic cookie; without it, what follows are octets
//   53 01  # DISCOVER              an option: its code and its value
//   82                             option 82 by its sub-options, or as a value where they are broken
//     1 "c0"  # circuit-id
//   end
//   pad to 300                     zeros at the end of the message, up to a size; between options they are "pad 3"
//   octets 0a0b                    octets that are none of these
//
// A message that is shorter than the fixed fields is nothing but octets. What stands behind '#' is for the reader.
// Knows the layout of RFC 2131 section 2 by itself, so that it can contradict the code under test.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/support/message_builder.h"
#include "tests/support/value_text.h"

namespace test_support {

using Lines = std::vector<std::string>;

/// The lines of one message: of its fixed fields, and of what follows them.
struct MessageText {
  Lines header;
  Lines body;

  [[nodiscard]] Lines lines() const;
};

/// The text of any octets, well-formed or not.
[[nodiscard]] MessageText message_text(std::span<const std::uint8_t> message);

/// The message that the lines describe; of `message_text` the very octets that it was made of. Throws TextError with
/// the line that is wrong.
[[nodiscard]] Bytes message_octets(std::span<const std::string> lines);

}  // namespace test_support
