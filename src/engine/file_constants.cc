#include "src/engine/file_constants.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/expression.h>
#include <arrow/dataset/file_parquet.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/metadata.h>
#include <parquet/statistics.h>

#include "src/common/data_location.h"
#include "src/engine/column_chunk.h"
#include "src/engine/hive_partition.h"
#include "src/engine/plain_array.h"

namespace viand::engine {
namespace {

namespace cp = arrow::compute;

class Constants {
 public:
  bool Has(const std::string& name) const {
    for (const auto& field : fields_) {
      if (field->name() == name) return true;
    }
    return false;
  }

  arrow::Status Add(const std::string& name, const arrow::Scalar& value) {
    VIAND_ASSIGN_OR_RETURN(auto array, arrow::MakeArrayFromScalar(value, 1));
    fields_.push_back(arrow::field(name, array->type()));
    arrays_.push_back(std::move(array));
    return arrow::Status::OK();
  }

  /// Gives the file these columns; one of the file's own that has the name of one goes.
  void MoveTo(OpenedFile* file) {
    if (fields_.empty()) return;
    arrow::FieldVector all;
    for (const auto& field : file->schema->fields()) {
      if (!Has(field->name())) all.push_back(field);
    }
    all.insert(all.end(), fields_.begin(), fields_.end());
    file->schema = arrow::schema(std::move(all), file->schema->metadata());
    file->constants =
        arrow::RecordBatch::Make(arrow::schema(std::move(fields_)), 1, std::move(arrays_));
  }

 private:
  arrow::FieldVector fields_;
  arrow::ArrayVector arrays_;
};

std::string NameHere(const std::string& in_file, const OpenedScan& scan) {
  for (const auto& [from, to] : scan.renames) {
    if (from == in_file) return to;
  }
  return in_file;
}

/// Tells whether the statistics of every row group say that the column has one value, `value`.
bool HasOnly(const parquet::FileMetaData& metadata, int leaf, const arrow::Field& field,
             const std::shared_ptr<arrow::Scalar>& value) {
  for (int i = 0; i < metadata.num_row_groups(); ++i) {
    const auto group = metadata.RowGroup(i);
    if (group->num_rows() == 0) continue;
    const auto statistics = StatisticsOf(*group, leaf);
    if (statistics == nullptr || !statistics->HasNullCount()) return false;
    if (!value->is_valid) {
      if (statistics->null_count() != group->num_rows()) return false;
      continue;
    }
    if (statistics->null_count() != 0) return false;
    const auto range =
        arrow::dataset::ParquetFileFragment::EvaluateStatisticsAsExpression(field, *statistics);
    const auto own = value->CastTo(field.type());
    if (!range || !own.ok()) return false;
    // One value only: its range is an equation.
    if (!range->Equals(cp::equal(cp::field_ref(field.name()), cp::literal(*own)))) return false;
  }
  return true;
}

}  // namespace

arrow::Status AddConstants(const Scan& scan, const arrow::Schema& partitions,
                           const OpenedScan& opened, OpenedFile* file) {
  Constants constants;
  if (partitions.num_fields() > 0) {
    VIAND_ASSIGN_OR_RETURN(const auto values, PartitionValuesOf(file->path));
    for (const PartitionValue& value : values) {
      const auto wanted = opened.schema->GetFieldByName(NameHere(value.key, opened));
      const auto type =
          wanted != nullptr ? wanted->type() : partitions.GetFieldByName(value.key)->type();
      VIAND_ASSIGN_OR_RETURN(const auto parsed,
                             ParsePartitionValue(value, type, file->path, opened.described_as));
      VIAND_RETURN_NOT_OK(constants.Add(value.key, *parsed));
    }
  }
  if (scan.fill_missing) {
    for (const auto& field : opened.schema->fields()) {
      const std::string name = opened.NameInFile(field->name());
      if (file->schema->GetFieldIndex(name) >= 0 || constants.Has(name)) continue;
      VIAND_RETURN_NOT_OK(constants.Add(name, *arrow::MakeNullScalar(PlainType(field->type()))));
    }
  }
  constants.MoveTo(file);
  return arrow::Status::OK();
}

arrow::Status CheckAgreement(const std::string& name_in_file, const OpenedFile& file,
                             const std::string& described_as) {
  if (file.constants == nullptr || file.parquet == nullptr) return arrow::Status::OK();
  const auto field = file.in_file->GetFieldByName(name_in_file);
  const int leaf = file.parquet->schema()->ColumnIndex(name_in_file);
  const int place = file.constants->schema()->GetFieldIndex(name_in_file);
  if (field == nullptr || leaf < 0 || place < 0) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(const auto value, file.constants->column(place)->GetScalar(0));
  if (HasOnly(*file.parquet, leaf, *field, value)) return arrow::Status::OK();
  return MakeError(
      ErrorKind::kInput,
      fmt::format("{}, file {}: the column \"{}\" is in the file and in the name of its folder "
                  "({}={}), and nothing shows that they agree",
                  described_as, DisplayPath(file.path), name_in_file, name_in_file,
                  value->is_valid ? value->ToString() : "null"),
      "write the files without the column, or rename the folder");
}

}  // namespace viand::engine
