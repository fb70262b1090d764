// Joins configuration, log and service, which know nothing of one another.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "relay/capture/pcapng_writer.h"
#include "relay/capturing.h"
#include "relay/config/configuration.h"
#include "relay/core/events.h"
#include "relay/io/packet_filter.h"
#include "relay/io/resolve.h"
#include "relay/io/resolver.h"
#include "relay/io/service.h"
#include "relay/log/log.h"
#include "relay/metering.h"

namespace relay {

/// The orders that a configuration gives, its servers' names resolved. Throws std::runtime_error.
[[nodiscard]] io::Orders orders_of(const Configuration& configuration, const io::LookUp& look_up);

/// What a capture says of the program that wrote it and the words it was started with.
[[nodiscard]] capture::SectionFacts section_of(const std::vector<std::string>& words);

/// The filter of `--capture-filter`, which is given. Throws UsageError where it is wrong.
[[nodiscard]] std::unique_ptr<io::PacketFilter> filter_of(const Configuration& configuration);

/// Throws UsageError where there is one and it is wrong.
void check_filter(const Configuration& configuration);

/// The same for a fault that shows later.
[[nodiscard]] UsageError filter_fault(const Configuration& configuration, const io::FilterError& error);

/// Tells `log` of everything; `log` must outlive the listener.
[[nodiscard]] Listener listener_of(Log& log);

/// A warning for each interface that was named and does not exist.
void note_missing(Log& log, const std::vector<std::string>& missing);

/// Reloads by reading `words` again, with files and names by `resolver`, which may be null where there are none; logs
/// what is asked for, and tells `capturing` and `metering`, if there are any, of changes. All but `words` must outlive
/// the service.
[[nodiscard]] io::Surroundings surroundings_of(Log& log, Capturing* capturing, Metering* metering,
                                               const Configuration& started, const std::vector<std::string>& words,
                                               std::shared_ptr<const io::Resolver> resolver);

}  // namespace relay
