#include "src/expression/number_functions.h"

#include <arrow/compute/api_scalar.h>
#include <arrow/compute/exec.h>

#include <cmath>

namespace viand::expression {
namespace {

arrow::Status Overflow() { return arrow::Status::Invalid("integer overflow"); }

arrow::Status DivisionByZero() {
  return MakeError(ErrorKind::kInput, "division by zero",
                   "divide by nullif(x, 0) for a null, or use / for a double");
}

arrow::Result<arrow::Datum> Kernel(const BatchCall& call, const char* integers,
                                   const char* floats) {
  arrow::compute::ExecContext context(call.pool);
  return arrow::compute::CallFunction(OnIntegers(call.expression) ? integers : floats, call.args,
                                      &context);
}

double Add(double a, double b) { return a + b; }
double Subtract(double a, double b) { return a - b; }
double Multiply(double a, double b) { return a * b; }
#if defined(__clang__)
__attribute__((no_sanitize("float-divide-by-zero")))
#endif
double
Divide(double a, double b) {
  return a / b;
}

}  // namespace

arrow::Result<int64_t> AddIntegers(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return Overflow();
  return sum;
}

arrow::Result<int64_t> SubtractIntegers(int64_t a, int64_t b) {
  int64_t difference = 0;
  if (__builtin_sub_overflow(a, b, &difference)) return Overflow();
  return difference;
}

arrow::Result<int64_t> MultiplyIntegers(int64_t a, int64_t b) {
  int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return Overflow();
  return product;
}

arrow::Result<int64_t> NegateInteger(int64_t a) { return SubtractIntegers(0, a); }
arrow::Result<int64_t> AbsoluteInteger(int64_t a) {
  if (a < 0) return NegateInteger(a);
  return a;
}

arrow::Result<int64_t> DivideIntegers(int64_t a, int64_t b) {
  if (b == 0) return DivisionByZero();
  if (b == -1) return NegateInteger(a);
  return a / b;
}

arrow::Result<int64_t> RemainderOfIntegers(int64_t a, int64_t b) {
  if (b == 0) return DivisionByZero();
  return b == -1 ? 0 : a % b;
}

arrow::Result<double> DivideWhole(double a, double b) {
  if (b == 0) return DivisionByZero();
  return a / b;
}

double RemainderOf(double a, double b) { return std::fmod(a, b); }

int64_t SignOfInteger(int64_t a) { return (a > 0) - (a < 0); }
int64_t SignOf(double a) { return (a > 0) - (a < 0); }
double RoundHalfAway(double a) { return std::round(a); }

double RoundTo(double a, int64_t digits) {
  if (!std::isfinite(a)) return a;
  // Past these the double has no such digits, or no others.
  if (digits > 330) return a;
  if (digits < -330) return 0;
  const double scale = std::pow(10.0, static_cast<double>(digits < 0 ? -digits : digits));
  const double rounded = digits < 0 ? std::round(a / scale) * scale : std::round(a * scale) / scale;
  if (digits > 0 && !std::isfinite(rounded)) return a;
  if (digits < 0 && !std::isfinite(rounded)) return 0;
  return rounded;
}

arrow::Result<int64_t> RoundIntegerTo(int64_t a, int64_t digits) {
  if (digits >= 0) return a;
  if (digits < -19) return 0;
  __int128 scale = 1;
  for (int64_t i = 0; i < -digits; ++i) scale *= 10;
  const __int128 half = a < 0 ? -(scale / 2) : scale / 2;
  const __int128 rounded = (static_cast<__int128>(a) + half) / scale * scale;
  if (rounded > INT64_MAX || rounded < INT64_MIN) return Overflow();
  return static_cast<int64_t>(rounded);
}

int64_t SameInteger(int64_t a) { return a; }
double Cotangent(double a) { return 1.0 / std::tan(a); }
bool IsNan(double a) { return std::isnan(a); }
bool IsFinite(double a) { return std::isfinite(a); }
bool IsInfinite(double a) { return std::isinf(a); }

arrow::Result<arrow::Datum> AddBatch(const BatchCall& call) {
  return Kernel(call, "add_checked", "add");
}
arrow::Result<arrow::Datum> SubtractBatch(const BatchCall& call) {
  return Kernel(call, "subtract_checked", "subtract");
}
arrow::Result<arrow::Datum> MultiplyBatch(const BatchCall& call) {
  return Kernel(call, "multiply_checked", "multiply");
}
arrow::Result<arrow::Datum> DivideBatch(const BatchCall& call) {
  return Kernel(call, "divide", "divide");
}

arrow::Result<Value> AddRow(const Expression& call, std::span<const Value> args) {
  return NumberRow<&AddIntegers, &Add>(call, args);
}
arrow::Result<Value> SubtractRow(const Expression& call, std::span<const Value> args) {
  return NumberRow<&SubtractIntegers, &Subtract>(call, args);
}
arrow::Result<Value> MultiplyRow(const Expression& call, std::span<const Value> args) {
  return NumberRow<&MultiplyIntegers, &Multiply>(call, args);
}
arrow::Result<Value> DivideRow(const Expression& call, std::span<const Value> args) {
  return MapRow<&Divide>(call, args);
}

bool OnIntegers(const Expression& call) {
  return ClassOf(*call.children.front()->type) != TypeClass::kFloat;
}

}  // namespace viand::expression
