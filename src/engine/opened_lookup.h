// The lookups of a retrieval with their sources opened: what its running and its estimate begin
// with.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "src/engine/key_bounds.h"
#include "src/engine/map_stage.h"
#include "src/engine/open_scan.h"
#include "src/engine/plan.h"
#include "src/engine/spine.h"

namespace viand::engine {

/// A lookup with its source opened and its keys in the order of the spine columns' names, so that
/// lookups by the same columns share one partitioned spine.
struct OpenedLookup {
  const Lookup* lookup = nullptr;
  int index = 0;  ///< in the plan
  OpenedScan source;
  std::vector<std::string> spine_keys;
  std::vector<std::string> view_keys;
  bool broadcast = false;   ///< its source is sent whole to where the spine is read
  bool wants_keys = false;  ///< the spine's keys are sent to where its source is read
};

/// Opens the source of every lookup, in order. A lookup whose lists do not fit each other is
/// kDefinition. `executor` as OpenScan.
arrow::Result<std::vector<OpenedLookup>> OpenLookups(const RetrievalPlan& plan,
                                                     const Executor* executor);

/// Lookups that one pass over their source does for: views over the same events, by the same
/// columns of the spine. An as-of lookup is alone.
using LookupPass = std::vector<OpenedLookup*>;

/// Each lookup in one pass, in order of their first ones.
std::vector<LookupPass> PassesOf(std::vector<OpenedLookup>* lookups);

/// The columns of the spine that any of the lookups has for a key.
std::vector<std::string> SpineKeysOf(const std::vector<OpenedLookup>& lookups);

/// Types for the columns of a CSV spine: text alone does not tell whether 00123 is a string, what
/// it is compared with does.
std::map<std::string, std::shared_ptr<arrow::DataType>> CsvTypesOf(
    const std::vector<OpenedLookup>& lookups);

/// What the spine's keys say of the rows that a lookup can find.
std::vector<KeyBound> KeyBoundsOf(const OpenedLookup& opened, const Spine& spine);

/// Raises `most` to the size of what is dealt out for the lookup.
arrow::Status RaiseSize(const OpenedLookup& opened, int64_t spine_rows, InputSize* most);

const Scan& SourceOf(const Lookup& lookup);
const std::string& TimeOf(const Lookup& lookup);

/// The view's description, or where it has none its source's.
const std::string& DescriptionOf(const Lookup& lookup);

}  // namespace viand::engine
