// Hashes of words and bytes with a fixed seed. Tables use them to find candidates, never to decide
// equality; HyperLogLog estimates from them, so their values must never change.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace viand::engine {

/// Mixes all 64 bits: a permutation (two rounds of multiply and xor-shift, Stafford's 13th
/// constants).
inline uint64_t HashWord(uint64_t word) {
  word += 0x9e3779b97f4a7c15;
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
  word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
  return word ^ (word >> 31);
}

/// Eight bytes at a time; the length is mixed in, so that zeros at the end count.
inline uint64_t HashBytes(std::string_view bytes) {
  uint64_t hash = HashWord(bytes.size());
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + at, 8);
    hash = HashWord(hash ^ word);
  }
  if (at < bytes.size()) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, bytes.size() - at);
    hash = HashWord(hash ^ word);
  }
  return hash;
}

}  // namespace viand::engine
