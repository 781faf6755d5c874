#include "src/engine/function_calls.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <cstdlib>

#include "src/engine/function_worker.h"
#include "src/engine/plain_array.h"

namespace viand::engine {
namespace {

using Column = std::shared_ptr<arrow::Array>;

/// What a call's rows may take, and how many there may be; a set with more is a call of its own.
constexpr int64_t kCallBytes = int64_t{32} << 20;
constexpr int64_t kMostCallRows = int64_t{1} << 18;

/// What a value of a column takes on average, without its dictionary.
int64_t ValueBytes(const arrow::Array& column) {
  const auto words = column.type_id() == arrow::Type::DICTIONARY
                         ? static_cast<const arrow::DictionaryArray&>(column).dictionary()
                         : arrow::MakeArray(column.data());
  const auto bytes = arrow::util::ReferencedBufferSize(*words);
  return bytes.ok() ? *bytes / std::max<int64_t>(words->length(), 1) + 1 : 0;
}

template <typename Builder, typename Values>
arrow::Result<Column> ArrayOf(const Values& values, arrow::MemoryPool* pool) {
  Builder builder(pool);
  VIAND_RETURN_NOT_OK(builder.AppendValues(values.data(), static_cast<int64_t>(values.size())));
  return builder.Finish();
}

arrow::Result<Column> Take(const Column& column, const Column& places, arrow::MemoryPool* pool) {
  arrow::compute::ExecContext context(pool);
  context.set_use_threads(false);
  VIAND_ASSIGN_OR_RETURN(
      const arrow::Datum taken,
      arrow::compute::Take(column, places, arrow::compute::TakeOptions::NoBoundsCheck(), &context));
  return taken.make_array();
}

/// Without a dictionary, as results have it.
arrow::Result<Column> TakePlain(const Column& column, const Column& places,
                                arrow::MemoryPool* pool) {
  VIAND_ASSIGN_OR_RETURN(const Column taken, Take(column, places, pool));
  return ToPlain(taken, PlainType(taken->type()), pool);
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Array>> FunctionCalls::Evaluate(const WindowFeature& feature,
                                                                     const SpanMaker& spans_of) {
  const auto find = [&] {
    return std::find_if(known_.begin(), known_.end(),
                        [&](const auto& each) { return each.first == &feature; });
  };
  if (find() == known_.end()) VIAND_RETURN_NOT_OK(Call(feature, spans_of(feature.window)));
  return find()->second;
}

/// Rows of a call at most: $VIAND_FUNCTION_BATCH_ROWS where it is set.
int64_t FunctionCalls::MostRows(const WindowFeature& feature) const {
  const char* text = std::getenv("VIAND_FUNCTION_BATCH_ROWS");
  const int64_t asked = text == nullptr ? 0 : std::strtoll(text, nullptr, 10);
  if (asked > 0) return asked;
  int64_t row_bytes = sizeof(int32_t);
  for (const std::string& name : feature.function->columns) {
    if (const Column column = events_.events().columns->GetColumnByName(name); column != nullptr)
      row_bytes += ValueBytes(*column);
  }
  return std::clamp<int64_t>(kCallBytes / row_bytes, 1, kMostCallRows);
}

arrow::Status FunctionCalls::Call(const WindowFeature& feature, const Spans& spans) {
  std::vector<const WindowFeature*> features;
  arrow::FieldVector fields;
  for (const WindowFeature& other : spec_.features) {
    if (other.function == nullptr || !other.function->SameCall(*feature.function) ||
        !(other.window == feature.window))
      continue;
    features.push_back(&other);
    fields.push_back(arrow::field(other.function->output, other.function->type));
  }
  const auto results = arrow::schema(std::move(fields));
  std::vector<Columns> pieces(features.size());
  arrow::Int32Builder places(events_.pool());
  VIAND_RETURN_NOT_OK(places.Reserve(sets_.size()));
  const int64_t most = MostRows(feature);
  Batch batch;
  int32_t groups = 0;
  const auto flush = [&]() -> arrow::Status {
    if (batch.sets.empty()) return arrow::Status::OK();
    VIAND_ASSIGN_OR_RETURN(const Columns values, CallBatch(feature, batch, results));
    for (size_t i = 0; i < values.size(); ++i) pieces[i].push_back(values[i]);
    batch = {};
    return arrow::Status::OK();
  };
  for (int64_t segment = 0; segment < sets_.segments(); ++segment) {
    for (int64_t set = sets_.begin[segment]; set < sets_.begin[segment + 1]; ++set) {
      const int64_t size = spans.size(set);
      if (size <= 0) {
        places.UnsafeAppendNull();
        continue;
      }
      if (static_cast<int64_t>(batch.rows.size()) + size > most) VIAND_RETURN_NOT_OK(flush());
      for (int32_t at = spans.begin[set]; at < (*spans.end)[set]; ++at) {
        batch.rows.push_back(static_cast<int32_t>(spans.RowAt(at)));
        batch.groups.push_back(static_cast<int32_t>(batch.sets.size()));
      }
      batch.sets.push_back(set);
      batch.keys.push_back(sets_.key[segment]);
      places.UnsafeAppend(groups++);
    }
  }
  VIAND_RETURN_NOT_OK(flush());
  VIAND_ASSIGN_OR_RETURN(const Column place, places.Finish());
  for (size_t i = 0; i < features.size(); ++i) {
    if (pieces[i].empty()) {
      VIAND_ASSIGN_OR_RETURN(
          pieces[i].emplace_back(),
          arrow::MakeArrayOfNull(features[i]->function->type, 0, events_.pool()));
    }
    VIAND_ASSIGN_OR_RETURN(Column values, arrow::Concatenate(pieces[i], events_.pool()));
    if (place->null_count() > 0) {
      VIAND_ASSIGN_OR_RETURN(values, Take(values, place, events_.pool()));
    }
    known_.emplace_back(features[i], std::move(values));
  }
  return arrow::Status::OK();
}

arrow::Result<FunctionCalls::Columns> FunctionCalls::CallBatch(
    const WindowFeature& feature, const Batch& batch,
    const std::shared_ptr<arrow::Schema>& results) const {
  FunctionBatch call{.function = feature.function->name,
                     .code = feature.function->code,
                     .results = results,
                     .where = feature.where};
  VIAND_ASSIGN_OR_RETURN(call.groups, GroupsOf(batch));
  VIAND_ASSIGN_OR_RETURN(call.rows, RowsOf(feature, batch));
  VIAND_ASSIGN_OR_RETURN(const auto values, caller_(call));
  return values->columns();
}

arrow::Result<Column> FunctionCalls::TimesOf(const Batch& batch) const {
  VIAND_ASSIGN_OR_RETURN(const Column sets,
                         ArrayOf<arrow::Int64Builder>(batch.sets, events_.pool()));
  VIAND_ASSIGN_OR_RETURN(const Column times, Take(as_of_, sets, events_.pool()));
  // Zoned where the events' times are, so that one can be taken from the other.
  const auto& type = *events_.events().time->type();
  const std::string zone = type.id() == arrow::Type::TIMESTAMP
                               ? static_cast<const arrow::TimestampType&>(type).timezone()
                               : std::string();
  return times->View(arrow::timestamp(arrow::TimeUnit::MICRO, zone));
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> FunctionCalls::GroupsOf(
    const Batch& batch) const {
  PoolVector<int32_t> first_rows;
  for (const int32_t key : batch.keys)
    first_rows.push_back(static_cast<int32_t>(events_.keys().first_rows()[key]));
  VIAND_ASSIGN_OR_RETURN(const Column places,
                         ArrayOf<arrow::Int32Builder>(first_rows, events_.pool()));
  arrow::FieldVector fields;
  Columns columns;
  const auto add = [&](const std::string& name, const Column& column) {
    fields.push_back(arrow::field(name, column->type()));
    columns.push_back(column);
  };
  for (size_t i = 0; i < spec_.key_names.size(); ++i) {
    VIAND_ASSIGN_OR_RETURN(const Column key,
                           TakePlain(events_.events().keys[i], places, events_.pool()));
    add(spec_.key_names[i], key);
  }
  VIAND_ASSIGN_OR_RETURN(const Column times, TimesOf(batch));
  add("as_of", times);
  PoolVector<int64_t> before(batch.sets.size());
  for (size_t row = batch.groups.size(); row-- > 0;)
    before[batch.groups[row]] = static_cast<int64_t>(row);
  VIAND_ASSIGN_OR_RETURN(const Column rows_before,
                         ArrayOf<arrow::Int64Builder>(before, events_.pool()));
  add("rows_before", rows_before);
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows_before->length(),
                                  std::move(columns));
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> FunctionCalls::RowsOf(
    const WindowFeature& feature, const Batch& batch) const {
  VIAND_ASSIGN_OR_RETURN(const Column places, events_.PlacesOf(batch.rows));
  VIAND_ASSIGN_OR_RETURN(Column groups, ArrayOf<arrow::Int32Builder>(batch.groups, events_.pool()));
  arrow::FieldVector fields = {arrow::field("group", arrow::int32(), false)};
  Columns columns = {std::move(groups)};
  for (const std::string& name : feature.function->columns) {
    const Column all = events_.events().columns->GetColumnByName(name);
    if (all == nullptr)
      return ErrorAt(feature.where, ErrorKind::kInput, "unknown column \"" + name + "\"");
    VIAND_ASSIGN_OR_RETURN(const Column column, TakePlain(all, places, events_.pool()));
    fields.push_back(arrow::field(name, column->type()));
    columns.push_back(column);
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), places->length(),
                                  std::move(columns));
}

}  // namespace viand::engine
