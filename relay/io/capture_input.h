// The octets of a capture file or of standard input, in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "relay/io/descriptor.h"

namespace relay::io {

class CaptureInput {
 public:
  /// `-` is standard input. Throws std::runtime_error with a clause that says why the file cannot be read.
  explicit CaptureInput(const std::string& name);

  /// Fills `octets` with the next ones and returns how many there were: fewer at the end, or at a fault.
  [[nodiscard]] std::size_t read(std::span<std::uint8_t> octets);

  /// Why reading ended before the end of the file; empty where it did not.
  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

  /// Whether `name` is this very file.
  [[nodiscard]] bool is_file(const std::string& name) const;
  /// Whether what is written to this descriptor gets into this very file.
  [[nodiscard]] bool is_written_by(int descriptor) const;

 private:
  [[nodiscard]] bool fill();

  Descriptor opened_;
  int descriptor_;
  std::vector<std::uint8_t> buffer_;
  std::span<const std::uint8_t> unread_;  // of the buffer
  std::string fault_;
};

}  // namespace relay::io
