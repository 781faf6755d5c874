// Stable sort by a non-negative number: linear, for rows by their numbers.
//
//   RadixSort(&pairs, [](const Pair& pair) { return pair.row; });
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace viand::engine {

/// Sorts a vector by key_of(item), which is not negative. Takes as much memory again as the items
/// have.
template <typename Items, typename KeyOf>
void RadixSort(Items* items, KeyOf&& key_of) {
  using Item = typename Items::value_type;
  constexpr int kBits = 11;
  constexpr uint64_t kDigits = 1 << kBits;
  uint64_t greatest = 0;
  bool sorted = true;
  for (size_t i = 0; i < items->size(); ++i) {
    const auto key = static_cast<uint64_t>(key_of((*items)[i]));
    sorted &= key >= greatest;
    greatest = std::max(greatest, key);
  }
  if (sorted) return;
  Items moved(items->size());
  for (int shift = 0; shift < 64 && greatest >> shift != 0; shift += kBits) {
    const auto digit = [&](const Item& item) {
      return static_cast<uint64_t>(key_of(item)) >> shift & (kDigits - 1);
    };
    std::array<size_t, kDigits> next{};
    for (const Item& item : *items) ++next[digit(item)];
    size_t start = 0;
    for (size_t& each : next) start += std::exchange(each, start);
    for (const Item& item : *items) moved[next[digit(item)]++] = item;
    items->swap(moved);
  }
}

}  // namespace viand::engine
