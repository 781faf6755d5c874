#include "src/distributed/compact_dictionaries.h"

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/table.h>

#include "src/common/block_pool.h"

namespace viand::distributed {
namespace {

arrow::Result<std::shared_ptr<arrow::Array>> WithoutUnusedValues(
    const std::shared_ptr<arrow::Array>& array) {
  const auto& coded = static_cast<const arrow::DictionaryArray&>(*array);
  if (coded.dictionary()->length() <= coded.length()) return array;
  arrow::compute::ExecContext context(ProcessPool());
  context.set_use_threads(false);
  VIAND_ASSIGN_OR_RETURN(
      const auto values,
      arrow::compute::Take(*coded.dictionary(), *coded.indices(),
                           arrow::compute::TakeOptions::NoBoundsCheck(), &context));
  VIAND_ASSIGN_OR_RETURN(
      const auto encoded,
      arrow::compute::DictionaryEncode(values, arrow::compute::DictionaryEncodeOptions::Defaults(),
                                       &context));
  return encoded.make_array();
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Table>> CompactDictionaries(
    const std::shared_ptr<arrow::Table>& table) {
  std::shared_ptr<arrow::Table> result = table;
  for (int i = 0; i < table->num_columns(); ++i) {
    const auto& field = table->field(i);
    if (field->type()->id() != arrow::Type::DICTIONARY) continue;
    arrow::ArrayVector chunks;
    for (const auto& chunk : table->column(i)->chunks()) {
      VIAND_ASSIGN_OR_RETURN(chunks.emplace_back(), WithoutUnusedValues(chunk));
    }
    auto column = std::make_shared<arrow::ChunkedArray>(std::move(chunks), field->type());
    VIAND_ASSIGN_OR_RETURN(result, result->SetColumn(i, field, std::move(column)));
  }
  return result;
}

}  // namespace viand::distributed
