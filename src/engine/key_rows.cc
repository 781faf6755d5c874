#include "src/engine/key_rows.h"

#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "src/engine/arrange_stage.h"
#include "src/engine/opened_lookup.h"
#include "src/engine/spine.h"
#include "src/engine/view_columns.h"

namespace viand::engine {
namespace {

using Names = std::vector<std::string>;
using SchemaPtr = std::shared_ptr<arrow::Schema>;

std::shared_ptr<const HeldRows> Shared(HeldRows rows) {
  return std::make_shared<const HeldRows>(std::move(rows));
}

std::vector<int> FirstNumbers(size_t count) {
  std::vector<int> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

/// The view's keys in the order of some spine columns.
Names KeysInOrder(const Lookup& lookup, const Names& spine_keys) {
  const Names& keys =
      std::visit([](const auto& view) -> const Names& { return view.keys; }, lookup.view);
  Names ordered;
  for (const std::string& name : spine_keys) {
    const auto at = std::find(lookup.spine_keys.begin(), lookup.spine_keys.end(), name);
    ordered.push_back(keys[at - lookup.spine_keys.begin()]);
  }
  return ordered;
}

/// Keys and times of the views' rows, as they lie in their sources.
class ViewRows {
 public:
  ViewRows(const KeyTimes& wanted, const ExecuteOptions& options)
      : wanted_(wanted), options_(options), names_(wanted.lookups[0]->spine_keys) {
    names_.push_back(wanted.time);
  }

  arrow::Status Read() {
    for (const Lookup* lookup : wanted_.lookups) VIAND_RETURN_NOT_OK(ReadOne(*lookup));
    return arrow::Status::OK();
  }

  const PartitionInputs& tables() const { return tables_; }

  /// The types that all of them become.
  arrow::Result<SchemaPtr> Together() const {
    auto unit = arrow::TimeUnit::MICRO;
    for (const SchemaPtr& schema : schemas_) {
      if (IsNanoseconds(*schema->fields().back()->type())) unit = arrow::TimeUnit::NANO;
    }
    std::vector<SchemaPtr> typed;
    for (const SchemaPtr& schema : schemas_) {
      const int last = schema->num_fields() - 1;
      VIAND_ASSIGN_OR_RETURN(
          typed.emplace_back(),
          schema->SetField(last, arrow::field(wanted_.time, arrow::timestamp(unit, "UTC"))));
    }
    auto whole = arrow::UnifySchemas(typed, arrow::Field::MergeOptions::Permissive());
    if (whole.ok()) return whole;
    return MakeError(
        ErrorKind::kInput,
        "the feature views have keys of types that are not compared with each other: " +
            whole.status().message(),
        "give a --spine, or ask for the views apart");
  }

 private:
  static bool IsNanoseconds(const arrow::DataType& type) {
    return type.id() == arrow::Type::TIMESTAMP &&
           static_cast<const arrow::TimestampType&>(type).unit() == arrow::TimeUnit::NANO;
  }

  arrow::Status ReadOne(const Lookup& lookup) {
    VIAND_ASSIGN_OR_RETURN(OpenedScan source, OpenScan(SourceOf(lookup), {}, options_.executor));
    VIAND_RETURN_NOT_OK(CheckTimeColumn(source, TimeOf(lookup)));
    MapRequest request;
    request.keys = KeysInOrder(lookup, wanted_.lookups[0]->spine_keys);
    request.columns = request.keys;
    request.columns.push_back(TimeOf(lookup));
    request.drop_null_keys = true;
    request.filter = SourceOf(lookup).filter;
    request.time_column = TimeOf(lookup);
    request.range = wanted_.range;
    VIAND_ASSIGN_OR_RETURN(MapOutputs mapped, RunMapStage(&source, request, options_));
    VIAND_RETURN_NOT_OK(CheckUnchanged(source));
    VIAND_ASSIGN_OR_RETURN(schemas_.emplace_back(), mapped.schema->WithNames(names_));
    tables_.insert(tables_.end(), mapped.partitions[0].begin(), mapped.partitions[0].end());
    return arrow::Status::OK();
  }

  const KeyTimes& wanted_;
  const ExecuteOptions& options_;
  Names names_;
  PartitionInputs tables_;
  std::vector<SchemaPtr> schemas_;  // of each lookup's
};

/// One row without keys, where there is any: `tables` have their times alone.
arrow::Result<PartitionInputs> OneOf(const PartitionInputs& tables, const SchemaPtr& times,
                                     const Arrangement& arrangement,
                                     const ExecuteOptions& options) {
  ArrangeFragment fragment;
  fragment.columns = times;
  fragment.most_rows = 1;
  std::vector<FragmentCall> calls;
  for (const TableReference& table : tables) calls.push_back({fragment, {table}});
  const auto run = [&](std::vector<FragmentCall> stage) {
    return options.executor->RunStage("distinct keys", std::move(stage), options.progress, nullptr);
  };
  VIAND_ASSIGN_OR_RETURN(const auto some, run(std::move(calls)));
  FragmentCall last{fragment, {}};
  auto& one = std::get<ArrangeFragment>(last.fragment);
  one.dropped = 1;
  one.time_us = arrangement.time_us;
  one.time_name = arrangement.time_name;
  for (const auto& of_table : some) last.inputs.push_back(of_table[0]);
  std::vector<FragmentCall> stage;
  stage.push_back(std::move(last));
  VIAND_ASSIGN_OR_RETURN(auto outputs, run(std::move(stage)));
  return std::move(outputs[0]);
}

arrow::Status CheckKeys(const Spine& spine, const Names& keys) {
  for (const std::string& name : keys) {
    if (spine.schema().GetFieldByName(name) != nullptr) continue;
    return MakeError(ErrorKind::kInput, fmt::format("the spine has no column \"{}\"", name),
                     NearestOrAll(name, spine.schema().field_names(), "columns are "));
  }
  return arrow::Status::OK();
}

/// Each of the keys once in each partition, with the number of its first row.
arrow::Result<PartitionInputs> DistinctInPartitions(const MapOutputs& mapped, const SchemaPtr& rows,
                                                    const ExecuteOptions& options) {
  ArrangeFragment fragment;
  // Without keys the time was read, for something must be.
  if (rows->num_fields() == 1) fragment.chosen = {1};
  fragment.columns = rows;
  fragment.order = FirstNumbers(static_cast<size_t>(rows->num_fields()));
  fragment.distinct = rows->num_fields() - 1;
  // Without keys all rows are of one.
  if (fragment.distinct == 0) fragment.most_rows = 1;
  std::vector<FragmentCall> calls;
  for (const PartitionInputs& partition : mapped.partitions) calls.push_back({fragment, partition});
  VIAND_ASSIGN_OR_RETURN(auto outputs, options.executor->RunStage("distinct keys", std::move(calls),
                                                                  options.progress, nullptr));
  PartitionInputs tables;
  for (auto& of_partition : outputs) tables.push_back(std::move(of_partition[0]));
  return tables;
}

}  // namespace

arrow::Result<std::shared_ptr<const HeldRows>> RowsOfKeys(const KeyTimes& wanted,
                                                          const ExecuteOptions& options) {
  ViewRows rows(wanted, options);
  VIAND_RETURN_NOT_OK(rows.Read());
  VIAND_ASSIGN_OR_RETURN(SchemaPtr columns, rows.Together());
  const size_t keys = wanted.lookups[0]->spine_keys.size();
  Arrangement arrangement{.chosen = {}, .columns = columns, .order = {}};
  arrangement.described_as = "keys";
  HeldRows held{
      .schema = columns, .tables = {}, .time = wanted.time, .range = wanted.range, .keys = {}};
  if (wanted.every_row) {
    arrangement.order = {static_cast<int>(keys)};
    // What is a fraction of a microsecond after the end is in it.
    held.range.max_us = Shifted(*wanted.range.max_us, 1);
  } else {
    arrangement.chosen = FirstNumbers(keys);
    VIAND_ASSIGN_OR_RETURN(arrangement.columns, columns->RemoveField(static_cast<int>(keys)));
    arrangement.time_us = wanted.range.max_us;
    arrangement.time_name = wanted.time;
    VIAND_ASSIGN_OR_RETURN(
        held.schema,
        columns->SetField(
            static_cast<int>(keys),
            arrow::field(wanted.time, arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"))));
    held.range.min_us = wanted.range.max_us;
  }
  for (size_t key = 0; key < keys; ++key) arrangement.order.push_back(static_cast<int>(key));
  arrangement.distinct = static_cast<int>(arrangement.order.size());
  VIAND_ASSIGN_OR_RETURN(held.tables, arrangement.order.empty()
                                          ? OneOf(rows.tables(), columns, arrangement, options)
                                          : RunArrangeStage(rows.tables(), arrangement, options));
  return Shared(std::move(held));
}

arrow::Result<StampedKeys> FirstKeys(const Scan& spine, const std::string& timestamp_column,
                                     const std::vector<std::string>& keys,
                                     std::optional<int64_t> time_us,
                                     const ExecuteOptions& options) {
  VIAND_ASSIGN_OR_RETURN(
      const Spine opened,
      OpenSpine({.spine = spine, .spine_timestamp = timestamp_column, .lookups = {}}, keys, {},
                options));
  VIAND_RETURN_NOT_OK(CheckKeys(opened, keys));
  if (!time_us && !opened.range.IsEmpty()) time_us = opened.range.max_us;
  if (!time_us) {
    return MakeError(ErrorKind::kInput,
                     fmt::format("column \"{}\" of the spine holds no time", timestamp_column));
  }
  std::vector<std::shared_ptr<arrow::DataType>> types;
  for (const std::string& key : keys) types.push_back(opened.schema().GetFieldByName(key)->type());
  VIAND_ASSIGN_OR_RETURN(SpineKeys of_spine, KeysOf(opened, keys, types));
  VIAND_ASSIGN_OR_RETURN(const SchemaPtr columns, SelectColumns(of_spine.scan, keys));
  MapRequest request;
  request.columns = keys.empty() ? Names{of_spine.time} : keys;
  request.keys = keys;
  request.drop_null_keys = true;
  request.row_numbers = true;
  const InputSize size{opened.rows, opened.rows * RowBytesIn(of_spine.scan, *columns)};
  request.partitions = keys.empty() ? 1 : ChoosePartitionCount(size, options);
  VIAND_ASSIGN_OR_RETURN(const MapOutputs mapped, RunMapStage(&of_spine.scan, request, options));
  VIAND_RETURN_NOT_OK(CheckUnchanged(opened.scan));
  const int count = columns->num_fields();
  VIAND_ASSIGN_OR_RETURN(const SchemaPtr numbered,
                         columns->AddField(count, arrow::field("row", arrow::int64(), false)));
  VIAND_ASSIGN_OR_RETURN(const auto distinct, DistinctInPartitions(mapped, numbered, options));
  Arrangement arrangement{.chosen = {}, .columns = numbered, .order = {count}};
  arrangement.dropped = 1;
  arrangement.time_us = time_us;
  arrangement.time_name = "event_timestamp";
  arrangement.described_as = "keys";
  HeldRows held{.schema = nullptr,
                .tables = {},
                .time = arrangement.time_name,
                .range = {.min_us = time_us, .max_us = time_us},
                .keys = opened.keys};
  VIAND_ASSIGN_OR_RETURN(
      held.schema,
      numbered->SetField(count, arrow::field(arrangement.time_name,
                                             arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"))));
  VIAND_ASSIGN_OR_RETURN(held.tables, RunArrangeStage(distinct, arrangement, options));
  return StampedKeys{.rows = Shared(std::move(held)), .time_us = *time_us};
}

}  // namespace viand::engine
