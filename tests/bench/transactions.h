// What each transaction has been through: when its messages went out, and which answers came. Fixed memory: the oldest
// is forgotten where there are more than it has room for, and what comes for it then is a stranger's.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "histogram.h"
#include "json_object.h"

namespace bench {

class Transactions {
 public:
  /// Their xids go up from the first and, in a family that has fewer of them than 32 bits, from 0 after the mask.
  Transactions(std::uint32_t first_xid, std::uint32_t xid_mask, std::uint64_t count);

  /// Times are nanoseconds of one clock. Gives the new transaction's xid.
  [[nodiscard]] std::uint32_t begin(std::int64_t now);
  /// Whether this is its first offer.
  [[nodiscard]] bool offered(std::uint32_t xid, std::int64_t now);
  void requested(std::uint32_t xid, std::int64_t now);
  /// Whether this ends the handshake.
  bool acknowledged(std::uint32_t xid, std::int64_t now);
  void heard_something_else() { ++strange_; }

  [[nodiscard]] std::uint64_t begun() const { return begun_; }
  void describe(JsonObject& into) const;

 private:
  enum class Stage : std::uint8_t { none, discovering, offered, requesting, done };
  struct Transaction {
    std::int64_t discovered = 0;
    std::int64_t requested = 0;
    std::uint32_t xid = 0;
    Stage stage = Stage::none;
  };

  [[nodiscard]] Transaction* find(std::uint32_t xid);

  std::uint32_t first_xid_;
  std::uint32_t xid_mask_;
  std::vector<Transaction> transactions_;
  std::uint64_t begun_ = 0;
  std::uint64_t duplicate_offers_ = 0;
  std::uint64_t duplicate_acks_ = 0;
  std::uint64_t strange_ = 0;
  Histogram offers_;
  Histogram acks_;
  Histogram handshakes_;
};

}  // namespace bench
