// A Parquet file as a RawFile: its chunks are record batches.
#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>

#include "src/common/file_signature.h"
#include "src/ingest/mapped_file.h"
#include "src/ingest/raw_file.h"

namespace viand::ingest {
namespace {

constexpr int64_t kBatchRows = 65'536;

/// The type that a column is read as where nothing is declared: as in the file, but for encodings
/// and units that mean the same.
std::shared_ptr<arrow::DataType> PlainType(const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::DICTIONARY:
      return PlainType(static_cast<const arrow::DictionaryType&>(*type).value_type());
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return arrow::utf8();
    case arrow::Type::TIMESTAMP:
      return arrow::timestamp(arrow::TimeUnit::MICRO,
                              static_cast<const arrow::TimestampType&>(*type).timezone());
    default:
      return type;
  }
}

class ParquetFile : public RawFile {
 public:
  ParquetFile(const std::string& path, std::unique_ptr<parquet::arrow::FileReader> reader,
              int64_t size_bytes)
      : RawFile(path), reader_(std::move(reader)), size_bytes_(size_bytes) {}

  arrow::Status ReadHeader() {
    VIAND_RETURN_NOT_OK(Named(reader_->GetSchema(&schema_)));
    for (const auto& field : schema_->fields()) header_.push_back(field->name());
    return arrow::Status::OK();
  }

  std::shared_ptr<arrow::DataType> TypeOf(size_t index) const override {
    return PlainType(schema_->field(static_cast<int>(index))->type());
  }

  arrow::Status Select(const std::vector<std::string>& names) override {
    std::vector<int> slots;
    VIAND_RETURN_NOT_OK(ResolveNames(names, &slots));
    // Leaf columns are counted across nested fields: only where there are none does an index name a
    // field.
    std::vector<int> leaves;
    int leaf = 0;
    for (size_t field = 0; field < slots.size(); ++field) {
      const auto& type = schema_->field(static_cast<int>(field))->type();
      if (slots[field] >= 0 && type->num_fields() > 0) {
        return MakeError(ErrorKind::kInput,
                         fmt::format("{}: column \"{}\" is nested ({}); expected a plain column",
                                     path_, header_[field], type->ToString()));
      }
      const int count = LeavesOf(*type);
      if (slots[field] >= 0) leaves.push_back(leaf);
      leaf += count;
    }
    std::vector<int> groups(reader_->num_row_groups());
    for (size_t i = 0; i < groups.size(); ++i) groups[i] = static_cast<int>(i);
    VIAND_ASSIGN_OR_RETURN(batches_, reader_->GetRecordBatchReader(groups, leaves));
    return arrow::Status::OK();
  }

  arrow::Result<std::unique_ptr<Chunk>> Next() override {
    auto chunk = std::make_unique<Chunk>();
    VIAND_RETURN_NOT_OK(Named(batches_->ReadNext(&chunk->batch)));
    if (chunk->batch == nullptr) return std::unique_ptr<Chunk>();
    rows_ += chunk->batch->num_rows();
    const int64_t all = std::max<int64_t>(1, reader_->parquet_reader()->metadata()->num_rows());
    chunk->consumed_bytes = static_cast<int64_t>(static_cast<double>(size_bytes_) * rows_ / all);
    return chunk;
  }

  CellTable Scan(const Chunk& chunk) const override {
    CellTable table(static_cast<int>(selected_.size()));
    const int64_t rows = chunk.batch->num_rows();
    table.row_numbers.resize(rows);
    for (int64_t row = 0; row < rows; ++row) table.row_numbers[row] = row + 1;
    table.relative_rows = table.last_row = rows;
    for (const std::string& name : selected_) {
      std::shared_ptr<arrow::Array> array = chunk.batch->GetColumnByName(name);
      const auto plain = PlainType(array->type());
      const bool encoded = array->type_id() == arrow::Type::DICTIONARY ||
                           array->type_id() == arrow::Type::STRING_VIEW;
      if (encoded) {
        auto decoded = arrow::compute::Cast(*array, plain);
        if (decoded.ok()) {
          array = decoded.MoveValueUnsafe();
        } else {
          table.problem = {1, true, "",
                           fmt::format("column \"{}\": {}", name, decoded.status().message()), ""};
        }
      }
      table.arrays.push_back(std::move(array));
    }
    return table;
  }

  std::string DescribeRow(int64_t row) const override { return fmt::format(", row {}", row); }

 private:
  arrow::Status Named(const arrow::Status& status) const {
    if (status.ok()) return status;
    return MakeError(ErrorKind::kInput,
                     fmt::format("cannot read {} as Parquet: {}", path_, status.message()));
  }
  static int LeavesOf(const arrow::DataType& type) {
    if (type.num_fields() == 0) return 1;
    int count = 0;
    for (const auto& field : type.fields()) count += LeavesOf(*field->type());
    return count;
  }

  const std::unique_ptr<parquet::arrow::FileReader> reader_;
  const int64_t size_bytes_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  int64_t rows_ = 0;
};

arrow::Result<std::unique_ptr<parquet::arrow::FileReader>> OpenReader(const std::string& path) {
  VIAND_ASSIGN_OR_RETURN(auto file,
                         arrow::io::MemoryMappedFile::Open(path, arrow::io::FileMode::READ));
  parquet::arrow::FileReaderBuilder builder;
  VIAND_RETURN_NOT_OK(builder.Open(std::move(file)));
  parquet::ArrowReaderProperties properties;
  properties.set_batch_size(kBatchRows);
  properties.set_use_threads(true);
  builder.properties(properties);
  std::unique_ptr<parquet::arrow::FileReader> reader;
  VIAND_RETURN_NOT_OK(builder.Build(&reader));
  return reader;
}

}  // namespace

arrow::Result<std::unique_ptr<RawFile>> OpenParquetFile(const std::string& path) {
  // Opened first for its error messages: what is missing or unreadable reads alike for all formats.
  VIAND_ASSIGN_OR_RETURN(const std::shared_ptr<MappedFile> mapped, MappedFile::Open(path));
  auto reader = OpenReader(path);
  if (!reader.ok()) {
    const std::string why = WhyNotParquet(path);
    if (!why.empty()) {
      return MakeError(ErrorKind::kInput, fmt::format("{} is not a Parquet file: {}", path, why),
                       "copy or download the file again, or set `format`: xlsx, csv or json");
    }
    return MakeError(ErrorKind::kInput,
                     fmt::format("cannot read {} as Parquet: {}", path, reader.status().message()));
  }
  auto file = std::make_unique<ParquetFile>(path, reader.MoveValueUnsafe(),
                                            static_cast<int64_t>(mapped->bytes().size()));
  VIAND_RETURN_NOT_OK(file->ReadHeader());
  return file;
}

}  // namespace viand::ingest
