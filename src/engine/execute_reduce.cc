#include "src/engine/execute_reduce.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include <algorithm>
#include <iterator>

#include "src/engine/as_of_join.h"
#include "src/engine/bind_view.h"
#include "src/engine/coded_array.h"
#include "src/engine/plain_array.h"
#include "src/expression/binder.h"

namespace viand::engine {
namespace {

arrow::Result<std::shared_ptr<arrow::Array>> JoinChunks(const arrow::ArrayVector& chunks,
                                                        arrow::MemoryPool* pool) {
  if (chunks.size() == 1) return chunks[0];
  if (chunks[0]->type_id() == arrow::Type::DICTIONARY) return JoinCoded(chunks, pool);
  return arrow::Concatenate(chunks, pool);
}

/// Appends the parts [first, last) column by column, each column in one piece. No part: no row of
/// `schema`.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> JoinParts(const Tables& parts, size_t first,
                                                             size_t last,
                                                             std::shared_ptr<arrow::Schema> schema,
                                                             arrow::MemoryPool* pool) {
  arrow::ArrayVector columns;
  int64_t rows = 0;
  for (size_t part = first; part < last; ++part) rows += parts[part]->num_rows();
  for (int i = 0; i < schema->num_fields(); ++i) {
    arrow::ArrayVector chunks;
    for (size_t part = first; part < last; ++part) {
      for (const auto& chunk : parts[part]->column(i)->chunks()) {
        if (chunk->length() > 0) chunks.push_back(chunk);
      }
    }
    if (chunks.empty()) {
      VIAND_ASSIGN_OR_RETURN(auto empty, arrow::MakeEmptyArray(schema->field(i)->type(), pool));
      chunks.push_back(std::move(empty));
    }
    VIAND_ASSIGN_OR_RETURN(auto whole, JoinChunks(chunks, pool));
    columns.push_back(std::move(whole));
  }
  return arrow::RecordBatch::Make(std::move(schema), rows, std::move(columns));
}

arrow::Status Misfit() { return MakeError(ErrorKind::kInput, "a fragment's inputs do not fit it"); }

arrow::Status CheckInputs(const Tables& inputs, size_t spine_parts, const arrow::Schema& schema) {
  if (inputs.size() < spine_parts) return Misfit();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const arrow::Schema& found = *inputs[i]->schema();
    if (i >= spine_parts ? !found.Equals(schema, false)
                         : !found.Equals(*inputs[0]->schema(), false))
      return Misfit();
  }
  return arrow::Status::OK();
}

/// The spine's rows of one partition: keys..., time, row number.
struct SpinePart {
  arrow::ArrayVector keys;
  std::shared_ptr<arrow::Array> time;
  std::shared_ptr<arrow::Array> rows;
};

arrow::Result<SpinePart> ReadSpine(const Tables& inputs, int parts, size_t key_count,
                                   arrow::MemoryPool* pool) {
  const auto schema = inputs[0]->schema();
  if (static_cast<size_t>(schema->num_fields()) != key_count + 2) {
    return MakeError(ErrorKind::kInput, "a fragment's spine does not fit it");
  }
  VIAND_ASSIGN_OR_RETURN(auto batch, JoinParts(inputs, 0, parts, schema, pool));
  arrow::ArrayVector columns = batch->columns();
  SpinePart spine;
  spine.rows = columns.back();
  columns.pop_back();
  spine.time = columns.back();
  columns.pop_back();
  spine.keys = std::move(columns);
  return spine;
}

/// Puts the row numbers in front.
arrow::Result<std::shared_ptr<arrow::Table>> WithRows(const arrow::Array& spine_rows,
                                                      const SpineFeatures& found,
                                                      arrow::MemoryPool* pool) {
  arrow::compute::ExecContext execution(pool);
  VIAND_ASSIGN_OR_RETURN(
      auto rows, arrow::compute::Take(spine_rows, *found.rows,
                                      arrow::compute::TakeOptions::NoBoundsCheck(), &execution));
  arrow::FieldVector fields = found.features->schema()->fields();
  arrow::ArrayVector columns = found.features->columns();
  fields.insert(fields.begin(), arrow::field("row", arrow::int64(), false));
  columns.insert(columns.begin(), std::move(rows));
  return arrow::Table::Make(arrow::schema(std::move(fields)), columns, found.features->num_rows());
}

/// One table (row number, position) a part of the features: the rows that were found in it, in the
/// order of the spine's. `found` are indices in the parts one after another.
arrow::Result<Tables> DealOutFound(const arrow::Array& spine_rows, const arrow::Int64Array& found,
                                   const arrow::Array& positions,
                                   const std::vector<int64_t>& part_ends, arrow::MemoryPool* pool) {
  // The part of the first row of every block: that of a row is at most a few further.
  constexpr int kBlockBits = 8;
  std::vector<int32_t> part_of_block;
  for (int64_t first = 0, part = 0; first < positions.length(); first += 1 << kBlockBits) {
    while (part_ends[part] <= first) ++part;
    part_of_block.push_back(static_cast<int32_t>(part));
  }
  const auto* indices = found.data()->GetValues<int64_t>(1);
  std::vector<int32_t> parts(found.length(), -1);
  std::vector<int64_t> counts(part_ends.size(), 0);
  for (int64_t i = 0; i < found.length(); ++i) {
    if (found.IsNull(i)) continue;
    int32_t part = part_of_block[indices[i] >> kBlockBits];
    while (part_ends[part] <= indices[i]) ++part;
    parts[i] = part;
    ++counts[part];
  }
  std::vector<std::shared_ptr<arrow::Buffer>> row_buffers, position_buffers;
  std::vector<int64_t*> next_row;
  std::vector<int32_t*> next_position;
  for (const int64_t count : counts) {
    VIAND_ASSIGN_OR_RETURN(auto rows, arrow::AllocateBuffer(count * sizeof(int64_t), pool));
    VIAND_ASSIGN_OR_RETURN(auto places, arrow::AllocateBuffer(count * sizeof(int32_t), pool));
    next_row.push_back(reinterpret_cast<int64_t*>(rows->mutable_data()));
    next_position.push_back(reinterpret_cast<int32_t*>(places->mutable_data()));
    row_buffers.push_back(std::move(rows));
    position_buffers.push_back(std::move(places));
  }
  const auto* row_numbers = spine_rows.data()->GetValues<int64_t>(1);
  const auto* position = positions.data()->GetValues<int32_t>(1);
  for (int64_t i = 0; i < found.length(); ++i) {
    if (parts[i] < 0) continue;
    *next_row[parts[i]]++ = row_numbers[i];
    *next_position[parts[i]]++ = position[indices[i]];
  }
  Tables tables;
  for (size_t part = 0; part < counts.size(); ++part) {
    tables.push_back(arrow::Table::Make(
        FoundSchema(),
        arrow::ArrayVector{
            std::make_shared<arrow::Int64Array>(counts[part], row_buffers[part]),
            std::make_shared<arrow::Int32Array>(counts[part], position_buffers[part])}));
  }
  return tables;
}

}  // namespace

std::shared_ptr<arrow::Schema> FoundSchema() {
  return arrow::schema({arrow::field("row", arrow::int64(), false),
                        arrow::field("position", arrow::int32(), false)});
}

arrow::Result<Tables> ExecuteAsOf(const AsOfFragment& join, const Tables& inputs,
                                  const FragmentContext& context) {
  arrow::MemoryPool* pool = context.pool;
  VIAND_RETURN_NOT_OK(CheckInputs(inputs, join.spine_parts, *join.features));
  VIAND_ASSIGN_OR_RETURN(const SpinePart spine,
                         ReadSpine(inputs, join.spine_parts, join.key_count, pool));
  VIAND_ASSIGN_OR_RETURN(const auto features,
                         JoinParts(inputs, join.spine_parts, inputs.size(), join.features, pool));
  if (inputs.size() != static_cast<size_t>(join.spine_parts) + join.feature_parts) return Misfit();
  AsOfSide left{.keys = spine.keys, .time = spine.time, .created = nullptr};
  AsOfSide right;
  int next = 0;
  while (next < join.key_count) right.keys.push_back(features->column(next++));
  right.time = features->column(next++);
  if (join.has_created) right.created = features->column(next++);
  const AsOfOptions options{
      .ttl_us = join.ttl_us, .created_not_after = join.created_not_after, .grid_us = join.grid_us};
  VIAND_ASSIGN_OR_RETURN(const auto indices, AsOfJoin(left, right, options, pool));
  std::vector<int64_t> part_ends;
  for (int part = 0; part < join.feature_parts; ++part) {
    part_ends.push_back((part == 0 ? 0 : part_ends.back()) +
                        inputs[join.spine_parts + part]->num_rows());
  }
  return DealOutFound(*spine.rows, *indices, *features->column(next), part_ends, pool);
}

namespace {

arrow::Result<WindowSpec> SpecOf(const WindowTask& task, const WindowFragment& window) {
  const auto schema = PlainSchema(*window.events);
  VIAND_ASSIGN_OR_RETURN(WindowSpec spec, BindWindowSpec(task.features, task.existence, task.having,
                                                         schema, window.described_as));
  spec.absent = task.absent;
  if (task.filter.empty()) return spec;
  const expression::Scope scope{.columns = schema, .described_as = window.described_as};
  VIAND_ASSIGN_OR_RETURN(spec.filter, expression::ParseAndBind(task.filter, scope));
  if (spec.filter->type->id() != arrow::Type::BOOL) {
    return MakeError(ErrorKind::kDefinition,
                     "the filter \"" + task.filter + "\" is not a condition");
  }
  return spec;
}

}  // namespace

arrow::Result<Tables> ExecuteWindow(const WindowFragment& window, const Tables& inputs,
                                    const FragmentContext& context) {
  arrow::MemoryPool* pool = context.pool;
  VIAND_RETURN_NOT_OK(CheckInputs(inputs, window.spine_parts, *window.events));
  std::vector<WindowSpec> specs;
  for (const WindowTask& task : window.tasks) {
    VIAND_ASSIGN_OR_RETURN(specs.emplace_back(), SpecOf(task, window));
  }
  SpinePart spine;
  if (window.at_spine) {
    VIAND_ASSIGN_OR_RETURN(spine, ReadSpine(inputs, window.spine_parts, window.keys.size(), pool));
  }
  EventRows events;
  VIAND_ASSIGN_OR_RETURN(events.columns,
                         JoinParts(inputs, window.spine_parts, inputs.size(), window.events, pool));
  std::vector<std::string> key_names;
  for (int key : window.keys) {
    events.keys.push_back(events.columns->column(key));
    key_names.push_back(window.events->field(key)->name());
  }
  events.time = events.columns->column(window.time_column);
  VIAND_ASSIGN_OR_RETURN(const auto sorted, SortedEvents::Make(std::move(events), pool));
  Tables outputs;
  for (size_t i = 0; i < specs.size(); ++i) {
    if (!window.at_spine) {
      VIAND_ASSIGN_OR_RETURN(auto rows, AggregateAtGrid(sorted.get(), key_names,
                                                        window.tasks[i].cutoffs_us, specs[i]));
      VIAND_ASSIGN_OR_RETURN(outputs.emplace_back(), arrow::Table::FromRecordBatches({rows}));
      continue;
    }
    VIAND_ASSIGN_OR_RETURN(const SpineFeatures found,
                           AggregateAtSpine(sorted.get(), spine.keys, spine.time, specs[i]));
    VIAND_ASSIGN_OR_RETURN(const auto rows, WithRows(*spine.rows, found, pool));
    VIAND_ASSIGN_OR_RETURN(Tables dealt, DealByRow(rows, window.chunks));
    std::move(dealt.begin(), dealt.end(), std::back_inserter(outputs));
  }
  return outputs;
}

}  // namespace viand::engine
