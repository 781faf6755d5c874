#include "src/engine/arrange_message.h"

#include <arrow/type.h>

#include <algorithm>

#include "src/engine/fragment_message.h"
#include "src/engine/message_numbers.h"
#include "src/engine/schema_message.h"

namespace viand::engine {
namespace {

arrow::Status Check(const ArrangeFragment& arrange) {
  const auto is_negative = [](int number) { return number < 0; };
  if (std::any_of(arrange.chosen.begin(), arrange.chosen.end(), is_negative) ||
      std::any_of(arrange.order.begin(), arrange.order.end(), is_negative))
    return DamagedFragment("a column that is none");
  if (arrange.dropped < 0) return DamagedFragment("columns that are not put out");
  if (arrange.distinct < 0 || static_cast<size_t>(arrange.distinct) > arrange.order.size())
    return DamagedFragment("columns that are to differ");
  const bool cut = arrange.parts > 1;
  if (arrange.parts < 1 || arrange.parts > kMaxPartitions ||
      (cut && (arrange.order.empty() || arrange.distinct > 0 || arrange.most_rows)))
    return DamagedFragment("number of parts");
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<flatbuffers::Offset<void>> Write(flatbuffers::FlatBufferBuilder* builder,
                                               const ArrangeFragment& arrange) {
  flatbuffers::Offset<Bytes> columns;
  if (arrange.columns != nullptr) {
    VIAND_ASSIGN_OR_RETURN(columns, WriteSchema(builder, *arrange.columns));
  }
  const auto chosen = builder->CreateVector(arrange.chosen);
  const auto order = builder->CreateVector(arrange.order);
  const auto time_name = builder->CreateString(arrange.time_name);
  return message::CreateArrangeFragment(*builder, columns, chosen, order, arrange.distinct,
                                        arrange.time_us.has_value(), arrange.time_us.value_or(0),
                                        arrange.most_rows.value_or(-1), arrange.parts,
                                        arrange.dropped, time_name)
      .Union();
}

arrow::Result<Fragment> Read(const message::ArrangeFragment& arrange) {
  ArrangeFragment result;
  if (arrange.columns() != nullptr) {
    VIAND_ASSIGN_OR_RETURN(result.columns, ReadSchema(arrange.columns()));
  }
  result.chosen = ReadNumbers(arrange.chosen());
  result.order = ReadNumbers(arrange.order());
  result.distinct = arrange.distinct();
  if (arrange.has_time()) result.time_us = arrange.time_us();
  if (arrange.most_rows() >= 0) result.most_rows = arrange.most_rows();
  result.parts = arrange.parts();
  result.dropped = arrange.dropped();
  if (arrange.time_name() != nullptr) result.time_name = arrange.time_name()->str();
  VIAND_RETURN_NOT_OK(Check(result));
  return result;
}

}  // namespace viand::engine
