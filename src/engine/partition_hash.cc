#include "src/engine/partition_hash.h"

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "src/common/time.h"

namespace viand::engine {
namespace {

using arrow::Type;

constexpr uint64_t kNullHash = 0x6e756c6c6e756c6cULL;
constexpr int64_t kNanosPerSecond = 1'000'000'000;

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every bit of the input reaches every bit
/// of the output.
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

uint64_t HashBytes(std::string_view bytes) {
  uint64_t hash = Mix(bytes.size());
  while (bytes.size() >= 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    hash = Mix(hash ^ word);
    bytes.remove_prefix(8);
  }
  uint64_t rest = 0;
  if (!bytes.empty()) std::memcpy(&rest, bytes.data(), bytes.size());
  return Mix(hash ^ rest);
}

uint64_t HashInstant(int64_t raw, int64_t units_per_second) {
  int64_t seconds = raw / units_per_second;
  int64_t rest = raw % units_per_second;
  if (rest < 0) {
    --seconds;
    rest += units_per_second;
  }
  const int64_t nanos = rest * (kNanosPerSecond / units_per_second);
  return Mix(Mix(static_cast<uint64_t>(seconds)) ^ static_cast<uint64_t>(nanos));
}

int64_t UnitsPerSecond(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 1;
    case arrow::TimeUnit::MILLI:
      return 1000;
    case arrow::TimeUnit::MICRO:
      return kMicrosPerSecond;
    default:
      return kNanosPerSecond;
  }
}

template <typename HashAt>
void MixRows(const arrow::Array& key, std::vector<uint64_t>* hashes, HashAt&& hash_at) {
  const bool nulls = key.null_count() > 0;
  for (int64_t i = 0; i < key.length(); ++i) {
    const uint64_t value = nulls && key.IsNull(i) ? kNullHash : hash_at(i);
    (*hashes)[i] = Mix((*hashes)[i] ^ value);
  }
}

template <typename T>
void MixIntegers(const arrow::Array& key, std::vector<uint64_t>* hashes) {
  const T* values = key.data()->GetValues<T>(1);
  MixRows(key, hashes, [values](int64_t i) {
    return Mix(static_cast<uint64_t>(static_cast<int64_t>(values[i])));
  });
}

template <typename ArrayType>
void MixBytes(const arrow::Array& key, std::vector<uint64_t>* hashes) {
  const auto& typed = static_cast<const ArrayType&>(key);
  MixRows(key, hashes,
          [&typed](int64_t i) { return HashBytes(std::string_view(typed.GetView(i))); });
}

/// A whole decimal hashes like the integer that it equals; of others the hash is constant, so that
/// scales do not matter.
void MixDecimals(const arrow::Array& key, std::vector<uint64_t>* hashes) {
  const auto& typed = static_cast<const arrow::FixedSizeBinaryArray&>(key);
  const auto& type = static_cast<const arrow::DecimalType&>(*key.type());
  MixRows(key, hashes, [&](int64_t i) -> uint64_t {
    std::array<uint8_t, 32> bytes;
    const std::string_view little_endian = typed.GetView(i);
    std::reverse_copy(little_endian.begin(), little_endian.end(), bytes.begin());
    const auto value = arrow::Decimal256::FromBigEndian(bytes.data(), type.byte_width());
    const auto whole = value.ok() ? value->Rescale(type.scale(), 0) : value;
    return whole.ok() ? Mix(whole->low_bits()) : 0;
  });
}

template <typename T>
void MixInstants(const arrow::Array& key, int64_t seconds_per_unit, int64_t units_per_second,
                 std::vector<uint64_t>* hashes) {
  const T* values = key.data()->GetValues<T>(1);
  MixRows(key, hashes, [=](int64_t i) {
    return HashInstant(static_cast<int64_t>(values[i]) * seconds_per_unit, units_per_second);
  });
}

}  // namespace

void MixKeyHash(const arrow::Array& key, std::vector<uint64_t>* hashes) {
  switch (key.type_id()) {
    case Type::BOOL: {
      const auto& typed = static_cast<const arrow::BooleanArray&>(key);
      return MixRows(key, hashes, [&](int64_t i) { return Mix(typed.Value(i) ? 1 : 0); });
    }
    case Type::INT8:
      return MixIntegers<int8_t>(key, hashes);
    case Type::INT16:
      return MixIntegers<int16_t>(key, hashes);
    case Type::INT32:
      return MixIntegers<int32_t>(key, hashes);
    case Type::INT64:
      return MixIntegers<int64_t>(key, hashes);
    case Type::UINT8:
      return MixIntegers<uint8_t>(key, hashes);
    case Type::UINT16:
      return MixIntegers<uint16_t>(key, hashes);
    case Type::UINT32:
      return MixIntegers<uint32_t>(key, hashes);
    case Type::UINT64:
      return MixIntegers<uint64_t>(key, hashes);
    case Type::STRING:
    case Type::BINARY:
      return MixBytes<arrow::BinaryArray>(key, hashes);
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      return MixBytes<arrow::LargeBinaryArray>(key, hashes);
    case Type::FIXED_SIZE_BINARY:
      return MixBytes<arrow::FixedSizeBinaryArray>(key, hashes);
    case Type::DECIMAL32:
    case Type::DECIMAL64:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
      return MixDecimals(key, hashes);
    case Type::DATE32:
      return MixInstants<int32_t>(key, kMicrosPerDay / kMicrosPerSecond, 1, hashes);
    case Type::DATE64:
      return MixInstants<int64_t>(key, 1, 1000, hashes);
    case Type::TIMESTAMP: {
      const auto unit = static_cast<const arrow::TimestampType&>(*key.type()).unit();
      return MixInstants<int64_t>(key, 1, UnitsPerSecond(unit), hashes);
    }
    default:
      return MixRows(key, hashes, [](int64_t) { return uint64_t{0}; });
  }
}

}  // namespace viand::engine
