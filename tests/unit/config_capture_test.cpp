// The flags of captures and replays: what they set, what goes together, and what is refused.
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/config/configuration.h"

namespace relay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

Configuration configuration_of(const std::vector<std::string>& words) {
  return std::get<Configuration>(read_configuration(words, ""));
}

std::vector<std::string> split(std::string_view text) {
  std::istringstream words{std::string(text)};
  std::vector<std::string> result;
  for (std::string word; words >> word;) {
    result.push_back(word);
  }
  return result;
}

Configuration configuration_of(std::string_view words) {
  return configuration_of(split(words));
}

/// The message of the error that these words are, or nothing.
std::string error_of(const std::vector<std::string>& words) {
  try {
    static_cast<void>(read_configuration(words, ""));
    return {};
  } catch (const UsageError& error) {
    return error.what();
  }
}

std::string error_of(std::string_view words) {
  return error_of(split(words));
}

TEST(CaptureWords, AreOffUnlessGiven) {
  const Configuration configuration = configuration_of("-id d1 10.9.0.2");
  EXPECT_EQ(configuration.capture, CaptureSettings{});
  EXPECT_EQ(configuration.replay, ReplaySettings{});
  EXPECT_FALSE(configuration.foreground);
}

TEST(CaptureWords, SetFileSizeCountAndFilter) {
  EXPECT_EQ(
      configuration_of("--capture x.pcapng -id d1 10.9.0.2").capture,
      (CaptureSettings{.file = "x.pcapng", .max_size = 100'000'000, .max_count = 5, .filter = "", .only = false}));
  EXPECT_EQ(configuration_of({"--capture", "x", "--capture-size", "1000000", "--capture-files", "1000",
                              "--capture-filter", "host 192.0.2.1 and udp", "-id", "d1", "10.9.0.2"})
                .capture,
            (CaptureSettings{.file = "x",
                             .max_size = 1'000'000'000'000,
                             .max_count = 1000,
                             .filter = "host 192.0.2.1 and udp",
                             .only = false}));
  EXPECT_EQ(configuration_of("--capture=x --capture-size=1 --capture-files=1 -id d1 10.9.0.2").capture,
            (CaptureSettings{.file = "x", .max_size = 1'000'000, .max_count = 1, .filter = "", .only = false}));
}

TEST(CaptureWords, StandardOutputIsForTheForeground) {
  EXPECT_EQ(error_of("--capture - -id d1 10.9.0.2"), "--capture '-': needs -d: a daemon has no standard output");
  EXPECT_EQ(configuration_of("--capture - -d -id d1 10.9.0.2").capture.file, "-");
  EXPECT_EQ(configuration_of("--capture - --capture-only -id d1").capture.file, "-");
  EXPECT_EQ(configuration_of("--capture=- --replay x -id d1 10.9.0.2").capture.file, "-");
}

TEST(CaptureWords, CaptureOnlyNeedsAnInterfaceAlone) {
  for (const std::string_view words : {"-i e0", "-id e0", "-iu e0", "-iu e0 10.9.0.2"}) {
    const Configuration configuration = configuration_of("--capture-only " + std::string(words));
    EXPECT_TRUE(configuration.capture.only) << words;
    EXPECT_TRUE(configuration.foreground) << words;
    EXPECT_EQ(configuration.pid_file, "") << words;
  }
  EXPECT_EQ(configuration_of("--capture-only -i e0 -pf x").pid_file, "x");
  EXPECT_EQ(error_of("--capture-only"), "no interface: expected one to listen on as -i IF, -id IF or -iu IF");
  EXPECT_EQ(error_of("--capture-only 10.9.0.2"), "no interface: expected one to listen on as -i IF, -id IF or -iu IF");
}

TEST(ReplayWords, NeedWhatRelayingNeeds) {
  const Configuration configuration = configuration_of("--replay x.pcap -id d1 10.9.0.2");
  EXPECT_EQ(configuration.replay.file, "x.pcap");
  EXPECT_THAT(configuration.replay.interfaces, IsEmpty());
  EXPECT_TRUE(configuration.foreground);
  EXPECT_EQ(configuration.pid_file, "");
  EXPECT_EQ(configuration_of("--replay - -id d1 10.9.0.2").replay.file, "-");
  EXPECT_EQ(error_of("--replay x 10.9.0.2"),
            "no downstream interface: expected the clients' side as -id IF, or as -i IF if servers are there too");
  EXPECT_EQ(error_of("--replay x -id d1"), "no server: expected the address or name of at least one SERVER");
}

TEST(ReplayWords, Interfaces) {
  const auto interfaces = [](std::string_view words) {
    return configuration_of("--replay x -id d1 10.9.0.2 " + std::string(words)).replay.interfaces;
  };
  const MacAddress mac{{0x02, 0x00, 0x5e, 0x10, 0xaB, 0xff}};
  EXPECT_THAT(
      interfaces("--replay-interface d1=10.1.0.1/24,02:00:5E:10:aB:ff --replay-interface=d1=10.2.0.1/32 "
                 "--replay-interface d2=10.3.0.1/1"),
      ElementsAre(ReplayInterface{"d1", {{{10, 1, 0, 1}}, 24}, mac}, ReplayInterface{"d1", {{{10, 2, 0, 1}}, 32}, {}},
                  ReplayInterface{"d2", {{{10, 3, 0, 1}}, 1}, {}}));
  EXPECT_THAT(interfaces("--replay-interface d1=10.1.0.1/24 --replay-interface d1=10.2.0.1/24,02:00:00:00:00:01"),
              ElementsAre(ReplayInterface{"d1", {{{10, 1, 0, 1}}, 24}, {}},
                          ReplayInterface{"d1", {{{10, 2, 0, 1}}, 24}, MacAddress{{2, 0, 0, 0, 0, 1}}}));
}

TEST(ReplayWords, InterfacesWithIpv6Addresses) {
  const auto given = configuration_of(
                         "--replay x -id d1 2001:db8:53::10 --replay-interface d1=2001:db8:1::1/64,02:00:00:00:00:01 "
                         "--replay-interface d1=fe80::d1/128")
                         .replay.interfaces;
  const Ipv6Address global{{0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  const Ipv6Address local{{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xd1}};
  EXPECT_THAT(given, ElementsAre(ReplayInterface{"d1", {}, MacAddress{{2, 0, 0, 0, 0, 1}}, Ipv6Prefix{global, 64}},
                                 ReplayInterface{"d1", {}, {}, Ipv6Prefix{local, 128}}));
}

TEST(ReplayErrors, Interfaces) {
  struct Case {
    std::string_view value;
    std::string_view sentence;
  };
  const std::string_view mac = "expected the MAC address of one station behind the comma, such as 02:00:5e:10:00:01";
  const std::string_view name = "expected an interface's name of 1 to 15 octets without '/', ':' or white space";
  const std::vector<Case> cases = {
      {"d1", "expected an interface's name and its address, such as eth0=192.0.2.1/24"},
      {"=10.1.0.1/24", name},
      {"d/1=10.1.0.1/24", name},
      {"d*=10.1.0.1/24", "expected one interface's name, not a pattern"},
      {"d1=", "expected the address with its prefix length, such as 192.0.2.1/24"},
      {"d1=10.1.0.1", "expected the address with its prefix length, such as 192.0.2.1/24"},
      {"d1=10.1.0/24", "expected an IPv4 address such as 192.0.2.1"},
      {"d1=fe80::/1/64", "expected a prefix length from 1 to 128"},
      {"d1=fe80::g/64", "expected the IPv6 address of one host, such as 2001:db8::1"},
      {"d1=ff02::1/64", "expected the IPv6 address of one host, such as 2001:db8::1"},
      {"d1=::1/128", "expected the IPv6 address of one host, such as 2001:db8::1"},
      {"d1=2001:db8::1", "expected the address with its prefix length, such as 192.0.2.1/24"},
      {"d1=2001:db8::1/129", "expected a prefix length from 1 to 128"},
      {"d1=127.0.0.1/8", "expected the IPv4 address of one host, not a multicast, broadcast, loopback or reserved one"},
      {"d1=10.1.0.1/0", "expected a prefix length from 1 to 32"},
      {"d1=10.1.0.1/33", "expected a prefix length from 1 to 32"},
      {"d1=10.1.0.1/", "expected a prefix length from 1 to 32"},
      {"d1=10.1.0.1/24,", mac},
      {"d1=10.1.0.1/24,02:00:00:00:00", mac},
      {"d1=10.1.0.1/24,02:00:00:00:00:0", mac},
      {"d1=10.1.0.1/24,02:00:00:00:00:01:02", mac},
      {"d1=10.1.0.1/24,02-00-00-00-00-01", mac},
      {"d1=10.1.0.1/24,02:00:00:00:00:0g", mac},
      {"d1=10.1.0.1/24,02:00:00:00:00:+1", mac},
      {"d1=10.1.0.1/24,00:00:00:00:00:00", mac},
      {"d1=10.1.0.1/24,ff:ff:ff:ff:ff:ff", mac},
      {"d1=10.1.0.1/24,01:00:5e:00:00:01", mac},
  };
  for (const auto& [value, sentence] : cases) {
    EXPECT_EQ(error_of({"--replay", "x", "-id", "d1", "10.9.0.2", "--replay-interface", std::string(value)}),
              "--replay-interface '" + std::string(value) + "': " + std::string(sentence));
  }
  const std::string first = "--replay x -id d1 10.9.0.2 --replay-interface d1=10.1.0.1/24,02:00:00:00:00:01 ";
  EXPECT_EQ(error_of(first + "--replay-interface d1=10.1.0.1/25"),
            "--replay-interface 'd1=10.1.0.1/25': this interface is given this address twice; expected once");
  EXPECT_EQ(error_of(first + "--replay-interface d1=10.2.0.1/24,02:00:00:00:00:01"),
            "--replay-interface 'd1=10.2.0.1/24,02:00:00:00:00:01': this interface is given a MAC address twice; "
            "expected once");
  EXPECT_EQ(error_of(first + "--replay-interface d1=2001:db8::1/64 --replay-interface d1=2001:DB8::1/48"),
            "--replay-interface 'd1=2001:DB8::1/48': this interface is given this address twice; expected once");
  EXPECT_EQ(error_of(first + "--replay-interface d2=10.1.0.1/24,02:00:00:00:00:01"), "");
}

TEST(CaptureErrors, Values) {
  for (const std::string value : {"0", "1000001", "-1", "5x", ""}) {
    EXPECT_EQ(error_of({"--capture", "x", "--capture-size", value, "-id", "d1", "s"}),
              "--capture-size '" + value + "': expected a number of megabytes from 1 to 1000000");
  }
  for (const std::string value : {"0", "1001", "-1", "5x", ""}) {
    EXPECT_EQ(error_of({"--capture", "x", "--capture-files", value, "-id", "d1", "s"}),
              "--capture-files '" + value + "': expected a number of files from 1 to 1000");
  }
  for (const std::string flag : {"--capture", "--replay"}) {
    EXPECT_EQ(error_of({flag, "", "-id", "d1", "s"}),
              flag + " '': expected the name of a file without control characters");
  }
  EXPECT_EQ(error_of({"--capture", "x", "--capture-filter", "", "-id", "d1", "s"}),
            "--capture-filter '': expected a filter expression such as 'host 192.0.2.1', without control characters");
  EXPECT_THAT(error_of({"--capture", "x", "--capture-filter", "a\nb", "-id", "d1", "s"}),
              StartsWith("--capture-filter 'a\\x0ab': expected a filter expression"));
  EXPECT_EQ(
      error_of({"--capture", "x", "--capture-filter", std::string(4096, 'x'), "-id", "d1", "s"}),
      "--capture-filter '" + std::string(60, 'x') + "...': too long: a filter expression has at most 4095 octets");
}

TEST(CaptureErrors, FlagsThatNeedOthers) {
  const std::string minimum = "-id d1 10.9.0.2 ";
  EXPECT_EQ(error_of(minimum + "--capture-size 5"), "--capture-size needs --capture, which names the file");
  EXPECT_EQ(error_of(minimum + "--capture-files 5"), "--capture-files needs --capture, which names the file");
  EXPECT_EQ(error_of(minimum + "--replay x --capture-files 5"),
            "--capture-files needs --capture, which names the file");
  EXPECT_EQ(error_of(minimum + "--capture-filter udp"), "--capture-filter needs --capture, --capture-only or --replay");
  for (const std::string_view other : {"--capture x", "--capture-only", "--replay x"}) {
    EXPECT_EQ(error_of(minimum + "--capture-filter udp " + std::string(other)), "") << other;
  }
  EXPECT_EQ(error_of(minimum + "--replay-interface d1=10.1.0.1/24"),
            "--replay-interface needs --replay, which names the file to replay");
  EXPECT_EQ(error_of(minimum + "--replay x --capture-only"),
            "--replay 'x': contradicts --capture-only; expected one of them");
  EXPECT_EQ(error_of(minimum + "--replay x --replay y"), "--replay 'y': given twice; expected once");
  EXPECT_EQ(error_of(minimum + "--capture x --capture y"), "--capture 'y': given twice; expected once");
}

TEST(CaptureFlags, TakeEffectAtTheNextStart) {
  const Configuration started = configuration_of("-d -id d1 10.9.0.2");
  const auto differing = [&started](std::string_view words) {
    return flags_for_next_start(started, configuration_of("-d -id d1 10.9.0.2 " + std::string(words)));
  };
  EXPECT_THAT(differing("--capture x"), ElementsAre("--capture"));
  EXPECT_THAT(differing("--capture x --capture-size 5 --capture-files 6 --capture-filter udp"),
              ElementsAre("--capture", "--capture-size", "--capture-files", "--capture-filter"));
  EXPECT_THAT(differing("--capture-only"), ElementsAre("--capture-only"));
  EXPECT_THAT(differing("--replay x --replay-interface d1=10.1.0.1/24"), ElementsAre("--replay", "--replay-interface"));
}

TEST(CaptureWords, OfAFileAreForTheRelayAndNotForAReplay) {
  const std::string file = testing::TempDir() + "capture_words_of_a_file.conf";
  std::ofstream{file} << "downstream = d1\nserver = 10.9.0.2\ncapture = relay.pcapng\ncapture-size = 7\n";
  EXPECT_EQ(configuration_of("--config " + file).capture.file, "relay.pcapng");
  EXPECT_EQ(configuration_of("--replay x --config " + file).capture, CaptureSettings{});
  EXPECT_EQ(configuration_of("--replay x --capture out --config " + file).capture.file, "out");
  EXPECT_EQ(configuration_of("--capture-only --config " + file).capture.file, "");
  std::remove(file.c_str());
}

}  // namespace
}  // namespace relay
