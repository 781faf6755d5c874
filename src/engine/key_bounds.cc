#include "src/engine/key_bounds.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/api_aggregate.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/expression.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <parquet/metadata.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "src/engine/column_chunk.h"
#include "src/engine/plain_array.h"
#include "src/engine/time_range.h"

namespace viand::engine {
namespace {

namespace cp = arrow::compute;

/// So many keys are looked through in a millisecond or so, whatever comes of it.
constexpr int64_t kAlwaysWorthIt = 64 * 1024;
/// Of so many rows the different keys are looked for; more of them than this are only a range.
constexpr int64_t kFewRows = 4096;
constexpr int64_t kFewKeys = 256;

/// The ends of one row group's values, as their order in the file has them.
template <typename Type>
void TakeEnds(const parquet::Statistics& statistics, std::optional<Type>* least_max,
              std::optional<Type>* greatest_min) {
  using Physical = std::conditional_t<
      std::is_same_v<Type, std::string>, parquet::ByteArrayType,
      std::conditional_t<std::is_same_v<Type, int32_t>, parquet::Int32Type, parquet::Int64Type>>;
  const auto& typed = static_cast<const parquet::TypedStatistics<Physical>&>(statistics);
  Type min, max;
  if constexpr (std::is_same_v<Type, std::string>) {
    min = std::string(std::string_view(typed.min()));
    max = std::string(std::string_view(typed.max()));
  } else {
    min = typed.min();
    max = typed.max();
  }
  if (!*least_max || max < **least_max) *least_max = max;
  if (!*greatest_min || min > **greatest_min) *greatest_min = min;
}

/// Tells whether some row group ends before another starts.
template <typename Type>
bool AnyTwoApart(const OpenedScan& scan, const std::string& name) {
  std::optional<Type> least_max, greatest_min;
  for (const OpenedFile& file : scan.files) {
    if (file.parquet == nullptr) continue;
    const int leaf = file.parquet->schema()->ColumnIndex(name);
    if (leaf < 0) continue;
    for (const RowGroup& group : file.groups) {
      const auto statistics = StatisticsOf(*file.parquet->RowGroup(group.index), leaf);
      if (statistics != nullptr && statistics->HasMinMax())
        TakeEnds(*statistics, &least_max, &greatest_min);
      if (least_max && greatest_min && *least_max < *greatest_min) return true;
    }
  }
  return false;
}

bool GroupsDiffer(const OpenedScan& scan, const std::string& column) {
  const std::string name = scan.NameInFile(column);
  for (const OpenedFile& file : scan.files) {
    // What folders spell differs from file to file.
    if (file.constants != nullptr && file.constants->schema()->GetFieldIndex(name) >= 0)
      return true;
  }
  for (const OpenedFile& file : scan.files) {
    const int leaf = file.parquet == nullptr ? -1 : file.parquet->schema()->ColumnIndex(name);
    if (leaf < 0) continue;
    switch (file.parquet->schema()->Column(leaf)->physical_type()) {
      case parquet::Type::INT32:
        return AnyTwoApart<int32_t>(scan, name);
      case parquet::Type::INT64:
        return AnyTwoApart<int64_t>(scan, name);
      case parquet::Type::BYTE_ARRAY:
        return AnyTwoApart<std::string>(scan, name);
      default:
        return false;
    }
  }
  return false;
}

bool HasBounds(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || arrow::is_base_binary_like(type.id()) || IsTimeType(type);
}

/// All different keys but null, where they are few.
std::shared_ptr<arrow::Array> FewValues(const arrow::ChunkedArray& keys) {
  if (keys.length() > kFewRows) return nullptr;
  const auto unique =
      cp::Unique(arrow::Datum(std::make_shared<arrow::ChunkedArray>(keys.chunks())));
  if (!unique.ok()) return nullptr;
  const auto values = cp::DropNull(**unique);
  return values.ok() && (*values)->length() <= kFewKeys ? *values : nullptr;
}

/// The value as one of an integer type; what is beyond the type's ends becomes its end.
template <typename Type>
std::shared_ptr<arrow::Scalar> Clamped(int64_t value) {
  using Number = typename Type::c_type;
  if constexpr (sizeof(Number) < sizeof(int64_t)) {
    value = std::clamp<int64_t>(value, std::numeric_limits<Number>::min(),
                                std::numeric_limits<Number>::max());
  } else if constexpr (std::is_unsigned_v<Number>) {
    value = std::max<int64_t>(value, 0);
  }
  return std::make_shared<typename arrow::TypeTraits<Type>::ScalarType>(static_cast<Number>(value));
}

std::shared_ptr<arrow::Scalar> IntegerOf(int64_t value, const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8:
      return Clamped<arrow::Int8Type>(value);
    case arrow::Type::INT16:
      return Clamped<arrow::Int16Type>(value);
    case arrow::Type::INT32:
      return Clamped<arrow::Int32Type>(value);
    case arrow::Type::INT64:
      return Clamped<arrow::Int64Type>(value);
    case arrow::Type::UINT8:
      return Clamped<arrow::UInt8Type>(value);
    case arrow::Type::UINT16:
      return Clamped<arrow::UInt16Type>(value);
    case arrow::Type::UINT32:
      return Clamped<arrow::UInt32Type>(value);
    default:
      return Clamped<arrow::UInt64Type>(value);
  }
}

/// The value of an integer; nothing beyond int64, where only an unsigned one can be.
std::optional<int64_t> Int64Of(const arrow::Scalar& integer) {
  if (const auto* wide = dynamic_cast<const arrow::UInt64Scalar*>(&integer);
      wide != nullptr && wide->value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return std::nullopt;
  }
  const auto cast = integer.CastTo(arrow::int64());
  if (!cast.ok()) return std::nullopt;
  return static_cast<const arrow::Int64Scalar&>(**cast).value;
}

/// Text and bytes of a file's type; null where there is no such value.
std::shared_ptr<arrow::Scalar> BytesOf(const arrow::Scalar& scalar,
                                       const std::shared_ptr<arrow::DataType>& type) {
  auto cast = scalar.CastTo(type);
  return cast.ok() ? *cast : nullptr;
}

cp::Expression Between(const std::string& name, std::shared_ptr<arrow::Scalar> min,
                       std::shared_ptr<arrow::Scalar> max) {
  if (min == nullptr || max == nullptr) return cp::literal(true);
  return cp::and_(cp::greater_equal(cp::field_ref(name), cp::literal(std::move(min))),
                  cp::less_equal(cp::field_ref(name), cp::literal(std::move(max))));
}

cp::Expression RangeOfKeys(const KeyBound& bound, const std::string& name,
                           const std::shared_ptr<arrow::DataType>& type) {
  const arrow::DataType& keys = *bound.min->type;
  if (IsTimeType(keys) && IsTimeType(*type)) {
    const auto ends =
        arrow::ChunkedArray::Make({arrow::MakeArrayFromScalar(*bound.min, 1).ValueOr(nullptr),
                                   arrow::MakeArrayFromScalar(*bound.max, 1).ValueOr(nullptr)});
    return ends.ok() ? RangeFilter(name, type, RangeOf(**ends)) : cp::literal(true);
  }
  if (arrow::is_base_binary_like(keys.id()) && arrow::is_base_binary_like(type->id()))
    return Between(name, BytesOf(*bound.min, type), BytesOf(*bound.max, type));
  if (!arrow::is_integer(keys.id()) || !arrow::is_integer(type->id())) return cp::literal(true);
  const auto least = Int64Of(*bound.min);
  const auto greatest = Int64Of(*bound.max);
  if (!least || !greatest) return cp::literal(true);
  return Between(name, IntegerOf(*least, *type), IntegerOf(*greatest, *type));
}

}  // namespace

arrow::Status AddEnds(const std::shared_ptr<arrow::Array>& keys, KeySample* sample) {
  sample->rows += keys->length();
  sample->is_whole = false;
  arrow::ArrayVector chunks;
  if (sample->values != nullptr) chunks = sample->values->chunks();
  if (HasBounds(*keys->type()) && keys->null_count() < keys->length()) {
    VIAND_ASSIGN_OR_RETURN(const arrow::Datum ends, cp::MinMax(keys));
    for (const auto& end : static_cast<const arrow::StructScalar&>(*ends.scalar()).value) {
      VIAND_ASSIGN_OR_RETURN(chunks.emplace_back(), arrow::MakeArrayFromScalar(*end, 1));
    }
  }
  sample->values = std::make_shared<arrow::ChunkedArray>(std::move(chunks), keys->type());
  return arrow::Status::OK();
}

std::optional<KeyBound> KeyBoundOf(const KeySample& keys, const OpenedScan& scan,
                                   const std::string& column) {
  if (scan.table != nullptr || !HasBounds(*keys.values->type())) return std::nullopt;
  if (keys.rows > kAlwaysWorthIt && !GroupsDiffer(scan, column)) return std::nullopt;
  const auto ends = cp::MinMax(arrow::Datum(keys.values));
  if (!ends.ok()) return std::nullopt;
  const auto& pair = static_cast<const arrow::StructScalar&>(*ends->scalar());
  KeyBound bound{.column = column};
  if (!pair.value[0]->is_valid) return bound;
  bound.min = pair.value[0];
  bound.max = pair.value[1];
  if (keys.is_whole) bound.values = FewValues(*keys.values);
  return bound;
}

cp::Expression KeyFilter(const KeyBound& bound, const std::string& name,
                         const std::shared_ptr<arrow::DataType>& type) {
  if (bound.min == nullptr) return cp::literal(false);
  cp::Expression range = RangeOfKeys(bound, name, type);
  if (bound.values == nullptr || range.Equals(cp::literal(true))) return range;
  auto values = cp::Cast(*bound.values, type, cp::CastOptions::Safe());
  if (!values.ok()) return range;
  return cp::and_(
      range, cp::call("is_in", {cp::field_ref(name)}, cp::SetLookupOptions(*std::move(values))));
}

}  // namespace viand::engine
