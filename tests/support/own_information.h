// Our option 82 from its octets, for tests of what is told by it.
#pragma once

#include "options82/agent_information_form.h"
#include "options82/edit.h"

namespace test_support {

/// A form without blanks that has the sub-options `content`; an empty one where they are damaged.
[[nodiscard]] inline options82::AgentInformationForm form_of(options82::Octets content) {
  options82::AgentInformationForm form;
  options82::SubOptionReader sub_options{content};
  while (const auto found = sub_options.next()) {
    if (!form.add(found->code, found->value)) {
      return {};
    }
  }
  return sub_options.is_damaged() ? options82::AgentInformationForm{} : form;
}

[[nodiscard]] inline options82::Removal find_own(
    options82::Octets field, options82::Octets own,
    options82::Recognition recognition = options82::Recognition::by_circuit_id) {
  const auto form = form_of(own);
  return options82::find_own_agent_information(field, {form, {}, recognition});
}

[[nodiscard]] inline options82::Removal remove_own(
    options82::EditableMessage& message, options82::Octets own,
    options82::Recognition recognition = options82::Recognition::by_circuit_id) {
  const auto form = form_of(own);
  return options82::remove_own_agent_information(message, {form, {}, recognition});
}

}  // namespace test_support
