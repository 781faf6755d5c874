// Numbers out of messages that may be damaged.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace viand::engine {

/// Copies bytes: in a damaged message numbers may lie anywhere, for the verifier checks the
/// alignment of a vector's length alone.
template <typename T>
std::vector<T> ReadNumbers(const flatbuffers::Vector<T>* numbers) {
  if (numbers == nullptr) return {};
  std::vector<T> result(numbers->size());
  std::copy_n(numbers->Data(), result.size() * sizeof(T),
              reinterpret_cast<uint8_t*>(result.data()));
  for (T& number : result) number = flatbuffers::EndianScalar(number);
  return result;
}

}  // namespace viand::engine
