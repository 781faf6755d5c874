// The schema of a dataset's raw files: declared types, and what a pass over all files finds for the
// others.
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "src/expression/binder.h"
#include "src/expression/sql_types.h"
#include "src/ingest/ingest.h"
#include "src/ingest/raw_file.h"
#include "src/ingest/table_scan.h"
#include "src/ingest/type_inference.h"

namespace viand::ingest {
namespace {

using Types = std::map<std::string, std::shared_ptr<arrow::DataType>>;

arrow::Result<Types> DeclaredTypes(const definition::DatasetInput& input) {
  Types types;
  for (const auto& [column, name] : input.types) {
    const auto place = input.type_places.find(column);
    const SourceLocation where =
        place == input.type_places.end() ? SourceLocation{} : place->second;
    VIAND_ASSIGN_OR_RETURN(types[column], expression::TypeFromSql(name, where));
  }
  return types;
}

std::vector<std::string> NamedColumns(const std::vector<std::string>& header) {
  std::vector<std::string> names;
  for (const std::string& name : header) {
    if (!name.empty()) names.push_back(name);
  }
  return names;
}

/// What a worker finds in one table.
struct TableSummary : TableWork {
  std::vector<TypeSummary> columns;
};

/// Gathers summaries by name, names in order of appearance.
class SchemaInference {
 public:
  SchemaInference(const definition::Dataset& dataset, Types declared)
      : dataset_(dataset), declared_(std::move(declared)) {}

  arrow::Status Run(const std::vector<std::string>& files) {
    TableScanOptions options;
    options.files = files;
    options.dataset = &dataset_;
    options.select = [this](RawFile* file) { return Select(file); };
    options.work = [](const RawFile& file, const CellTable& table) {
      return Summarize(file, table);
    };
    options.consume = [this](const RawFile& file, const CellTable& table, int64_t,
                             std::unique_ptr<TableWork> work) {
      Merge(file, table, static_cast<const TableSummary&>(*work));
      return arrow::Status::OK();
    };
    return ScanTables(options).status();
  }

  arrow::Result<std::shared_ptr<arrow::Schema>> Schema() {
    // A file of a header alone has columns too.
    for (const std::string& name : header_) {
      if (summaries_.try_emplace(name).second) names_.push_back(name);
    }
    arrow::FieldVector fields;
    for (const std::string& name : names_) {
      const auto declared = declared_.find(name);
      const auto fixed = fixed_.find(name);
      auto type = declared != declared_.end() ? declared->second
                  : fixed != fixed_.end()     ? fixed->second
                                              : summaries_.at(name).Type();
      fields.push_back(arrow::field(name, std::move(type)));
    }
    for (const auto& [name, type] : declared_) {
      if (summaries_.contains(name)) continue;
      const auto place = dataset_.from.type_places.find(name);
      return ErrorAt(
          place == dataset_.from.type_places.end() ? dataset_.where : place->second,
          ErrorKind::kInput,
          fmt::format("the files of dataset \"{}\" have no column \"{}\"", dataset_.name, name),
          NearestOrAll(name, names_, "columns are "));
    }
    return arrow::schema(std::move(fields));
  }

 private:
  /// Runs on the producer's thread, files in order; only the names' order is shared with the
  /// consumer, through chunks.
  arrow::Status Select(RawFile* file) {
    VIAND_RETURN_NOT_OK(file->Select(file->has_header() ? NamedColumns(file->header())
                                                        : std::vector<std::string>()));
    if (header_.empty()) header_ = NamedColumns(file->header());
    for (size_t i = 0; i < file->header().size(); ++i) {
      const auto type = file->TypeOf(i);
      const std::string& name = file->header()[i];
      if (type == nullptr) continue;
      const auto [at, added] = fixed_.emplace(name, type);
      if (!added && !at->second->Equals(*type) && !declared_.contains(name)) {
        return MakeError(
            ErrorKind::kInput,
            fmt::format("{} has column \"{}\" as {}; the files before it have {}", file->Describe(),
                        name, type->ToString(), at->second->ToString()),
            "declare its type");
      }
    }
    return arrow::Status::OK();
  }

  static std::unique_ptr<TableWork> Summarize(const RawFile& file, const CellTable& table) {
    auto summary = std::make_unique<TableSummary>();
    summary->columns.resize(table.columns());
    if (!table.arrays.empty()) return summary;
    for (int64_t row = 0; row < table.rows(); ++row) {
      for (int column = 0; column < table.columns(); ++column) {
        summary->columns[column].Add(table.At(row, column), !file.has_header());
      }
    }
    return summary;
  }

  void Merge(const RawFile& file, const CellTable& table, const TableSummary& summary) {
    const std::vector<std::string> names =
        file.has_header() ? NamedColumns(file.header()) : table.names;
    for (size_t i = 0; i < names.size(); ++i) {
      if (!summaries_.contains(names[i])) names_.push_back(names[i]);
      summaries_[names[i]].Merge(summary.columns[i]);
    }
  }

  const definition::Dataset& dataset_;
  const Types declared_;
  std::vector<std::string> header_;  // of the first file that has one
  std::vector<std::string> names_;
  std::map<std::string, TypeSummary> summaries_;
  Types fixed_;  // Parquet says itself
};

}  // namespace

arrow::Result<std::shared_ptr<arrow::Schema>> InferRawSchema(const definition::Dataset& dataset,
                                                             const std::string& root) {
  VIAND_ASSIGN_OR_RETURN(const std::vector<std::string> files, InputFiles(dataset, root));
  VIAND_ASSIGN_OR_RETURN(Types declared, DeclaredTypes(dataset.from));
  SchemaInference inference(dataset, std::move(declared));
  VIAND_RETURN_NOT_OK(inference.Run(files));
  return inference.Schema();
}

arrow::Result<std::shared_ptr<arrow::Schema>> HeaderOf(const std::string& path,
                                                       const definition::DatasetInput& input) {
  VIAND_ASSIGN_OR_RETURN(const RawFormat format, FormatOf(path, input.format));
  if (format == RawFormat::kWorkbook || format == RawFormat::kJson) return nullptr;
  VIAND_ASSIGN_OR_RETURN(const auto file, RawFile::Open(path, input));
  arrow::FieldVector fields;
  for (size_t i = 0; i < file->header().size(); ++i) {
    if (file->header()[i].empty()) continue;
    const auto type = file->TypeOf(i);
    fields.push_back(
        arrow::field(file->header()[i], type != nullptr ? type : expression::UnknownType()));
  }
  return arrow::schema(std::move(fields));
}

}  // namespace viand::ingest
