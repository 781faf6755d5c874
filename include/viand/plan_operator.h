// A plan as a tree of operators: what is expected of each, and, where it was run, what it did.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace viand {

/// How much a scan reads of what there is, by the footers of the files: after row groups and files
/// are left out that hold no row in reach.
struct ScanExtent {
  int64_t files = 0, files_found = 0;
  int64_t row_groups = 0, row_groups_found = 0;
  int64_t rows = 0, rows_found = 0;
  int64_t column_bytes = 0;  ///< compressed, of the columns that are read; 0: not known
  bool in_memory = false;    ///< a table, which has no files
};

struct HeavyKey {
  std::string key;   ///< "user_id 17"
  int64_t rows = 0;  ///< of features or events
};

/// What an operator's fragments did on one node of a cluster.
struct NodeMeasures {
  std::string node;  ///< Ray's id of it
  int64_t fragments = 0;
  int64_t retried = 0;  ///< of these: ran again, for a worker or a node was lost
  int64_t rows_in = 0;
  int64_t rows_out = 0;
  int64_t bytes_out = 0;        ///< in memory
  double fragment_seconds = 0;  ///< of its fragments, added up
};

/// What an operator did in all of its fragments.
struct OperatorMeasures {
  double seconds = 0;           ///< from its start to its end
  double fragment_seconds = 0;  ///< of its fragments, added up
  int64_t fragments = 0;
  int64_t rows_in = 0;
  int64_t rows_out = 0;
  int64_t bytes_out = 0;  ///< in memory
  int64_t spilled_bytes = 0;
  int64_t sent_bytes = 0;  ///< of its tables as they left its processes; 0: threads share memory
  double skew = 1;         ///< rows of the largest fragment over the mean
  std::vector<HeavyKey> heaviest_keys;  ///< of a join or aggregates: at most five, most rows first
  std::vector<NodeMeasures> nodes;      ///< of a cluster, by their ids; none: all ran here
};

struct PlanOperator {
  std::string kind;   ///< retrieve, view, gather, as_of_join, window_aggregates, scan,
                      ///< partition_spine, read_spine
  std::string title;  ///< for people
  std::vector<std::string> details;
  int64_t rows = 0;                ///< expected: a scan reads them, other operators put them out
  int partitions = 0;              ///< 0: not partitioned
  std::optional<ScanExtent> scan;  ///< of a scan
  std::optional<OperatorMeasures> measured;
  std::vector<PlanOperator> inputs;
};

}  // namespace viand
