#include "options82/options.h"

namespace options82 {

Survey survey(Octets field) noexcept {
  Survey result;
  OptionReader reader{field};
  while (const auto option = reader.next()) {
    if (option->code == code::agent_information) {
      if (result.agent_information_count++ == 0) {
        result.agent_information_offset = option->offset;
      }
      result.agent_information_size += option->end_offset() - option->offset;
    } else if (option->code == code::message_type && option->value.size() == 1 && !result.message_type) {
      result.message_type = option->value[0];
    }
  }
  result.damaged = reader.stop() == ReadStop::damaged;
  result.has_end = reader.stop() == ReadStop::end_option;
  result.end_offset = reader.offset();
  if (result.agent_information_count == 0) {
    result.agent_information_offset = result.end_offset;
  }
  return result;
}

}  // namespace options82
