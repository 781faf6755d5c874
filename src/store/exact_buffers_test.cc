#include "src/store/exact_buffers.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
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

TEST(ExactBuffers, MemoryIsOfTheValuesAlone) {
  const std::shared_ptr<arrow::Array> arrays[] = {
      ArrayOf(arrow::Int64Builder(), 3, 4), ArrayOf(arrow::BooleanBuilder(), true, false),
      ArrayOf(arrow::StringBuilder(), "a", "bcd"),
      *arrow::ListArray::FromArrays(*ArrayOf(arrow::Int32Builder(), 0, 1)->Slice(0, 2),
                                    *ArrayOf(arrow::FloatBuilder(), 1.0F))};
  for (const auto& array : arrays) {
    const auto exact = *WithExactBuffers(*array);
    EXPECT_TRUE(exact->Equals(*array));
    const auto untidy = Untidy(*array);
    EXPECT_TRUE(untidy->Equals(*array));
    EXPECT_NE(BuffersOf(*untidy->data()), BuffersOf(*exact->data()));
    EXPECT_EQ(BuffersOf(*(*WithExactBuffers(*untidy))->data()), BuffersOf(*exact->data()));
    const auto slice = array->Slice(1, 1);
    EXPECT_TRUE((*WithExactBuffers(*slice))->Equals(*slice));
  }
}

TEST(ExactBuffers, NullsAreZero) {
  const std::string valid(1, '\5');
  const int32_t numbers[] = {7, 8, 9};
  const auto data = arrow::ArrayData::Make(
      arrow::int32(), 3,
      {arrow::Buffer::FromString(valid),
       arrow::Buffer::FromString({reinterpret_cast<const char*>(numbers), sizeof(numbers)})});
  const auto exact = *WithExactBuffers(*arrow::MakeArray(data));
  EXPECT_EQ(exact->data()->GetValues<int32_t>(1)[1], 0);
  EXPECT_EQ(exact->data()->GetValues<int32_t>(1)[2], 9);
  EXPECT_EQ(numbers[1], 8);
}

}  // namespace
}  // namespace viand::store
