#include "relay/io/host_facts.h"

#include <sys/utsname.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace relay::io {

std::string system_name() {
  utsname name{};
  if (::uname(&name) != 0) {
    return "Linux";
  }
  return std::string{name.sysname} + ' ' + name.release + ' ' + name.machine;
}

std::uint64_t full_receive_buffers() {
  // Two lines begin with `Udp:`: one of names, one of numbers.
  std::ifstream file{"/proc/thread-self/net/snmp"};
  std::string line;
  std::string names;
  while (std::getline(file, line)) {
    if (!line.starts_with("Udp:")) {
      continue;
    }
    if (names.empty()) {
      names = line;
      continue;
    }
    std::istringstream name_words{names};
    std::istringstream value_words{line};
    std::string name;
    std::string value;
    while (name_words >> name && value_words >> value) {
      if (name == "RcvbufErrors") {
        return std::stoull(value);
      }
    }
  }
  return 0;
}

std::string master_of(const std::string& interface) {
  std::error_code error;
  return std::filesystem::read_symlink("/sys/class/net/" + interface + "/master", error).filename().string();
}

}  // namespace relay::io
