#include "src/offline/range_spine.h"

#include <arrow/compute/api.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "src/common/disk_pool.h"
#include "src/common/time.h"
#include "src/engine/executor.h"
#include "src/engine/key_times.h"
#include "src/offline/key_rows.h"

namespace viand::offline {
namespace {

namespace cp = arrow::compute;
using TablePtr = std::shared_ptr<arrow::Table>;

/// Feast's, of views without a ttl.
constexpr int64_t kDefaultRangeUs = 30 * kMicrosPerDay;

arrow::Result<int64_t> TimeOfOption(const std::string& text, const std::string& option) {
  auto time = ParseTimestampUs(text);
  if (time.ok()) return *time;
  return MakeError(ErrorKind::kUsage, fmt::format("{} \"{}\" is not a time", option, text),
                   "write it as 2011-03-01 or 2011-03-01 08:26:00");
}

arrow::Result<engine::TimeRange> TimesOf(const std::vector<engine::Lookup>& lookups,
                                         const SpineRange& range) {
  int64_t end_us = NowUs();
  if (!range.end.empty()) {
    ARROW_ASSIGN_OR_RAISE(end_us, TimeOfOption(range.end, "--end"));
  }
  int64_t longest_ttl_us = 0;
  for (const engine::Lookup& lookup : lookups) {
    const auto* view = std::get_if<engine::AsOfView>(&lookup.view);
    if (view != nullptr) longest_ttl_us = std::max(longest_ttl_us, view->ttl_us);
  }
  int64_t start_us = end_us - (longest_ttl_us > 0 ? longest_ttl_us : kDefaultRangeUs);
  if (!range.start.empty()) {
    ARROW_ASSIGN_OR_RAISE(start_us, TimeOfOption(range.start, "--start"));
  }
  if (start_us > end_us) {
    return MakeError(ErrorKind::kUsage,
                     fmt::format("the range is empty: --start {} is after --end {}",
                                 FormatTimestamp(start_us), FormatTimestamp(end_us)),
                     "both bounds are inclusive; without --end it is now");
  }
  return engine::TimeRange{.min_us = start_us, .max_us = end_us};
}

/// The lookups that have every key.
arrow::Result<std::vector<const engine::Lookup*>> WidestOf(
    const std::vector<engine::Lookup>& lookups) {
  std::vector<std::string> all;
  for (const engine::Lookup& lookup : lookups) {
    for (const std::string& key : lookup.spine_keys) {
      if (std::find(all.begin(), all.end(), key) == all.end()) all.push_back(key);
    }
  }
  std::vector<const engine::Lookup*> widest;
  for (const engine::Lookup& lookup : lookups) {
    if (lookup.spine_keys.size() == all.size()) widest.push_back(&lookup);
  }
  if (!widest.empty()) return widest;
  return MakeError(
      ErrorKind::kUsage,
      fmt::format("without a spine one of the feature views must have all keys: {}",
                  fmt::join(all, ", ")),
      "no view tells which of them belong together: give a --spine, or ask for the views apart");
}

bool IsNanoseconds(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP &&
         static_cast<const arrow::TimestampType&>(type).unit() == arrow::TimeUnit::NANO;
}

/// One table of the views' keys and times, in UTC. A time keeps its nanoseconds: cut off, it would
/// lie before its own row.
arrow::Result<TablePtr> Together(const std::vector<TablePtr>& tables, cp::ExecContext* context) {
  auto unit = arrow::TimeUnit::MICRO;
  for (const TablePtr& table : tables) {
    if (IsNanoseconds(*table->schema()->fields().back()->type())) unit = arrow::TimeUnit::NANO;
  }
  const auto type = arrow::timestamp(unit, "UTC");
  std::vector<TablePtr> typed;
  for (const TablePtr& table : tables) {
    const int last = table->num_columns() - 1;
    ARROW_ASSIGN_OR_RAISE(const auto time,
                          cp::Cast(table->column(last), type, cp::CastOptions::Safe(), context));
    ARROW_ASSIGN_OR_RAISE(auto cast, table->SetColumn(last, arrow::field("event_timestamp", type),
                                                      time.chunked_array()));
    std::vector<int> order;
    for (const std::string& name : tables[0]->ColumnNames())
      order.push_back(cast->schema()->GetFieldIndex(name));
    ARROW_ASSIGN_OR_RAISE(cast, cast->SelectColumns(order));
    typed.push_back(std::move(cast));
  }
  arrow::ConcatenateTablesOptions options;
  options.unify_schemas = true;
  options.field_merge_options = arrow::Field::MergeOptions::Permissive();
  auto whole = arrow::ConcatenateTables(typed, options);
  if (whole.ok()) return whole;
  return MakeError(ErrorKind::kInput,
                   "the feature views have keys of types that are not compared with each other: " +
                       whole.status().message(),
                   "give a --spine, or ask for the views apart");
}

arrow::Result<TablePtr> Ordered(const TablePtr& table, bool time_first, cp::ExecContext* context) {
  std::vector<cp::SortKey> order;
  const int keys = table->num_columns() - 1;
  if (time_first) order.emplace_back(arrow::FieldRef(keys));
  for (int key = 0; key < keys; ++key) order.emplace_back(arrow::FieldRef(key));
  if (order.empty()) return table;
  ARROW_ASSIGN_OR_RAISE(const auto rows, cp::SortIndices(table, cp::SortOptions(order), context));
  ARROW_ASSIGN_OR_RAISE(auto sorted,
                        cp::Take(table, rows, cp::TakeOptions::NoBoundsCheck(), context));
  return sorted.table();
}

}  // namespace

arrow::Result<engine::Scan> SpineOfRange(const RepoContext& context,
                                         const std::vector<engine::Lookup>& lookups,
                                         const SpineRange& range,
                                         const std::string& timestamp_column) {
  ARROW_ASSIGN_OR_RAISE(const engine::TimeRange times, TimesOf(lookups, range));
  ARROW_ASSIGN_OR_RAISE(const auto widest, WidestOf(lookups));
  std::vector<TablePtr> tables;
  for (const engine::Lookup* lookup : widest) {
    ARROW_ASSIGN_OR_RAISE(auto table, engine::ReadKeyTimes(*lookup, times, context.execute));
    tables.push_back(std::move(table));
  }
  int64_t bytes = 0;
  for (const TablePtr& table : tables) bytes += arrow::util::TotalBufferSize(*table);
  cp::ExecContext held(context.execute.executor->PoolFor(bytes));
  ARROW_ASSIGN_OR_RAISE(TablePtr table, Together(tables, &held));
  if (!range.every_row) {
    // Equal times leave one row of each key.
    ARROW_ASSIGN_OR_RAISE(table, table->RemoveColumn(table->num_columns() - 1));
    ARROW_ASSIGN_OR_RAISE(table, StampWith(table, *times.max_us));
  }
  ARROW_ASSIGN_OR_RAISE(table, engine::DistinctRows(table, held.memory_pool()));
  ARROW_ASSIGN_OR_RAISE(table, Ordered(table, range.every_row, &held));
  ARROW_RETURN_NOT_OK(TakeFailureOf(held.memory_pool()));
  std::vector<std::string> names = table->ColumnNames();
  names.back() = timestamp_column;
  engine::Scan scan;
  ARROW_ASSIGN_OR_RAISE(scan.table, table->RenameColumns(names));
  scan.described_as = fmt::format("the rows from {} to {}", FormatTimestamp(*times.min_us),
                                  FormatTimestamp(*times.max_us));
  return scan;
}

}  // namespace viand::offline
