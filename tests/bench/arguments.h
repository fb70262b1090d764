// The command line of the bench's programs: --name value, or --name alone. What is wrong ends the program with
// status 2.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

class Arguments {
 public:
  /// Names are without their dashes; `usage` is what is said where the command line has another one.
  Arguments(int argc, char** argv, std::string_view usage, std::initializer_list<std::string_view> names);

  [[nodiscard]] bool has(std::string_view name) const;
  /// The last one that was given.
  [[nodiscard]] std::string text(std::string_view name, std::string_view otherwise) const;
  [[nodiscard]] std::uint64_t number(std::string_view name, std::uint64_t otherwise) const;
  [[nodiscard]] double real(std::string_view name, double otherwise) const;
  /// All, in order.
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;

 private:
  [[noreturn]] void refuse(std::string_view why) const;

  std::string usage_;
  std::vector<std::pair<std::string, std::string>> given_;
};

}  // namespace bench
