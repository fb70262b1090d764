// What is opened while the process is privileged, and the end of the privileges: one place, in front of every thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/config/configuration.h"
#include "relay/io/capture_file.h"
#include "relay/io/descriptor.h"
#include "relay/io/pid_file.h"
#include "relay/io/privileges.h"
#include "relay/io/resolver.h"
#include "relay/io/service.h"

namespace relay {

/// The account of `--user`; nothing where the process was not started by root, and so stays what it is. Throws
/// UsageError where there is no such account.
[[nodiscard]] std::optional<io::Account> account_of(const Configuration& configuration);

/// How the file of `--capture` is opened.
[[nodiscard]] io::CaptureFile::Options capture_file_options(const Configuration& configuration,
                                                            const std::optional<io::Account>& account);

struct Opened {
  std::shared_ptr<const io::Resolver> resolver;  ///< null where nothing is read or resolved again
  io::ServiceSockets sockets;                    ///< those of messages closed where nothing is relayed
  std::unique_ptr<io::CaptureFile> capture_file;
  std::unique_ptr<io::PidFile> pid_file;
  io::Descriptor metrics_socket;      ///< closed where there are no metrics
  std::vector<std::string> warnings;  ///< sentences for the log: what the account may not do
  std::vector<std::string> notes;     ///< the same: what was made
};

/// Opens what the configuration asks for, and becomes `account` without a privilege, but for the one that captures
/// need. Call it before any thread is started. Throws std::runtime_error with one sentence.
/// `orders` are those that the configuration gives.
[[nodiscard]] Opened open_for_relaying(const Configuration& configuration, const io::Orders& orders,
                                       const std::optional<io::Account>& account);

/// The same where nothing is relayed.
[[nodiscard]] Opened open_for_capturing(const Configuration& configuration, const std::optional<io::Account>& account);

}  // namespace relay
