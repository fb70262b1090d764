#include "arguments.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <stdexcept>

namespace bench {

Arguments::Arguments(int argc, char** argv, std::string_view usage, std::initializer_list<std::string_view> names)
    : usage_(usage) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  for (std::size_t at = 0; at < words.size(); ++at) {
    const std::string_view word = words[at];
    if (!word.starts_with("--") || std::ranges::find(names, word.substr(2)) == names.end()) {
      refuse(word);
    }
    const bool has_value = at + 1 < words.size() && !words[at + 1].starts_with("--");
    given_.emplace_back(word.substr(2), has_value ? words[at + 1] : std::string_view{});
    at += has_value ? 1 : 0;
  }
}

bool Arguments::has(std::string_view name) const {
  return std::ranges::any_of(given_, [&](const auto& each) { return each.first == name; });
}

std::string Arguments::text(std::string_view name, std::string_view otherwise) const {
  const std::vector<std::string> all = texts(name);
  return all.empty() ? std::string{otherwise} : all.back();
}

std::uint64_t Arguments::number(std::string_view name, std::uint64_t otherwise) const {
  return static_cast<std::uint64_t>(real(name, static_cast<double>(otherwise)));
}

double Arguments::real(std::string_view name, double otherwise) const {
  if (!has(name)) {
    return otherwise;
  }
  try {
    const double value = std::stod(text(name, ""));
    return value >= 0 ? value : throw std::out_of_range("negative");
  } catch (const std::logic_error&) {
    refuse(name);
  }
}

std::vector<std::string> Arguments::texts(std::string_view name) const {
  std::vector<std::string> found;
  for (const auto& [each, value] : given_) {
    if (each == name) {
      found.push_back(value);
    }
  }
  return found;
}

void Arguments::refuse(std::string_view why) const {
  std::cerr << "not understood: " << why << "\nusage: " << usage_ << '\n';
  std::exit(2);
}

}  // namespace bench
