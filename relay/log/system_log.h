// The host's syslog by its socket, written to as syslog(3) does, which does not tell whether anybody took a line.
#pragma once

#include <string>
#include <string_view>

namespace relay {

class SystemLog {
 public:
  explicit SystemLog(std::string path = "/dev/log");
  ~SystemLog();
  SystemLog(const SystemLog&) = delete;
  SystemLog& operator=(const SystemLog&) = delete;

  /// One line of facility daemon; `severity` is one of syslog.h. Waits while there is no room, and connects again where
  /// the daemon was restarted. False where nobody takes the line: `errno` says why.
  [[nodiscard]] bool write(int severity, std::string_view line);

  /// Why nobody takes lines now, a sentence; empty where somebody does.
  [[nodiscard]] std::string fault();

 private:
  [[nodiscard]] bool connect();
  void compose(int severity, std::string_view line);
  [[nodiscard]] bool send();
  void close();

  std::string path_;
  int socket_ = -1;
  bool is_stream_ = false;
  std::string message_;
};

}  // namespace relay
