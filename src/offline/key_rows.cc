#include "src/offline/key_rows.h"

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

namespace viand::offline {
namespace {

arrow::Result<std::shared_ptr<arrow::ChunkedArray>> RequireColumn(const arrow::Table& table,
                                                                  const std::string& name) {
  auto column = table.GetColumnByName(name);
  if (column != nullptr) return column;
  return MakeError(ErrorKind::kInput, fmt::format("the spine has no column \"{}\"", name),
                   NearestOrAll(name, table.schema()->field_names(), "columns are "));
}

std::shared_ptr<arrow::DataType> EventTimestampType() {
  return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
}

}  // namespace

std::vector<std::string> SpineKeysOf(const std::vector<LookupRequest>& requests) {
  std::vector<std::string> keys;
  for (const LookupRequest& request : requests) {
    for (const std::string& key : request.view->join_keys) {
      const auto mapped = request.join_key_map.find(key);
      const std::string& column = mapped == request.join_key_map.end() ? key : mapped->second;
      if (std::find(keys.begin(), keys.end(), column) == keys.end()) keys.push_back(column);
    }
  }
  return keys;
}

arrow::Result<std::shared_ptr<arrow::Table>> DistinctKeys(const arrow::Table& table,
                                                          const std::vector<std::string>& keys) {
  ARROW_ASSIGN_OR_RAISE(const auto whole, table.CombineChunks());
  std::vector<std::shared_ptr<arrow::ChunkedArray>> columns;
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (const std::string& key : keys) {
    ARROW_ASSIGN_OR_RAISE(auto column, RequireColumn(*whole, key));
    columns.push_back(std::move(column));
    fields.push_back(whole->schema()->GetFieldByName(key));
  }
  std::unordered_set<std::string> seen;
  arrow::Int64Builder rows;
  for (int64_t row = 0; row < whole->num_rows(); ++row) {
    std::string identity;
    bool null_key = false;
    for (const auto& column : columns) {
      ARROW_ASSIGN_OR_RAISE(const auto value, column->GetScalar(row));
      null_key |= !value->is_valid;
      const std::string text = value->ToString();
      identity += fmt::format("{}:{}", text.size(), text);
    }
    if (!null_key && seen.insert(std::move(identity)).second) ARROW_RETURN_NOT_OK(rows.Append(row));
  }
  ARROW_ASSIGN_OR_RAISE(const auto indices, rows.Finish());
  const auto selected = arrow::Table::Make(arrow::schema(fields), columns, whole->num_rows());
  ARROW_ASSIGN_OR_RAISE(const auto taken, arrow::compute::Take(selected, indices));
  return taken.table();
}

arrow::Result<std::shared_ptr<arrow::Table>> StampWith(const std::shared_ptr<arrow::Table>& table,
                                                       int64_t time_us) {
  const arrow::TimestampScalar time(time_us, EventTimestampType());
  ARROW_ASSIGN_OR_RAISE(auto column, arrow::MakeArrayFromScalar(time, table->num_rows()));
  return table->AddColumn(table->num_columns(),
                          arrow::field("event_timestamp", EventTimestampType()),
                          std::make_shared<arrow::ChunkedArray>(std::move(column)));
}

arrow::Result<int64_t> LatestTimeUs(const arrow::Table& table, const std::string& column) {
  ARROW_ASSIGN_OR_RAISE(const auto times, RequireColumn(table, column));
  ARROW_ASSIGN_OR_RAISE(const auto cast, arrow::compute::Cast(times, EventTimestampType()));
  ARROW_ASSIGN_OR_RAISE(const auto range, arrow::compute::MinMax(cast));
  const auto& latest =
      static_cast<const arrow::TimestampScalar&>(*range.scalar_as<arrow::StructScalar>().value[1]);
  if (!latest.is_valid) {
    return MakeError(ErrorKind::kInput,
                     fmt::format("column \"{}\" of the spine holds no time", column));
  }
  return latest.value;
}

}  // namespace viand::offline
