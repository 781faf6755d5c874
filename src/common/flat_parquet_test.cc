#include "src/common/flat_parquet.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/memory.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/size_statistics.h>
#include <parquet/statistics.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

namespace viand {
namespace {

using parquet::Compression;

const std::shared_ptr<parquet::WriterProperties> kProperties = parquet::WriterProperties::Builder()
                                                                   .compression(Compression::SNAPPY)
                                                                   ->disable_dictionary()
                                                                   ->build();
const std::shared_ptr<parquet::ArrowWriterProperties> kArrowProperties =
    parquet::ArrowWriterProperties::Builder().store_schema()->build();

std::shared_ptr<arrow::Array> Parsed(const std::shared_ptr<arrow::DataType>& type,
                                     const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

/// Values made by next(), one in `null_in` null (0: none), in stretches of the same kind now and
/// then.
template <typename Builder, typename Next>
std::shared_ptr<arrow::Array> Column(const std::shared_ptr<arrow::DataType>& type, int64_t rows,
                                     int null_in, std::mt19937* random, Next&& next) {
  Builder builder(type, arrow::default_memory_pool());
  int64_t alike = 0;
  bool null = false;
  for (int64_t row = 0; row < rows; ++row, --alike) {
    if (alike <= 0) {
      null = null_in > 0 && (*random)() % null_in == 0;
      alike = (*random)() % 50 == 0 ? (*random)() % 30'000 : 1;
    }
    EXPECT_TRUE((null ? builder.AppendNull() : builder.Append(next())).ok());
  }
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Table> RandomTable(int64_t rows, uint32_t seed) {
  std::mt19937 random(seed);
  std::mt19937_64 wide(seed);
  const auto micros = arrow::timestamp(arrow::TimeUnit::MICRO, "Europe/Berlin");
  const auto seconds = arrow::timestamp(arrow::TimeUnit::SECOND);
  const auto real = [&] {
    const double special[] = {NAN, -0.0, 0.0, INFINITY, -INFINITY};
    return wide() % 9 == 0 ? special[wide() % 5] : static_cast<double>(wide()) / 3e18;
  };
  const auto word = [&] { return static_cast<int64_t>(wide()); };
  const auto small = [&] { return static_cast<int32_t>(wide() % 90); };
  const auto text = [&] { return std::string(wide() % 20, static_cast<char>('a' + wide() % 26)); };
  const auto schema = arrow::schema(
      {arrow::field("word", arrow::int64()), arrow::field("key", arrow::int64(), false),
       arrow::field("count", arrow::uint64()), arrow::field("real", arrow::float64()),
       arrow::field("float", arrow::float32()), arrow::field("small", arrow::int32()),
       arrow::field("unsigned", arrow::uint32()), arrow::field("day", arrow::date32()),
       arrow::field("at", micros, false), arrow::field("second", seconds),
       arrow::field("text", arrow::utf8()), arrow::field("flag", arrow::boolean()),
       arrow::field("tiny", arrow::int8())},
      arrow::key_value_metadata({{"who", "viand"}}));
  return arrow::Table::Make(schema,
                            {Column<arrow::Int64Builder>(arrow::int64(), rows, 3, &random, word),
                             Column<arrow::Int64Builder>(arrow::int64(), rows, 0, &random, small),
                             Column<arrow::UInt64Builder>(arrow::uint64(), rows, 2, &random, wide),
                             Column<arrow::DoubleBuilder>(arrow::float64(), rows, 4, &random, real),
                             Column<arrow::FloatBuilder>(arrow::float32(), rows, 4, &random, real),
                             Column<arrow::Int32Builder>(arrow::int32(), rows, 5, &random, small),
                             Column<arrow::UInt32Builder>(arrow::uint32(), rows, 5, &random, wide),
                             Column<arrow::Date32Builder>(arrow::date32(), rows, 1, &random, small),
                             Column<arrow::TimestampBuilder>(micros, rows, 0, &random, word),
                             Column<arrow::TimestampBuilder>(seconds, rows, 2, &random, small),
                             Column<arrow::StringBuilder>(arrow::utf8(), rows, 2, &random, text),
                             Column<arrow::BooleanBuilder>(arrow::boolean(), rows, 2, &random,
                                                           [&] { return wide() % 2 == 0; }),
                             Column<arrow::Int8Builder>(arrow::int8(), rows, 2, &random, small)});
}

/// The file of a table in row groups of so many rows, that come in pieces of so many.
std::string FileOf(const arrow::Table& table, int64_t group_rows, int64_t piece_rows) {
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  const auto file =
      FlatParquet::Open(table.schema(), sink, kProperties, kArrowProperties).ValueOrDie();
  RowGroups groups(group_rows, 1 << 30);
  arrow::TableBatchReader batches(table);
  batches.set_chunksize(piece_rows);
  for (auto batch : batches) EXPECT_TRUE(groups.Write(**batch, file.get()).ok());
  EXPECT_TRUE(groups.Finish(file.get()).ok());
  const arrow::Status closed = file->Close();
  EXPECT_TRUE(closed.ok()) << closed.ToString();
  return sink->Finish().ValueOrDie()->ToString();
}

std::string FileOfArrow(const arrow::Table& table, int64_t group_rows) {
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  EXPECT_TRUE(parquet::arrow::WriteTable(table, arrow::default_memory_pool(), sink, group_rows,
                                         kProperties, kArrowProperties)
                  .ok());
  return sink->Finish().ValueOrDie()->ToString();
}

std::shared_ptr<arrow::Table> TableOf(const std::string& bytes) {
  const auto buffer = arrow::Buffer::FromString(bytes);
  return parquet::arrow::OpenFile(std::make_shared<arrow::io::BufferReader>(buffer),
                                  arrow::default_memory_pool())
      .ValueOrDie()
      ->ReadTable()
      .ValueOrDie();
}

std::unique_ptr<parquet::ParquetFileReader> Opened(const std::string& bytes) {
  return parquet::ParquetFileReader::Open(
      std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes)));
}

void ExpectAlike(const parquet::ColumnChunkMetaData& one,
                 const parquet::ColumnChunkMetaData& other) {
  EXPECT_EQ(one.num_values(), other.num_values());
  ASSERT_EQ(one.statistics() == nullptr, other.statistics() == nullptr);
  EXPECT_EQ(one.encoded_statistics()->min(), other.encoded_statistics()->min());
  EXPECT_EQ(one.encoded_statistics()->max(), other.encoded_statistics()->max());
  EXPECT_EQ(one.encoded_statistics()->has_min, other.encoded_statistics()->has_min);
  EXPECT_EQ(one.encoded_statistics()->null_count, other.encoded_statistics()->null_count);
  ASSERT_EQ(one.size_statistics() == nullptr, other.size_statistics() == nullptr);
  if (one.size_statistics() == nullptr) return;
  EXPECT_EQ(one.size_statistics()->definition_level_histogram,
            other.size_statistics()->definition_level_histogram);
}

TEST(FlatParquet, ReadsAndSaysTheSameAsArrowsFile) {
  for (const int64_t rows : {1, 7, 64, 1025, 50'000}) {
    const auto table = RandomTable(rows, static_cast<uint32_t>(rows));
    const std::string bytes = FileOf(*table, 40'000, 7'000);
    const auto read = TableOf(bytes);
    ASSERT_TRUE(read->ValidateFull().ok());
    const arrow::EqualOptions bits =
        arrow::EqualOptions().nans_equal(true).signed_zeros_equal(false);
    const auto of_arrow =
        TableOf(FileOfArrow(*table, 40'000));  // seconds come back as milliseconds
    EXPECT_TRUE(read->Equals(*of_arrow, bits)) << rows;
    EXPECT_TRUE(read->schema()->Equals(*of_arrow->schema(), /*check_metadata=*/true));
    const auto one = Opened(bytes), other = Opened(FileOfArrow(*table, 40'000));
    ASSERT_EQ(one->metadata()->num_row_groups(), other->metadata()->num_row_groups());
    EXPECT_EQ(one->metadata()->num_rows(), rows);
    for (int group = 0; group < one->metadata()->num_row_groups(); ++group) {
      for (int column = 0; column < table->num_columns(); ++column) {
        SCOPED_TRACE(table->schema()->field(column)->name());
        ExpectAlike(*one->metadata()->RowGroup(group)->ColumnChunk(column),
                    *other->metadata()->RowGroup(group)->ColumnChunk(column));
      }
    }
  }
}

TEST(FlatParquet, ThePiecesThatRowsCameInDoNotShowInTheBytes) {
  const auto table = RandomTable(30'000, 5);
  const std::string whole = FileOf(*table, 20'000, 30'000);
  for (const int64_t piece_rows : {999, 1024, 7'777, 20'001})
    EXPECT_TRUE(FileOf(*table, 20'000, piece_rows) == whole) << piece_rows;
}

TEST(FlatParquet, PagesAreInTheIndex) {
  std::mt19937 random(2);
  int64_t next = 0;
  const auto table = arrow::Table::Make(
      arrow::schema({arrow::field("n", arrow::int64())}),
      {Column<arrow::Int64Builder>(arrow::int64(), 40'000, 0, &random, [&] { return next++; })});
  const auto file = Opened(FileOf(*table, 40'000, 40'000));
  const auto group = file->GetPageIndexReader()->RowGroup(0);
  const auto offsets = group->GetOffsetIndex(0);
  ASSERT_EQ(offsets->page_locations().size(), 3);
  EXPECT_EQ(offsets->page_locations()[1].first_row_index, 16 * 1024);
  const auto bounds = std::static_pointer_cast<parquet::Int64ColumnIndex>(group->GetColumnIndex(0));
  EXPECT_EQ(bounds->min_values(), (std::vector<int64_t>{0, 16'384, 32'768}));
  EXPECT_EQ(bounds->max_values(), (std::vector<int64_t>{16'383, 32'767, 39'999}));
}

TEST(FlatParquet, ARowGroupOfAColumnIsCompressedWhereThatSaves) {
  std::mt19937_64 random(3);
  arrow::Int64Builder builder;
  for (int row = 0; row < 10'000; ++row)
    EXPECT_TRUE(builder.Append(row < 5'000 ? 1 : static_cast<int64_t>(random())).ok());
  const auto table = arrow::Table::Make(arrow::schema({arrow::field("n", arrow::int64())}),
                                        {builder.Finish().ValueOrDie()});
  const std::string bytes = FileOf(*table, 5'000, 10'000);
  const auto metadata = Opened(bytes)->metadata();
  EXPECT_EQ(metadata->RowGroup(0)->ColumnChunk(0)->compression(), Compression::SNAPPY);
  EXPECT_LT(metadata->RowGroup(0)->ColumnChunk(0)->total_compressed_size(), 4'000);
  EXPECT_EQ(metadata->RowGroup(1)->ColumnChunk(0)->compression(), Compression::UNCOMPRESSED);
  EXPECT_TRUE(TableOf(bytes)->Equals(*table));
}

TEST(FlatParquet, WithoutRowsThereIsNoRowGroup) {
  const auto table = RandomTable(0, 1);
  const std::string bytes = FileOf(*table, 10, 10);
  EXPECT_EQ(Opened(bytes)->metadata()->num_row_groups(), 0);
  EXPECT_TRUE(TableOf(bytes)->schema()->Equals(*TableOf(FileOfArrow(*table, 10))->schema(), true));
}

TEST(FlatParquet, ATableIsARowGroupOfItsOwn) {
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  const auto table = RandomTable(100, 9);
  const auto file =
      FlatParquet::Open(table->schema(), sink, kProperties, kArrowProperties).ValueOrDie();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(file->WriteGroup(*table).ok());
  ASSERT_TRUE(file->Close().ok());
  const std::string bytes = sink->Finish().ValueOrDie()->ToString();
  EXPECT_EQ(Opened(bytes)->metadata()->num_row_groups(), 2);
  EXPECT_EQ(TableOf(bytes)->num_rows(), 200);
}

TEST(FlatParquet, NullsOfAColumnThatHasNoneAreRefused) {
  for (const auto& type : {arrow::int64(), arrow::utf8()}) {
    const auto table = arrow::Table::Make(arrow::schema({arrow::field("x", type, false)}),
                                          {arrow::MakeArrayOfNull(type, 3).ValueOrDie()});
    auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
    const auto file =
        FlatParquet::Open(table->schema(), sink, kProperties, kArrowProperties).ValueOrDie();
    const arrow::Status status = file->WriteGroup(*table);
    EXPECT_EQ(status.message(), "column 'x' is declared not null and contains nulls");
  }
}

TEST(FlatParquet, LeavesNestedColumnsAndNamesThatComeTwiceToArrow) {
  const auto number = arrow::field("x", arrow::int64());
  EXPECT_TRUE(FlatParquet::Takes(arrow::Schema({number})));
  EXPECT_FALSE(FlatParquet::Takes(arrow::Schema({number, number})));
  EXPECT_FALSE(FlatParquet::Takes(arrow::Schema({arrow::field("l", arrow::list(number))})));
  EXPECT_FALSE(FlatParquet::Takes(arrow::Schema({arrow::field("s", arrow::struct_({number}))})));
  EXPECT_FALSE(FlatParquet::Takes(
      arrow::Schema({arrow::field("d", arrow::dictionary(arrow::int32(), arrow::utf8()))})));
}

}  // namespace
}  // namespace viand
