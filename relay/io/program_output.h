// What another program prints: for `--check` alone, which asks `nft` for the firewall's rules.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace relay::io {

struct ProgramOutput {
  std::string text;
  std::string fault;  ///< why there is no text, one clause; empty: there is
};

/// Runs `words` (the first is the program's path) with no input and an environment without meaning, and waits for its
/// end. Of what it prints at most `most` octets are taken, beyond which there is a fault; what it says on standard
/// error is the fault where it ends with another status than 0.
[[nodiscard]] ProgramOutput output_of(const std::vector<std::string>& words, std::size_t most);

}  // namespace relay::io
