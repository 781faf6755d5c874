#include <arrow/array.h>
#include <arrow/compute/initialize.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "src/common/block_pool.h"
#include "src/common/memory_size.h"
#include "src/engine/broadcast_lookup.h"
#include "src/engine/execute.h"
#include "src/engine/held_rows.h"
#include "src/engine/look_up_as_of.h"
#include "src/engine/lookup_keys.h"
#include "src/engine/map_stage.h"
#include "src/engine/opened_lookup.h"
#include "src/engine/place_error.h"
#include "src/engine/plain_array.h"
#include "src/engine/result_names.h"
#include "src/engine/retrieval_chunks.h"
#include "src/engine/retrieved_rows.h"
#include "src/engine/shared_pass.h"
#include "src/engine/spine.h"
#include "src/engine/table_bytes.h"
#include "src/engine/view_columns.h"
#include "src/engine/window_lookup.h"
#include "src/engine/window_stage.h"
#include "src/engine/write_stage.h"

namespace viand::engine {
namespace {

using Names = std::vector<std::string>;

/// The spine dealt out by one set of keys.
struct SpineParts {
  int first_lookup = 0;
  InputSize most;  ///< of the spine and of every source that is looked up by these keys
  std::vector<std::shared_ptr<arrow::DataType>> key_types;  ///< of the first view
  std::shared_ptr<arrow::Schema> schema;                    ///< of its tables, row number last
  std::vector<PartitionInputs> partitions;
  bool sends_keys = false;  ///< some lookup wants `keys`
  PartitionInputs keys;
};

class Retrieval {
 public:
  Retrieval(const RetrievalPlan& plan, const ExecuteOptions& options)
      : plan_(plan), options_(options) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Rows() {
    const std::string storage = options_.executor->StoragePath();
    if (!storage.empty()) return StoredIn(storage);
    VIAND_RETURN_NOT_OK(Open());
    VIAND_ASSIGN_OR_RETURN(chunks_, ChooseChunks(*spine_, lookups_, options_));
    VIAND_ASSIGN_OR_RETURN(auto found, LookUpAll());
    // What is kept for the next who asks is not counted, and whoever writes takes memory, too.
    const int64_t memory = options_.executor->DriverMemoryBytes();
    if (memory > 0 && AnonymousMemoryBytes() > memory / 2) ProcessPool()->ReleaseUnused();
    return std::make_shared<RetrievedRows>(std::move(spine_), std::move(found), chunks_, options_);
  }

  arrow::Result<PartFiles> Parts(const std::string& folder, PartFormat format) {
    VIAND_RETURN_NOT_OK(Open());
    VIAND_ASSIGN_OR_RETURN(chunks_, ChooseParts(*spine_, lookups_, options_));
    VIAND_ASSIGN_OR_RETURN(auto found, LookUpAll());
    return RunWriteStage(*spine_, std::move(found),
                         {.folder = folder,
                          .format = format,
                          .chunks = chunks_.dealt,
                          .rows_at_a_time = chunks_.rows_at_a_time},
                         options_);
  }

  arrow::Result<HeldRows> Held() {
    VIAND_RETURN_NOT_OK(Open());
    VIAND_ASSIGN_OR_RETURN(chunks_, ChooseHeld(*spine_, lookups_, options_));
    VIAND_ASSIGN_OR_RETURN(auto found, LookUpAll());
    return RunHoldStage(*spine_, std::move(found), chunks_, options_);
  }

 private:
  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> StoredIn(const std::string& storage) {
    VIAND_ASSIGN_OR_RETURN(auto folder, StorageFolder::Make(storage));
    VIAND_ASSIGN_OR_RETURN(PartFiles parts, Parts(folder->path(), PartFormat::kIpcStream));
    return std::make_shared<StoredRows>(std::move(parts), std::move(folder));
  }

  arrow::Status Open() {
    VIAND_ASSIGN_OR_RETURN(lookups_, OpenLookups(plan_, options_.executor));
    VIAND_RETURN_NOT_OK(OpenSpineRows());
    return CheckNames();
  }

  arrow::Result<std::vector<FoundFeatures>> LookUpAll() {
    passes_ = PassesOf(&lookups_);
    VIAND_RETURN_NOT_OK(ChooseBroadcasts(passes_, *spine_, chunks_.dealt, options_));
    VIAND_RETURN_NOT_OK(PartitionSpine());
    auto found = FindAll();
    // It explains any failure better than the failure does.
    for (const OpenedLookup& opened : lookups_) VIAND_RETURN_NOT_OK(CheckUnchanged(opened.source));
    return found;
  }

  arrow::Result<std::vector<FoundFeatures>> FindAll() {
    std::vector<FoundFeatures> result(lookups_.size());
    for (const LookupPass& pass : passes_) {
      OpenedLookup* opened = pass[0];
      if (const auto* view = std::get_if<AsOfView>(&opened->lookup->view)) {
        VIAND_ASSIGN_OR_RETURN(result[opened->index], Find(*view, pass));
      } else {
        VIAND_RETURN_NOT_OK(FindWindows(pass, &result));
      }
    }
    for (const OpenedLookup& opened : lookups_) {
      FoundFeatures& found = result[opened.index];
      found.names = opened.lookup->output_names;
      found.counters = NewStage(options_.counters, {OperatorKind::kAssemble, opened.index});
    }
    return result;
  }

  arrow::Status CheckNames() const {
    ResultNames names;
    for (const std::string& name : spine_->schema().field_names()) {
      VIAND_RETURN_NOT_OK(names.Add(name, spine_->described_as));
    }
    for (const Lookup& lookup : plan_.lookups) {
      for (const std::string& name : lookup.output_names) {
        VIAND_RETURN_NOT_OK(names.Add(name, DescriptionOf(lookup)));
      }
    }
    return arrow::Status::OK();
  }

  arrow::Status OpenSpineRows() {
    StageTimer timer(NewStage(options_.counters, {OperatorKind::kReadSpine}));
    VIAND_ASSIGN_OR_RETURN(Spine spine,
                           OpenSpine(plan_, SpineKeysOf(lookups_), CsvTypesOf(lookups_), options_));
    spine_ = std::make_unique<Spine>(std::move(spine));
    const auto& table = spine_->scan.table;
    return table != nullptr ? timer.Count(spine_->rows, *table) : timer.Count({}, spine_->rows);
  }

  arrow::Status PartitionSpine() {
    for (const OpenedLookup& opened : lookups_) {
      VIAND_RETURN_NOT_OK(CheckKeyTypes(*spine_, opened.spine_keys, opened.source, opened.view_keys,
                                        DescriptionOf(*opened.lookup)));
      if (opened.broadcast) continue;
      SpineParts& parts =
          spines_.try_emplace(opened.spine_keys, SpineParts{.first_lookup = opened.index})
              .first->second;
      parts.sends_keys |= opened.wants_keys;
      VIAND_RETURN_NOT_OK(RaiseSize(opened, spine_->rows, &parts.most));
      if (!parts.key_types.empty()) continue;
      VIAND_ASSIGN_OR_RETURN(const auto schema, SelectColumns(opened.source, opened.view_keys));
      for (const auto& field : schema->fields()) parts.key_types.push_back(field->type());
    }
    for (auto& [keys, parts] : spines_) {
      VIAND_ASSIGN_OR_RETURN(SpineKeys of_spine, engine::KeysOf(*spine_, keys, parts.key_types));
      MapRequest request;
      request.columns = of_spine.keys;
      request.columns.push_back(of_spine.time);
      request.keys = of_spine.keys;
      request.row_numbers = true;
      request.operation = {OperatorKind::kPartitionSpine, parts.first_lookup};
      request.partitions = keys.empty() ? 1 : ChoosePartitionCount(parts.most, options_);
      VIAND_ASSIGN_OR_RETURN(MapOutputs mapped, RunMapStage(&of_spine.scan, request, options_));
      VIAND_ASSIGN_OR_RETURN(parts.schema,
                             mapped.schema->AddField(mapped.schema->num_fields(),
                                                     arrow::field("row", arrow::int64(), false)));
      parts.partitions = std::move(mapped.partitions);
      if (!parts.sends_keys) continue;
      request.columns = of_spine.keys;
      request.row_numbers = false;
      request.partitions = 1;
      VIAND_ASSIGN_OR_RETURN(mapped, RunMapStage(&of_spine.scan, request, options_));
      parts.keys = std::move(mapped.partitions[0]);
    }
    return arrow::Status::OK();
  }

  arrow::Result<FoundFeatures> Find(const AsOfView& view, const LookupPass& pass) const {
    VIAND_ASSIGN_OR_RETURN(AsOfPieces pieces,
                           pass[0]->broadcast ? FindInAll(view, pass) : FindDealt(view, pass[0]));
    FoundFeatures found;
    found.columns = std::move(pieces.columns);
    found.chunks = std::move(pieces.chunks);
    for (const std::string& name : view.columns)
      found.types.push_back(pass[0]->source.schema->GetFieldByName(name)->type());
    return found;
  }

  arrow::Result<AsOfPieces> FindDealt(const AsOfView& view, OpenedLookup* opened) const {
    const SpineParts& spine = spines_.at(opened->spine_keys);
    VIAND_ASSIGN_OR_RETURN(auto wanted_keys, WantedKeysOf(*opened, spine));
    return LookUpAsOf(view, opened->view_keys,
                      {.partitions = spine.partitions,
                       .range = spine_->range,
                       .key_bounds = KeyBoundsOf(*opened, *spine_),
                       .wanted_keys = std::move(wanted_keys),
                       .rows = spine_->rows,
                       .chunks = chunks_.dealt,
                       .rows_at_a_time = chunks_.rows_at_a_time,
                       .lookup = opened->index},
                      &opened->source, options_);
  }

  arrow::Result<AsOfPieces> FindInAll(const AsOfView& view, const LookupPass& pass) const {
    AsOfPieces pieces;
    VIAND_ASSIGN_OR_RETURN(pieces.columns, SelectColumns(pass[0]->source, view.columns));
    pieces.chunks.resize(chunks_.dealt.count);
    VIAND_ASSIGN_OR_RETURN(auto results, RunBroadcast(pass, *spine_, chunks_.dealt, options_));
    for (size_t chunk = 0; chunk < results.size(); ++chunk)
      pieces.chunks[chunk].push_back(std::move(results[chunk][0]));
    return pieces;
  }

  /// The spine's keys, where they are to be sent to the scan of the source.
  arrow::Result<PartitionInputs> WantedKeysOf(const OpenedLookup& opened,
                                              const SpineParts& spine) const {
    return opened.wants_keys ? spine.keys : PartitionInputs{};
  }

  /// Adds what the views of a pass found to `result`, or where that fails, what each finds alone:
  /// an expression of one may fail on a row that only another reads.
  arrow::Status FindWindows(const LookupPass& pass, std::vector<FoundFeatures>* result) const {
    auto found = FindTogether(pass);
    if (!found.ok()) {
      const bool of_the_data = KindOf(found.status()) == ErrorKind::kInput ||
                               KindOf(found.status()) == ErrorKind::kDefinition;
      if (pass.size() == 1)
        return PlacedInView(found.status(), std::get<WindowView>(pass[0]->lookup->view));
      if (!of_the_data) return found.status();
      for (OpenedLookup* opened : pass) VIAND_RETURN_NOT_OK(FindWindows({opened}, result));
      return arrow::Status::OK();
    }
    for (size_t i = 0; i < pass.size(); ++i) (*result)[pass[i]->index] = std::move((*found)[i]);
    return arrow::Status::OK();
  }

  arrow::Result<std::vector<FoundFeatures>> FindTogether(const LookupPass& pass) const {
    std::vector<std::vector<TableReference>> results;  // each of some tables a task
    size_t chunks = chunks_.dealt.count;
    if (pass[0]->broadcast) {
      VIAND_ASSIGN_OR_RETURN(results, RunBroadcast(pass, *spine_, chunks_.dealt, options_));
      chunks = 1;
    } else {
      VIAND_ASSIGN_OR_RETURN(auto stage, StageOf(pass));
      VIAND_ASSIGN_OR_RETURN(results, RunWindowStage(std::move(stage), options_));
    }
    std::vector<FoundFeatures> all;
    for (size_t task = 0; task < pass.size(); ++task) {
      FoundFeatures& found = all.emplace_back();
      found.missing =
          pass[task]->lookup->compute_absent ? MissingRows::kRefused : MissingRows::kNull;
      VIAND_ASSIGN_OR_RETURN(const auto schema,
                             SchemaOfOutputs(results, task * chunks, chunks, options_.executor));
      VIAND_ASSIGN_OR_RETURN(found.columns, schema->RemoveField(0));
      for (const auto& field : found.columns->fields()) found.types.push_back(field->type());
      found.chunks.resize(chunks_.dealt.count);
      for (size_t call = 0; call < results.size(); ++call) {
        for (size_t i = 0; i < chunks; ++i) {
          TableReference& output = results[call][task * chunks + i];
          // A fragment that has all of the source is of one chunk.
          const size_t chunk = pass[0]->broadcast ? call : i;
          if (output->rows() > 0) found.chunks[chunk].push_back(std::move(output));
        }
      }
    }
    return all;
  }

  /// Deals the views' rows out like the spine's.
  arrow::Result<WindowStage> StageOf(const LookupPass& pass) const {
    OpenedLookup* first = pass[0];
    const SpineParts& spine = spines_.at(first->spine_keys);
    const std::vector<PassView> views = ViewsOf(pass, spine_->range);
    VIAND_ASSIGN_OR_RETURN(MapRequest request, SharedRequest(first->source, views));
    request.keys = first->view_keys;  // in the order of the spine's
    request.operation = {OperatorKind::kScan, first->index};
    request.key_bounds = KeyBoundsOf(*first, *spine_);
    request.partitions = static_cast<int>(spine.partitions.size());
    VIAND_ASSIGN_OR_RETURN(request.wanted_keys, WantedKeysOf(*first, spine));
    VIAND_ASSIGN_OR_RETURN(MapOutputs mapped, RunMapStage(&first->source, request, options_));
    WindowFragment fragment = WindowsOf(pass, views, mapped.schema);
    fragment.spine_parts = static_cast<int>(spine.partitions[0].size());
    fragment.chunks = chunks_.dealt;
    return WindowStage{.prototype = std::move(fragment),
                       .spine = spine.schema,
                       .spine_parts = spine.partitions,
                       .events = std::move(mapped.partitions),
                       .times = spine_->range,
                       .operation = {OperatorKind::kAggregate, first->index},
                       .described_as = DescriptionOf(views)};
  }

  const RetrievalPlan& plan_;
  const ExecuteOptions& options_;
  std::vector<OpenedLookup> lookups_;
  std::vector<LookupPass> passes_;  // of lookups_
  std::unique_ptr<Spine> spine_;
  RetrievedChunks chunks_;
  std::map<Names, SpineParts> spines_;
};

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> RetrieveRows(
    const RetrievalPlan& plan, const ExecuteOptions& options) {
  VIAND_RETURN_NOT_OK(arrow::compute::Initialize());
  return Retrieval(plan, options).Rows();
}

arrow::Result<PartFiles> RetrieveToFolder(const RetrievalPlan& plan, const std::string& folder,
                                          const ExecuteOptions& options) {
  VIAND_RETURN_NOT_OK(arrow::compute::Initialize());
  return Retrieval(plan, options).Parts(folder, PartFormat::kParquet);
}

arrow::Result<std::shared_ptr<const HeldRows>> RetrieveHeld(const RetrievalPlan& plan,
                                                            const ExecuteOptions& options) {
  VIAND_RETURN_NOT_OK(arrow::compute::Initialize());
  VIAND_ASSIGN_OR_RETURN(HeldRows held, Retrieval(plan, options).Held());
  return std::make_shared<const HeldRows>(std::move(held));
}

arrow::Status RetrieveAndDrop(const RetrievalPlan& plan, const ExecuteOptions& options) {
  StageTimer timer(NewStage(options.counters, {OperatorKind::kRetrieve}));
  if (RunsElsewhere(options)) {
    VIAND_RETURN_NOT_OK(arrow::compute::Initialize());
    VIAND_ASSIGN_OR_RETURN(const PartFiles parts,
                           Retrieval(plan, options).Parts("", PartFormat::kDropped));
    for (const PartFile& part : parts.files) timer.Count(part.rows, part.rows, part.bytes);
    return arrow::Status::OK();
  }
  VIAND_ASSIGN_OR_RETURN(const auto rows, RetrieveRows(plan, options));
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const auto batch, rows->Next());
    if (batch == nullptr) return arrow::Status::OK();
    VIAND_ASSIGN_OR_RETURN(const auto table, arrow::Table::FromRecordBatches({batch}));
    timer.Count(batch->num_rows(), batch->num_rows(), BytesInMemory(*table));
  }
}

arrow::Result<std::shared_ptr<arrow::Table>> Retrieve(const RetrievalPlan& plan,
                                                      const ExecuteOptions& options) {
  StageTimer timer(NewStage(options.counters, {OperatorKind::kRetrieve}));
  VIAND_ASSIGN_OR_RETURN(const auto rows, RetrieveRows(plan, options));
  VIAND_ASSIGN_OR_RETURN(auto result, rows->ToTable());
  VIAND_RETURN_NOT_OK(timer.Count(result->num_rows(), *result));
  return result;
}

}  // namespace viand::engine
