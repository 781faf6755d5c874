#include "src/store/ipc_batches.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

namespace viand::store {
namespace {

using Buffers = std::vector<std::string>;

Buffers BuffersOf(const arrow::ArrayData& data) {
  Buffers all;
  for (const auto& buffer : data.buffers)
    all.push_back(buffer == nullptr ? "" : buffer->ToString());
  for (const auto& child : data.child_data) {
    const Buffers more = BuffersOf(*child);
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

/// An array of the same values whose memory has more around them, and in its nulls.
std::shared_ptr<arrow::Array> Untidy(const arrow::Array& array) {
  auto data = array.data()->Copy();
  for (size_t i = 0; i < data->buffers.size(); ++i) {
    if (data->buffers[i] == nullptr) continue;
    std::string bytes = data->buffers[i]->ToString();
    if (i == 0 && data->length % 8 != 0)
      bytes.back() |= static_cast<char>(0xFF << data->length % 8);
    data->buffers[i] = arrow::Buffer::FromString(bytes + "more");
  }
  for (auto& child : data->child_data) child = Untidy(*arrow::MakeArray(child))->data();
  return arrow::MakeArray(data);
}

template <typename Builder, typename... Values>
std::shared_ptr<arrow::Array> ArrayOf(Builder builder, Values... values) {
  EXPECT_TRUE((builder.Append(values).ok() && ...));
  EXPECT_TRUE(builder.AppendNull().ok());
  return *builder.Finish();
}

TEST(IpcBatches, MemoryIsOfTheValuesAlone) {
  const std::shared_ptr<arrow::Array> arrays[] = {
      ArrayOf(arrow::Int64Builder(), 3, 4), ArrayOf(arrow::BooleanBuilder(), true, false),
      ArrayOf(arrow::StringBuilder(), "a", "bcd"),
      *arrow::ListArray::FromArrays(*ArrayOf(arrow::Int32Builder(), 0, 1)->Slice(0, 2),
                                    *ArrayOf(arrow::FloatBuilder(), 1.0F))};
  for (const auto& array : arrays) {
    const auto exact = *JoinedExactly({array});
    EXPECT_TRUE(exact->Equals(*array));
    const auto untidy = Untidy(*array);
    EXPECT_TRUE(untidy->Equals(*array));
    EXPECT_NE(BuffersOf(*untidy->data()), BuffersOf(*exact->data()));
    EXPECT_EQ(BuffersOf(*(*JoinedExactly({untidy}))->data()), BuffersOf(*exact->data()));
    const auto slice = array->Slice(1, 1);
    EXPECT_TRUE((*JoinedExactly({slice}))->Equals(*slice));
  }
}

TEST(IpcBatches, NullsAreZero) {
  const std::string valid(1, '\5');
  const int32_t numbers[] = {7, 8, 9};
  const auto data = arrow::ArrayData::Make(
      arrow::int32(), 3,
      {arrow::Buffer::FromString(valid),
       arrow::Buffer::FromString({reinterpret_cast<const char*>(numbers), sizeof(numbers)})});
  const auto exact = *JoinedExactly({arrow::MakeArray(data)});
  EXPECT_EQ(exact->data()->GetValues<int32_t>(1)[1], 0);
  EXPECT_EQ(exact->data()->GetValues<int32_t>(1)[2], 9);
  EXPECT_EQ(numbers[1], 8);
}

/// What is written of rows that come in pieces of so many.
std::string Written(const std::shared_ptr<arrow::RecordBatch>& rows, int64_t at_a_time) {
  auto sink = *arrow::io::BufferOutputStream::Create();
  const auto writer = *arrow::ipc::MakeFileWriter(sink, rows->schema());
  IpcBatches batches(writer.get());
  for (int64_t first = 0; first < rows->num_rows(); first += at_a_time)
    EXPECT_TRUE(batches.Write(*rows->Slice(first, at_a_time)).ok());
  EXPECT_TRUE(batches.Finish().ok());
  EXPECT_TRUE(writer->Close().ok());
  return (*sink->Finish())->ToString();
}

TEST(IpcBatches, BytesAreOfTheRowsAlone) {
  arrow::Int64Builder numbers;
  arrow::StringBuilder texts;
  constexpr int64_t kRows = 100'000;
  for (int64_t i = 0; i < kRows; ++i) {
    EXPECT_TRUE((i % 7 == 0 ? numbers.AppendNull() : numbers.Append(i)).ok());
    EXPECT_TRUE(texts.Append(std::string(i % 5, 'x')).ok());
  }
  const auto rows = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("n", arrow::int64()), arrow::field("t", arrow::utf8())}), kRows,
      arrow::ArrayVector{*numbers.Finish(), *texts.Finish()});
  const std::string whole = Written(rows, kRows);
  for (const int64_t at_a_time : {999, 9869, 65'536}) EXPECT_EQ(Written(rows, at_a_time), whole);
  const auto read = *arrow::ipc::RecordBatchFileReader::Open(
      std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(whole)));
  EXPECT_EQ(read->num_record_batches(), 2);
  EXPECT_TRUE((*read->ToTable())->Equals(**arrow::Table::FromRecordBatches({rows})));
}

}  // namespace
}  // namespace viand::store
