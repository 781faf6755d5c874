#include "src/distributed/table_stream.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/initialize.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "src/distributed/testing/tables.h"

namespace viand::distributed {
namespace {

using TablePtr = std::shared_ptr<arrow::Table>;

/// What a map fragment puts out of a spine: a key, a time, a row number; and some other columns.
TablePtr Rows(int64_t count, bool others) {
  std::mt19937_64 random(5);
  arrow::Int64Builder keys, rows, gaps;
  arrow::TimestampBuilder times(testing::Micros(), arrow::default_memory_pool());
  arrow::DoubleBuilder amounts;
  arrow::StringBuilder names;
  for (int64_t i = 0; i < count; ++i) {
    EXPECT_TRUE(keys.Append(static_cast<int64_t>(random() % 1000)).ok());
    EXPECT_TRUE(
        times.Append(1'600'000'000'000'000 + static_cast<int64_t>(random() % 7'776'000'000'000))
            .ok());
    EXPECT_TRUE(rows.Append(7 * i + static_cast<int64_t>(random() % 7)).ok());
    EXPECT_TRUE((random() % 3 == 0 ? gaps.AppendNull() : gaps.Append(i)).ok());
    EXPECT_TRUE(amounts.Append(static_cast<double>(random()) / 3).ok());
    EXPECT_TRUE(names.Append("n" + std::to_string(random() % 5)).ok());
  }
  arrow::FieldVector fields = {arrow::field("k", arrow::int64()),
                               arrow::field("ts", testing::Micros()),
                               arrow::field("row", arrow::int64(), false)};
  arrow::ArrayVector columns = {*keys.Finish(), *times.Finish(), *rows.Finish()};
  if (others) {
    fields.insert(fields.begin() + 1,
                  {arrow::field("gaps", arrow::int64()), arrow::field("amount", arrow::float64())});
    columns.insert(columns.begin() + 1, {*gaps.Finish(), *amounts.Finish()});
    fields.push_back(arrow::field("name", arrow::utf8()));
    columns.push_back(*names.Finish());
  }
  return arrow::Table::Make(arrow::schema(fields), columns);
}

TablePtr Again(const TablePtr& table) {
  const auto read = ParseTable(*SerializeTable(table));
  EXPECT_TRUE(read.ok()) << read.status();
  return *read;
}

TEST(TableStream, TablesComeBack) {
  ASSERT_TRUE(arrow::compute::Initialize().ok());
  for (const int64_t count : {0, 1, 3, 1000}) {
    for (const bool others : {false, true}) {
      const TablePtr table = Rows(count, others);
      EXPECT_TRUE(Again(table)->Equals(*table, true)) << count;
      EXPECT_TRUE(Again(table)->ValidateFull().ok());
      const TablePtr part = table->Slice(count / 3, count / 2);
      EXPECT_TRUE(Again(part)->Equals(*part)) << count;
      const TablePtr cut = *arrow::ConcatenateTables({part, table, table->Slice(0, 0)});
      EXPECT_TRUE(Again(cut)->Equals(*cut)) << count;
    }
  }
  const TablePtr twice = *arrow::ConcatenateTables({Rows(500, true), Rows(40, true)});
  const auto code = arrow::dictionary(arrow::int32(), arrow::utf8());
  const auto codes = arrow::compute::Cast(twice->column(5), code).ValueOrDie().chunked_array();
  const TablePtr coded = *twice->SetColumn(5, arrow::field("name", code), codes);
  EXPECT_TRUE(Again(coded)->Equals(*coded));
}

TEST(TableStream, NumbersTakeLessThanTheirWidth) {
  // 10, 43 and 4 bits of 64.
  const TablePtr numbers = Rows(10'000, false);
  const int64_t fixed = 24 * numbers->num_rows();
  EXPECT_LT((*SerializeTable(numbers))->size(), fixed * 2 / 5);
  const TablePtr all = Rows(10'000, true);
  EXPECT_LT((*SerializeTable(all))->size(), fixed * 2 / 5 + (16 + 1 + 7) * all->num_rows());
  // What is not packed lies in the message.
  const auto message = *SerializeTable(all);
  const TablePtr read = *ParseTable(message);
  const uint8_t* amounts = read->column(2)->chunk(0)->data()->buffers[1]->data();
  EXPECT_TRUE(amounts > message->data() && amounts < message->data() + message->size());
  EXPECT_EQ((amounts - message->data()) % 8, 0);
}

TEST(TableStream, DamagedMessagesAreErrors) {
  const auto whole = *SerializeTable(Rows(1000, false));
  for (int64_t size = 16; size < whole->size(); size += size < 1200 ? 1 : 97) {
    const auto cut = ParseTable(arrow::SliceBuffer(whole, 0, size));
    ASSERT_FALSE(cut.ok()) << size;
    EXPECT_TRUE(cut.status().message().starts_with("damaged table message")) << cut.status();
  }
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, whole->data() + 8, sizeof(header_bytes));
  std::mt19937_64 random(9);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = whole->ToString();
    bytes[8 + random() % (8 + header_bytes)] ^= static_cast<char>(1 << random() % 8);
    const auto read = ParseTable(arrow::Buffer::FromString(std::move(bytes)));
    if (read.ok()) EXPECT_LE((*read)->num_columns(), 3);
  }
}

TEST(TableStream, NumbersAreAlignedWhereverAMessageLies) {
  const TablePtr table = *Rows(1000, true)->SelectColumns({2});  // doubles, as they are
  const std::string bytes = (*SerializeTable(table))->ToString();
  const auto shifted = arrow::Buffer::FromString("1234" + bytes);
  const TablePtr read = *ParseTable(arrow::SliceBuffer(shifted, 4));
  EXPECT_TRUE(read->Equals(*table));
  const uint8_t* amounts = read->column(0)->chunk(0)->data()->buffers[1]->data();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(amounts) % 8, 0U);
}

TEST(TableStream, AColumnThatEndsBeforeItsRowsIsAnError) {
  const auto numbers = arrow::ArrayData::Make(arrow::float64(), 1000,
                                              {nullptr, arrow::Buffer::FromString("12345678")}, 0);
  const auto message = SerializeTable(arrow::Table::Make(
      arrow::schema({arrow::field("x", arrow::float64())}), {arrow::MakeArray(numbers)}));
  const auto read = ParseTable(*message);
  ASSERT_FALSE(read.ok());
  EXPECT_TRUE(read.status().message().starts_with("damaged table message")) << read.status();
}

}  // namespace
}  // namespace viand::distributed
