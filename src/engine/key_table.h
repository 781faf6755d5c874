// Hash tables from words or byte strings to dense codes 0, 1, 2, ... in order of first insertion.
// Exact: a hash only finds candidates. Finding is thread-safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "src/engine/key_hash.h"

namespace viand::engine {

class WordTable {
 public:
  /// Returns the word's code, a new one if it is not there.
  int32_t Insert(uint64_t word) {
    if (2 * (words_.size() + 1) > slots_.size()) Grow();
    int32_t& slot = slots_[SlotOf(word)];
    if (slot < 0) {
      slot = static_cast<int32_t>(words_.size());
      words_.push_back(word);
    }
    return slot;
  }
  /// Returns -1 if it is not there.
  int32_t Find(uint64_t word) const { return slots_.empty() ? -1 : slots_[SlotOf(word)]; }
  int64_t size() const { return static_cast<int64_t>(words_.size()); }

 private:
  size_t SlotOf(uint64_t word) const {
    size_t slot = HashWord(word) & (slots_.size() - 1);
    while (slots_[slot] >= 0 && words_[slots_[slot]] != word)
      slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }
  void Grow() {
    slots_.assign(slots_.empty() ? 64 : 2 * slots_.size(), -1);
    for (size_t code = 0; code < words_.size(); ++code) {
      slots_[SlotOf(words_[code])] = static_cast<int32_t>(code);
    }
  }

  std::vector<int32_t> slots_;  // codes, -1 where free; a power of two of them, at most half in use
  std::vector<uint64_t> words_;
};

/// The strings' bytes belong to the caller and must stay.
class BytesTable {
 public:
  int32_t Insert(std::string_view bytes) {
    if (2 * (strings_.size() + 1) > slots_.size()) Grow();
    const uint64_t hash = HashBytes(bytes);
    int32_t& slot = slots_[SlotOf(bytes, hash)];
    if (slot < 0) {
      slot = static_cast<int32_t>(strings_.size());
      strings_.push_back(bytes);
      hashes_.push_back(hash);
    }
    return slot;
  }
  int32_t Find(std::string_view bytes) const {
    return slots_.empty() ? -1 : slots_[SlotOf(bytes, HashBytes(bytes))];
  }
  int64_t size() const { return static_cast<int64_t>(strings_.size()); }

 private:
  size_t SlotOf(std::string_view bytes, uint64_t hash) const {
    size_t slot = hash & (slots_.size() - 1);
    while (slots_[slot] >= 0 &&
           (hashes_[slots_[slot]] != hash || strings_[slots_[slot]] != bytes)) {
      slot = (slot + 1) & (slots_.size() - 1);
    }
    return slot;
  }
  void Grow() {
    slots_.assign(slots_.empty() ? 64 : 2 * slots_.size(), -1);
    for (size_t code = 0; code < strings_.size(); ++code) {
      slots_[SlotOf(strings_[code], hashes_[code])] = static_cast<int32_t>(code);
    }
  }

  std::vector<int32_t> slots_;
  std::vector<std::string_view> strings_;
  std::vector<uint64_t> hashes_;
};

}  // namespace viand::engine
