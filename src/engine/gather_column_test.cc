#include "src/engine/gather_column.h"

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/initialize.h>
#include <arrow/json/from_string.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <vector>

#include "src/common/block_pool.h"

namespace viand::engine {
namespace {

TEST(GatherColumn, TextsThatManyRowsWantComeInPieces) {
  ASSERT_TRUE(arrow::compute::Initialize().ok());
  const auto column = GatherColumn::Make(arrow::utf8(), 6, ProcessPool(), 10).ValueOrDie();
  const auto first = arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["none", "aaaa"])");
  const auto second =
      arrow::json::ArrayFromJSONString(arrow::utf8(), R"([null, "longer than a piece", "b"])");
  const std::vector<WantedRow> of_first = {{1, 0}, {1, 1}, {1, 3}},
                               of_second = {{2, 4}, {3, 2}, {4, 5}};
  ASSERT_TRUE(column->Add(first.ValueOrDie(), of_first, 0).ok());
  ASSERT_TRUE(column->Add(second.ValueOrDie(), of_second, 2).ok());
  const auto values = column->Finish().ValueOrDie();
  ASSERT_TRUE(values->ValidateFull().ok());
  const auto expected = arrow::ChunkedArray::Make(
      {arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["aaaa", "aaaa"])").ValueOrDie(),
       arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["longer than a piece"])").ValueOrDie(),
       arrow::json::ArrayFromJSONString(arrow::utf8(), R"(["aaaa", null, "b"])").ValueOrDie()});
  EXPECT_TRUE(values->Equals(**expected)) << values->ToString();
  EXPECT_EQ(values->num_chunks(), 3);
}

}  // namespace
}  // namespace viand::engine
