// The service manager, systemd or what speaks its protocol (sd_notify(3)): told over one datagram socket, which is
// opened at the start, since a relay that has dropped its privileges may open no other.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "relay/io/descriptor.h"

namespace relay::io {

/// Never blocks. What the manager cannot take at the moment is told later, if it still matters then.
class ServiceManager {
 public:
  /// Connects to NOTIFY_SOCKET, if that is set, and takes it and the watchdog's variables out of the environment: call
  /// it in the process that relays, before any thread starts.
  ServiceManager();

  /// Whether there is somebody to tell; if not, what is told goes nowhere.
  [[nodiscard]] bool listens() const noexcept { return socket_.is_open(); }
  /// Why a NOTIFY_SOCKET that is set is of no use; else empty.
  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }
  /// How often `alive` is to be called at least: half of the time after which the manager takes us for dead.
  [[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval() const noexcept {
    return watchdog_interval_;
  }

  void ready();
  /// `ready` follows when the new orders are in force, or the old ones stay.
  void reloading();
  void stopping();
  /// For the watchdog, if there is one. Also tells again what could not be told before.
  void alive();
  /// `text`: one line for people. Nothing is told if it is the same as before.
  void status(std::string_view text);

 private:
  void connect(const std::string& name);
  void change_state(std::string state);
  void tell_state();
  [[nodiscard]] bool send(std::string_view lines) const noexcept;

  Descriptor socket_;
  std::string fault_;
  std::optional<std::chrono::microseconds> watchdog_interval_;
  std::string untold_state_;
  std::string told_status_;
};

}  // namespace relay::io
