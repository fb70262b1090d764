#include "relay/core/added_options6.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace relay {
namespace {

using Options = std::vector<std::pair<std::uint16_t, std::string>>;

std::optional<AddedOptionFault> fault_of(const Options& options) {
  const auto found = find_faulty_option(options);
  return found ? std::optional{found->fault} : std::nullopt;
}

TEST(AddedOptions6, any_code_and_value_that_no_rfc_forbids) {
  EXPECT_EQ(fault_of({}), std::nullopt);
  EXPECT_EQ(fault_of({{65000, "any"}, {17, std::string(65'535, 'v')}, {65000, ""}}), std::nullopt);
  EXPECT_EQ(fault_of({{65000, std::string(65'536, 'v')}}), AddedOptionFault::too_long);
}

TEST(AddedOptions6, what_the_relay_agent_writes_itself) {
  for (const std::uint16_t code : std::vector<std::uint16_t>{9, 18, 37, 38, 53, 68, 79, 135}) {
    const auto found = find_faulty_option(Options{{65000, "fine"}, {code, "x"}});
    ASSERT_TRUE(found) << code;
    EXPECT_EQ(found->code, code);
    EXPECT_EQ(found->fault, AddedOptionFault::is_ours) << code;
  }
}

TEST(AddedOptions6, row_6F_14_an_echo_is_not_asked_for_where_it_matters) {
  const auto asking_for = [](const std::string& codes) { return fault_of({{43, codes}}); };
  EXPECT_EQ(asking_for({0, 37, 0, 38}), std::nullopt);
  EXPECT_EQ(asking_for({0, 37, 0, 68}), AddedOptionFault::echo_matters);
  EXPECT_EQ(asking_for({0, 18}), AddedOptionFault::echo_matters);
  EXPECT_EQ(asking_for({0, static_cast<char>(135)}), AddedOptionFault::echo_matters);
  EXPECT_EQ(asking_for({0, 37, 0}), AddedOptionFault::malformed);
}

TEST(AddedOptions6, row_6F_16_relay_supplied_options_are_those_that_relay_agents_may_supply) {
  const auto supplying = [](const std::string& options) { return fault_of({{66, options}}); };
  EXPECT_EQ(supplying({0, 65, 0, 1, 'd'}), std::nullopt);
  EXPECT_EQ(supplying({0, 23, 0, 1, 'd'}), AddedOptionFault::not_rsoo_enabled);
  EXPECT_EQ(supplying({0, 65, 0, 1, 'd', 0, 23, 0, 0}), AddedOptionFault::not_rsoo_enabled);
  EXPECT_EQ(supplying({0, 65, 0, 2, 'd'}), AddedOptionFault::malformed);
}

TEST(AddedOptions6, row_6F_17_radius_attributes_are_those_for_servers) {
  const auto with = [](const std::string& attributes) { return fault_of({{81, attributes}}); };
  for (const int type : {26, 123, 168, 169, 171, 172}) {
    EXPECT_EQ(with({static_cast<char>(type), 3, 'v', static_cast<char>(type), 2}), std::nullopt) << type;
  }
  EXPECT_EQ(with({1, 3, 'u'}), AddedOptionFault::not_permitted);
  EXPECT_EQ(with({26, 3, 'v', 1, 3, 'u'}), AddedOptionFault::not_permitted);
  for (const std::string& broken : {std::string{26}, std::string{26, 0}, std::string{26, 1}, std::string{26, 3}}) {
    EXPECT_EQ(with(broken), AddedOptionFault::malformed);
  }
}

TEST(AddedOptions6, row_6F_18_an_access_network_is_named_with_its_technology) {
  for (const std::uint16_t code : std::vector<std::uint16_t>{106, 107, 108}) {
    EXPECT_EQ(fault_of({{code, "x"}}), AddedOptionFault::technology_unsaid) << code;
    EXPECT_EQ(fault_of({{code, "x"}, {105, {0, 4}}}), std::nullopt) << code;
  }
  EXPECT_EQ(fault_of({{105, {0, 4}}}), std::nullopt);
  EXPECT_EQ(fault_of({{109, "x"}}), std::nullopt) << "which RFC 7839 does not ask it of";
}

}  // namespace
}  // namespace relay
