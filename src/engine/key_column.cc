#include "src/engine/key_column.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_decimal.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>

#include <bit>
#include <cmath>
#include <limits>

namespace viand::engine {
namespace {

constexpr uint64_t kNanWord = 0x7ff8000000000000;

// Equal doubles have equal words: one NaN, one zero.
uint64_t WordOf(double value) {
  if (std::isnan(value)) return kNanWord;
  return std::bit_cast<uint64_t>(value == 0 ? 0.0 : value);
}

std::vector<double> ReadDoubles(const arrow::Array& array) {
  std::vector<double> out(array.length());
  for (int64_t i = 0; i < array.length(); ++i) {
    switch (array.type_id()) {
      case arrow::Type::DOUBLE:
        out[i] = static_cast<const arrow::DoubleArray&>(array).Value(i);
        break;
      case arrow::Type::FLOAT:
        out[i] = static_cast<const arrow::FloatArray&>(array).Value(i);
        break;
      default:
        out[i] = arrow::util::Float16::FromBits(
                     static_cast<const arrow::HalfFloatArray&>(array).Value(i))
                     .ToDouble();
    }
  }
  return out;
}

// Decimals and integers of equal value have equal text: digits without zeros at the end, and a
// power of ten.
std::string DecimalText(const arrow::Decimal256& value, int scale) {
  std::string digits = value.ToIntegerString();
  if (digits == "0") return digits;
  while (digits.back() == '0') {
    digits.pop_back();
    --scale;
  }
  return digits + "e" + std::to_string(-scale);
}

arrow::Decimal256 DecimalAt(const arrow::Array& array, int64_t row) {
  if (array.type_id() == arrow::Type::DECIMAL256) {
    return arrow::Decimal256(static_cast<const arrow::Decimal256Array&>(array).GetValue(row));
  }
  if (array.type_id() == arrow::Type::DECIMAL128) {
    return arrow::Decimal256(
        arrow::Decimal128(static_cast<const arrow::Decimal128Array&>(array).GetValue(row)));
  }
  if (array.type_id() == arrow::Type::DECIMAL64) {
    const arrow::Decimal64 value(static_cast<const arrow::Decimal64Array&>(array).GetValue(row));
    return arrow::Decimal256(value.value());
  }
  const arrow::Decimal32 value(static_cast<const arrow::Decimal32Array&>(array).GetValue(row));
  return arrow::Decimal256(int64_t{value.value()});
}

int ScaleOf(const arrow::DataType& type) {
  return static_cast<const arrow::DecimalType&>(type).scale();
}

// One text a row, empty where null.
std::vector<std::string> DecimalTexts(const std::shared_ptr<arrow::Array>& array, KeyClass type) {
  std::vector<std::string> out(array->length());
  if (type == KeyClass::kDecimal) {
    const int scale = ScaleOf(*array->type());
    for (int64_t i = 0; i < array->length(); ++i) {
      if (array->IsValid(i)) out[i] = DecimalText(DecimalAt(*array, i), scale);
    }
    return out;
  }
  const Words words = Words::Of(array);
  const bool is_unsigned = array->type_id() == arrow::Type::UINT64;
  for (int64_t i = 0; i < array->length(); ++i) {
    if (!words.IsNull(i)) {
      out[i] = DecimalText(is_unsigned ? arrow::Decimal256(static_cast<uint64_t>(words[i]))
                                       : arrow::Decimal256(words[i]),
                           0);
    }
  }
  return out;
}

template <typename ArrayType, typename Visit>
void VisitViews(const arrow::Array& array, Visit&& visit) {
  const auto& typed = static_cast<const ArrayType&>(array);
  for (int64_t i = 0; i < array.length(); ++i) {
    if (typed.IsValid(i)) visit(i, std::string_view(typed.GetView(i)));
  }
}

template <typename Visit>
void VisitBytes(const arrow::Array& array, Visit&& visit) {
  switch (array.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return VisitViews<arrow::BinaryArray>(array, visit);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return VisitViews<arrow::LargeBinaryArray>(array, visit);
    case arrow::Type::FIXED_SIZE_BINARY:
      return VisitViews<arrow::FixedSizeBinaryArray>(array, visit);
    default:
      return VisitViews<arrow::BinaryViewArray>(array, visit);
  }
}

arrow::Status Incomparable(const arrow::DataType& a, const arrow::DataType& b) {
  return MakeError(ErrorKind::kInput,
                   "keys of type " + a.ToString() + " and " + b.ToString() + " cannot be compared",
                   "cast one of them to the other's type");
}

}  // namespace

arrow::Result<KeyClass> KeyClassOf(const arrow::DataType& type, bool floats) {
  const arrow::Type::type id = type.id();
  if (id == arrow::Type::DICTIONARY) {
    return KeyClassOf(*static_cast<const arrow::DictionaryType&>(type).value_type(), floats);
  }
  if (id == arrow::Type::NA) return KeyClass::kNull;
  if (id == arrow::Type::BOOL) return KeyClass::kBoolean;
  if (arrow::is_integer(id)) return KeyClass::kInteger;
  if (arrow::is_decimal(id)) return KeyClass::kDecimal;
  if (id == arrow::Type::TIMESTAMP || arrow::is_date(id)) return KeyClass::kTime;
  if (id == arrow::Type::TIME32 || id == arrow::Type::TIME64) return KeyClass::kTimeOfDay;
  if (id == arrow::Type::DURATION) return KeyClass::kDuration;
  if (arrow::is_string(id) || id == arrow::Type::STRING_VIEW) return KeyClass::kText;
  if (arrow::is_binary_like(id) || arrow::is_large_binary_like(id) ||
      id == arrow::Type::FIXED_SIZE_BINARY || id == arrow::Type::BINARY_VIEW) {
    return KeyClass::kBytes;
  }
  if (arrow::is_floating(id) && floats) return KeyClass::kFloat;
  return MakeError(ErrorKind::kInput, "a key cannot be of type " + type.ToString(),
                   arrow::is_floating(id) ? "cast it to an integer, decimal or text" : "");
}

// The dictionary's values are coded, and each row takes the code of its value.
arrow::Result<KeyColumn> KeyColumn::MakeEncoded(const arrow::DictionaryArray& array, bool floats,
                                                PoolVector<int32_t>* codes) {
  PoolVector<int32_t> code_of_value;
  VIAND_ASSIGN_OR_RETURN(KeyColumn column, Make(array.dictionary(), floats, &code_of_value));
  const Words indices = Words::Of(array.indices());
  codes->assign(array.length(), kNullCode);
  const bool nulls = array.null_count() > 0;
  for (int64_t i = 0; i < array.length(); ++i) {
    if (!nulls || array.IsValid(i)) (*codes)[i] = code_of_value[indices[i]];
  }
  return column;
}

arrow::Result<KeyColumn> KeyColumn::Make(const std::shared_ptr<arrow::Array>& array, bool floats,
                                         PoolVector<int32_t>* codes) {
  if (array->type_id() == arrow::Type::DICTIONARY)
    return MakeEncoded(static_cast<const arrow::DictionaryArray&>(*array), floats, codes);
  KeyColumn column;
  VIAND_ASSIGN_OR_RETURN(column.class_, KeyClassOf(*array->type(), floats));
  column.array_ = array;
  const arrow::Array& values = *column.array_;
  codes->assign(values.length(), kNullCode);
  switch (column.class_) {
    case KeyClass::kNull:
      break;
    case KeyClass::kText:
    case KeyClass::kBytes:
      VisitBytes(values, [&](int64_t i, std::string_view bytes) {
        (*codes)[i] = column.strings_.Insert(bytes);
      });
      break;
    case KeyClass::kDecimal:
      column.decimals_ = DecimalTexts(column.array_, column.class_);
      for (int64_t i = 0; i < values.length(); ++i) {
        if (values.IsValid(i)) (*codes)[i] = column.strings_.Insert(column.decimals_[i]);
      }
      break;
    case KeyClass::kFloat: {
      const std::vector<double> doubles = ReadDoubles(values);
      for (int64_t i = 0; i < values.length(); ++i) {
        if (values.IsValid(i)) (*codes)[i] = column.words_.Insert(WordOf(doubles[i]));
      }
      break;
    }
    default: {
      const Words words = Words::Of(column.array_);
      const bool nulls = values.null_count() > 0;
      for (int64_t i = 0; i < values.length(); ++i) {
        if (!nulls || !words.IsNull(i))
          (*codes)[i] = column.words_.Insert(static_cast<uint64_t>(words[i]));
      }
    }
  }
  return column;
}

arrow::Result<PoolVector<int32_t>> KeyColumn::Find(
    const std::shared_ptr<arrow::Array>& encoded) const {
  const auto comparable_number = [](KeyClass type) {
    return type == KeyClass::kInteger || type == KeyClass::kDecimal;
  };
  VIAND_ASSIGN_OR_RETURN(const KeyClass type,
                         KeyClassOf(*encoded->type(), class_ == KeyClass::kFloat));
  VIAND_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> array,
                         DecodeDictionary(encoded, nullptr));
  PoolVector<int32_t> codes(array->length(), kNotFound);
  if (type == KeyClass::kNull) {
    codes.assign(array->length(), kNullCode);
    return codes;
  }
  if (class_ == KeyClass::kNull) {
    for (int64_t i = 0; i < array->length(); ++i) {
      if (array->IsNull(i)) codes[i] = kNullCode;
    }
    return codes;
  }
  if (type != class_ && !(comparable_number(type) && comparable_number(class_))) {
    return Incomparable(*array_->type(), *array->type());
  }
  if (type == KeyClass::kDecimal || class_ == KeyClass::kDecimal) return FindDecimals(array, type);
  if (type != KeyClass::kText && type != KeyClass::kBytes && type != KeyClass::kFloat) {
    return FindWords(*array, Words::Of(array));
  }
  if (type == KeyClass::kFloat) {
    const std::vector<double> doubles = ReadDoubles(*array);
    for (int64_t i = 0; i < array->length(); ++i) codes[i] = words_.Find(WordOf(doubles[i]));
  } else {
    VisitBytes(*array, [&](int64_t i, std::string_view bytes) { codes[i] = strings_.Find(bytes); });
  }
  for (int64_t i = 0; i < array->length(); ++i) {
    if (array->IsNull(i))
      codes[i] = kNullCode;
    else if (codes[i] < 0)
      codes[i] = kNotFound;
  }
  return codes;
}

PoolVector<int32_t> KeyColumn::FindWords(const arrow::Array& array, const Words& words) const {
  // The value in units of the table's column; it is not there unless it is whole and fits.
  const int64_t from = std::max<int64_t>(NanosecondsPerUnit(*array.type()), 1);
  const int64_t to = std::max<int64_t>(NanosecondsPerUnit(*array_->type()), 1);
  const bool from_unsigned = array.type_id() == arrow::Type::UINT64;
  const bool to_unsigned = array_->type_id() == arrow::Type::UINT64;
  const __int128 least = to_unsigned ? 0 : std::numeric_limits<int64_t>::min();
  const __int128 most = to_unsigned ? __int128{std::numeric_limits<uint64_t>::max()}
                                    : __int128{std::numeric_limits<int64_t>::max()};
  PoolVector<int32_t> codes(array.length(), kNullCode);
  const bool nulls = words.HasNulls();
  if (from == to && from_unsigned == to_unsigned) {
    for (int64_t i = 0; i < array.length(); ++i) {
      if (nulls && words.IsNull(i)) continue;
      const int32_t code = words_.Find(static_cast<uint64_t>(words[i]));
      codes[i] = code >= 0 ? code : kNotFound;
    }
    return codes;
  }
  for (int64_t i = 0; i < array.length(); ++i) {
    if (nulls && words.IsNull(i)) continue;
    __int128 value = from_unsigned ? __int128{static_cast<uint64_t>(words[i])} : __int128{words[i]};
    const bool whole = from >= to || value % (to / from) == 0;
    value = from >= to ? value * (from / to) : value / (to / from);
    const int32_t code =
        whole && value >= least && value <= most ? words_.Find(static_cast<uint64_t>(value)) : -1;
    codes[i] = code >= 0 ? code : kNotFound;
  }
  return codes;
}

PoolVector<int32_t> KeyColumn::FindDecimals(const std::shared_ptr<arrow::Array>& array,
                                            KeyClass type) const {
  PoolVector<int32_t> codes(array->length(), kNullCode);
  const std::vector<std::string> texts = DecimalTexts(array, type);
  for (int64_t i = 0; i < array->length(); ++i) {
    if (array->IsNull(i)) continue;
    int32_t code = -1;
    if (class_ == KeyClass::kDecimal) {
      code = strings_.Find(texts[i]);
    } else {
      // A decimal among integers: it is there only if it is an integer of the column's type.
      const arrow::Decimal256 value = DecimalAt(*array, i);
      const int scale = ScaleOf(*array->type());
      const arrow::Result<arrow::Decimal256> whole = value.Rescale(scale, 0);
      const bool to_unsigned = array_->type_id() == arrow::Type::UINT64;
      const bool fits =
          whole.ok() &&
          (to_unsigned ? *whole >= arrow::Decimal256(0) &&
                             *whole <= arrow::Decimal256(std::numeric_limits<uint64_t>::max())
                       : *whole >= arrow::Decimal256(std::numeric_limits<int64_t>::min()) &&
                             *whole <= arrow::Decimal256(std::numeric_limits<int64_t>::max()));
      if (fits) code = words_.Find(whole->low_bits());
    }
    codes[i] = code >= 0 ? code : kNotFound;
  }
  return codes;
}

}  // namespace viand::engine
