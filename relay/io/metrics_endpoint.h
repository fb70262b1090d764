// Where Prometheus asks: HTTP on a thread and a socket of its own, for one page of text. Knows no metric.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "relay/io/descriptor.h"

namespace relay::io {

/// Listens on TCP. `address` is numeric, IPv4 or IPv6 without brackets; port 0 is any free one. Throws
/// std::system_error with a sentence that says what is in the way. Apart from the endpoint, since an address or a port
/// may take a privilege, and threads begin when that is gone.
[[nodiscard]] Descriptor open_metrics_socket(const std::string& address, std::uint16_t port);

/// Answers GET and HEAD of /metrics and nothing else. Whoever is slow, sends much or anything that is not such a
/// request loses the connection, as does who has waited longest when there are too many. Pages take a fifth of one
/// processor at most, whoever waits shares the next one, and the thread gives way to others
/// where it may (setpriority(2)).
class MetricsEndpoint {
 public:
  /// Called on the endpoint's thread. What it throws costs the connection.
  using Page = std::function<std::string()>;

  /// `socket` is of `open_metrics_socket`. Throws std::system_error.
  MetricsEndpoint(Descriptor socket, Page page);
  /// Ends all connections, and waits for a page that is being made.
  ~MetricsEndpoint();
  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;

  /// Once; until then connections wait. Opens nothing any more, so that it can come after the last privilege is gone.
  /// Throws std::system_error where the thread cannot be made.
  void begin();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::io
