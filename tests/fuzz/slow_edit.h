// The slow and obvious twin of options82/edit.h: takes a field apart into pieces, and puts the ones that stay together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "tests/fuzz/slow_options.h"

namespace fuzz {

inline constexpr std::size_t whole = std::numeric_limits<std::size_t>::max();

/// A field in pieces, each a PAD or an option with its code and length octets.
struct SlowPieces {
  std::vector<Octets> pieces;  ///< up to END, or without one to the last option
  Octets tail{255};            ///< END and what follows it, trailing PADs apart; END alone where there is none
};

inline SlowPieces take_apart(std::span<const std::uint8_t> field) {
  const SlowOptions read = read_slowly(field);
  SlowPieces result;
  std::size_t at = 0;
  const auto take_pads = [&](std::size_t until) {
    for (; at < until; ++at) {
      result.pieces.push_back({0});
    }
  };
  for (const SlowOption& option : read.options) {
    take_pads(option.offset);
    result.pieces.push_back({option.code, static_cast<std::uint8_t>(option.value.size())});
    result.pieces.back().insert(result.pieces.back().end(), option.value.begin(), option.value.end());
    at += result.pieces.back().size();
  }
  if (read.has_end) {
    take_pads(read.end_offset);
    result.tail.assign(field.begin() + static_cast<std::ptrdiff_t>(at), field.end());
    while (result.tail.back() == 0) {
      result.tail.pop_back();
    }
  }
  return result;
}

inline Octets put_together(const SlowPieces& parts) {
  Octets field;
  for (const Octets& piece : parts.pieces) {
    field.insert(field.end(), piece.begin(), piece.end());
  }
  field.insert(field.end(), parts.tail.begin(), parts.tail.end());
  return field;
}

/// The field with an END and without padding behind it: two fields that are the same "trailing pad apart" have the same
/// such form.
inline Octets normal(std::span<const std::uint8_t> field) {
  return put_together(take_apart(field));
}

inline std::optional<Octets> circuit_id_of(const Octets& content) {
  for (const SlowOption& sub_option : read_slowly(content, false).options) {
    if (sub_option.code == 1) {
      return sub_option.value;
    }
  }
  return std::nullopt;
}

/// Sub-option by sub-option, where 152 may be missing: a server that honours 151 takes it out (RFC 6607 section 4).
inline bool is_own_slowly(const Octets& content, const Octets& own) {
  const auto theirs = read_slowly(content, false);
  std::size_t at = 0;
  for (const SlowOption& our : read_slowly(own, false).options) {
    const bool is_there = at < theirs.options.size() && theirs.options[at].code == our.code;
    if (is_there && theirs.options[at].value == our.value) {
      ++at;
    } else if (is_there || our.code != 152) {
      return false;
    }
  }
  return at == theirs.options.size() && !theirs.damaged;
}

/// How many octets come before ours at the end of `content`, between two sub-options.
inline std::optional<std::size_t> octets_before_own_slowly(const Octets& content, const Octets& own) {
  std::size_t before = 0;
  std::vector<SlowOption> theirs = read_slowly(content, false).options;
  theirs.emplace_back();  // ours may begin behind the last one
  for (const SlowOption& sub_option : theirs) {
    if (is_own_slowly({content.begin() + static_cast<std::ptrdiff_t>(before), content.end()}, own)) {
      return before;
    }
    before += 2 + sub_option.value.size();
  }
  return std::nullopt;
}

/// For each of `values`, those of the instances of option 82: how many of its first octets are not ours and stay,
/// `whole` where it stays as it is; nothing where none of it is ours.
inline std::optional<std::vector<std::size_t>> find_own_slowly(const std::vector<Octets>& values, const Octets& own,
                                                               bool by_circuit_id) {
  if (own.empty() || values.empty()) {
    return std::nullopt;
  }
  std::vector<std::size_t> kept(values.size(), whole);
  const auto is_own = [&own](const Octets& value) { return is_own_slowly(value, own); };
  const bool has_equal = std::ranges::any_of(values, is_own);

  // At the end of them all together, which are one option (RFC 3396 section 7).
  Octets joined;
  for (const Octets& value : values) {
    joined.insert(joined.end(), value.begin(), value.end());
  }
  const auto theirs = octets_before_own_slowly(joined, own);
  if (theirs && joined.size() < 1024 && (*theirs == 0 || !has_equal)) {
    std::size_t before = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t stays = before < *theirs ? std::min(values[i].size(), *theirs - before) : 0;
      const bool is_theirs = stays == values[i].size() && *theirs > 0 && before <= *theirs;
      kept[i] = is_theirs ? whole : stays;
      before += values[i].size();
    }
    return kept;
  }
  // As a value of its own, however often.
  if (has_equal) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      kept[i] = is_own(values[i]) ? 0 : whole;
    }
    return kept;
  }
  // The last one with our circuit-id.
  const auto ours = circuit_id_of(own);
  for (std::size_t i = values.size(); by_circuit_id && ours && i > 0; --i) {
    if (circuit_id_of(values[i - 1]) == ours) {
      kept[i - 1] = 0;
      return kept;
    }
  }
  return std::nullopt;
}

/// A message that is edited by making another field. Its size is at most `capacity`.
struct SlowMessage {
  Octets header;  ///< all in front of the options field
  Octets field;
  std::size_t capacity = 0;

  [[nodiscard]] std::size_t size() const { return header.size() + field.size(); }

  [[nodiscard]] Octets octets() const {
    Octets result = header;
    result.insert(result.end(), field.begin(), field.end());
    return result;
  }

  /// The values of the instances of option 82.
  [[nodiscard]] std::vector<Octets> values() const {
    std::vector<Octets> result;
    for (const SlowOption& option : read_slowly(field).options) {
      if (option.code == 82) {
        result.push_back(option.value);
      }
    }
    return result;
  }

  void append(std::span<const std::uint8_t> content) {
    SlowPieces parts = take_apart(field);
    Octets option{82, static_cast<std::uint8_t>(content.size())};
    option.insert(option.end(), content.begin(), content.end());
    parts.pieces.push_back(option);
    set_field(put_together(parts), size());
  }

  /// Keeps of each instance of option 82 as many octets as `kept` says.
  void keep(const std::vector<std::size_t>& kept) {
    SlowPieces parts = take_apart(field);
    std::vector<Octets> pieces;
    std::size_t instance = 0;
    std::size_t removed = 0;
    for (Octets piece : parts.pieces) {
      const std::size_t before = piece.size();
      if (piece[0] == 82) {
        const std::size_t stays = kept[instance++];
        if (stays == 0) {
          piece.clear();
        } else if (stays != whole) {
          piece.resize(2 + stays);
          piece[1] = static_cast<std::uint8_t>(stays);
        }
      }
      removed += before - piece.size();
      pieces.push_back(piece);
    }
    parts.pieces = pieces;
    set_field(put_together(parts), size() - removed);
  }

  /// Takes out every option 82; nothing changes where there is none.
  void remove_all() {
    if (!values().empty()) {
      keep(std::vector<std::size_t>(values().size(), 0));
    }
  }

  /// Takes out what is ours; nothing changes where nothing is.
  void remove_own(const Octets& own, bool by_circuit_id) {
    if (const auto kept = find_own_slowly(values(), own, by_circuit_id)) {
      keep(*kept);
    }
  }

 private:
  // What was edited has 300 octets and its former size at least, less what was taken out, as far as there is room.
  void set_field(const Octets& octets, std::size_t former_size) {
    field = octets;
    const std::size_t padded = std::min(std::max<std::size_t>(former_size, 300), capacity);
    if (size() < padded) {
      field.resize(padded - header.size(), 0);
    }
  }
};

}  // namespace fuzz
