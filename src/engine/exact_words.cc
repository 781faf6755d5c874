#include "src/engine/exact_words.h"

#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <limits>
#include <string>

#include "src/common/block_pool.h"

namespace viand::engine {
namespace {

template <typename T>
PoolVector<int64_t> Widen(const arrow::ArrayData& data) {
  const T* values = data.GetValues<T>(1);
  return PoolVector<int64_t>(values, values + data.length);
}

PoolVector<int64_t> WidenBits(const arrow::ArrayData& data) {
  PoolVector<int64_t> words(data.length);
  const uint8_t* bits = data.length == 0 ? nullptr : data.buffers[1]->data();
  for (int64_t i = 0; i < data.length; ++i) {
    words[i] = arrow::bit_util::GetBit(bits, data.offset + i);
  }
  return words;
}

PoolVector<int64_t> WidenArray(const arrow::ArrayData& data) {
  switch (data.type->id()) {
    case arrow::Type::BOOL:
      return WidenBits(data);
    case arrow::Type::INT8:
      return Widen<int8_t>(data);
    case arrow::Type::UINT8:
      return Widen<uint8_t>(data);
    case arrow::Type::INT16:
      return Widen<int16_t>(data);
    case arrow::Type::UINT16:
      return Widen<uint16_t>(data);
    case arrow::Type::UINT32:
      return Widen<uint32_t>(data);
    default:
      return Widen<int32_t>(data);
  }
}

int64_t NanosecondsOf(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return 1'000'000'000;
    case arrow::TimeUnit::MILLI:
      return 1'000'000;
    case arrow::TimeUnit::MICRO:
      return 1'000;
    default:
      return 1;
  }
}

}  // namespace

bool HasWords(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || type.id() == arrow::Type::BOOL ||
         NanosecondsPerUnit(type) != 0;
}

Words Words::Of(std::shared_ptr<arrow::Array> array) {
  Words words;
  words.array_ = std::move(array);
  const arrow::ArrayData& data = *words.array_->data();
  if (data.type->id() != arrow::Type::BOOL && data.type->byte_width() == 8) {
    words.data_ = data.GetValues<int64_t>(1);
  } else {
    words.copy_ = WidenArray(data);
    words.data_ = words.copy_.data();
  }
  return words;
}

arrow::Result<std::shared_ptr<arrow::Array>> DecodeDictionary(
    const std::shared_ptr<arrow::Array>& array, arrow::MemoryPool* pool) {
  if (array->type_id() != arrow::Type::DICTIONARY) return array;
  const auto& encoded = static_cast<const arrow::DictionaryArray&>(*array);
  arrow::compute::ExecContext context(pool ? pool : ProcessPool());
  VIAND_ASSIGN_OR_RETURN(arrow::Datum decoded,
                         arrow::compute::Take(encoded.dictionary(), encoded.indices(),
                                              arrow::compute::TakeOptions::Defaults(), &context));
  return decoded.make_array();
}

arrow::Status CheckTime(const arrow::Array& array, std::string_view what) {
  const arrow::Type::type id = array.type_id();
  if (id == arrow::Type::TIMESTAMP || id == arrow::Type::DATE32 || id == arrow::Type::DATE64) {
    return arrow::Status::OK();
  }
  return MakeError(ErrorKind::kInput, std::string(what) + " is " + array.type()->ToString() +
                                          ", expected a timestamp or a date");
}

int64_t NanosecondsPerUnit(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::TIMESTAMP:
      return NanosecondsOf(static_cast<const arrow::TimestampType&>(type).unit());
    case arrow::Type::DURATION:
      return NanosecondsOf(static_cast<const arrow::DurationType&>(type).unit());
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return NanosecondsOf(static_cast<const arrow::TimeType&>(type).unit());
    case arrow::Type::DATE32:
      return int64_t{86400} * 1'000'000'000;
    case arrow::Type::DATE64:
      return 1'000'000;
    default:
      return 0;
  }
}

int64_t CommonTick(const std::vector<const arrow::Array*>& arrays) {
  int64_t tick = 1000;
  for (const arrow::Array* array : arrays) {
    tick = std::min(tick, NanosecondsPerUnit(*array->type()));
  }
  return tick;
}

bool TicksFit(const Words& words, const arrow::DataType& type, int64_t length, int64_t tick_ns) {
  const int64_t scale = NanosecondsPerUnit(type) / tick_ns;
  if (scale == 1) return true;
  const int64_t most = std::numeric_limits<int64_t>::max() / scale;
  for (int64_t i = 0; i < length; ++i) {
    if (!words.IsNull(i) && (words[i] > most || words[i] < -most)) return false;
  }
  return true;
}

}  // namespace viand::engine
