// Feature repos that several tests read.
#pragma once

#include <arrow/type.h>

#include <map>
#include <memory>
#include <string>

#include "src/definition/validation.h"
#include "src/definition/yaml_reader.h"

namespace viand::definition {

/// The retail example of DESIGN section 2.
inline constexpr const char* kRetail = R"yaml(
entities:
  - {name: customer, join_keys: [customer_id], value_type: INT64, description: Retail customer}

datasets:                                    # raw file -> clean typed table
  - name: transactions
    from:
      path: data/online_retail.xlsx
      types: {InvoiceNo: varchar, StockCode: varchar, CustomerID: bigint, Quantity: bigint, UnitPrice: double, InvoiceDate: timestamp}
    where: CustomerID is not null
    columns:
      customer_id: CustomerID
      invoice_no: InvoiceNo
      stock_code: StockCode
      quantity: Quantity
      invoice_date: InvoiceDate
      revenue: Quantity * UnitPrice
      is_cancellation: starts_with(InvoiceNo, 'C')
    to: data/transactions.parquet

sources:
  - {name: transactions, type: file, path: data/transactions.parquet, timestamp_field: invoice_date}

snapshots:                                   # a grid of cutoffs
  - {name: monthly, source: transactions, first: start + 90d, last: end - 30d, every: 30d}

feature_views:
  - name: customer_rfm_features
    entities: [customer]
    source: transactions
    snapshots: monthly
    window: 90d
    where: not is_cancellation
    features:
      recency_days: floor_days(as_of - max(invoice_date))
      frequency: count(distinct invoice_no)
      monetary: sum(revenue)
      tenure_days: {expr: floor_days(as_of - min(invoice_date)), window: unbounded}
    ttl: 0d
  - name: customer_behavior_features
    entities: [customer]
    source: transactions
    snapshots: monthly
    window: 90d
    having: count(* where not is_cancellation) > 0
    features:
      avg_order_value: avg(sum(revenue) per invoice_no where not is_cancellation)
      avg_basket_size: avg(sum(quantity) per invoice_no where not is_cancellation)
      n_unique_products: count(distinct stock_code where not is_cancellation)
      return_rate: avg(cast(first(is_cancellation) as double) per invoice_no)
      avg_days_between_purchases:
        expr: avg(floor_days(gap(first(invoice_date) per invoice_no where not is_cancellation)))
        default: 0

labels:                                      # a window after the cutoff; never a feature
  - name: purchased_30d
    population: customer_rfm_features        # one row for each of that view's (key, t)
    source: transactions
    window: 30d following
    columns:
      purchased: cast(count(* where not is_cancellation) > 0 as bigint)

feature_services:
  - {name: purchase_propensity_v1, features: [customer_rfm_features, customer_behavior_features]}

models:
  - name: purchase_propensity
    type: xgboost
    features: purchase_propensity_v1
    labels: purchased_30d
    target: purchased
    fill_null: 0
    split: {test: last_snapshot}
    params: {objective: "binary:logistic", max_depth: 4, eta: 0.1, seed: 42, eval_metric: logloss}
    num_boost_round: 100
)yaml";

/// Two entities, one with a two-column key of texts, times of several units and zones, no
/// snapshots, labels on a spine.
inline constexpr const char* kLogistics = R"yaml(
entities:
  - depot
  - name: lane
    join_keys: [origin, target]
    value_type: STRING
sources:
  - name: trips
    path: data/trips/*.parquet
    timestamp_field: started
    created_timestamp_column: loaded
    field_mapping: {dep: depot}
  - {name: depot_stats, path: data/depots.parquet, timestamp_field: day}
feature_views:
  - name: lane_trips
    entities: [lane]
    source: trips
    window: 36h
    where: |
      not cancelled
        and distance_km > 0   -- empty runs
    features:
      n_trips: count(*)
      last_driver: {expr: last(driver), default: nobody}
      longest: {expr: max(distance_km), window: 14d, description: in two weeks}
      no: any(cancelled)
  - name: depot_lanes
    entities: [depot, lane]
    source: trips
    window: unbounded
    features: {mean_km: avg(distance_km), first_seen: min(started)}
  - name: depot_size
    entities: depot
    source: depot_stats
    ttl: 7d
    schema:
      - {name: depot, dtype: Int64}
      - {name: docks, dtype: Int32}
      - {name: area, dtype: DOUBLE}
labels:
  - name: late
    population: {spine: data/orders.parquet, timestamp_column: asked_at, entities: [depot, lane]}
    source: trips
    window: 2d following
    columns: {was_late: any(late), hours: {expr: max(duration_h), default: -1.5, window: 1d following}}
feature_services:
  - name: late_v1
    features:
      - lane_trips:n_trips
      - {view: lane_trips, features: [longest], alias: way, join_key_map: {origin: target, target: origin}}
      - depot_size
      - depot_lanes:mean_km
models:
  - name: lateness
    features: late_v1
    labels: late
    target: was_late
    split: {test: {fraction: 0.25, by: time}}
  - name: lateness_from_file
    features: late_v1
    spine: data/orders.parquet
    timestamp_column: asked_at
    target: was_late
    split: {test: {after: 2024-03-01 12:00}}
)yaml";

using Schemas = std::map<std::string, std::shared_ptr<arrow::Schema>>;

/// The files of kLogistics.
inline Schemas LogisticsFiles() {
  using arrow::field;
  const auto trips =
      arrow::schema({field("dep", arrow::int32()), field("origin", arrow::utf8()),
                     field("target", arrow::dictionary(arrow::int32(), arrow::utf8())),
                     field("started", arrow::timestamp(arrow::TimeUnit::MILLI)),
                     field("loaded", arrow::timestamp(arrow::TimeUnit::MICRO, "Europe/Berlin")),
                     field("distance_km", arrow::float64()), field("duration_h", arrow::float64()),
                     field("driver", arrow::utf8()), field("cancelled", arrow::boolean()),
                     field("late", arrow::boolean())});
  const auto depots =
      arrow::schema({field("depot", arrow::int64()), field("day", arrow::date32()),
                     field("docks", arrow::int16()), field("area", arrow::float64())});
  const auto orders =
      arrow::schema({field("depot", arrow::int64()), field("origin", arrow::utf8()),
                     field("target", arrow::utf8()),
                     field("asked_at", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
                     field("was_late", arrow::boolean())});
  return {{"data/trips/*.parquet", trips},
          {"data/depots.parquet", depots},
          {"data/orders.parquet", orders}};
}

/// Reads and validates one file named "repo.yaml". `raw`: the headers of raw files.
inline arrow::Result<BoundDefinitions> ValidateText(const std::string& text,
                                                    const Schemas& files = {},
                                                    const Schemas& raw = {}) {
  Definitions definitions;
  VIAND_RETURN_NOT_OK(ReadDefinitionText(text, "repo.yaml", &definitions));
  const auto look_up = [](const Schemas& schemas, const std::string& path) -> SchemaResult {
    const auto found = schemas.find(path);
    return found == schemas.end() ? nullptr : found->second;
  };
  const auto on_disk = [&](const std::string& path) { return look_up(files, path); };
  const auto header = [&](const Dataset& dataset) {
    return look_up(raw, dataset.from.paths.front().name);
  };
  return Validate(std::make_shared<const Definitions>(std::move(definitions)),
                  {.source = [&](const Source& source) { return on_disk(source.path); },
                   .parquet = on_disk,
                   .spine = on_disk,
                   .raw = header});
}

/// Replaces the one place of `from` in `text`; a text without it stays, and the test that needs it
/// fails.
inline std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  if (at == std::string::npos) return "the test's text lacks: " + from;
  return text.replace(at, from.size(), to);
}

}  // namespace viand::definition
