#include "transactions.h"

#include <algorithm>
#include <bit>

namespace bench {

namespace {

constexpr std::uint64_t most = 1U << 21U;

}  // namespace

Transactions::Transactions(std::uint32_t first_xid, std::uint32_t xid_mask, std::uint64_t count)
    : first_xid_(first_xid),
      xid_mask_(xid_mask),
      transactions_(std::bit_ceil(std::clamp<std::uint64_t>(count, 1, most))) {}

std::uint32_t Transactions::begin(std::int64_t now) {
  const auto xid = (first_xid_ + static_cast<std::uint32_t>(begun_)) & xid_mask_;
  transactions_[begun_ % transactions_.size()] = {now, 0, xid, Stage::discovering};
  ++begun_;
  return xid;
}

Transactions::Transaction* Transactions::find(std::uint32_t xid) {
  Transaction& found = transactions_[((xid - first_xid_) & xid_mask_) % transactions_.size()];
  if (found.stage != Stage::none && found.xid == xid) {
    return &found;
  }
  ++strange_;
  return nullptr;
}

bool Transactions::offered(std::uint32_t xid, std::int64_t now) {
  Transaction* const found = find(xid);
  if (found == nullptr) {
    return false;
  }
  if (found->stage != Stage::discovering) {
    ++duplicate_offers_;
    return false;
  }
  found->stage = Stage::offered;
  offers_.add(now - found->discovered);
  return true;
}

void Transactions::requested(std::uint32_t xid, std::int64_t now) {
  if (Transaction* const found = find(xid)) {
    found->stage = Stage::requesting;
    found->requested = now;
  }
}

bool Transactions::acknowledged(std::uint32_t xid, std::int64_t now) {
  Transaction* const found = find(xid);
  if (found == nullptr) {
    return false;
  }
  if (found->stage != Stage::requesting) {
    ++duplicate_acks_;
    return false;
  }
  found->stage = Stage::done;
  acks_.add(now - found->requested);
  handshakes_.add(now - found->discovered);
  return true;
}

void Transactions::describe(JsonObject& into) const {
  into.add("discovers", begun_);
  into.add("offers", offers_.count());
  into.add("acks", acks_.count());
  into.add("duplicate_offers", duplicate_offers_);
  into.add("duplicate_acks", duplicate_acks_);
  into.add("strange", strange_);
  offers_.describe("offer", into);
  acks_.describe("ack", into);
  handshakes_.describe("handshake", into);
}

}  // namespace bench
