#include "src/engine/prune_groups.h"

#include <arrow/compute/expression.h>
#include <arrow/dataset/file_parquet.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <parquet/metadata.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <optional>

#include "src/expression/arrow_filter.h"

namespace viand::engine {
namespace {

namespace cp = arrow::compute;

/// The predicate over the names in the file, which is what the file's statistics are about.
expression::ExpressionPtr InFileNames(const OpenedScan& scan,
                                      const expression::ExpressionPtr& expression) {
  auto copy = std::make_shared<expression::Expression>(*expression);
  if (copy->kind == expression::ExpressionKind::kColumn)
    copy->column = scan.NameInFile(copy->column);
  for (auto& child : copy->children) child = InFileNames(scan, child);
  return copy;
}

/// Tells whether rows of which `known` holds can pass `predicate`, which is bound.
bool MayPass(const cp::Expression& predicate, const cp::Expression& known) {
  const auto simplified = cp::SimplifyWithGuarantee(predicate, known);
  return !simplified.ok() || simplified->IsSatisfiable();
}

/// What holds of every row of a file because of its constants.
cp::Expression KnownOfConstants(const OpenedFile& file) {
  std::vector<cp::Expression> known;
  if (file.constants == nullptr) return cp::literal(true);
  for (int i = 0; i < file.constants->num_columns(); ++i) {
    const auto value = file.constants->column(i)->GetScalar(0);
    if (!value.ok()) continue;
    const auto column = cp::field_ref(file.constants->schema()->field(i)->name());
    known.push_back((*value)->is_valid ? cp::equal(column, cp::literal(*value))
                                       : cp::is_null(column));
  }
  return cp::and_(known);
}

/// A predicate on the rows of files that have one schema, and the columns whose statistics it can
/// use.
class FilePredicate {
 public:
  /// A predicate that Arrow cannot type over this schema prunes nothing: the exact one decides
  /// later.
  static std::optional<FilePredicate> Make(const cp::Expression& predicate,
                                           const arrow::Schema& schema) {
    if (predicate.Equals(cp::literal(true))) return std::nullopt;
    auto bound = predicate.Bind(schema);
    if (!bound.ok()) return std::nullopt;
    FilePredicate result{*std::move(bound), {}};
    for (const arrow::FieldRef& reference : cp::FieldsInExpression(result.bound_)) {
      const std::string* name = reference.name();
      const auto field = name == nullptr ? nullptr : schema.GetFieldByName(*name);
      if (field != nullptr) result.fields_.push_back(field);
    }
    return result;
  }

  bool MayPass(const cp::Expression& known) const { return engine::MayPass(bound_, known); }

  /// Of one row group, by its statistics.
  bool MayPass(const OpenedFile& file, int index) const {
    const auto group = file.parquet->RowGroup(index);
    std::vector<cp::Expression> known;
    for (const auto& field : fields_) {
      const int leaf = file.parquet->schema()->ColumnIndex(field->name());
      const auto statistics = leaf < 0 ? nullptr : group->ColumnChunk(leaf)->statistics();
      if (statistics == nullptr) continue;
      auto range =
          arrow::dataset::ParquetFileFragment::EvaluateStatisticsAsExpression(*field, *statistics);
      if (range) known.push_back(*std::move(range));
    }
    return known.empty() || MayPass(cp::and_(known));
  }

 private:
  FilePredicate(cp::Expression bound, arrow::FieldVector fields)
      : bound_(std::move(bound)), fields_(std::move(fields)) {}

  cp::Expression bound_;
  arrow::FieldVector fields_;
};

cp::Expression PredicateOf(const ScanBounds& bounds, const cp::Expression& filter,
                           const OpenedScan& scan, const arrow::Schema& schema) {
  std::vector<cp::Expression> all = {filter};
  const std::string name = scan.NameInFile(bounds.time_column);
  const auto field = schema.GetFieldByName(name);
  if (bounds.range.Binds() && field != nullptr && IsTimeType(*field->type()))
    all.push_back(RangeFilter(name, field->type(), bounds.range));
  for (const KeyBound& key : bounds.keys) {
    const std::string key_name = scan.NameInFile(key.column);
    const auto key_field = schema.GetFieldByName(key_name);
    if (key_field != nullptr) all.push_back(KeyFilter(key, key_name, key_field->type()));
  }
  return cp::and_(all);
}

void PruneFile(const FilePredicate& predicate, OpenedFile* file) {
  if (!predicate.MayPass(KnownOfConstants(*file))) return file->groups.clear();
  std::erase_if(file->groups,
                [&](const RowGroup& group) { return !predicate.MayPass(*file, group.index); });
}

ScanCount CountOf(const OpenedScan& scan) {
  ScanCount count;
  for (const OpenedFile& file : scan.files) {
    count.files += file.groups.empty() ? 0 : 1;
    count.groups += static_cast<int64_t>(file.groups.size());
    for (const RowGroup& group : file.groups) {
      count.rows += group.rows;
      count.bytes += group.bytes;
    }
  }
  if (scan.table != nullptr) count.rows = scan.table->num_rows();
  return count;
}

}  // namespace

void PruneGroups(const ScanBounds& bounds, OpenedScan* scan) {
  scan->found = CountOf(*scan);
  scan->found.files = static_cast<int64_t>(scan->files.size());
  cp::Expression filter = cp::literal(true);
  if (bounds.filter != nullptr)
    filter = expression::ToArrowFilter(*InFileNames(*scan, bounds.filter));
  const arrow::Schema* last = nullptr;
  std::optional<FilePredicate> predicate;
  for (OpenedFile& file : scan->files) {
    if (bounds.range.IsEmpty()) file.groups.clear();
    if (file.groups.empty() || file.parquet == nullptr) continue;
    if (last == nullptr || !file.schema->Equals(*last)) {
      last = file.schema.get();
      predicate =
          FilePredicate::Make(PredicateOf(bounds, filter, *scan, *file.schema), *file.schema);
    }
    if (predicate) PruneFile(*predicate, &file);
  }
  if (bounds.range.IsEmpty() && scan->table != nullptr) scan->table = scan->table->Slice(0, 0);
  scan->left = CountOf(*scan);
}

}  // namespace viand::engine
