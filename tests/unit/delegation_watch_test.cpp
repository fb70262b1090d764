// What joins delegated prefixes with interfaces, routes and the state file, against the kernel in a namespace of the
// test's own.
#include "relay/io/delegation_watch.h"

#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/io/turn.h"
#include "tests/support/delegation6.h"
#include "tests/support/network_namespace.h"

namespace relay::io {
namespace {

using test_support::Bytes;
using test_support::client_id6;
using test_support::ia_pd6;
using test_support::ia_prefix6;
using test_support::ip;
using test_support::ip6;
using test_support::message6;
using test_support::name;
using test_support::routes6;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const Bytes duid{0, 3, 0, 1, 2, 0, 0, 0, 0, 1};

const char* name(PrefixStateChange change) {
  switch (change) {
    case PrefixStateChange::taken_over:
      return "taken over";
    case PrefixStateChange::absent:
      return "absent";
    case PrefixStateChange::damaged:
      return "damaged";
    case PrefixStateChange::not_written:
      return "not written";
    case PrefixStateChange::writable:
      return "writable";
    case PrefixStateChange::routes_left:
      return "routes left";
  }
  return "?";
}

/// c0 and c1 are up and downstream.
class DelegationWatchTest : public test_support::NetworkNamespaceTest {
 protected:
  void SetUp() override {
    NetworkNamespaceTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    ASSERT_TRUE(ip({"link add c0 type veth peer name p0", "link add c1 type veth peer name p1", "link set c0 up",
                    "link set p0 up", "link set c1 up", "link set p1 up"}));
    c0_ = interface_of("c0");
    c1_ = interface_of("c1");
    std::string folder = (std::filesystem::temp_directory_path() / "watch-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override {
    watch_.reset();
    std::filesystem::remove_all(folder_);
    NetworkNamespaceTest::TearDown();
  }

  static Interface interface_of(const std::string& name) {
    Interface interface;
    interface.index = ::if_nametoindex(name.c_str());
    interface.name = name;
    interface.is_up = interface.is_downstream = true;
    return interface;
  }

  void start(bool log = true) {
    watch_.reset();
    loop_.emplace();  // what the one before has posted is not done
    told_.clear();
    PrefixSettings settings;
    settings.log = log;
    settings.routes = true;
    auto file = std::make_unique<StateFile>((folder_ / "prefixes").string(), std::nullopt);
    auto text = file->read(most_delegation_text);
    Listener listener;
    listener.delegation_changed = [this](const DelegationEvent& event) {
      told_.push_back(std::string{name(event.change)} + ' ' + std::string{event.interface} +
                      (event.refusal ? ' ' + std::to_string(event.count) : std::string{}));
    };
    listener.route_refused = [this](const RouteRefusal& refusal) {
      told_.push_back("no route " + std::string{refusal.interface} + ' ' + std::to_string(refusal.error) + ' ' +
                      std::to_string(refusal.count));
    };
    listener.prefix_state = [this](const PrefixStateEvent& event) {
      told_.push_back(name(event.change) + (event.why.empty() ? "" : ": " + std::string{event.why}) +
                      (event.change == PrefixStateChange::routes_left ? ' ' + std::to_string(event.count) : ""));
    };
    watch_.emplace(*loop_, settings, PrefixState{std::move(file), "prefixes", std::move(text)}, std::move(listener));
    watch_->interface_changed(c0_.index, &c0_);
    watch_->interface_changed(c1_.index, &c1_);
    watch_->take_over();
  }

  void delegate(const Interface& interface, const char* prefix, const char* next_hop = "fe80::1",
                std::uint32_t valid = 7200) {
    const Bytes message = message6(7, {client_id6(duid), ia_pd6(7, {ia_prefix6(prefix, 0, valid)})});
    watch_->reply_passes({&interface, {}, ip6(next_hop), 546, message}, monotonic_time());
  }

  /// Has the loop run until `condition` holds; false if it does not within 20 s.
  bool reaches(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      loop_->restart();
      loop_->run_for(std::chrono::milliseconds{5});
    }
    return true;
  }
  void expect_routes(std::vector<std::string> expected) {
    std::ranges::sort(expected);
    std::vector<std::string> routes;
    reaches([&] {
      routes = routes6("proto 87");
      std::ranges::sort(routes);
      return routes == expected;
    });
    EXPECT_EQ(routes, expected);
  }
  [[nodiscard]] std::vector<std::string> told() { return std::exchange(told_, {}); }
  [[nodiscard]] std::string state() const {
    std::ifstream file{folder_ / "prefixes"};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

  std::optional<boost::asio::io_context> loop_;
  Interface c0_;
  Interface c1_;
  std::filesystem::path folder_;
  std::optional<DelegationWatch> watch_;
  std::vector<std::string> told_;
};

TEST_F(DelegationWatchTest, row_R_01_a_client_that_moves_takes_its_route_along) {
  start();
  delegate(c0_, "2001:db8:e1::/56");
  expect_routes({"2001:db8:e1::/56 via fe80::1 dev c0"});
  delegate(c0_, "2001:db8:e1::/56", "fe80::2");
  expect_routes({"2001:db8:e1::/56 via fe80::2 dev c0"});
  delegate(c1_, "2001:db8:e1::/56", "fe80::2");
  expect_routes({"2001:db8:e1::/56 via fe80::2 dev c1"});
  EXPECT_THAT(told(), ElementsAre("absent", "delegated c0", "moved c0", "released c0", "delegated c1"));
}

TEST_F(DelegationWatchTest, row_S_02_routes_of_links_that_were_missed_are_there_again) {
  start();
  delegate(c0_, "2001:db8:e1::/56");
  delegate(c1_, "2001:db8:e2::/56");
  expect_routes({"2001:db8:e1::/56 via fe80::1 dev c0", "2001:db8:e2::/56 via fe80::1 dev c1"});
  ASSERT_TRUE(ip({"link set c0 down", "link set c0 up"}));
  EXPECT_THAT(routes6("proto 87"), ElementsAre("2001:db8:e2::/56 via fe80::1 dev c1"));
  watch_->links_were_missed();
  expect_routes({"2001:db8:e1::/56 via fe80::1 dev c0", "2001:db8:e2::/56 via fe80::1 dev c1"});
}

TEST_F(DelegationWatchTest, row_S_02_interfaces_that_changed_names_keep_what_they_have) {
  start();
  delegate(c0_, "2001:db8:e1::/56");
  delegate(c1_, "2001:db8:e2::/56");
  std::swap(c0_.name, c1_.name);
  watch_->interface_changed(c0_.index, &c0_);
  watch_->interface_changed(c1_.index, &c1_);
  ASSERT_TRUE(ip({"link set c0 down", "link set c1 down", "link set c0 name x", "link set c1 name c0",
                  "link set x name c1", "link set c0 up", "link set c1 up"}));
  watch_->links_were_missed();
  expect_routes({"2001:db8:e1::/56 via fe80::1 dev c1", "2001:db8:e2::/56 via fe80::1 dev c0"});
}

TEST_F(DelegationWatchTest, row_S_02_an_interface_with_the_name_of_one_that_has_gone_has_what_that_had) {
  start();
  delegate(c0_, "2001:db8:e1::/56");
  expect_routes({"2001:db8:e1::/56 via fe80::1 dev c0"});
  watch_->interface_changed(c0_.index, nullptr);
  ASSERT_TRUE(ip({"link del c0"}));
  EXPECT_THAT(routes6("proto 87"), IsEmpty());
  ASSERT_TRUE(ip({"link set c1 down", "link set c1 name c0", "link set c0 up"}));
  c1_.name = "c0";
  watch_->interface_changed(c1_.index, &c1_);
  expect_routes({"2001:db8:e1::/56 via fe80::1 dev c0"});
}

TEST_F(DelegationWatchTest, row_S_02_a_new_interface_that_has_a_known_name_before_the_rename_is_told_of_has_nothing) {
  start();
  delegate(c0_, "2001:db8:e1::/56");
  expect_routes({"2001:db8:e1::/56 via fe80::1 dev c0"});
  ASSERT_TRUE(ip({"link set c0 down", "link set c0 name x", "link add c0 type veth peer name y", "link set x up"}));
  const Interface other = interface_of("c0");
  watch_->interface_changed(other.index, &other);
  delegate(other, "2001:db8:e2::/56");
  c0_.name = "x";
  watch_->interface_changed(c0_.index, &c0_);
  delegate(c0_, "2001:db8:e1::/56");
  expect_routes({"2001:db8:e1::/56 via fe80::1 dev x"});
  EXPECT_THAT(told(), ElementsAre("absent", "delegated c0", "delegated c0", "renewed x"));
}

TEST_F(DelegationWatchTest, row_S_02_no_made_up_name_is_shown_and_what_has_gone_leaves_its_to_its_name) {
  start();
  delegate(c0_, "2001:db8:e1::/56");
  delegate(c0_, "2001:db8:e2::/56", "fe80::1", 1);
  expect_routes({"2001:db8:e1::/56 via fe80::1 dev c0", "2001:db8:e2::/56 via fe80::1 dev c0"});
  c1_.name = "c0";
  watch_->interface_changed(c1_.index, &c1_);  // c0's own change was missed
  EXPECT_TRUE(reaches([this] { return std::ranges::count(told_, "expired c0") == 1; }));
  EXPECT_TRUE(reaches([this] { return state().ends_with("end 1\n"); }));
  EXPECT_THAT(state(), HasSubstr(" dev c0 "));
  ASSERT_TRUE(ip({"link del c0", "link set c1 down", "link set c1 name c0", "link set c0 up"}));
  watch_->interface_changed(c0_.index, nullptr);
  expect_routes({"2001:db8:e1::/56 via fe80::1 dev c0"});
  watch_->limit({.per_client = 1});
  delegate(c1_, "2001:db8:e1::/56");
  delegate(c1_, "2001:db8:e3::/56");
  EXPECT_THAT(told(),
              ElementsAre("absent", "delegated c0", "delegated c0", "expired c0", "renewed c0", "refused c0 1"));
}

TEST_F(DelegationWatchTest, row_G_05_new_limits_are_for_what_comes_and_refusals_are_told_once_in_a_while) {
  start(false);
  delegate(c0_, "2001:db8:e1::/56");
  watch_->limit({.per_client = 1});
  EXPECT_THAT(told(), ElementsAre("absent"));
  delegate(c0_, "2001:db8:e2::/56");
  delegate(c0_, "2001:db8:e3::/56");
  delegate(c0_, "fe80::/64");
  EXPECT_THAT(told(), ElementsAre("refused c0 1", "refused c0 1")) << "one for each reason";
  EXPECT_EQ(watch_->counters()->refused.value(), 3U);
  expect_routes({"2001:db8:e1::/56 via fe80::1 dev c0"});
}

TEST_F(DelegationWatchTest, routes_that_the_kernel_refuses_are_counted_and_told_once_in_a_while) {
  ASSERT_TRUE(ip({"route add 2001:db8:e1::/56 via fe80::9 dev c1"}));
  start(false);
  for (std::size_t count = 1; count != 3; ++count) {
    delegate(c0_, "2001:db8:e1::/56");
    EXPECT_TRUE(reaches([&] { return watch_->counters()->routes_refused.value() == count; }));
  }
  EXPECT_THAT(told(), ElementsAre("absent", "no route c0 " + std::to_string(EEXIST) + " 1"));
}

TEST_F(DelegationWatchTest, each_refused_prefix_is_named_though_nothing_follows) {
  ASSERT_TRUE(ip({"route add 2001:db8:e1::/56 via fe80::9 dev c1", "route add 2001:db8:e2::/56 via fe80::9 dev c1"}));
  start(false);
  for (const char* const prefix : {"2001:db8:e1::/56", "2001:db8:e2::/56", "fe80::/64", "fe80:1::/64"}) {
    delegate(c0_, prefix);
  }
  const std::string no_route = "no route c0 " + std::to_string(EEXIST) + " 1";
  EXPECT_TRUE(reaches(
      [&] { return std::ranges::count(told_, no_route) == 2 && std::ranges::count(told_, "refused c0 1") == 2; }));
}

TEST_F(DelegationWatchTest, row_S_01_a_state_that_cannot_be_written_is_told_until_it_can) {
  start(false);
  EXPECT_TRUE(reaches([this] { return state().ends_with("end 0\n"); }));
  std::filesystem::create_directory(folder_ / "prefixes.new");
  delegate(c0_, "2001:db8:e1::/56");
  EXPECT_TRUE(reaches([this] { return told_.size() == 2; }));
  EXPECT_THAT(told(), ElementsAre("absent", StartsWith("not written: cannot make ")));
  std::filesystem::remove(folder_ / "prefixes.new");
  delegate(c0_, "2001:db8:e2::/56");
  EXPECT_TRUE(reaches([this] { return state().ends_with("end 2\n"); }));
  EXPECT_TRUE(reaches([this] { return !told_.empty(); }));
  EXPECT_THAT(told(), ElementsAre("writable"));
}

TEST_F(DelegationWatchTest, row_S_01_a_state_that_could_not_be_written_is_written_at_the_end) {
  start(false);
  EXPECT_TRUE(reaches([this] { return state().ends_with("end 0\n"); }));
  std::filesystem::create_directory(folder_ / "prefixes.new");
  delegate(c0_, "2001:db8:e1::/56");
  EXPECT_TRUE(reaches([this] { return told_.size() == 2; }));
  std::filesystem::remove(folder_ / "prefixes.new");
  watch_.reset();
  EXPECT_TRUE(state().ends_with("end 1\n")) << state();
}

TEST_F(DelegationWatchTest, row_S_01_a_damaged_file_is_kept_under_another_name) {
  std::ofstream{folder_ / "prefixes"} << "somebody's notes\n";
  start();
  EXPECT_THAT(told(), ElementsAre("damaged"));
  EXPECT_TRUE(reaches([this] { return state().ends_with("end 0\n"); }));
  std::ifstream kept{folder_ / "prefixes.damaged"};
  EXPECT_EQ((std::string{std::istreambuf_iterator<char>{kept}, {}}), "somebody's notes\n");
}

TEST_F(DelegationWatchTest, row_S_01_what_was_not_written_yet_is_written_at_the_end_and_known_to_the_next) {
  start();
  delegate(c0_, "2001:db8:e1::/56");
  EXPECT_TRUE(reaches([this] { return state().ends_with("end 1\n"); }));
  EXPECT_THAT(state(), HasSubstr(" valid 7200 "));
  delegate(c0_, "2001:db8:e1::/56", "fe80::1", 9000);
  watch_.reset();
  EXPECT_THAT(state(), HasSubstr(" valid 9000 ")) << "a renewal";
  start();
  EXPECT_THAT(told(), ElementsAre("taken over"));
  expect_routes({"2001:db8:e1::/56 via fe80::1 dev c0"});
  EXPECT_EQ(watch_->counters()->active.value(), 1U);
}

TEST_F(DelegationWatchTest, row_S_01_routes_that_nothing_is_known_of_stay_whatever_lifetimes_others_have) {
  const char* const unknown = "2001:db8:e9::/56 via fe80::9 dev c1";
  ASSERT_TRUE(ip({"route add 2001:db8:e9::/56 via fe80::9 dev c1 proto 87",
                  "route add 2001:db8:e8::/56 via fe80::9 dev c1 proto 87", "link add x type veth peer name y",
                  "link set x up", "link set y up", "route add 2001:db8:e7::/56 via fe80::9 dev x proto 87"}));
  start();
  EXPECT_TRUE(reaches([this] { return told_.size() == 2; }));
  EXPECT_THAT(told(), ElementsAre("absent", "routes left 2")) << "that of x is another relay's";
  delegate(c0_, "2001:db8:e1::/56", "fe80::1", 7200);
  delegate(c1_, "2001:db8:e8::/56", "fe80::1", 7200);
  delegate(c0_, "2001:db8:e2::/56", "fe80::1", 1);
  EXPECT_TRUE(reaches([this] { return std::ranges::count(told_, "expired c0") == 1; }));
  expect_routes({"2001:db8:e1::/56 via fe80::1 dev c0", "2001:db8:e8::/56 via fe80::1 dev c1",
                 "2001:db8:e7::/56 via fe80::9 dev x", unknown});

  start();  // with a file that does not know of it either
  EXPECT_TRUE(reaches([this] { return told_.size() == 2; }));
  EXPECT_THAT(told(), ElementsAre("taken over", "routes left 1"));
  delegate(c1_, "2001:db8:e9::/56", "fe80::9", 1);
  delegate(c0_, "2001:db8:e2::/56", "fe80::1", 7200);
  expect_routes({"2001:db8:e1::/56 via fe80::1 dev c0", "2001:db8:e2::/56 via fe80::1 dev c0",
                 "2001:db8:e8::/56 via fe80::1 dev c1", "2001:db8:e7::/56 via fe80::9 dev x"});
}

}  // namespace
}  // namespace relay::io
