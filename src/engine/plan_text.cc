#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "src/common/time.h"
#include "src/engine/bind_view.h"
#include "src/engine/execute.h"
#include "src/engine/held_rows.h"
#include "src/engine/open_scan.h"
#include "src/engine/plain_array.h"
#include "src/engine/view_columns.h"
#include "src/expression/binder.h"

namespace viand::engine {
namespace {

/// Files shown by name; of more only the number is.
constexpr size_t kFilesShown = 4;
constexpr size_t kTimesShown = 4;

/// Lines of text, indented by depth.
class Outline {
 public:
  template <typename... Args>
  void Line(int depth, fmt::format_string<Args...> format, Args&&... args) {
    text_ += std::string(2 * depth, ' ') + fmt::format(format, std::forward<Args>(args)...) + "\n";
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string Text(const TimeWindow& window) {
  if (window.unbounded) return "unbounded";
  return FormatDuration(window.length_us) + (window.following ? " following" : "");
}

std::string Text(FileFormat format) {
  return format == FileFormat::kCsv ? "csv" : format == FileFormat::kIpc ? "ipc" : "parquet";
}

std::string Text(const TimeRange& range) {
  if (range.IsEmpty()) return "none";
  if (!range.Binds()) return "all";
  const std::string from = range.min_us ? FormatTimestamp(*range.min_us) : "the beginning";
  return from + " to " + (range.max_us ? FormatTimestamp(*range.max_us) : "the end");
}

std::string Names(const std::vector<std::string>& names) {
  return names.empty() ? "(none)" : fmt::format("{}", fmt::join(names, ", "));
}

void PrintScan(const Scan& scan, const std::vector<std::string>& columns, const std::string& range,
               int depth, Outline* out) {
  out->Line(depth, "scan {}", scan.described_as);
  if (scan.table != nullptr) {
    out->Line(depth + 1, "table in memory, {} rows", scan.table->num_rows());
  } else if (scan.held != nullptr) {
    out->Line(depth + 1, "computed, {} rows", scan.held->rows());
  } else if (scan.csv_text != nullptr) {
    out->Line(depth + 1, "csv in memory");
  } else if (scan.files.size() > kFilesShown) {
    out->Line(depth + 1, "{} {} files, {} ... {}", scan.files.size(), Text(scan.format),
              scan.files.front(), scan.files.back());
  } else {
    for (const std::string& file : scan.files)
      out->Line(depth + 1, "{} {}", Text(scan.format), file);
  }
  for (const auto& [in_file, here] : scan.renames)
    out->Line(depth + 1, "rename {} to {}", in_file, here);
  out->Line(depth + 1, "columns {}", Names(columns));
  if (!scan.filter.empty()) out->Line(depth + 1, "filter {}", scan.filter);
  if (!range.empty()) out->Line(depth + 1, "times {}", range);
}

/// The columns that the plan reads; where the schema is known only from the files, those that it
/// names itself.
std::vector<std::string> ColumnsOf(const WindowView& view) {
  std::vector<std::string> columns = view.keys;
  columns.push_back(view.timestamp_column);
  OpenedScan scan;
  scan.schema = view.source.schema;
  if (scan.schema == nullptr && view.source.table != nullptr)
    scan.schema = view.source.table->schema();
  if (scan.schema == nullptr) return columns;
  auto found = ColumnsOfView(view, scan);
  return found.ok() ? *found : columns;
}

void PrintFeatures(const WindowView& view, const std::vector<std::string>& names, int depth,
                   Outline* out) {
  out->Line(depth, "rows exist by window {}{}", Text(view.existence),
            view.having.empty() ? "" : " having " + view.having);
  for (size_t i = 0; i < view.features.size(); ++i) {
    const PlannedFeature& feature = view.features[i];
    out->Line(depth, "{} = {} over {}{}", names[i], feature.Computation(), Text(feature.window),
              feature.default_value.empty() ? "" : ", default " + feature.default_value);
  }
}

std::string TimesText(const std::vector<int64_t>& times_us) {
  std::vector<std::string> shown;
  for (size_t i = 0; i < times_us.size() && i < kTimesShown; ++i)
    shown.push_back(FormatTimestamp(times_us[i]));
  if (times_us.size() > kTimesShown) shown.push_back("... " + FormatTimestamp(times_us.back()));
  return Names(shown);
}

}  // namespace

std::string PlannedFunction::ToString() const {
  std::string text = name + "(";
  for (const std::string& column : columns) text += (text.back() == '(' ? "" : ", ") + column;
  return text + ")" + (output.empty() ? "" : "." + output);
}

std::string ToString(const BackfillPlan& plan) {
  Outline out;
  std::vector<std::string> names;
  for (const PlannedFeature& feature : plan.view.features) names.push_back(feature.name);
  out.Line(0, "backfill, ordered by event_timestamp, {}", Names(plan.view.keys));
  out.Line(1, "window aggregates at {} cutoffs: {}", plan.cutoffs_us.size(),
           TimesText(plan.cutoffs_us));
  PrintFeatures(plan.view, names, 2, &out);
  out.Line(2, "partition by hash of {}", Names(plan.view.keys));
  TimeRange times = NoTimes();
  if (!plan.cutoffs_us.empty())
    times = {.min_us = plan.cutoffs_us.front(), .max_us = plan.cutoffs_us.back()};
  PrintScan(plan.view.source, ColumnsOf(plan.view), Text(ReachOf(plan.view, times)), 3, &out);
  return out.Take();
}

}  // namespace viand::engine
