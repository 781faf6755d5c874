// A training set's shape: spine rows of random customers and times against nine snapshots of each
// customer, and the same with keys of text, with a ttl, and with a time of creation. Run:
// as_of_join_benchmark
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <benchmark/benchmark.h>

#include <random>

#include "src/engine/as_of_join.h"

namespace viand::engine {
namespace {

constexpr int64_t kDayUs = int64_t{86400} * 1000000;
constexpr int64_t kCustomers = 50000;
constexpr int64_t kSnapshots = 9;
constexpr int64_t kSpineRows = 500000;

using Column = std::shared_ptr<arrow::Array>;

struct Shape {
  bool text_keys = false;
  bool created = false;
  AsOfOptions options;
};

/// Collects rows; a status that is not OK ends the benchmark, for its figures would mean nothing.
class SideBuilder {
 public:
  void Append(int64_t customer, int64_t time_us) {
    status_ &= number_.Append(customer);
    status_ &= text_.Append("customer-" + std::to_string(customer));
    status_ &= time_.Append(time_us);
    status_ &= created_.Append(time_us + kDayUs / 24);
  }
  arrow::Result<AsOfSide> Finish(const Shape& shape) {
    ARROW_RETURN_NOT_OK(status_);
    AsOfSide side;
    ARROW_ASSIGN_OR_RAISE(Column number, number_.Finish());
    ARROW_ASSIGN_OR_RAISE(Column text, text_.Finish());
    ARROW_ASSIGN_OR_RAISE(side.time, time_.Finish());
    side.keys = {shape.text_keys ? text : number};
    if (shape.created) {
      ARROW_ASSIGN_OR_RAISE(side.created, created_.Finish());
    }
    return side;
  }

 private:
  const std::shared_ptr<arrow::DataType> type_ = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  arrow::Int64Builder number_;
  arrow::StringBuilder text_;
  arrow::TimestampBuilder time_{type_, arrow::default_memory_pool()};
  arrow::TimestampBuilder created_{type_, arrow::default_memory_pool()};
  arrow::Status status_;
};

arrow::Result<AsOfSide> MakeSpine(const Shape& shape) {
  std::mt19937_64 random(1);
  SideBuilder spine;
  for (int64_t row = 0; row < kSpineRows; ++row) {
    spine.Append(static_cast<int64_t>(random() % kCustomers),
                 static_cast<int64_t>(random() % 365) * kDayUs);
  }
  return spine.Finish({.text_keys = shape.text_keys});
}

arrow::Result<AsOfSide> MakeFeatures(const Shape& shape) {
  SideBuilder features;
  for (int64_t snapshot = 0; snapshot < kSnapshots; ++snapshot) {
    for (int64_t customer = 0; customer < kCustomers; ++customer) {
      features.Append(customer, (90 + 30 * snapshot) * kDayUs);
    }
  }
  return features.Finish(shape);
}

void Join(benchmark::State& state, const Shape& shape) {
  const auto spine = MakeSpine(shape);
  const auto features = MakeFeatures(shape);
  if (!spine.ok() || !features.ok()) return state.SkipWithError("the rows could not be made");
  for (auto _ : state) {
    const auto rows = AsOfJoin(*spine, *features, shape.options);
    if (!rows.ok()) return state.SkipWithError(rows.status().ToString().c_str());
    benchmark::DoNotOptimize(rows);
  }
  state.SetItemsProcessed(state.iterations() * (kSpineRows + kCustomers * kSnapshots));
}

BENCHMARK_CAPTURE(Join, integer_keys, Shape{})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Join, text_keys, Shape{.text_keys = true})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Join, ttl, Shape{.options = {.ttl_us = 30 * kDayUs}})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Join, created, Shape{.created = true, .options = {.created_not_after = true}})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace viand::engine

BENCHMARK_MAIN();
