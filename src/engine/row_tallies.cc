#include "src/engine/row_tallies.h"

#include <arrow/array/array_binary.h>

#include <cstring>

#include "src/expression/to_sql.h"

namespace viand::engine {
namespace {

constexpr size_t kFixedBytes = sizeof(int64_t) + sizeof(__int128);

std::string TextOf(const expression::ExpressionPtr& tree) {
  return tree == nullptr ? "" : expression::ToSql(*tree);
}

}  // namespace

std::string TalliedRows::Name() const {
  std::string name;
  for (const auto& tree : {filter, where, argument}) name += TextOf(tree) + '\0';
  return name;
}

void Tally::AddRow(const TalliedRows& rows, const AggregateValues* values, int64_t row) {
  ++count;
  if (!rows.sums) return;
  if (values->IsDouble()) {
    const double value = values->Doubles()[row];
    sum.Add(value);
    if (rows.squares) squares.AddSquare(value);
    return;
  }
  const int64_t value = values->Integers()[row];
  integers += value;
  if (!rows.squares) return;
  sum.AddInteger(value);
  squares.AddIntegerSquare(value);
}

void Tally::Merge(const Tally& other) {
  count += other.count;
  integers += other.integers;
  sum.Merge(other.sum);
  squares.Merge(other.squares);
}

std::string Tally::Serialize() const {
  std::string bytes(kFixedBytes, '\0');
  std::memcpy(bytes.data(), &count, sizeof(count));
  std::memcpy(bytes.data() + sizeof(count), &integers, sizeof(integers));
  sum.AppendTo(&bytes);
  squares.AppendTo(&bytes);
  return bytes;
}

arrow::Result<Tally> Tally::Parse(std::string_view bytes) {
  Tally tally;
  bool fits = bytes.size() >= kFixedBytes;
  if (fits) {
    std::memcpy(&tally.count, bytes.data(), sizeof(count));
    std::memcpy(&tally.integers, bytes.data() + sizeof(count), sizeof(integers));
    bytes.remove_prefix(kFixedBytes);
    fits = tally.sum.ReadFrom(&bytes) && tally.squares.ReadFrom(&bytes) && bytes.empty();
  }
  if (!fits) return MakeError(ErrorKind::kInput, "damaged summary of events");
  return tally;
}

arrow::Status RowTallies::Add(const arrow::Array& serialized, int64_t first_row) {
  const auto& bytes = static_cast<const arrow::BinaryArray&>(serialized);
  for (int64_t row = 0; row < bytes.length(); ++row) {
    if (bytes.IsNull(row)) continue;
    VIAND_ASSIGN_OR_RETURN(Tally tally, Tally::Parse(bytes.GetView(row)));
    at_[first_row + row] = static_cast<int32_t>(tallies_->size());
    tallies_->push_back(std::move(tally));
  }
  return arrow::Status::OK();
}

RowTallies RowTallies::InOrder(const PoolVector<int32_t>& rows) const {
  RowTallies out(static_cast<int64_t>(rows.size()));
  for (size_t i = 0; i < rows.size(); ++i) out.at_[i] = at_[rows[i]];
  out.tallies_ = tallies_;
  return out;
}

}  // namespace viand::engine
