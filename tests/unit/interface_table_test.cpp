#include "relay/core/interface_table.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Ipv4Address first_address{{10, 1, 0, 1}};
constexpr Ipv4Address second_address{{10, 2, 0, 1}};

Interface downstream(std::uint32_t index, Ipv4Address address) {
  Interface interface;
  interface.index = index;
  interface.name = "vlan" + std::to_string(index);
  interface.addresses = {{address, 24}};
  interface.is_downstream = true;
  interface.giaddr = address;
  return interface;
}

TEST(InterfaceTable, IsEmptyAtFirst) {
  const InterfaceTable table;
  EXPECT_EQ(table.find(1), nullptr);
  EXPECT_FALSE(table.is_local(first_address));
  EXPECT_THAT(table.downstream_by_giaddr(first_address), IsEmpty());
  EXPECT_THAT(table.all(), IsEmpty());
}

TEST(InterfaceTable, LookUpsDoNotThrow) {
  InterfaceTable table;
  const InterfaceTable& unchangeable = table;
  static_assert(noexcept(table.find(1))&& noexcept(unchangeable.find(1)));
  static_assert(noexcept(unchangeable.is_local(first_address)));
  static_assert(noexcept(unchangeable.downstream_by_giaddr(first_address)));
}

TEST(InterfaceTable, FindsByIndexAddressAndGiaddr) {
  InterfaceTable table;
  table.put(downstream(7, first_address));
  ASSERT_NE(table.find(7), nullptr);
  EXPECT_EQ(table.find(7)->name, "vlan7");
  EXPECT_EQ(table.find(8), nullptr);
  EXPECT_TRUE(table.is_local(first_address));
  EXPECT_FALSE(table.is_local(second_address));
  EXPECT_THAT(table.downstream_by_giaddr(first_address), ElementsAre(7));
}

TEST(InterfaceTable, FindsByGiaddrOnlyDownstream) {
  InterfaceTable table;
  Interface upstream = downstream(7, first_address);
  upstream.is_downstream = false;
  upstream.is_upstream = true;
  table.put(upstream);
  EXPECT_TRUE(table.is_local(first_address));
  EXPECT_THAT(table.downstream_by_giaddr(first_address), IsEmpty());

  upstream.is_downstream = true;
  table.put(upstream);
  EXPECT_THAT(table.downstream_by_giaddr(first_address), ElementsAre(7));
}

TEST(InterfaceTable, KeepsCountersOnPut) {
  InterfaceTable table;
  table.put(downstream(7, first_address));
  Interface* const before = table.find(7);
  before->counters->requests.received(MessageKind::discover).add(5);
  before->counters->requests.dropped(MessageKind::discover, DropReason{}).add(3);

  table.put(downstream(7, second_address));
  EXPECT_EQ(table.find(7), before) << "a put must change the entry in place";
  EXPECT_EQ(before->giaddr, second_address);
  EXPECT_EQ(before->counters->requests.received(), 5U);
  EXPECT_EQ(before->counters->dropped(DropReason{}), 3U);
}

TEST(InterfaceTable, CountsBelongToTheNameUnderWhichTheyWereCounted) {
  InterfaceTable table;
  Interface interface = downstream(7, first_address);
  interface.name = "dx";
  interface.v6.is_relayed = true;
  table.put(interface);
  const std::shared_ptr<const Counters> read = table.find(7)->counters;
  table.find(7)->counters->requests.dropped(MessageKind::discover, DropReason::not_downstream).add(3);
  table.find(7)->v6.counters->requests.dropped(MessageKind6::solicit, DropReason::not_downstream).add(2);
  interface.name = "d1";
  table.put(interface);
  EXPECT_EQ(table.find(7)->counters->dropped(DropReason::not_downstream), 0U);
  EXPECT_EQ(table.find(7)->v6.counters->dropped(DropReason::not_downstream), 0U);
  EXPECT_EQ(table.left_over().dropped(DropReason::not_downstream), 3U);
  EXPECT_EQ(table.left_over6().dropped(DropReason::not_downstream), 2U);
  EXPECT_EQ(read->dropped(DropReason::not_downstream), 3U) << "for whoever reads it still";
}

TEST(InterfaceTable, KeepsTheRateMeterOnPutAsLongAsTheLimitIsTheSame) {
  constexpr RateLimit low{.per_second = 1, .burst = 2};
  constexpr RateLimit high{.per_second = 100, .burst = 2};
  constexpr std::chrono::seconds now{5};
  InterfaceTable table;
  Interface interface = downstream(7, first_address);
  interface.rate_limit = low;
  table.put(interface);
  ASSERT_TRUE(table.find(7)->rate_meter.admit(low, now));
  ASSERT_TRUE(table.find(7)->rate_meter.admit(low, now));

  interface.alias = "another";
  table.put(interface);
  EXPECT_FALSE(table.find(7)->rate_meter.admit(low, now));
  interface.rate_limit = high;
  table.put(interface);
  EXPECT_TRUE(table.find(7)->rate_meter.admit(high, now)) << "what was used up of the old limit is forgotten";
}

TEST(InterfaceTable, ForgetsCountersOnRemoval) {
  InterfaceTable table;
  table.put(downstream(7, first_address));
  table.find(7)->counters->requests.received(MessageKind::discover).add(5);
  table.remove(7);
  table.put(downstream(7, first_address));
  EXPECT_EQ(table.find(7)->counters->requests.received(), 0U);
}

TEST(InterfaceTable, ListsInterfacesThatShareAGiaddrByIndex) {
  InterfaceTable table;
  table.put(downstream(9, first_address));
  table.put(downstream(3, first_address));
  table.put(downstream(5, first_address));
  EXPECT_THAT(table.downstream_by_giaddr(first_address), ElementsAre(3, 5, 9));

  table.put(downstream(5, second_address));
  EXPECT_THAT(table.downstream_by_giaddr(first_address), ElementsAre(3, 9));
  EXPECT_THAT(table.downstream_by_giaddr(second_address), ElementsAre(5));
}

TEST(InterfaceTable, AnAddressOnTwoInterfacesIsLocalUntilBothLoseIt) {
  InterfaceTable table;
  table.put(downstream(3, first_address));
  table.put(downstream(5, first_address));
  table.remove(3);
  EXPECT_TRUE(table.is_local(first_address));
  table.put(downstream(5, second_address));
  EXPECT_FALSE(table.is_local(first_address));
  EXPECT_TRUE(table.is_local(second_address));
}

TEST(InterfaceTable, AnAddressTwiceOnOneInterfaceIsLocalUntilBothAreGone) {
  InterfaceTable table;
  Interface interface = downstream(3, first_address);
  interface.addresses = {{first_address, 24}, {first_address, 32}};
  table.put(interface);
  interface.addresses = {{first_address, 32}};
  table.put(interface);
  EXPECT_TRUE(table.is_local(first_address));
  interface.addresses.clear();
  table.put(interface);
  EXPECT_FALSE(table.is_local(first_address));
}

TEST(InterfaceTable, PutWithoutChangeKeepsSpans) {
  InterfaceTable table;
  table.put(downstream(3, first_address));
  table.put(downstream(5, first_address));
  const auto before = table.downstream_by_giaddr(first_address);
  Interface renamed = downstream(3, first_address);
  renamed.name = "lan";
  table.put(std::move(renamed));
  const auto after = table.downstream_by_giaddr(first_address);
  EXPECT_EQ(before.data(), after.data());
  EXPECT_THAT(before, ElementsAre(3, 5));
  EXPECT_EQ(table.find(3)->name, "lan");
}

TEST(InterfaceTable, LosesGiaddrWithTheAddress) {
  InterfaceTable table;
  table.put(downstream(3, first_address));
  Interface bare = downstream(3, first_address);
  bare.addresses.clear();
  bare.giaddr.reset();
  table.put(std::move(bare));
  EXPECT_THAT(table.downstream_by_giaddr(first_address), IsEmpty());
  EXPECT_FALSE(table.is_local(first_address));
  EXPECT_NE(table.find(3), nullptr);
}

TEST(InterfaceTable, AGiaddrNeedNotBeLocal) {
  InterfaceTable table;
  Interface interface = downstream(3, first_address);
  interface.giaddr = second_address;
  table.put(std::move(interface));
  EXPECT_THAT(table.downstream_by_giaddr(second_address), ElementsAre(3));
  EXPECT_FALSE(table.is_local(second_address));
}

TEST(InterfaceTable, KnowsWhichInterfacesArePassive) {
  const auto given = [](std::uint32_t index, Ipv4Address own) {
    Interface interface = downstream(index, own);
    interface.giaddr = second_address;
    return interface;
  };
  InterfaceTable table;
  table.put(given(7, first_address));
  table.put(given(4, first_address));
  table.put(downstream(5, first_address));
  Interface upstream = given(6, first_address);
  upstream.is_downstream = false;
  table.put(upstream);
  EXPECT_THAT(table.passive(), ElementsAre(4U, 7U)) << "5 has its giaddr, 6 is none of ours";

  table.put(downstream(9, second_address));
  EXPECT_THAT(table.passive(), IsEmpty()) << "whichever interface has the address";
  table.put(downstream(8, second_address));
  table.remove(9);
  EXPECT_THAT(table.passive(), IsEmpty());
  table.put(downstream(8, first_address));
  EXPECT_THAT(table.passive(), ElementsAre(4U, 7U));

  table.remove(4);
  EXPECT_THAT(table.passive(), ElementsAre(7U));
  table.put(downstream(7, first_address));
  EXPECT_THAT(table.passive(), IsEmpty());
  Interface without_address = downstream(3, first_address);
  without_address.giaddr.reset();
  table.put(without_address);
  EXPECT_THAT(table.passive(), IsEmpty()) << "not passive, but without an address";
}

TEST(InterfaceTable, RemovalOfTheUnknownDoesNothing) {
  InterfaceTable table;
  table.put(downstream(3, first_address));
  table.remove(4);
  EXPECT_NE(table.find(3), nullptr);
  table.remove(3);
  table.remove(3);
  EXPECT_THAT(table.all(), IsEmpty());
}

TEST(InterfaceTable, KeepsTheCountsOfWhatIsRemoved) {
  InterfaceTable table;
  table.put(downstream(3, first_address));
  table.find(3)->counters->requests.received(MessageKind::inform).add(5);
  table.find(3)->counters->requests.dropped(MessageKind::inform, DropReason::bad_op).add(2);
  table.unattributed().lost_in_kernel.add(7);
  table.remove(3);
  EXPECT_EQ(table.left_over().requests.received(MessageKind::inform).value(), 5U);
  EXPECT_EQ(table.left_over().dropped(DropReason::bad_op), 2U);
  EXPECT_EQ(table.left_over().dropped(DropReason::lost_in_kernel), 7U);
  EXPECT_EQ(table.unattributed().requests.received(), 0U) << "of interfaces that were never known";
}

TEST(InterfaceTable, CountersStayWhereTheyAreForWhoeverReadsThem) {
  InterfaceTable table;
  table.put(downstream(3, first_address));
  const std::shared_ptr<const Counters> read = table.find(3)->counters;
  table.put(downstream(3, first_address));
  table.find(3)->counters->request_copies.add(2);
  EXPECT_EQ(read->request_copies.value(), 2U);
  table.remove(3);
  EXPECT_EQ(read->request_copies.value(), 2U);
  table.put(downstream(3, first_address));
  EXPECT_NE(table.find(3)->counters, read);
}

TEST(InterfaceTable, KeepsFourThousandInterfacesApart) {
  constexpr std::uint32_t count = 4000;
  const auto address = [](std::uint32_t index) { return Ipv4Address::from_host_order(0x0a000001U + (index << 8U)); };
  InterfaceTable table;
  for (std::uint32_t index = 1; index <= count; ++index) {
    table.put(downstream(index, address(index)));
  }
  for (std::uint32_t index = 1; index <= count; ++index) {
    ASSERT_EQ(table.find(index)->index, index);
    ASSERT_TRUE(table.is_local(address(index)));
    ASSERT_THAT(table.downstream_by_giaddr(address(index)), ElementsAre(index));
  }
  for (std::uint32_t index = 1; index <= count; ++index) {
    Interface interface = downstream(index, address(index));
    interface.giaddr = second_address;
    table.put(std::move(interface));
  }
  ASSERT_EQ(table.downstream_by_giaddr(second_address).size(), count);
  for (std::uint32_t index = 1; index <= count; ++index) {
    table.remove(index);
  }
  EXPECT_THAT(table.all(), IsEmpty());
  EXPECT_THAT(table.downstream_by_giaddr(second_address), IsEmpty());
}

}  // namespace
}  // namespace relay
