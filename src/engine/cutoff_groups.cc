#include "src/engine/cutoff_groups.h"

#include <algorithm>

#include "src/engine/prune_groups.h"
#include "src/engine/view_columns.h"

namespace viand::engine {
namespace {

// Work is counted in rows that are aggregated, at about 13 ns.

/// A row that is read, and sorted.
constexpr int64_t kReadWork = 8;
/// Less is done sooner than another task has begun.
constexpr int64_t kWorthATask = 512 * 1024;
/// Row groups that are looked at, each once a cutoff and view.
constexpr int64_t kMostLooks = 16 * 1024;

class CutoffGroups {
 public:
  CutoffGroups(const std::vector<BackfillPlan>& plans, const OpenedScan& source) {
    for (const BackfillPlan& plan : plans)
      cutoffs_us_.insert(cutoffs_us_.end(), plan.cutoffs_us.begin(), plan.cutoffs_us.end());
    std::sort(cutoffs_us_.begin(), cutoffs_us_.end());
    cutoffs_us_.erase(std::unique(cutoffs_us_.begin(), cutoffs_us_.end()), cutoffs_us_.end());
    int64_t groups = 0;
    for (const OpenedFile& file : source.files) groups += static_cast<int64_t>(file.groups.size());
    all_ = source.RowCount();
    const auto looks = groups * static_cast<int64_t>(cutoffs_us_.size() * plans.size());
    const std::string& time_column = plans[0].view.timestamp_column;
    const auto rows_within = [&](const TimeRange& range) {
      return looks <= kMostLooks ? RowsWithin(source, time_column, range) : all_;
    };
    aggregated_ = {0};
    for (const int64_t cutoff_us : cutoffs_us_) {
      TimeRange reach = NoTimes();
      int64_t rows = 0;
      for (const BackfillPlan& plan : plans) {
        if (!std::binary_search(plan.cutoffs_us.begin(), plan.cutoffs_us.end(), cutoff_us))
          continue;
        const TimeRange of_view = ReachOf(plan.view, {cutoff_us, cutoff_us});
        reach = Hull(reach, of_view);
        rows += rows_within(of_view);
      }
      aggregated_.push_back(aggregated_.back() + rows);
      from_.push_back(rows_within({reach.min_us, {}}));
      to_.push_back(rows_within({{}, reach.max_us}));
    }
  }

  std::vector<int64_t> LastOfEach(size_t most) const {
    const int64_t whole = Work(0, cutoffs_us_.size());
    most = std::min(most, static_cast<size_t>(whole / kWorthATask) + 1);
    // The least work of a group with which there are not too many.
    int64_t too_little = 0, enough = whole;
    while (enough - too_little > 1) {
      const int64_t middle = too_little + (enough - too_little) / 2;
      (Cut(middle).size() <= most ? enough : too_little) = middle;
    }
    return Cut(enough);
  }

 private:
  /// Of the cutoffs [first, last).
  int64_t Work(size_t first, size_t last) const {
    const int64_t read = std::max<int64_t>(0, from_[first] + to_[last - 1] - all_);
    return kReadWork * read + aggregated_[last] - aggregated_[first];
  }

  /// Groups of as much work each, but for cutoffs that alone are more: the last cutoffs.
  std::vector<int64_t> Cut(int64_t work) const {
    std::vector<int64_t> last_us;
    size_t first = 0;
    while (first < cutoffs_us_.size()) {
      size_t last = first + 1;
      while (last < cutoffs_us_.size() && Work(first, last + 1) <= work) ++last;
      last_us.push_back(cutoffs_us_[last - 1]);
      first = last;
    }
    return last_us;
  }

  std::vector<int64_t> cutoffs_us_;
  int64_t all_ = 0;                  // rows of the source
  std::vector<int64_t> from_, to_;   // by cutoff: rows from the first on that it reads, to the last
  std::vector<int64_t> aggregated_;  // rows of all cutoffs before one
};

}  // namespace

int64_t RowsWithin(const OpenedScan& source, const std::string& time_column,
                   const TimeRange& range) {
  OpenedScan scan = source;
  PruneGroups({.filter = nullptr, .time_column = time_column, .range = range, .keys = {}}, &scan);
  return scan.RowCount();
}

std::vector<int64_t> LastOfGroups(const std::vector<BackfillPlan>& plans, const OpenedScan& source,
                                  size_t most) {
  return CutoffGroups(plans, source).LastOfEach(most);
}

}  // namespace viand::engine
