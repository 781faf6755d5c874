#include "src/store/plan_report.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace viand::store {
namespace {

using engine::OperatorKind;

std::string KindText(const engine::PlanNode& node) {
  switch (node.operation.kind) {
    case OperatorKind::kRetrieve:
      return "retrieve";
    case OperatorKind::kReadSpine:
      return "read_spine";
    case OperatorKind::kPartitionSpine:
      return "partition_spine";
    case OperatorKind::kScan:
      return "scan";
    case OperatorKind::kAsOfJoin:
      return "as_of_join";
    case OperatorKind::kAggregate:
      return "window_aggregates";
    case OperatorKind::kGather:
      return "gather";
    case OperatorKind::kAssemble:
      return "view";
  }
  return "";
}

double Seconds(int64_t duration_us) { return static_cast<double>(duration_us) / 1e6; }

std::vector<NodeMeasures> ToNodes(const engine::StageCounters& stage) {
  std::map<std::string, NodeMeasures> nodes;
  for (const engine::FragmentCounters& did : stage.fragments) {
    if (did.node.empty()) continue;
    NodeMeasures& node = nodes.try_emplace(did.node, NodeMeasures{.node = did.node}).first->second;
    ++node.fragments;
    if (did.attempt > 1) ++node.retried;
    node.rows_in += did.rows_in;
    node.rows_out += did.rows_out;
    node.bytes_out += did.bytes_out;
    node.fragment_seconds += Seconds(did.run_us);
  }
  std::vector<NodeMeasures> result;
  for (auto& [name, node] : nodes) result.push_back(std::move(node));
  return result;
}

OperatorMeasures ToMeasures(const engine::StageCounters& stage) {
  const engine::FragmentCounters sum = engine::Sum(stage);
  OperatorMeasures measures{.seconds = Seconds(stage.run_us),
                            .fragment_seconds = Seconds(sum.run_us),
                            .fragments = static_cast<int64_t>(stage.fragments.size()),
                            .rows_in = sum.rows_in,
                            .rows_out = sum.rows_out,
                            .bytes_out = sum.bytes_out,
                            .spilled_bytes = sum.spilled_bytes,
                            .sent_bytes = sum.sent_bytes,
                            .skew = engine::Skew(stage),
                            .heaviest_keys = {},
                            .nodes = {}};
  for (const engine::HeavyKey& heavy : sum.heaviest)
    measures.heaviest_keys.push_back({heavy.key, heavy.rows});
  measures.nodes = ToNodes(stage);
  return measures;
}

}  // namespace

PlanOperator ToPlanOperator(const engine::PlanNode& node) {
  PlanOperator result{.kind = KindText(node),
                      .title = node.title,
                      .details = node.details,
                      .rows = node.rows,
                      .partitions = node.partitions,
                      .scan = {},
                      .measured = {},
                      .inputs = {}};
  if (node.scan) {
    const engine::ScanCount& found = node.scan->found;
    const engine::ScanCount& left = node.scan->left;
    result.scan = ScanExtent{.files = left.files,
                             .files_found = found.files,
                             .row_groups = left.groups,
                             .row_groups_found = found.groups,
                             .rows = left.rows,
                             .rows_found = found.rows,
                             .column_bytes = node.scan->column_bytes,
                             .in_memory = node.scan->in_memory};
  }
  if (node.measured) result.measured = ToMeasures(*node.measured);
  for (const engine::PlanNode& input : node.inputs) result.inputs.push_back(ToPlanOperator(input));
  return result;
}

}  // namespace viand::store
