#include "python/extension/reports.h"

#include <type_traits>

namespace viand::python {
namespace {

/// A dict that is filled name by name.
class Dict {
 public:
  template <typename T>
  Dict& Add(const char* name, const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      dict_[name] = nb::bool_(value);
    } else if constexpr (std::is_integral_v<T>) {
      dict_[name] = nb::int_(value);
    } else if constexpr (std::is_floating_point_v<T>) {
      dict_[name] = nb::float_(value);
    } else if constexpr (std::is_base_of_v<nb::handle, T>) {
      dict_[name] = value;
    } else {
      dict_[name] = ToPython(value);
    }
    return *this;
  }
  operator nb::object() const { return dict_; }

 private:
  nb::dict dict_;
};

nb::object FieldText(const FieldDifference& field) {
  return nb::make_tuple(ToPython(field.path), ToPython(field.before), ToPython(field.after));
}

nb::object Fields(const std::vector<FieldDifference>& fields) {
  nb::list list;
  for (const FieldDifference& field : fields) list.append(FieldText(field));
  return list;
}

nb::object PlannedChangeDict(const PlannedChange& change) {
  return Dict()
      .Add("action", change.action)
      .Add("kind", change.kind)
      .Add("name", change.name)
      .Add("fields", Fields(change.fields))
      .Add("breaking", change.breaking)
      .Add("why_breaking", change.why_breaking)
      .Add("needs_force", change.needs_force)
      .Add("new_version", change.new_version)
      .Add("old_version", change.old_version)
      .Add("dependants", change.dependants)
      .Add("columns", change.columns);
}

/// What is not known is None.
nb::object Known(int64_t number) {
  return number < 0 ? nb::object(nb::none()) : nb::object(nb::int_(number));
}

nb::object PlannedWorkDict(const PlannedWork& work) {
  return Dict()
      .Add("kind", work.kind)
      .Add("name", work.name)
      .Add("reason", work.reason)
      .Add("cutoffs", work.cutoffs)
      .Add("cutoffs_all", work.cutoffs_all)
      .Add("rows", Known(work.rows))
      .Add("bytes", Known(work.bytes))
      .Add("rows_read", Known(work.rows_read))
      .Add("bytes_read", Known(work.bytes_read));
}

template <typename T>
nb::list ListOf(const std::vector<T>& values, nb::object (*convert)(const T&)) {
  nb::list list;
  for (const T& value : values) list.append(convert(value));
  return list;
}

nb::object ScanExtentDict(const ScanExtent& scan) {
  return Dict()
      .Add("files", scan.files)
      .Add("files_found", scan.files_found)
      .Add("row_groups", scan.row_groups)
      .Add("row_groups_found", scan.row_groups_found)
      .Add("rows", scan.rows)
      .Add("rows_found", scan.rows_found)
      .Add("column_bytes", scan.column_bytes)
      .Add("in_memory", scan.in_memory);
}

nb::object OperatorMeasuresDict(const OperatorMeasures& did) {
  nb::list heaviest;
  for (const HeavyKey& key : did.heaviest_keys)
    heaviest.append(nb::make_tuple(ToPython(key.key), key.rows));
  nb::list nodes;
  for (const NodeMeasures& on : did.nodes) {
    nodes.append(nb::object(Dict()
                                .Add("node", on.node)
                                .Add("fragments", on.fragments)
                                .Add("retried", on.retried)
                                .Add("rows_in", on.rows_in)
                                .Add("rows_out", on.rows_out)
                                .Add("bytes_out", on.bytes_out)
                                .Add("fragment_seconds", on.fragment_seconds)));
  }
  return Dict()
      .Add("seconds", did.seconds)
      .Add("fragment_seconds", did.fragment_seconds)
      .Add("fragments", did.fragments)
      .Add("rows_in", did.rows_in)
      .Add("rows_out", did.rows_out)
      .Add("bytes_out", did.bytes_out)
      .Add("spilled_bytes", did.spilled_bytes)
      .Add("sent_bytes", did.sent_bytes)
      .Add("skew", did.skew)
      .Add("heaviest_keys", heaviest)
      .Add("nodes", nodes);
}

nb::object TagsOf(const ObjectSummary& object) {
  nb::dict tags;
  for (const auto& [key, value] : object.tags) tags[ToPython(key)] = ToPython(value);
  return tags;
}

}  // namespace

nb::object ToPython(const std::string& text) {
  return nb::steal(
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "backslashreplace"));
}

nb::object ToPython(const std::pair<std::string, std::string>& pair) {
  return nb::make_tuple(ToPython(pair.first), ToPython(pair.second));
}

nb::object ToPython(const std::pair<std::string, double>& pair) {
  return nb::make_tuple(ToPython(pair.first), pair.second);
}

nb::object ToPython(const StepReport& step) {
  return Dict()
      .Add("step", step.step)
      .Add("object", step.object)
      .Add("status", step.status)
      .Add("rows", step.rows)
      .Add("cutoffs", step.cutoffs)
      .Add("cutoffs_computed", step.cutoffs_computed)
      .Add("seconds", step.seconds)
      .Add("detail", step.detail)
      .Add("output", step.output);
}

nb::object ToPython(const TrainReport& report) {
  return Dict()
      .Add("step", ToPython(report.step))
      .Add("model", report.model)
      .Add("train_rows", report.train_rows)
      .Add("test_rows", report.test_rows)
      .Add("train_positive_rate", report.train_positive_rate)
      .Add("test_positive_rate", report.test_positive_rate)
      .Add("metrics", report.metrics)
      .Add("importance", report.importance)
      .Add("confusion", nb::make_tuple(report.true_negatives, report.false_positives,
                                       report.false_negatives, report.true_positives))
      .Add("warnings", report.warnings);
}

nb::object ToPython(const PredictReport& report) {
  return Dict()
      .Add("step", ToPython(report.step))
      .Add("model", report.model)
      .Add("as_of_us", report.as_of_us)
      .Add("rows", report.rows)
      .Add("predicted_positive", report.predicted_positive)
      .Add("output", report.output);
}

nb::object ToPython(const RunReport& report) {
  return Dict()
      .Add("steps", report.steps)
      .Add("models", report.models)
      .Add("seconds", report.seconds);
}

nb::object ToPython(const PlanReport& report) {
  return Dict()
      .Add("project", report.project)
      .Add("registry", report.registry)
      .Add("changes", ListOf(report.changes, &PlannedChangeDict))
      .Add("work", ListOf(report.work, &PlannedWorkDict))
      .Add("warnings", report.warnings)
      .Add("has_effect", report.has_effect)
      .Add("has_removal", report.has_removal)
      .Add("has_breaking", report.has_breaking)
      .Add("needs_force", report.needs_force);
}

nb::object ToPython(const HistoryEntry& entry) {
  return Dict()
      .Add("kind", entry.kind)
      .Add("name", entry.name)
      .Add("version", entry.version)
      .Add("applied_at", entry.applied_at)
      .Add("action", entry.action)
      .Add("current", entry.current)
      .Add("fields", Fields(entry.fields));
}

nb::object ToPython(const VersionDifference& difference) {
  return Dict()
      .Add("kind", difference.kind)
      .Add("name", difference.name)
      .Add("before", difference.before)
      .Add("after", difference.after)
      .Add("fields", Fields(difference.fields))
      .Add("why_breaking", difference.why_breaking);
}

nb::object ToPython(const RollbackReport& report) {
  return Dict()
      .Add("kind", report.kind)
      .Add("name", report.name)
      .Add("version", report.version)
      .Add("file", report.file)
      .Add("first_line", report.first_line)
      .Add("last_line", report.last_line)
      .Add("text", report.text)
      .Add("changed", report.changed);
}

nb::object ToPython(const ObjectSummary& object) {
  return Dict()
      .Add("kind", object.kind)
      .Add("name", object.name)
      .Add("summary", object.summary)
      .Add("description", object.description)
      .Add("owner", object.owner)
      .Add("tags", TagsOf(object))
      .Add("in_repo", object.in_repo);
}

nb::object ToPython(const SearchHit& hit) {
  return Dict()
      .Add("kind", hit.kind)
      .Add("name", hit.name)
      .Add("matched", hit.matched)
      .Add("description", hit.description)
      .Add("score", hit.score);
}

nb::object ToPython(const WrittenTable& written) {
  return Dict()
      .Add("rows", written.rows)
      .Add("columns", written.columns)
      .Add("manifest", written.manifest)
      .Add("same_bytes", written.same_bytes ? nb::object(nb::bool_(*written.same_bytes))
                                            : nb::object(nb::none()));
}

nb::object ToPython(const PlanOperator& node) {
  const nb::object none = nb::none();
  return Dict()
      .Add("kind", node.kind)
      .Add("title", node.title)
      .Add("details", node.details)
      .Add("rows", node.rows)
      .Add("partitions", node.partitions)
      .Add("scan", node.scan ? ScanExtentDict(*node.scan) : none)
      .Add("measured", node.measured ? OperatorMeasuresDict(*node.measured) : none)
      .Add("inputs", node.inputs);
}

}  // namespace viand::python
