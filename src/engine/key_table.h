// Hash tables from words or byte strings to dense codes 0, 1, 2, ... in order of first insertion.
// Exact: a hash only finds candidates. Finding is thread-safe.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include "src/common/pool_vector.h"
#include "src/engine/key_hash.h"

namespace viand::engine {

class WordTable {
 public:
  /// Returns the word's code, a new one if it is not there.
  int32_t Insert(uint64_t word) {
    if (2 * (static_cast<size_t>(size_) + 1) > slots_.size()) Grow();
    Slot& slot = slots_[SlotOf(word)];
    if (slot.code < 0) slot = {word, size_++};
    return slot.code;
  }
  /// Returns -1 if it is not there.
  int32_t Find(uint64_t word) const { return slots_.empty() ? -1 : slots_[SlotOf(word)].code; }
  int64_t size() const { return size_; }

 private:
  // The word beside its code: who looks for it touches one place.
  struct Slot {
    uint64_t word;
    int32_t code;  // -1 where free
  };

  size_t SlotOf(uint64_t word) const {
    size_t slot = HashWord(word) & (slots_.size() - 1);
    while (slots_[slot].code >= 0 && slots_[slot].word != word)
      slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }
  void Grow() {
    PoolVector<Slot> old(slots_.empty() ? 64 : 2 * slots_.size(), Slot{0, -1});
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.code >= 0) slots_[SlotOf(slot.word)] = slot;
    }
  }

  PoolVector<Slot> slots_;  // a power of two of them, at most half in use
  int32_t size_ = 0;
};

/// The strings' bytes belong to the caller and must stay.
class BytesTable {
 public:
  int32_t Insert(std::string_view bytes) {
    if (2 * (strings_.size() + 1) > slots_.size()) Grow();
    const Ends ends(bytes);
    const uint64_t hash = HashOf(bytes, ends);
    Slot& slot = slots_[SlotOf(bytes, ends, hash)];
    if (slot.code < 0) {
      slot = {hash, static_cast<int32_t>(strings_.size())};
      strings_.push_back(bytes);
      ends_.push_back(ends);
    }
    return slot.code;
  }
  int32_t Find(std::string_view bytes) const {
    if (slots_.empty()) return -1;
    const Ends ends(bytes);
    return slots_[SlotOf(bytes, ends, HashOf(bytes, ends))].code;
  }
  int64_t size() const { return static_cast<int64_t>(strings_.size()); }

 private:
  struct Slot {
    uint64_t hash;
    int32_t code;  // -1 where free
  };
  // The first and the last eight bytes of a string, which may overlap: with its length, all of one
  // of at most 16. A shorter one has zeros after its bytes, and no last.
  struct Ends {
    explicit Ends(std::string_view bytes) {
      if (bytes.size() >= 8) {
        std::memcpy(&first, bytes.data(), 8);
        std::memcpy(&last, bytes.data() + bytes.size() - 8, 8);
      } else if (bytes.size() >= 4) {
        // Two loads of four bytes that may overlap: a copy of unknown length would be a call.
        uint32_t low, high;
        std::memcpy(&low, bytes.data(), 4);
        std::memcpy(&high, bytes.data() + bytes.size() - 4, 4);
        first = low | uint64_t{high} << (8 * (bytes.size() - 4));
      } else {
        for (size_t i = 0; i < bytes.size(); ++i)
          first |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
      }
    }
    bool operator==(const Ends&) const = default;

    uint64_t first = 0;
    uint64_t last = 0;
  };
  static constexpr size_t kMostInEnds = 16;

  static uint64_t HashOf(std::string_view bytes, const Ends& ends) {
    if (bytes.size() > kMostInEnds) return HashBytes(bytes);
    return HashWord(ends.first ^ (ends.last * 0xff51afd7ed558ccd + bytes.size()));
  }

  // Equal hashes may be of different strings: the bytes decide.
  bool IsOf(int32_t code, std::string_view bytes, const Ends& ends) const {
    const std::string_view other = strings_[code];
    return ends_[code] == ends && other.size() == bytes.size() &&
           (bytes.size() <= kMostInEnds || other == bytes);
  }

  size_t SlotOf(std::string_view bytes, const Ends& ends, uint64_t hash) const {
    size_t at = hash & (slots_.size() - 1);
    while (slots_[at].code >= 0 &&
           (slots_[at].hash != hash || !IsOf(slots_[at].code, bytes, ends))) {
      at = (at + 1) & (slots_.size() - 1);
    }
    return at;
  }
  void Grow() {
    PoolVector<Slot> old(slots_.empty() ? 64 : 2 * slots_.size(), Slot{0, -1});
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.code < 0) continue;
      size_t at = slot.hash & (slots_.size() - 1);
      while (slots_[at].code >= 0) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = slot;
    }
  }

  PoolVector<Slot> slots_;                // a power of two of them, at most half in use
  PoolVector<std::string_view> strings_;  // by code
  PoolVector<Ends> ends_;                 // by code
};

}  // namespace viand::engine
