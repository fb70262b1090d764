#include "json_object.h"

#include <array>
#include <cstdio>
#include <iostream>

namespace bench {

void JsonObject::add(std::string_view name, double value) {
  std::array<char, 64> text{};
  (void)std::snprintf(text.data(), text.size(), "%.3f", value);
  member(name, text.data());
}

void JsonObject::add(std::string_view name, std::string_view value) {
  member(name, '"' + std::string{value} + '"');
}

void JsonObject::print() const {
  std::cout << '{' << members_ << '}' << std::endl;
}

void JsonObject::member(std::string_view name, std::string_view value) {
  members_ += members_.empty() ? "\"" : ", \"";
  members_.append(name).append("\": ").append(value);
}

}  // namespace bench
