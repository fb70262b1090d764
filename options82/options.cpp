#include "options82/options.h"

namespace options82 {

std::optional<Option> OptionReader::next() noexcept {
  if (stop_ != ReadStop::not_yet) {
    return std::nullopt;
  }
  std::size_t at = offset_;
  while (at < field_.size() && field_[at] == code::pad) {
    ++at;
  }
  if (at == field_.size()) {
    stop_ = ReadStop::end_of_field;  // offset_ stays behind the last option: trailing PADs belong to nobody
    return std::nullopt;
  }
  offset_ = at;
  if (field_[at] == code::end) {
    stop_ = ReadStop::end_option;
    return std::nullopt;
  }
  if (field_.size() - at < option_head_size || field_.size() - at - option_head_size < field_[at + 1]) {
    stop_ = ReadStop::damaged;
    return std::nullopt;
  }
  const Option option{field_[at], at, field_.subspan(at + option_head_size, field_[at + 1])};
  offset_ = option.end_offset();
  return option;
}

Survey survey(Octets field) noexcept {
  Survey result;
  OptionReader reader{field};
  while (const auto option = reader.next()) {
    if (option->code == code::agent_information) {
      ++result.agent_information_count;
      result.agent_information_size += option->end_offset() - option->offset;
    } else if (option->code == code::message_type && option->value.size() == 1 && !result.message_type) {
      result.message_type = option->value[0];
    }
  }
  result.damaged = reader.stop() == ReadStop::damaged;
  result.has_end = reader.stop() == ReadStop::end_option;
  result.end_offset = reader.offset();
  return result;
}

}  // namespace options82
