// One flat JSON object on standard output, what a program of the bench has to say at its end.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

class JsonObject {
 public:
  void add(std::string_view name, double value);
  void add(std::string_view name, std::string_view value);
  void add(std::string_view name, std::integral auto value) { member(name, std::to_string(value)); }
  void print() const;

 private:
  void member(std::string_view name, std::string_view value);

  std::string members_;
};

}  // namespace bench
