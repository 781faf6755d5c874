#include "src/store/plan_report.h"

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

OperatorMeasures ToMeasures(const engine::StageCounters& stage) {
  const engine::FragmentCounters sum = engine::Sum(stage);
  OperatorMeasures measures{.seconds = Seconds(stage.run_us),
                            .fragment_seconds = Seconds(sum.run_us),
                            .fragments = static_cast<int64_t>(stage.fragments.size()),
                            .rows_in = sum.rows_in,
                            .rows_out = sum.rows_out,
                            .bytes_out = sum.bytes_out,
                            .spilled_bytes = sum.spilled_bytes,
                            .skew = engine::Skew(stage),
                            .heaviest_keys = {}};
  for (const engine::HeavyKey& heavy : sum.heaviest)
    measures.heaviest_keys.push_back({heavy.key, heavy.rows});
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
