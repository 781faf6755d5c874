// Any bytes: parse, bind, print, and bind what was printed, which must give the same text.
#include <arrow/type.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/expression/aggregation.h"
#include "src/expression/binder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace viand::expression;  // NOLINT
  static const auto schema =
      arrow::schema({arrow::field("a", arrow::int64()), arrow::field("b", arrow::float64()),
                     arrow::field("c", arrow::utf8()), arrow::field("d", arrow::boolean()),
                     arrow::field("e", arrow::timestamp(arrow::TimeUnit::MICRO))});
  const Scope scope{
      .columns = schema, .aggregates = true, .as_of = true, .described_as = "the fuzzer"};
  const auto tree = ParseAndBind({reinterpret_cast<const char*>(data), size}, scope);
  if (!tree.ok()) return 0;
  const std::string text = ToSql(**tree);
  const auto again = ParseAndBind(text, scope);
  // Printing spells implicit casts out, so a text or a tree at the limits may outgrow them.
  if (again.ok() ? ToSql(**again) != text : size < 1000) std::abort();
  (void)SplitAggregates(*tree);
  return 0;
}
