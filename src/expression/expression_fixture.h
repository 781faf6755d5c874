// Small tables and shorthands that the room's tests share.
#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/expression/batch_evaluator.h"
#include "src/expression/binder.h"
#include "src/expression/row_evaluator.h"
#include "src/expression/sql_types.h"
#include "src/expression/value.h"

namespace viand::expression {

/// Makes a batch of one row that holds nothing, for constant expressions.
inline std::shared_ptr<arrow::RecordBatch> OneRow() {
  auto nothing = arrow::MakeArrayOfNull(arrow::int64(), 1).ValueOrDie();
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("nothing", arrow::int64())}), 1,
                                  {nothing});
}

/// Prints row `row` of an array: null, or the value cast to varchar as DuckDB prints it.
inline std::string Shown(const std::shared_ptr<arrow::Array>& array, int64_t row) {
  const auto schema = arrow::schema({arrow::field("x", array->type())});
  auto text = ParseAndBind("cast(x as varchar)", {.columns = schema});
  if (!text.ok()) return text.status().ToString();
  const auto batch = arrow::RecordBatch::Make(schema, array->length(), {array});
  auto shown = EvaluateBatch(**text, *batch);
  if (!shown.ok()) return shown.status().ToString();
  if ((*shown)->IsNull(row)) return "NULL";
  return static_cast<const arrow::StringArray&>(**shown).GetString(row);
}

/// Evaluates a constant text by both evaluators; "error: ..." where it fails, "differs: ..." where
/// the two disagree.
inline std::string EvaluateText(std::string_view text) {
  const auto batch = OneRow();
  auto tree = ParseAndBind(text, {.columns = batch->schema()});
  if (!tree.ok()) return "error: " + RenderError(tree.status());
  auto array = EvaluateBatch(**tree, *batch);
  const Value nothing;
  auto value = EvaluateRow(**tree, {&nothing, 1});
  if (array.ok() != value.ok())
    return "differs: " + array.status().ToString() + value.status().ToString();
  if (!array.ok()) return "error: " + RenderError(array.status());
  auto again = ToArray({&*value, 1}, (*tree)->type);
  if (!again.ok() || Shown(*array, 0) != Shown(*again, 0)) return "differs: " + Shown(*array, 0);
  return Shown(*array, 0);
}

}  // namespace viand::expression
