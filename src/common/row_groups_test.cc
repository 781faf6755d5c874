#include "src/common/row_groups.h"

#include <arrow/array.h>
#include <arrow/io/memory.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace viand {
namespace {

std::shared_ptr<arrow::Array> Parsed(const std::shared_ptr<arrow::DataType>& type,
                                     const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

TEST(RowGroups, BytesOfValues) {
  EXPECT_EQ(BytesOfRows(*Parsed(arrow::int32(), "[1, null, 3]"), 1, 2), 8);
  for (const auto& type : {arrow::utf8(), arrow::large_utf8(), arrow::utf8_view()})
    EXPECT_EQ(BytesOfRows(*Parsed(type, R"(["ab", null, "cde", "f"])"), 1, 2), 3);
  const auto texts = Parsed(arrow::utf8(), R"(["ab", "longer", "f"])");
  EXPECT_EQ(BytesOfRows(*texts->Slice(1), 0, 2), 7);
  const auto coded =
      Parsed(arrow::dictionary(arrow::int8(), arrow::utf8()), R"(["x", "yy", "yy"])");
  EXPECT_EQ(BytesOfRows(*coded, 1, 2), 4);
  const auto lists = Parsed(arrow::list(arrow::float32()), "[[1, 2], [], [3, 4, 5]]");
  EXPECT_EQ(BytesOfRows(*lists, 0, 2), 8);
  EXPECT_EQ(BytesOfRows(*lists->Slice(1), 1, 1), 12);
  const auto fixed = Parsed(arrow::fixed_size_list(arrow::float32(), 3), "[[1, 2, 3], [4, 5, 6]]");
  EXPECT_EQ(BytesOfRows(*fixed->Slice(1), 0, 1), 12);
  const auto structs =
      Parsed(arrow::struct_({arrow::field("a", arrow::int64()), arrow::field("b", arrow::utf8())}),
             R"([{"a": 1, "b": "x"}, {"a": 2, "b": "yz"}])");
  EXPECT_EQ(BytesOfRows(*structs->Slice(1), 0, 1), 10);
}

std::vector<int64_t> GroupsOf(const arrow::Table& table, int64_t batch_rows) {
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto writer =
      parquet::arrow::FileWriter::Open(*table.schema(), arrow::default_memory_pool(), sink)
          .ValueOrDie();
  ArrowRowGroups output(std::move(writer));
  RowGroups groups(10, 100);
  arrow::TableBatchReader batches(table);
  batches.set_chunksize(batch_rows);
  for (auto batch : batches) EXPECT_TRUE(groups.Write(**batch, &output).ok());
  EXPECT_TRUE(groups.Finish(&output).ok());
  EXPECT_TRUE(output.Close().ok());
  const auto file = parquet::ParquetFileReader::Open(
      std::make_shared<arrow::io::BufferReader>(sink->Finish().ValueOrDie()));
  std::vector<int64_t> rows;
  for (int group = 0; group < file->metadata()->num_row_groups(); ++group)
    rows.push_back(file->metadata()->RowGroup(group)->num_rows());
  return rows;
}

TEST(RowGroups, AreCutByRowsAndBytesAlone) {
  std::mt19937 random(3);
  std::string json = "[";
  std::vector<int64_t> lengths;
  for (int row = 0; row < 500; ++row) {
    lengths.push_back(random() % 40 == 0 ? 150 : random() % (row < 250 ? 30 : 5));
    json += (row > 0 ? ", \"" : "\"") + std::string(lengths.back(), 'x') + '"';
  }
  const auto table = arrow::Table::Make(arrow::schema({arrow::field("text", arrow::utf8())}),
                                        {Parsed(arrow::utf8(), json + "]")});
  std::vector<int64_t> expected;
  int64_t bytes = 0;
  for (const int64_t length : lengths) {
    if (expected.empty() || expected.back() == 10 || bytes + length > 100) {
      expected.push_back(0);
      bytes = 0;
    }
    ++expected.back();
    bytes += length;
  }
  for (const int64_t batch_rows : {1, 3, 10, 64, 1000})
    EXPECT_EQ(GroupsOf(*table, batch_rows), expected) << batch_rows;
}

/// The file of some texts, written in batches of so many rows.
std::string FileOf(const arrow::Table& table, int64_t batch_rows) {
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  const auto properties = parquet::WriterProperties::Builder().data_pagesize(20'000)->build();
  auto writer = parquet::arrow::FileWriter::Open(*table.schema(), arrow::default_memory_pool(),
                                                 sink, properties)
                    .ValueOrDie();
  ArrowRowGroups output(std::move(writer));
  RowGroups groups(4000, 1 << 30);
  arrow::TableBatchReader batches(table);
  batches.set_chunksize(batch_rows);
  for (auto batch : batches) EXPECT_TRUE(groups.Write(**batch, &output).ok());
  EXPECT_TRUE(groups.Finish(&output).ok());
  EXPECT_TRUE(output.Close().ok());
  const auto bytes = sink->Finish().ValueOrDie();
  const auto file = parquet::arrow::OpenFile(std::make_shared<arrow::io::BufferReader>(bytes),
                                             arrow::default_memory_pool())
                        .ValueOrDie();
  EXPECT_TRUE(file->ReadTable().ValueOrDie()->Equals(table));
  return bytes->ToString();
}

TEST(RowGroups, ThePiecesThatRowsCameInDoNotShowInTheBytes) {
  std::mt19937 random(4);
  std::string json = "[";
  for (int row = 0; row < 9000; ++row)
    json += (row > 0 ? ", \"" : "\"") + std::to_string(row) + std::string(random() % 60, 'x') + '"';
  const auto table = arrow::Table::Make(arrow::schema({arrow::field("text", arrow::utf8())}),
                                        {Parsed(arrow::utf8(), json + "]")});
  const std::string whole = FileOf(*table, 9000);
  for (const int64_t batch_rows : {1, 7, 1000, 1024, 1500, 3999, 4001})
    EXPECT_TRUE(FileOf(*table, batch_rows) == whole) << batch_rows;
}

}  // namespace
}  // namespace viand
