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

#include "src/engine/column_chunk.h"
#include "src/engine/group_ranges.h"
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
      const auto statistics = leaf < 0 ? nullptr : StatisticsOf(*group, leaf);
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

/// What is asked of the rows of files that have one schema.
struct FileBounds {
  std::vector<RawBounds> raw;              ///< compared as they are stored, first
  std::optional<FilePredicate> predicate;  ///< what is left: nothing, or none that can be typed
};

FileBounds BoundsOf(const ScanBounds& bounds, const cp::Expression& filter, const OpenedScan& scan,
                    const OpenedFile& file) {
  FileBounds result;
  std::vector<cp::Expression> all = {filter};
  const auto is_raw = [&](const std::string& column) {
    const bool constant =
        file.constants != nullptr && file.constants->schema()->GetFieldIndex(column) >= 0;
    return !constant && ComparesRaw(*file.parquet->schema(), *file.in_file, column);
  };
  const std::string name = scan.NameInFile(bounds.time_column);
  const auto field = file.schema->GetFieldByName(name);
  if (bounds.range.Binds() && field != nullptr && IsTimeType(*field->type())) {
    if (is_raw(name)) {
      result.raw.push_back(*RawBoundsOf(bounds.range, name, *field->type()));
    } else {
      all.push_back(RangeFilter(name, field->type(), bounds.range));
    }
  }
  for (const KeyBound& key : bounds.keys) {
    const std::string key_name = scan.NameInFile(key.column);
    const auto key_field = file.schema->GetFieldByName(key_name);
    if (key_field == nullptr) continue;
    auto raw = is_raw(key_name) ? RawBoundsOf(key, key_name, *key_field->type()) : std::nullopt;
    if (!raw || key.values != nullptr) all.push_back(KeyFilter(key, key_name, key_field->type()));
    if (raw) result.raw.push_back(*std::move(raw));
  }
  std::erase_if(all, [](const auto& one) { return one.Equals(cp::literal(true)); });
  result.predicate = FilePredicate::Make(cp::and_(all), *file.schema);
  return result;
}

void PruneFile(const FileBounds& bounds, OpenedFile* file) {
  const auto& predicate = bounds.predicate;
  if (predicate && !predicate->MayPass(KnownOfConstants(*file))) return file->groups.clear();
  std::erase_if(file->groups, [&](const RowGroup& group) {
    return !MayHaveRows(*file->parquet->RowGroup(group.index), bounds.raw, *file->in_file) ||
           (predicate && !predicate->MayPass(*file, group.index));
  });
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
  if (scan.files.empty()) count.rows = scan.RowCount();
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
  FileBounds of_file;
  for (OpenedFile& file : scan->files) {
    if (bounds.range.IsEmpty()) file.groups.clear();
    if (file.groups.empty() || file.parquet == nullptr) continue;
    if (last == nullptr || !file.schema->Equals(*last)) {
      last = file.schema.get();
      of_file = BoundsOf(bounds, filter, *scan, file);
    }
    PruneFile(of_file, &file);
  }
  if (bounds.range.IsEmpty() && scan->table != nullptr) scan->table = scan->table->Slice(0, 0);
  scan->left = CountOf(*scan);
}

}  // namespace viand::engine
