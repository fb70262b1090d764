// Where flags come from: the words of the command line, in ISC dhcrelay's spelling or the long one, and the lines of
// the file. Knows which flags take a value and nothing of what the values mean.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "relay/config/configuration.h"
#include "relay/config/values.h"

namespace relay::flags {

/// Takes the words of a command line apart, in their order. ISC's words are compared whole and their value is the next
/// word, whatever it starts with; long names take theirs from the next word or behind '='. Throws UsageError for an
/// unknown flag, a missing value or one too many.
[[nodiscard]] std::vector<Given> read_words(const std::vector<std::string>& words);

/// Takes the file that `config` names apart, in the order of its lines. Flags without a value have "true", "false" or
/// nothing as theirs. `read`: as that of `read_configuration`. Throws UsageError that names the file and, where one is
/// at fault, the line.
[[nodiscard]] std::vector<Given> read_file(const Given& config, const ReadFile& read);

}  // namespace relay::flags
