#include <arrow/array.h>
#include <arrow/compute/initialize.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "src/engine/assemble_rows.h"
#include "src/engine/execute.h"
#include "src/engine/look_up_as_of.h"
#include "src/engine/lookup_keys.h"
#include "src/engine/map_stage.h"
#include "src/engine/opened_lookup.h"
#include "src/engine/place_error.h"
#include "src/engine/plain_array.h"
#include "src/engine/result_names.h"
#include "src/engine/spine.h"
#include "src/engine/view_columns.h"

namespace viand::engine {
namespace {

using Names = std::vector<std::string>;

/// The spine dealt out by one set of keys.
struct SpineParts {
  int first_lookup = 0;
  InputSize most;  ///< of the spine and of every source that is looked up by these keys
  std::vector<std::shared_ptr<arrow::DataType>> key_types;  ///< of the first view
  std::vector<PartitionInputs> partitions;
};

class Retrieval {
 public:
  Retrieval(const RetrievalPlan& plan, const ExecuteOptions& options)
      : plan_(plan), options_(options) {}

  arrow::Result<std::shared_ptr<arrow::Table>> Run() {
    VIAND_ASSIGN_OR_RETURN(lookups_, OpenLookups(plan_));
    VIAND_RETURN_NOT_OK(ReadSpineRows());
    VIAND_RETURN_NOT_OK(CheckNames());
    VIAND_RETURN_NOT_OK(PartitionSpine());
    auto result = LookUpAll();
    // It explains any failure better than the failure does.
    for (const OpenedLookup& opened : lookups_) VIAND_RETURN_NOT_OK(CheckUnchanged(opened.source));
    return result;
  }

 private:
  arrow::Result<std::shared_ptr<arrow::Table>> LookUpAll() {
    std::shared_ptr<arrow::Table> result = spine_.table;
    for (OpenedLookup& opened : lookups_) {
      auto appended = Append(std::move(result), &opened);
      const auto* view = std::get_if<WindowView>(&opened.lookup->view);
      if (!appended.ok() && view != nullptr) return PlacedInView(appended.status(), *view);
      VIAND_ASSIGN_OR_RETURN(result, std::move(appended));
    }
    return result;
  }

  arrow::Status CheckNames() const {
    ResultNames names;
    for (const std::string& name : spine_.table->ColumnNames()) {
      VIAND_RETURN_NOT_OK(names.Add(name, spine_.described_as));
    }
    for (const Lookup& lookup : plan_.lookups) {
      for (const std::string& name : lookup.output_names) {
        VIAND_RETURN_NOT_OK(names.Add(name, DescriptionOf(lookup)));
      }
    }
    return arrow::Status::OK();
  }

  arrow::Status ReadSpineRows() {
    StageTimer timer(NewStage(options_.counters, {OperatorKind::kReadSpine}));
    VIAND_ASSIGN_OR_RETURN(spine_, ReadSpine(plan_, CsvTypesOf(lookups_), options_));
    return timer.Count(spine_.table->num_rows(), *spine_.table);
  }

  arrow::Status PartitionSpine() {
    for (const OpenedLookup& opened : lookups_) {
      VIAND_RETURN_NOT_OK(CheckKeyTypes(spine_, opened.spine_keys, opened.source, opened.view_keys,
                                        DescriptionOf(*opened.lookup)));
      SpineParts& parts =
          spines_.try_emplace(opened.spine_keys, SpineParts{.first_lookup = opened.index})
              .first->second;
      VIAND_RETURN_NOT_OK(RaiseSize(opened, spine_.table->num_rows(), &parts.most));
      if (!parts.key_types.empty()) continue;
      VIAND_ASSIGN_OR_RETURN(const auto schema, SelectColumns(opened.source, opened.view_keys));
      for (const auto& field : schema->fields()) parts.key_types.push_back(field->type());
    }
    for (auto& [keys, parts] : spines_) {
      VIAND_ASSIGN_OR_RETURN(OpenedScan scan, engine::KeysOf(spine_, keys, parts.key_types));
      MapRequest request;
      request.columns = scan.schema->field_names();
      request.keys = Names(request.columns.begin(), request.columns.end() - 1);
      request.row_numbers = true;
      request.operation = {OperatorKind::kPartitionSpine, parts.first_lookup};
      request.partitions = keys.empty() ? 1 : ChoosePartitionCount(parts.most, options_);
      VIAND_ASSIGN_OR_RETURN(MapOutputs mapped, RunMapStage(&scan, request, options_));
      parts.partitions = std::move(mapped.partitions);
    }
    return arrow::Status::OK();
  }

  /// Runs one lookup and appends its outputs.
  arrow::Result<std::shared_ptr<arrow::Table>> Append(std::shared_ptr<arrow::Table> result,
                                                      OpenedLookup* opened) {
    const SpineParts& spine = spines_.at(opened->spine_keys);
    VIAND_ASSIGN_OR_RETURN(const auto columns,
                           std::visit([&](const auto& view) { return Find(view, spine, opened); },
                                      opened->lookup->view));
    for (size_t i = 0; i < columns.size(); ++i) {
      VIAND_ASSIGN_OR_RETURN(auto column,
                             RestoreType(columns[i], OutputType(*opened, i, *columns[i])));
      const auto field = arrow::field(opened->lookup->output_names[i], column->type());
      VIAND_ASSIGN_OR_RETURN(
          result, result->AddColumn(result->num_columns(), field,
                                    std::make_shared<arrow::ChunkedArray>(std::move(column))));
    }
    return result;
  }

  static std::shared_ptr<arrow::DataType> OutputType(const OpenedLookup& opened, size_t output,
                                                     const arrow::Array& computed) {
    const auto* view = std::get_if<AsOfView>(&opened.lookup->view);
    if (view == nullptr) return computed.type();
    return opened.source.schema->GetFieldByName(view->columns[output])->type();
  }

  /// Deals the view's rows out like the spine's.
  arrow::Result<MapOutputs> MapView(Names columns, Names compared_only, const TimeRange& range,
                                    const SpineParts& spine, OpenedLookup* opened) const {
    MapRequest request;
    request.columns = std::move(columns);
    request.compared_only = std::move(compared_only);
    request.keys = opened->view_keys;
    request.drop_null_keys = true;
    request.filter = SourceOf(*opened->lookup).filter;
    request.time_column = TimeOf(*opened->lookup);
    request.operation = {OperatorKind::kScan, opened->index};
    request.range = range;
    request.key_bounds = KeyBoundsOf(*opened, spine_);
    request.partitions = static_cast<int>(spine.partitions.size());
    return RunMapStage(&opened->source, request, options_);
  }

  /// One call a partition: the spine's part, then the view's.
  template <typename Prototype>
  static std::vector<FragmentCall> ReduceCalls(const Prototype& prototype, const SpineParts& spine,
                                               std::vector<PartitionInputs> view) {
    std::vector<FragmentCall> calls;
    for (size_t p = 0; p < spine.partitions.size(); ++p) {
      FragmentCall call{prototype, spine.partitions[p]};
      call.inputs.insert(call.inputs.end(), std::make_move_iterator(view[p].begin()),
                         std::make_move_iterator(view[p].end()));
      calls.push_back(std::move(call));
    }
    return calls;
  }

  /// The outputs of a lookup, in the order of the spine.
  arrow::Result<arrow::ArrayVector> Find(const AsOfView& view, const SpineParts& spine,
                                         OpenedLookup* opened) const {
    VIAND_ASSIGN_OR_RETURN(
        const AsOfPieces found,
        LookUpAsOf(view, opened->view_keys,
                   {spine.partitions, spine_.range, KeyBoundsOf(*opened, spine_), opened->index},
                   &opened->source, options_));
    StageTimer timer(NewStage(options_.counters, {OperatorKind::kAssemble, opened->index}));
    Tables parts;
    for (const TableReference& piece : found.pieces) {
      VIAND_ASSIGN_OR_RETURN(auto part, options_.executor->Fetch(piece));
      parts.push_back(std::move(part));
    }
    VIAND_RETURN_NOT_OK(timer.Count(parts, spine_.table->num_rows()));
    return AssembleRows(parts, *found.columns, spine_.table->num_rows(),
                        {.missing = MissingRows::kNull, .in_parallel = Parallel()});
  }

  arrow::Result<arrow::ArrayVector> Find(const WindowView& view, const SpineParts& spine,
                                         OpenedLookup* opened) const {
    VIAND_ASSIGN_OR_RETURN(auto calls, Calls(view, spine, opened));
    const std::string name = "look up " + opened->source.described_as;
    VIAND_ASSIGN_OR_RETURN(
        auto results, options_.executor->RunStage(
                          name, std::move(calls), options_.progress,
                          NewStage(options_.counters, {OperatorKind::kAggregate, opened->index})));
    StageTimer timer(NewStage(options_.counters, {OperatorKind::kAssemble, opened->index}));
    Tables parts;
    for (const auto& outputs : results) {
      VIAND_ASSIGN_OR_RETURN(auto part, options_.executor->Fetch(outputs[0]));
      parts.push_back(std::move(part));
    }
    results.clear();
    VIAND_RETURN_NOT_OK(timer.Count(parts, spine_.table->num_rows()));
    VIAND_ASSIGN_OR_RETURN(const auto columns, parts[0]->schema()->RemoveField(0));
    const auto missing =
        opened->lookup->compute_absent ? MissingRows::kRefused : MissingRows::kNull;
    return AssembleRows(parts, *columns, spine_.table->num_rows(),
                        {.missing = missing, .in_parallel = Parallel()});
  }

  bool Parallel() const { return options_.executor->Parallelism() > 1; }

  arrow::Result<std::vector<FragmentCall>> Calls(const WindowView& view, const SpineParts& spine,
                                                 OpenedLookup* opened) const {
    VIAND_ASSIGN_OR_RETURN(Names columns, ColumnsOfView(view, opened->source));
    VIAND_ASSIGN_OR_RETURN(Names compared, ColumnsComparedOnly(view, opened->source));
    VIAND_ASSIGN_OR_RETURN(MapOutputs mapped, MapView(std::move(columns), std::move(compared),
                                                      ReachOf(view, spine_.range), spine, opened));
    WindowFragment fragment;
    fragment.at_spine = true;
    fragment.spine_parts = static_cast<int>(spine.partitions[0].size());
    fragment.events = mapped.schema;
    for (const std::string& key : opened->view_keys)
      fragment.keys.push_back(mapped.schema->GetFieldIndex(key));
    fragment.time_column = mapped.schema->GetFieldIndex(view.timestamp_column);
    fragment.tasks = {
        {.features = view.features,
         .existence = view.existence,
         .having = view.having,
         .absent = opened->lookup->compute_absent ? AbsentRows::kCompute : AbsentRows::kNull}};
    fragment.described_as = view.source.described_as;
    return ReduceCalls(fragment, spine, std::move(mapped.partitions));
  }

  const RetrievalPlan& plan_;
  const ExecuteOptions& options_;
  std::vector<OpenedLookup> lookups_;
  Spine spine_;
  std::map<Names, SpineParts> spines_;
};

}  // namespace

arrow::Result<std::shared_ptr<arrow::Table>> Retrieve(const RetrievalPlan& plan,
                                                      const ExecuteOptions& options) {
  VIAND_RETURN_NOT_OK(arrow::compute::Initialize());
  StageTimer timer(NewStage(options.counters, {OperatorKind::kRetrieve}));
  VIAND_ASSIGN_OR_RETURN(auto result, Retrieval(plan, options).Run());
  VIAND_RETURN_NOT_OK(timer.Count(result->num_rows(), *result));
  return result;
}

}  // namespace viand::engine
