#include "src/engine/execute_arrange.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include "src/common/cancellation.h"
#include "src/engine/key_index.h"
#include "src/engine/partition_inputs.h"

namespace viand::engine {
namespace {

namespace cp = arrow::compute;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using Rows = std::vector<uint64_t>;

class ArrangeRun {
 public:
  ArrangeRun(const ArrangeFragment& arrange, const FragmentContext& context)
      : arrange_(arrange), compute_(context.pool), pool_(context.pool) {}

  arrow::Result<Tables> Run(Tables inputs) {
    std::shared_ptr<arrow::Table> begins;
    if (arrange_.parts > 1) {
      if (inputs.empty()) return InputsDoNotFit();
      begins = std::move(inputs.back());
      inputs.pop_back();
    }
    VIAND_ASSIGN_OR_RETURN(BatchPtr rows, Chosen(inputs));
    if (begins != nullptr) return Cut(rows, *begins);
    VIAND_ASSIGN_OR_RETURN(rows, Sorted(std::move(rows)));
    VIAND_ASSIGN_OR_RETURN(rows, Distinct(std::move(rows)));
    VIAND_ASSIGN_OR_RETURN(rows, Some(std::move(rows)));
    VIAND_ASSIGN_OR_RETURN(rows, PutOut(std::move(rows)));
    VIAND_ASSIGN_OR_RETURN(auto table, arrow::Table::FromRecordBatches({rows}));
    return Tables{std::move(table)};
  }

 private:
  /// The chosen columns of the inputs, one after another, in their types.
  arrow::Result<BatchPtr> Chosen(const Tables& inputs) const {
    std::shared_ptr<arrow::Schema> schema = arrange_.columns;
    Tables tables;
    for (const auto& input : inputs) {
      std::shared_ptr<arrow::Table> table = input;
      if (!arrange_.chosen.empty()) {
        for (const int column : arrange_.chosen) {
          if (column >= input->num_columns()) return InputsDoNotFit();
        }
        VIAND_ASSIGN_OR_RETURN(table, input->SelectColumns(arrange_.chosen));
      }
      if (schema == nullptr) schema = table->schema();
      if (arrange_.most_rows == 0) table = table->Slice(0, 0);
      VIAND_ASSIGN_OR_RETURN(tables.emplace_back(), Typed(*table, schema));
    }
    if (schema == nullptr) return InputsDoNotFit();
    for (const int column : arrange_.order) {
      if (column >= schema->num_fields()) return InputsDoNotFit();
    }
    if (arrange_.dropped > schema->num_fields()) return InputsDoNotFit();
    return JoinParts(tables, 0, tables.size(), schema, pool_);
  }

  arrow::Result<std::shared_ptr<arrow::Table>> Typed(
      const arrow::Table& table, const std::shared_ptr<arrow::Schema>& schema) const {
    if (table.num_columns() != schema->num_fields()) return InputsDoNotFit();
    arrow::ChunkedArrayVector columns = table.columns();
    for (int i = 0; i < schema->num_fields(); ++i) {
      const auto& type = schema->field(i)->type();
      if (columns[i]->type()->Equals(*type)) continue;
      cp::ExecContext context(pool_);
      VIAND_ASSIGN_OR_RETURN(const auto cast,
                             cp::Cast(columns[i], type, cp::CastOptions::Safe(), &context));
      columns[i] = cast.chunked_array();
    }
    return arrow::Table::Make(schema, std::move(columns), table.num_rows());
  }

  /// The columns of `order`.
  BatchPtr OrderColumns(const arrow::RecordBatch& rows) const {
    arrow::ArrayVector columns;
    arrow::FieldVector fields;
    for (const int column : arrange_.order) {
      columns.push_back(rows.column(column));
      // Sorted by place: names may be equal.
      fields.push_back(rows.schema()->field(column));
    }
    return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows.num_rows(),
                                    std::move(columns));
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Order(const BatchPtr& by) {
    VIAND_RETURN_NOT_OK(CheckCancelled());
    std::vector<cp::SortKey> keys;
    for (int column = 0; column < by->num_columns(); ++column)
      keys.emplace_back(arrow::FieldRef(column));
    return cp::SortIndices(arrow::Datum(by), cp::SortOptions(std::move(keys)), &compute_);
  }

  arrow::Result<BatchPtr> Take(const BatchPtr& rows, const arrow::Datum& indices) {
    VIAND_ASSIGN_OR_RETURN(const auto taken, cp::Take(arrow::Datum(rows), indices,
                                                      cp::TakeOptions::NoBoundsCheck(), &compute_));
    return taken.record_batch();
  }

  arrow::Result<BatchPtr> Take(const BatchPtr& rows, const Rows& indices) {
    const std::shared_ptr<arrow::Array> array = std::make_shared<arrow::UInt64Array>(
        static_cast<int64_t>(indices.size()), arrow::Buffer::Wrap(indices.data(), indices.size()));
    return Take(rows, arrow::Datum(array));
  }

  arrow::Result<BatchPtr> Sorted(BatchPtr rows) {
    if (arrange_.order.empty() || rows->num_rows() < 2) return rows;
    VIAND_ASSIGN_OR_RETURN(const auto order, Order(OrderColumns(*rows)));
    return Take(rows, arrow::Datum(order));
  }

  arrow::Result<BatchPtr> Distinct(BatchPtr rows) {
    if (arrange_.distinct == 0) return rows;
    arrow::ArrayVector columns = OrderColumns(*rows)->columns();
    columns.resize(static_cast<size_t>(arrange_.distinct));
    VIAND_ASSIGN_OR_RETURN(const KeyIndex index,
                           KeyIndex::Make(columns, rows->num_rows(), {.null_is_value = true}));
    if (index.size() == rows->num_rows()) return rows;
    return Take(rows, Rows(index.first_rows().begin(), index.first_rows().end()));
  }

  arrow::Result<BatchPtr> Some(BatchPtr rows) {
    const int64_t count = rows->num_rows();
    if (!arrange_.most_rows || count <= *arrange_.most_rows) return rows;
    Rows some(static_cast<size_t>(*arrange_.most_rows));
    for (size_t i = 0; i < some.size(); ++i) {
      // Beyond int64 for many of many rows.
      some[i] = static_cast<uint64_t>(static_cast<__int128>(i) * count / *arrange_.most_rows);
    }
    return Take(rows, some);
  }

  /// Without the columns that go, with the one that comes.
  arrow::Result<BatchPtr> PutOut(BatchPtr rows) const {
    for (int i = 0; i < arrange_.dropped; ++i) {
      VIAND_ASSIGN_OR_RETURN(rows, rows->RemoveColumn(rows->num_columns() - 1));
    }
    if (!arrange_.time_us) return rows;
    const auto type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    VIAND_ASSIGN_OR_RETURN(
        auto times, arrow::MakeArrayFromScalar(arrow::TimestampScalar(*arrange_.time_us, type),
                                               rows->num_rows(), pool_));
    return rows->AddColumn(rows->num_columns(), arrow::field(arrange_.time_name, type), times);
  }

  /// Sorts the rows with those at which parts begin before what is equal to them.
  arrow::Result<Tables> Cut(const BatchPtr& rows, const arrow::Table& begins) {
    const BatchPtr own = OrderColumns(*rows);
    if (begins.num_columns() != own->num_columns() || begins.num_rows() > arrange_.parts)
      return InputsDoNotFit();
    VIAND_ASSIGN_OR_RETURN(const auto first, Typed(begins, own->schema()));
    VIAND_ASSIGN_OR_RETURN(const auto behind, arrow::Table::FromRecordBatches({own}));
    VIAND_ASSIGN_OR_RETURN(const auto both, JoinParts({first, behind}, 0, 2, own->schema(), pool_));
    VIAND_ASSIGN_OR_RETURN(const auto order, Order(both));
    const auto count = static_cast<uint64_t>(begins.num_rows());
    const auto& places = static_cast<const arrow::UInt64Array&>(*order);
    Rows indices;
    indices.reserve(static_cast<size_t>(rows->num_rows()));
    std::vector<int64_t> starts;  // of the parts, in `indices`
    for (int64_t i = 0; i < places.length(); ++i) {
      if (places.Value(i) < count)
        starts.push_back(static_cast<int64_t>(indices.size()));
      else
        indices.push_back(places.Value(i) - count);
    }
    starts.resize(static_cast<size_t>(arrange_.parts) + 1, rows->num_rows());
    starts[0] = 0;
    VIAND_ASSIGN_OR_RETURN(BatchPtr sorted, Take(rows, indices));
    VIAND_ASSIGN_OR_RETURN(sorted, PutOut(std::move(sorted)));
    Tables parts;
    for (int part = 0; part < arrange_.parts; ++part) {
      VIAND_ASSIGN_OR_RETURN(parts.emplace_back(),
                             arrow::Table::FromRecordBatches(
                                 {sorted->Slice(starts[part], starts[part + 1] - starts[part])}));
    }
    return parts;
  }

  const ArrangeFragment& arrange_;
  cp::ExecContext compute_;
  arrow::MemoryPool* const pool_;
};

}  // namespace

arrow::Result<Tables> ExecuteArrange(const ArrangeFragment& arrange, const Tables& inputs,
                                     const FragmentContext& context) {
  return ArrangeRun(arrange, context).Run(inputs);
}

}  // namespace viand::engine
