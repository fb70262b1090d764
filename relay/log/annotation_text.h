// The comment that a capture has on a packet. Printable ASCII, whatever the packet contains.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/capture/annotator.h"

namespace relay {

/// `egress` is the name of the interface of `Verdict::egress_index`; `source_frame` the number, in the same file, of
/// the frame of `Annotated::source_frame`, if it is there.
[[nodiscard]] std::string annotation_text(const capture::Annotated& annotated, std::string_view egress,
                                          std::optional<std::uint64_t> source_frame, const capture::Scope& scope,
                                          const capture::HostFacts& facts);

}  // namespace relay
