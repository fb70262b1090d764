// --metrics: addresses of both families, and what is refused.
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/config/configuration.h"

namespace relay {
namespace {

Configuration configuration_of(std::vector<std::string> words) {
  words.insert(words.end(), {"-id", "d1", "10.9.0.2"});
  return std::get<Configuration>(read_configuration(words, ""));
}

std::string error_of(const std::vector<std::string>& words) {
  try {
    static_cast<void>(configuration_of(words));
    return {};
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(ConfigMetrics, are_off_unless_given) {
  EXPECT_EQ(configuration_of({}).metrics, std::nullopt);
}

TEST(ConfigMetrics, addresses_of_both_families) {
  const auto metrics = [](const std::string& value) { return *configuration_of({"--metrics", value}).metrics; };
  EXPECT_EQ(metrics("127.0.0.1:9577"), (ListenAddress{"127.0.0.1", 9577}));
  EXPECT_EQ(metrics("0.0.0.0:65535"), (ListenAddress{"0.0.0.0", 65535}));
  EXPECT_EQ(metrics("[::1]:9577"), (ListenAddress{"::1", 9577}));
  EXPECT_EQ(metrics("[::]:1"), (ListenAddress{"::", 1}));
}

TEST(ConfigMetrics, anything_else_is_refused) {
  for (const char* const value : {"9577", ":9577", "::1:9577", "localhost:9577", "[127.0.0.1]:9577", "[[::1]]:9577",
                                  "[fe80::1%eth0]:9577", "[::1]", "[]:1", "1.2.3:4", "1.2.3.4 :5"}) {
    EXPECT_EQ(error_of({"--metrics", value}),
              "--metrics '" + std::string(value) +
                  "': expected a numeric address and a port, such as 127.0.0.1:9577 or [::1]:9577");
  }
  for (const char* const value : {"127.0.0.1:0", "127.0.0.1:", "[::1]:65536", "0.0.0.0:+1", "0.0.0.0:1x"}) {
    EXPECT_EQ(error_of({"--metrics", value}),
              "--metrics '" + std::string(value) + "': expected a port from 1 to 65535");
  }
  EXPECT_EQ(error_of({"--metrics", "224.0.0.1:9577"}),
            "--metrics '224.0.0.1:9577': expected the address of one host, or 0.0.0.0 for all of this host's");
}

TEST(ConfigMetrics, need_a_relay) {
  EXPECT_EQ(error_of({"--metrics", "127.0.0.1:1", "--capture-only"}),
            "--metrics '127.0.0.1:1': contradicts --capture-only, which counts nothing; expected one of them");
  EXPECT_EQ(error_of({"--metrics", "127.0.0.1:1", "--replay", "x"}),
            "--metrics '127.0.0.1:1': contradicts --replay, which counts nothing; expected one of them");
}

TEST(ConfigMetrics, another_address_is_for_the_next_start) {
  const Configuration started = configuration_of({"--metrics", "127.0.0.1:9577"});
  EXPECT_THAT(flags_for_next_start(started, started), testing::IsEmpty());
  EXPECT_THAT(flags_for_next_start(started, configuration_of({"--metrics", "127.0.0.1:9578"})),
              testing::ElementsAre("--metrics"));
}

}  // namespace
}  // namespace relay
