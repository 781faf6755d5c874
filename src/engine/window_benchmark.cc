// The retail shape: 400,000 lines of 4,300 customers in 22,000 invoices over a year, nine cutoffs,
// ten features. Run: window_benchmark
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <benchmark/benchmark.h>

#include <random>

#include "src/engine/window_aggregate.h"
#include "src/expression/binder.h"

namespace viand::engine {
namespace {

constexpr int64_t kDayUs = int64_t{86400} * 1000000;
constexpr int64_t kRows = 400000;

EventRows MakeEvents() {
  std::mt19937_64 random(1);
  arrow::Int64Builder key, quantity;
  arrow::TimestampBuilder time(arrow::timestamp(arrow::TimeUnit::MICRO),
                               arrow::default_memory_pool());
  arrow::StringBuilder order, product;
  arrow::DoubleBuilder amount;
  arrow::BooleanBuilder returned;
  arrow::Status status;
  for (int64_t row = 0, line = 0, id = 500000; row < kRows; ++row, --line) {
    static int64_t customer = 0;
    if (line == 0) {
      line = 1 + static_cast<int64_t>(random() % 36);
      customer = static_cast<int64_t>(random() % 4300);
      ++id;
    }
    status &= key.Append(customer);
    status &= quantity.Append(1 + static_cast<int64_t>(random() % 24));
    status &= time.Append(row * 365 * kDayUs / kRows / 60000000 * 60000000);
    status &= order.Append(std::to_string(id));
    status &= product.Append(std::to_string(10000 + random() % 3700));
    status &= amount.Append(static_cast<double>(random() % 10000) * 0.01 *
                            static_cast<double>(1 + random() % 24));
    status &= returned.Append(id % 6 == 0);
  }
  const auto finish = [](auto& builder) { return *builder.Finish(); };
  const auto times = finish(time);
  const auto schema = arrow::schema(
      {arrow::field("at", times->type()), arrow::field("quantity", arrow::int64()),
       arrow::field("orders", arrow::utf8()), arrow::field("product", arrow::utf8()),
       arrow::field("amount", arrow::float64()), arrow::field("returned", arrow::boolean())});
  return {arrow::RecordBatch::Make(schema, kRows,
                                   {times, finish(quantity), finish(order), finish(product),
                                    finish(amount), finish(returned)}),
          {finish(key)},
          times};
}

WindowSpec MakeSpec(const EventRows& events, const std::vector<std::string>& features) {
  WindowSpec spec{.existence = {.length_us = 90 * kDayUs}};
  for (const std::string& text : features) {
    const auto bound = expression::ParseAndBind(
        text, {.columns = events.columns->schema(), .aggregates = true, .as_of = true});
    spec.features.push_back({text, *expression::SplitAggregates(*bound), spec.existence, nullptr});
  }
  return spec;
}

std::vector<int64_t> Cutoffs() {
  std::vector<int64_t> cutoffs;
  for (int i = 0; i < 9; ++i) cutoffs.push_back((90 + 30 * i) * kDayUs);
  return cutoffs;
}

void Grid(benchmark::State& state, const std::vector<std::string>& features) {
  static const EventRows events = MakeEvents();
  const WindowSpec spec = MakeSpec(events, features);
  for (auto _ : state) {
    const auto batch = AggregateAtGrid(events, {"customer"}, Cutoffs(), spec);
    if (!batch.ok()) state.SkipWithError(batch.status().ToString().c_str());
    benchmark::DoNotOptimize(batch);
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}

const std::vector<std::string> kRetail = {
    "floor_days(as_of - max(at))",
    "count(distinct orders)",
    "sum(amount where not returned)",
    "floor_days(as_of - min(at))",
    "avg(sum(amount) per orders where not returned)",
    "avg(sum(quantity) per orders where not returned)",
    "count(distinct product where not returned)",
    "avg(cast(first(returned) as double) per orders)",
    "avg(floor_days(gap(first(at) per orders where not returned)))",
    "count(* where not returned)"};

BENCHMARK_CAPTURE(Grid, retail, kRetail)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Grid, count, std::vector<std::string>{"count(*)"})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Grid, sum, std::vector<std::string>{"sum(amount)"})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Grid, stddev, std::vector<std::string>{"stddev(amount)"})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Grid, median, std::vector<std::string>{"median(amount)"})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Grid, distinct, std::vector<std::string>{"count(distinct product)"})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Grid, per, std::vector<std::string>{kRetail[4]})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace viand::engine

BENCHMARK_MAIN();
