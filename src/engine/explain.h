// A retrieval's plan as a tree of operators, with what is expected of each: sources are opened and
// pruned, the spine is read, nothing else is run.
//
//   VIAND_ASSIGN_OR_RETURN(PlanNode tree, ExplainRetrieval(plan, options));
//   PlanCounters counters;               // explain --analyze: what Retrieve did, operator by
//   ... Retrieve(plan, with counters) ...  // operator
//   AddMeasures(counters, &tree);
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/engine/execute.h"
#include "src/engine/open_scan.h"
#include "src/engine/plan_counters.h"

namespace viand::engine {

/// What a scan is expected to read: after pruning, of how much.
struct ScanEstimate {
  ScanCount found, left;
  int64_t column_bytes = 0;  ///< compressed, of the columns that are read; 0: not known
  bool in_memory = false;    ///< a table: there are no files
};

struct PlanNode {
  OperatorId operation;
  std::string title;                 ///< "scan source \"transactions\""
  std::vector<std::string> details;  ///< a line each
  int64_t rows = 0;                  ///< expected: read by a scan, put out by the others
  std::optional<ScanEstimate> scan;
  int partitions = 0;                     ///< 0: not partitioned
  std::optional<StageCounters> measured;  ///< absent: was not run
  std::vector<PlanNode> inputs;
};

/// Fails as Retrieve does where a source or the spine cannot be read.
arrow::Result<PlanNode> ExplainRetrieval(const RetrievalPlan& plan, const ExecuteOptions& options);

/// Gives every operator what it did.
void AddMeasures(const PlanCounters& counters, PlanNode* tree);

/// What the fragments of an operator did together: sums, and the heaviest keys of all.
FragmentCounters Sum(const StageCounters& stage);

/// The rows of the largest fragment over the mean; 1 where there is at most one.
double Skew(const StageCounters& stage);

}  // namespace viand::engine
