// Reports of the public API as Python's dicts, named as its fields are; viand/reports.py makes
// classes of them.
#pragma once

#include <nanobind/nanobind.h>

#include <string>
#include <vector>

#include "viand/feature_store.h"

namespace viand::python {

namespace nb = nanobind;

/// A text; bytes of it that are no UTF-8 are escaped.
nb::object ToPython(const std::string& text);
nb::object ToPython(const StepReport& step);
nb::object ToPython(const TrainReport& report);
nb::object ToPython(const PredictReport& report);
nb::object ToPython(const RunReport& report);
nb::object ToPython(const PlanReport& report);
nb::object ToPython(const HistoryEntry& entry);
nb::object ToPython(const VersionDifference& difference);
nb::object ToPython(const RollbackReport& report);
nb::object ToPython(const ObjectSummary& object);
nb::object ToPython(const SearchHit& hit);
nb::object ToPython(const WrittenTable& written);
nb::object ToPython(const PlanOperator& node);

/// A pair is a tuple.
nb::object ToPython(const std::pair<std::string, std::string>& pair);
nb::object ToPython(const std::pair<std::string, double>& pair);

template <typename T>
nb::object ToPython(const std::vector<T>& values) {
  nb::list list;
  for (const T& value : values) list.append(ToPython(value));
  return list;
}

}  // namespace viand::python
