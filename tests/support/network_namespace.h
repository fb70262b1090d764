// Tests against the kernel, each in a network namespace of its own that goes with the test. Needs root and iproute2.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "relay/io/descriptor.h"

namespace test_support {

/// The network namespace that this thread is in; a descriptor that is not open where there is none.
[[nodiscard]] relay::io::Descriptor open_namespace();

/// Runs `command`, which reads `lines`; true if it succeeded.
[[nodiscard]] bool run(const std::string& command, const std::vector<std::string>& lines);

/// Runs lines of `ip`, true if all of them succeeded.
[[nodiscard]] bool ip(const std::vector<std::string>& lines);

/// The same for what may fail, without a word.
bool try_ip(const std::vector<std::string>& lines);

/// Lines of `ip -6 route show` with these words behind it, up to the metric.
[[nodiscard]] std::vector<std::string> routes6(const std::string& words);

/// Makes every socket(2) of this process fail from now on.
void refuse_sockets();

/// Makes every call of this number (__NR_...) of this process fail with `error` from now on.
void refuse_calls(int number, int error);

/// Skips what cannot have a namespace, so that tests of a derived fixture find an empty one.
class NetworkNamespaceTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

 private:
  relay::io::Descriptor home_;
};

}  // namespace test_support
