#include "src/engine/explain.h"

#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <set>

#include "src/common/grouped_number.h"
#include "src/common/time.h"
#include "src/engine/broadcast_lookup.h"
#include "src/engine/column_chunk.h"
#include "src/engine/lookup_keys.h"
#include "src/engine/map_stage.h"
#include "src/engine/opened_lookup.h"
#include "src/engine/plain_array.h"
#include "src/engine/prune_groups.h"
#include "src/engine/retrieval_chunks.h"
#include "src/engine/shared_pass.h"
#include "src/engine/view_columns.h"
#include "src/expression/binder.h"
#include "src/expression/expression.h"

namespace viand::engine {
namespace {

using Names = std::vector<std::string>;

std::string Joined(const Names& names) { return fmt::format("{}", fmt::join(names, ", ")); }

std::string Text(const TimeWindow& window) {
  if (window.unbounded) return "unbounded";
  return FormatDuration(window.length_us) + (window.following ? " following" : "");
}

std::string Text(const TimeRange& range) {
  if (range.IsEmpty()) return "none";
  if (!range.Binds()) return "all";
  if (!range.min_us) return "up to " + FormatTimestamp(*range.max_us);
  const std::string from = FormatTimestamp(*range.min_us);
  return range.max_us ? fmt::format("{} to {}", from, FormatTimestamp(*range.max_us))
                      : "from " + from;
}

/// "user_id", and where the names differ "buyer = user_id".
std::string KeysText(const OpenedLookup& opened) {
  Names keys;
  for (size_t i = 0; i < opened.view_keys.size(); ++i) {
    keys.push_back(opened.spine_keys[i] == opened.view_keys[i]
                       ? opened.view_keys[i]
                       : fmt::format("{} = {}", opened.spine_keys[i], opened.view_keys[i]));
  }
  return Joined(keys);
}

std::string ByKeys(const Names& keys) {
  return keys.empty() ? "without keys" : "by " + Joined(keys);
}

/// Compressed bytes of some columns in the row groups that are left.
int64_t BytesOf(const OpenedScan& scan, const Names& columns) {
  std::set<std::string> wanted;
  for (const std::string& name : columns) wanted.insert(scan.NameInFile(name));
  int64_t bytes = 0;
  for (const OpenedFile& file : scan.files) {
    if (file.parquet == nullptr) continue;
    std::vector<int> leaves;
    for (int leaf = 0; leaf < file.parquet->num_columns(); ++leaf) {
      const auto path = file.parquet->schema()->Column(leaf)->path()->ToDotVector();
      if (wanted.contains(path[0])) leaves.push_back(leaf);
    }
    for (const RowGroup& group : file.groups) {
      const auto row_group = file.parquet->RowGroup(group.index);
      for (int leaf : leaves) {
        const auto chunk = ChunkOf(*row_group, leaf);
        bytes += chunk == nullptr ? 0 : chunk->total_compressed_size();
      }
    }
  }
  return bytes;
}

void AddUnique(const Names& names, Names* list) {
  for (const std::string& name : names) {
    if (std::find(list->begin(), list->end(), name) == list->end()) list->push_back(name);
  }
}

Names Details(const AsOfView& view) {
  Names details = {view.ttl_us == 0 ? "no ttl" : "ttl " + FormatDuration(view.ttl_us)};
  if (!view.grid_us.empty())
    details.push_back(fmt::format("rows of the last of {} snapshots", view.grid_us.size()));
  if (view.created_not_after)
    details.push_back(fmt::format("{} not after the spine's time", view.created_column));
  return {Joined(details)};
}

Names Details(const WindowView& view, const Lookup& lookup) {
  Names details = {fmt::format("rows exist by window {}{}; absent rows are {}",
                               Text(view.existence),
                               view.having.empty() ? "" : " having " + view.having,
                               lookup.compute_absent ? "computed" : "null")};
  for (size_t i = 0; i < view.features.size(); ++i) {
    const PlannedFeature& feature = view.features[i];
    details.push_back(fmt::format(
        "{} = {} over {}{}", lookup.output_names[i], feature.Computation(), Text(feature.window),
        feature.default_value.empty() ? "" : ", default " + feature.default_value));
  }
  return details;
}

/// The features of a lookup, with the view's name where it is another.
std::string OutputsText(const AsOfView& view, const Lookup& lookup) {
  Names outputs;
  for (size_t i = 0; i < view.columns.size(); ++i) {
    outputs.push_back(lookup.output_names[i] == view.columns[i]
                          ? view.columns[i]
                          : fmt::format("{} = {}", lookup.output_names[i], view.columns[i]));
  }
  return Joined(outputs);
}

class Explanation {
 public:
  Explanation(const RetrievalPlan& plan, const ExecuteOptions& options)
      : plan_(plan), options_(options) {}

  arrow::Result<PlanNode> Make() {
    VIAND_ASSIGN_OR_RETURN(lookups_, OpenLookups(plan_, options_.executor));
    VIAND_ASSIGN_OR_RETURN(spine_,
                           OpenSpine(plan_, SpineKeysOf(lookups_), CsvTypesOf(lookups_), options_));
    const std::vector<LookupPass> passes = PassesOf(&lookups_);
    VIAND_ASSIGN_OR_RETURN(const RetrievedChunks chunks,
                           RunsElsewhere(options_) ? ChooseParts(spine_, lookups_, options_)
                                                   : ChooseChunks(spine_, lookups_, options_));
    VIAND_RETURN_NOT_OK(ChooseBroadcasts(passes, spine_, chunks.dealt, options_));
    VIAND_RETURN_NOT_OK(ChoosePartitions());
    PlanNode root = Node(OperatorKind::kRetrieve, 0, "retrieve, in the spine's order");
    int64_t features = 0;
    std::vector<PlanNode> nodes(lookups_.size());
    for (const LookupPass& pass : passes) {
      VIAND_ASSIGN_OR_RETURN(nodes[pass[0]->index], ExplainPass(pass));
      for (size_t i = 1; i < pass.size(); ++i) {
        PlanNode& node = nodes[pass[i]->index];
        node = Assembly(*pass[i]);
        node.details = {"found in the pass of " + DescriptionOf(*pass[0]->lookup)};
      }
    }
    for (const OpenedLookup& opened : lookups_)
      features += static_cast<int64_t>(opened.lookup->output_names.size());
    root.inputs = std::move(nodes);
    root.details = {Counted(spine_.schema().num_fields(), "column") + " of the spine, " +
                    Counted(features, "feature")};
    AddSpine(&root);
    return root;
  }

 private:
  struct Partitioning {
    int first_lookup = 0;
    InputSize most;
    int partitions = 1;
  };

  PlanNode Node(OperatorKind kind, int lookup, std::string title) const {
    return {.operation = {kind, lookup}, .title = std::move(title), .rows = spine_.rows};
  }

  arrow::Status ChoosePartitions() {
    for (const OpenedLookup& opened : lookups_) {
      VIAND_RETURN_NOT_OK(CheckKeyTypes(spine_, opened.spine_keys, opened.source, opened.view_keys,
                                        DescriptionOf(*opened.lookup)));
      if (opened.broadcast) continue;
      Partitioning& by =
          partitionings_.try_emplace(opened.spine_keys, Partitioning{.first_lookup = opened.index})
              .first->second;
      VIAND_RETURN_NOT_OK(RaiseSize(opened, spine_.rows, &by.most));
      if (!opened.spine_keys.empty()) by.partitions = ChoosePartitionCount(by.most, options_);
    }
    return arrow::Status::OK();
  }

  void AddSpine(PlanNode* root) const {
    for (const auto& [keys, by] : partitionings_) {
      PlanNode node = Node(OperatorKind::kPartitionSpine, by.first_lookup,
                           "partition the spine " + ByKeys(keys));
      node.partitions = by.partitions;
      root->inputs.push_back(std::move(node));
    }
    PlanNode read = Node(OperatorKind::kReadSpine, 0, "read " + spine_.described_as);
    read.details = {fmt::format("{}: {}", plan_.spine_timestamp, Text(spine_.range))};
    root->inputs.push_back(std::move(read));
  }

  PlanNode Assembly(const OpenedLookup& opened) const {
    return Node(OperatorKind::kAssemble, opened.index, DescriptionOf(*opened.lookup));
  }

  /// Put into order <- (gather <-) join or aggregate <- scan, of the pass's first lookup.
  arrow::Result<PlanNode> ExplainPass(const LookupPass& pass) const {
    OpenedLookup* opened = pass[0];
    const Lookup& lookup = *opened->lookup;
    PlanNode node = Assembly(*opened);
    if (const auto* view = std::get_if<AsOfView>(&lookup.view)) {
      PlanNode gather = Node(OperatorKind::kGather, opened->index, "gather the rows found");
      gather.details = {OutputsText(*view, lookup)};
      PlanNode join = Node(OperatorKind::kAsOfJoin, opened->index,
                           Broadcast(*opened) + "as-of join " + On(*opened));
      join.details = Details(*view);
      if (opened->broadcast) return ExplainBroadcast(pass, std::move(node), std::move(join));
      VIAND_ASSIGN_OR_RETURN(auto scan, ExplainScan({.columns = ColumnsOf(*view, *opened),
                                                     .filter = view->source.filter,
                                                     .time_column = view->timestamp_column,
                                                     .range = ReachOf(*view, spine_.range)},
                                                    opened));
      return Chain(std::move(node), {std::move(gather), std::move(join), std::move(scan)});
    }
    PlanNode aggregate = Node(OperatorKind::kAggregate, opened->index,
                              Broadcast(*opened) + "window aggregates " + On(*opened));
    std::vector<PassView> views;
    for (const OpenedLookup* each : pass) {
      const auto& view = std::get<WindowView>(each->lookup->view);
      views.push_back({.view = &view, .times = spine_.range});
      if (pass.size() > 1) aggregate.details.push_back(DescriptionOf(*each->lookup) + ":");
      const Names details = Details(view, *each->lookup);
      aggregate.details.insert(aggregate.details.end(), details.begin(), details.end());
    }
    if (opened->broadcast) return ExplainBroadcast(pass, std::move(node), std::move(aggregate));
    VIAND_ASSIGN_OR_RETURN(MapRequest request, SharedRequest(opened->source, views));
    VIAND_ASSIGN_OR_RETURN(auto scan, ExplainScan({.columns = std::move(request.columns),
                                                   .filter = std::move(request.filter),
                                                   .time_column = request.time_column,
                                                   .range = request.range},
                                                  opened));
    return Chain(std::move(node), {std::move(aggregate), std::move(scan)});
  }

  static std::string Broadcast(const OpenedLookup& opened) {
    return opened.broadcast ? "broadcast " : "";
  }

  arrow::Result<PlanNode> ExplainBroadcast(const LookupPass& pass, PlanNode top,
                                           PlanNode lookup) const {
    VIAND_ASSIGN_OR_RETURN(MapRequest request, RequestOfAll(pass, spine_));
    VIAND_ASSIGN_OR_RETURN(auto scan, ExplainScan({.columns = std::move(request.columns),
                                                   .filter = std::move(request.filter),
                                                   .time_column = request.time_column,
                                                   .range = request.range},
                                                  pass[0]));
    lookup.details.push_back("the source is sent whole to where the spine is read");
    return Chain(std::move(top), {std::move(lookup), std::move(scan)});
  }

  static std::string On(const OpenedLookup& opened) {
    return opened.view_keys.empty() ? "without keys" : "on " + KeysText(opened);
  }

  PlanNode Chain(PlanNode top, std::vector<PlanNode> below) const {
    for (size_t i = below.size(); i-- > 1;) below[i - 1].inputs.push_back(std::move(below[i]));
    top.inputs.push_back(std::move(below[0]));
    return top;
  }

  static Names ColumnsOf(const AsOfView& view, const OpenedLookup& opened) {
    Names columns = opened.view_keys;
    columns.push_back(view.timestamp_column);
    if (!view.created_column.empty()) columns.push_back(view.created_column);
    return columns;
  }

  /// What a scan reads of which rows.
  struct Wanted {
    Names columns;
    std::string filter;
    std::string time_column;
    TimeRange range;
  };

  arrow::Result<PlanNode> ExplainScan(Wanted wanted, OpenedLookup* opened) const {
    OpenedScan& scan = opened->source;
    ScanBounds bounds{.time_column = wanted.time_column,
                      .range = wanted.range,
                      .keys = KeyBoundsOf(*opened, spine_)};
    if (!wanted.filter.empty()) {
      VIAND_ASSIGN_OR_RETURN(
          bounds.filter,
          expression::ParseAndBind(wanted.filter, {.columns = PlainSchema(*scan.schema),
                                                   .described_as = scan.described_as}));
      AddUnique(expression::ColumnsOf(*bounds.filter), &wanted.columns);
    }
    PruneGroups(bounds, &scan);
    PlanNode node = Node(OperatorKind::kScan, opened->index, "scan " + scan.described_as);
    node.rows = scan.left.rows;
    node.scan = ScanEstimate{.found = scan.found,
                             .left = scan.left,
                             .column_bytes = BytesOf(scan, wanted.columns),
                             .in_memory = scan.files.empty()};
    if (!opened->broadcast) node.partitions = partitionings_.at(opened->spine_keys).partitions;
    node.details = {"columns " + Joined(wanted.columns)};
    if (!wanted.filter.empty()) node.details.push_back("filter " + wanted.filter);
    node.details.push_back(fmt::format("{}: {}", wanted.time_column, Text(wanted.range)));
    if (opened->wants_keys) node.details.push_back("broadcast: rows of the spine's keys alone");
    return node;
  }

  const RetrievalPlan& plan_;
  const ExecuteOptions& options_;
  std::vector<OpenedLookup> lookups_;
  Spine spine_;
  std::map<Names, Partitioning> partitionings_;
};

void Attach(const std::map<OperatorId, StageCounters>& stages, PlanNode* node) {
  const auto found = stages.find(node->operation);
  node->measured = found == stages.end() ? StageCounters{} : found->second;
  for (PlanNode& input : node->inputs) Attach(stages, &input);
}

}  // namespace

arrow::Result<PlanNode> ExplainRetrieval(const RetrievalPlan& plan, const ExecuteOptions& options) {
  return Explanation(plan, options).Make();
}

void AddMeasures(const PlanCounters& counters, PlanNode* tree) { Attach(counters.Total(), tree); }

FragmentCounters Sum(const StageCounters& stage) {
  FragmentCounters sum;
  for (const FragmentCounters& each : stage.fragments) {
    sum.rows_in += each.rows_in;
    sum.rows_out += each.rows_out;
    sum.bytes_out += each.bytes_out;
    sum.spilled_bytes += each.spilled_bytes;
    sum.run_us += each.run_us;
    sum.sent_bytes += each.sent_bytes;
    sum.heaviest.insert(sum.heaviest.end(), each.heaviest.begin(), each.heaviest.end());
  }
  sum.heaviest = Heaviest(std::move(sum.heaviest));
  return sum;
}

double Skew(const StageCounters& stage) {
  int64_t most = 0, all = 0;
  for (const FragmentCounters& each : stage.fragments) {
    most = std::max(most, each.rows_in);
    all += each.rows_in;
  }
  if (all == 0) return 1;
  return static_cast<double>(most) * static_cast<double>(stage.fragments.size()) /
         static_cast<double>(all);
}

}  // namespace viand::engine
