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
    const uint64_t tag = TagOf(bytes);
    Slot& slot = slots_[SlotOf(bytes, tag)];
    if (slot.code < 0) {
      slot = {tag, static_cast<int32_t>(strings_.size())};
      strings_.push_back(bytes);
    }
    return slot.code;
  }
  int32_t Find(std::string_view bytes) const {
    return slots_.empty() ? -1 : slots_[SlotOf(bytes, TagOf(bytes))].code;
  }
  int64_t size() const { return static_cast<int64_t>(strings_.size()); }

 private:
  // A string of at most 7 bytes is its tag: the bytes, and the length in the top byte. Those of
  // longer ones have the top bit and hash bits, and the strings decide.
  static constexpr uint64_t kLong = uint64_t{1} << 63;
  struct Slot {
    uint64_t tag;
    int32_t code;  // -1 where free
  };

  static uint64_t TagOf(std::string_view bytes) {
    const size_t size = bytes.size();
    if (size > 7) return HashBytes(bytes) | kLong;
    uint64_t word = uint64_t{size} << 56;
    if (size >= 4) {
      // Two loads of four bytes that may overlap: a copy of unknown length would be a call.
      uint32_t low, high;
      std::memcpy(&low, bytes.data(), 4);
      std::memcpy(&high, bytes.data() + size - 4, 4);
      return word | low | uint64_t{high} << (8 * (size - 4));
    }
    for (size_t i = 0; i < size; ++i) word |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
    return word;
  }

  size_t SlotOf(std::string_view bytes, uint64_t tag) const {
    size_t at = (tag & kLong ? tag : HashWord(tag)) & (slots_.size() - 1);
    while (slots_[at].code >= 0 &&
           (slots_[at].tag != tag || (tag & kLong && strings_[slots_[at].code] != bytes))) {
      at = (at + 1) & (slots_.size() - 1);
    }
    return at;
  }
  void Grow() {
    PoolVector<Slot> old(slots_.empty() ? 64 : 2 * slots_.size(), Slot{0, -1});
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.code >= 0) slots_[SlotOf(strings_[slot.code], slot.tag)] = slot;
    }
  }

  PoolVector<Slot> slots_;                // a power of two of them, at most half in use
  PoolVector<std::string_view> strings_;  // by code
};

}  // namespace viand::engine
