#include "src/distributed/packed_numbers.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/chunked_array.h>
#include <arrow/type.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace viand::distributed {
namespace {

/// Wider ones take 64: a number of these lies in 8 bytes wherever it starts.
constexpr int kMostPackedBits = 56;
/// After the last number, so that it can be read like the others.
constexpr int64_t kPaddingBytes = 8;

/// Least and greatest of numbers as they come.
struct Span {
  int64_t least = std::numeric_limits<int64_t>::max();
  int64_t greatest = std::numeric_limits<int64_t>::min();

  void Add(int64_t number) {
    least = std::min(least, number);
    greatest = std::max(greatest, number);
  }
  int Bits() const {
    const int bits =
        least > greatest
            ? 0
            : std::bit_width(static_cast<uint64_t>(greatest) - static_cast<uint64_t>(least));
    return bits > kMostPackedBits ? 64 : bits;
  }
};

/// Calls visit(number) for each number of a column of type T.
template <typename T, typename Visit>
void VisitNumbers(const arrow::ChunkedArray& column, Visit&& visit) {
  for (const auto& chunk : column.chunks()) {
    const T* numbers = chunk->data()->GetValues<T>(1);
    for (int64_t i = 0; i < chunk->length(); ++i) visit(static_cast<uint64_t>(numbers[i]));
  }
}

template <typename T>
PackedLayout Narrowest(const arrow::ChunkedArray& column) {
  Span numbers, differences;
  uint64_t before = 0, first = 0;
  bool any = false;
  VisitNumbers<T>(column, [&](uint64_t number) {
    numbers.Add(static_cast<int64_t>(number));
    if (any)
      differences.Add(static_cast<int64_t>(number - before));
    else
      first = number;
    any = true;
    before = number;
  });
  PackedLayout layout{.count = column.length(), .first = first, .bits = numbers.Bits()};
  layout.differences = differences.Bits() < numbers.Bits();
  if (layout.differences) layout.bits = differences.Bits();
  const Span& packed = layout.differences ? differences : numbers;
  layout.least = packed.least > packed.greatest ? 0 : static_cast<uint64_t>(packed.least);
  return layout;
}

template <typename T>
std::string Pack(const arrow::ChunkedArray& column, const PackedLayout& layout) {
  std::string packed(PackedBytes(layout), '\0');
  char* out = packed.data();
  uint64_t before = layout.first - layout.least, pending = 0;
  int pending_bits = 0;
  VisitNumbers<T>(column, [&](uint64_t number) {
    const uint64_t rest = (layout.differences ? number - before : number) - layout.least;
    before = number;
    if (layout.bits == 64) {
      std::memcpy(out, &rest, sizeof(rest));
      out += sizeof(rest);
      return;
    }
    pending |= rest << pending_bits;  // of these at most 7 bits, so 63 in all
    pending_bits += layout.bits;
    std::memcpy(out, &pending, sizeof(pending));
    out += pending_bits / 8;
    pending >>= pending_bits / 8 * 8;
    pending_bits %= 8;
  });
  return packed;
}

template <typename T>
void Unpack(const PackedLayout& layout, const uint8_t* bytes, T* out) {
  const uint64_t mask = layout.bits == 64 ? ~uint64_t{0} : (uint64_t{1} << layout.bits) - 1;
  uint64_t before = layout.first - layout.least;
  for (int64_t i = 0; i < layout.count; ++i) {
    const int64_t bit = i * layout.bits;
    uint64_t word;
    std::memcpy(&word, bytes + bit / 8, sizeof(word));
    uint64_t number = (word >> (bit % 8) & mask) + layout.least;
    if (layout.differences) number += before;
    before = number;
    out[i] = static_cast<T>(number);
  }
}

}  // namespace

bool IsPackable(const arrow::DataType& type) {
  const bool number = arrow::is_integer(type.id()) || arrow::is_temporal(type.id());
  return number && (type.bit_width() == 32 || type.bit_width() == 64);
}

bool CanPack(const arrow::ChunkedArray& column) {
  return IsPackable(*column.type()) && column.null_count() == 0;
}

PackedLayout ChooseLayout(const arrow::ChunkedArray& column) {
  return column.type()->bit_width() == 32 ? Narrowest<int32_t>(column) : Narrowest<int64_t>(column);
}

int64_t PackedBytes(const PackedLayout& layout) {
  return (layout.count * layout.bits + 7) / 8 + kPaddingBytes;
}

std::string PackNumbers(const arrow::ChunkedArray& column, const PackedLayout& layout) {
  return column.type()->bit_width() == 32 ? Pack<int32_t>(column, layout)
                                          : Pack<int64_t>(column, layout);
}

arrow::Result<std::shared_ptr<arrow::Array>> UnpackNumbers(
    const PackedLayout& layout, const uint8_t* bytes, const std::shared_ptr<arrow::DataType>& type,
    arrow::MemoryPool* pool) {
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer,
                         arrow::AllocateBuffer(layout.count * type->bit_width() / 8, pool));
  if (type->bit_width() == 32)
    Unpack(layout, bytes, reinterpret_cast<int32_t*>(buffer->mutable_data()));
  else
    Unpack(layout, bytes, reinterpret_cast<int64_t*>(buffer->mutable_data()));
  return arrow::MakeArray(
      arrow::ArrayData::Make(type, layout.count, {nullptr, std::move(buffer)}, 0));
}

}  // namespace viand::distributed
