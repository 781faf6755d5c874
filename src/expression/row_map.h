// Makes the two evaluators of a function from one plain C++ function on values: MapBatch<F> loops
// over columns, MapRow<F> unpacks a row. F takes bool, int64_t, double or std::string_view, and
// returns one of those, std::string, or arrow::Result of one. Nulls never reach F: a null argument
// makes a null.
#pragma once

#include <arrow/array/builder_binary.h>
#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/datum.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "src/expression/function_table.h"
#include "src/expression/sql_types.h"

namespace viand::expression {

/// Reads elements of a column, or a scalar for each row, as T.
template <class T>
class ArgReader;

template <>
class ArgReader<int64_t> {
 public:
  explicit ArgReader(const arrow::Datum& datum);
  int64_t operator[](int64_t i) const {
    switch (form_) {
      case arrow::Type::INT64:
        return static_cast<const int64_t*>(values_)[i];
      case arrow::Type::INT32:
        return static_cast<const int32_t*>(values_)[i];
      case arrow::Type::INT16:
        return static_cast<const int16_t*>(values_)[i];
      case arrow::Type::INT8:
        return static_cast<const int8_t*>(values_)[i];
      case arrow::Type::UINT32:
        return static_cast<const uint32_t*>(values_)[i];
      case arrow::Type::UINT16:
        return static_cast<const uint16_t*>(values_)[i];
      case arrow::Type::UINT8:
        return static_cast<const uint8_t*>(values_)[i];
      default:
        return constant_;
    }
  }

 private:
  arrow::Type::type form_ = arrow::Type::NA;  ///< how a value is stored; NA: constant_
  const void* values_ = nullptr;
  int64_t constant_ = 0;
};

template <>
class ArgReader<double> {
 public:
  explicit ArgReader(const arrow::Datum& datum);
  double operator[](int64_t i) const {
    if (doubles_ != nullptr) return doubles_[i];
    return floats_ != nullptr ? floats_[i] : constant_;
  }

 private:
  const double* doubles_ = nullptr;
  const float* floats_ = nullptr;
  double constant_ = 0;
};

template <>
class ArgReader<bool> {
 public:
  explicit ArgReader(const arrow::Datum& datum);
  bool operator[](int64_t i) const {
    return bits_ != nullptr ? arrow::bit_util::GetBit(bits_, offset_ + i) : constant_;
  }

 private:
  const uint8_t* bits_ = nullptr;
  int64_t offset_ = 0;
  bool constant_ = false;
};

template <>
class ArgReader<std::string_view> {
 public:
  explicit ArgReader(const arrow::Datum& datum);
  std::string_view operator[](int64_t i) const {
    if (offsets_ == nullptr) return constant_;
    return {bytes_ + offsets_[i], static_cast<size_t>(offsets_[i + 1] - offsets_[i])};
  }

 private:
  const int32_t* offsets_ = nullptr;
  const char* bytes_ = nullptr;
  std::string_view constant_;
};

/// Collects results into a column of a type.
template <class T>
class ResultWriter;

template <>
class ResultWriter<int64_t> {
 public:
  arrow::Status Start(const TypePtr& type, int64_t rows, arrow::MemoryPool* pool);
  arrow::Status Write(int64_t i, int64_t value) {
    if (value < range_.least || value > range_.greatest) return OutOfRange();
    switch (width_) {
      case 8:
        reinterpret_cast<int64_t*>(bytes_)[i] = value;
        break;
      case 4:
        reinterpret_cast<int32_t*>(bytes_)[i] = static_cast<int32_t>(value);
        break;
      case 2:
        reinterpret_cast<int16_t*>(bytes_)[i] = static_cast<int16_t>(value);
        break;
      default:
        reinterpret_cast<int8_t*>(bytes_)[i] = static_cast<int8_t>(value);
    }
    return arrow::Status::OK();
  }
  arrow::Status WriteNull(int64_t i) { return arrow::Status::OK(); }
  arrow::Result<std::shared_ptr<arrow::ArrayData>> Finish(std::shared_ptr<arrow::Buffer> validity);

 private:
  arrow::Status OutOfRange() const;
  TypePtr type_;
  int64_t rows_ = 0;
  IntegerRange range_{};
  int width_ = 8;
  std::shared_ptr<arrow::Buffer> buffer_;
  uint8_t* bytes_ = nullptr;
};

template <>
class ResultWriter<double> {
 public:
  arrow::Status Start(const TypePtr& type, int64_t rows, arrow::MemoryPool* pool);
  arrow::Status Write(int64_t i, double value) {
    if (single_) {
      reinterpret_cast<float*>(bytes_)[i] = static_cast<float>(value);
    } else {
      reinterpret_cast<double*>(bytes_)[i] = value;
    }
    return arrow::Status::OK();
  }
  arrow::Status WriteNull(int64_t i) { return arrow::Status::OK(); }
  arrow::Result<std::shared_ptr<arrow::ArrayData>> Finish(std::shared_ptr<arrow::Buffer> validity);

 private:
  TypePtr type_;
  int64_t rows_ = 0;
  bool single_ = false;
  std::shared_ptr<arrow::Buffer> buffer_;
  uint8_t* bytes_ = nullptr;
};

template <>
class ResultWriter<bool> {
 public:
  arrow::Status Start(const TypePtr& type, int64_t rows, arrow::MemoryPool* pool);
  arrow::Status Write(int64_t i, bool value) {
    arrow::bit_util::SetBitTo(bits_, i, value);
    return arrow::Status::OK();
  }
  arrow::Status WriteNull(int64_t i) { return arrow::Status::OK(); }
  arrow::Result<std::shared_ptr<arrow::ArrayData>> Finish(std::shared_ptr<arrow::Buffer> validity);

 private:
  int64_t rows_ = 0;
  std::shared_ptr<arrow::Buffer> buffer_;
  uint8_t* bits_ = nullptr;
};

template <>
class ResultWriter<std::string> {
 public:
  arrow::Status Start(const TypePtr& type, int64_t rows, arrow::MemoryPool* pool);
  arrow::Status Write(int64_t i, std::string_view value) { return builder_->Append(value); }
  arrow::Status WriteNull(int64_t i) { return builder_->AppendNull(); }
  arrow::Result<std::shared_ptr<arrow::ArrayData>> Finish(
      const std::shared_ptr<arrow::Buffer>& validity);

 private:
  std::unique_ptr<arrow::StringBuilder> builder_;
};

/// Returns the bitmap of the rows where no argument is null; null when there is no such row.
arrow::Result<std::shared_ptr<arrow::Buffer>> CommonValidity(const BatchCall& call);

/// Converts a result into a Value of `type`: integers are checked against its range, floats rounded
/// to it.
arrow::Result<Value> CheckedValue(int64_t result, const arrow::DataType& type);
arrow::Result<Value> CheckedValue(double result, const arrow::DataType& type);
inline arrow::Result<Value> CheckedValue(bool result, const arrow::DataType&) {
  return Value(result);
}
inline arrow::Result<Value> CheckedValue(std::string result, const arrow::DataType&) {
  return Value(std::move(result));
}
inline arrow::Result<Value> CheckedValue(std::string_view result, const arrow::DataType&) {
  return Value(std::string(result));
}

template <class T>
struct Unwrapped {
  using type = T;
  static constexpr bool kFails = false;
};
template <class T>
struct Unwrapped<arrow::Result<T>> {
  using type = T;
  static constexpr bool kFails = true;
};

template <class T>
struct StoredAs {
  using type = T;
};
template <>
struct StoredAs<std::string_view> {
  using type = std::string;
};

template <class F>
struct FunctionTraits;
template <class R, class... A>
struct FunctionTraits<R (*)(A...)> {
  using Result = typename Unwrapped<R>::type;
  using Stored = typename StoredAs<Result>::type;
  static constexpr bool kFails = Unwrapped<R>::kFails;
  static constexpr size_t kCount = sizeof...(A);
  using Readers = std::tuple<ArgReader<A>...>;
  template <size_t I>
  using Arg = std::tuple_element_t<I, std::tuple<A...>>;
};

template <auto F, size_t... I>
arrow::Result<arrow::Datum> MapColumns(const BatchCall& call, std::index_sequence<I...>) {
  using Traits = FunctionTraits<decltype(F)>;
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> validity, CommonValidity(call));
  const uint8_t* valid = validity == nullptr ? nullptr : validity->data();
  const typename Traits::Readers readers(
      ArgReader<typename Traits::template Arg<I>>(call.args[I])...);
  ResultWriter<typename Traits::Stored> writer;
  VIAND_RETURN_NOT_OK(writer.Start(call.expression.type, call.rows, call.pool));
  for (int64_t i = 0; i < call.rows; ++i) {
    if (valid != nullptr && !arrow::bit_util::GetBit(valid, i)) {
      VIAND_RETURN_NOT_OK(writer.WriteNull(i));
      continue;
    }
    if constexpr (Traits::kFails) {
      VIAND_ASSIGN_OR_RETURN(auto result, F(std::get<I>(readers)[i]...));
      VIAND_RETURN_NOT_OK(writer.Write(i, result));
    } else {
      VIAND_RETURN_NOT_OK(writer.Write(i, F(std::get<I>(readers)[i]...)));
    }
  }
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<arrow::ArrayData> data,
                         writer.Finish(std::move(validity)));
  return arrow::Datum(std::move(data));
}

template <auto F>
arrow::Result<arrow::Datum> MapBatch(const BatchCall& call) {
  return MapColumns<F>(call, std::make_index_sequence<FunctionTraits<decltype(F)>::kCount>());
}

template <class T>
T ArgOf(const Value& value) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return std::get<std::string>(value);
  } else {
    return std::get<T>(value);
  }
}

template <auto F, size_t... I>
arrow::Result<Value> MapValues(const Expression& call, std::span<const Value> args,
                               std::index_sequence<I...>) {
  using Traits = FunctionTraits<decltype(F)>;
  if constexpr (Traits::kFails) {
    VIAND_ASSIGN_OR_RETURN(auto result, F(ArgOf<typename Traits::template Arg<I>>(args[I])...));
    return CheckedValue(std::move(result), *call.type);
  } else {
    return CheckedValue(F(ArgOf<typename Traits::template Arg<I>>(args[I])...), *call.type);
  }
}

template <auto F>
arrow::Result<Value> MapRow(const Expression& call, std::span<const Value> args) {
  return MapValues<F>(call, args, std::make_index_sequence<FunctionTraits<decltype(F)>::kCount>());
}

}  // namespace viand::expression
