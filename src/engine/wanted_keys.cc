#include "src/engine/wanted_keys.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>

#include <algorithm>
#include <bit>

#include "src/engine/partition_hash.h"
#include "src/engine/partition_inputs.h"

namespace viand::engine {
namespace {

/// Of a row: one row of another key in as many is kept.
constexpr uint64_t kBitsARow = 16;
constexpr uint64_t kWordBits = 64;

}  // namespace

WantedKeys::WantedKeys(int64_t rows) {
  const uint64_t bits =
      std::bit_ceil(std::max<uint64_t>(kBitsARow * static_cast<uint64_t>(rows), kWordBits));
  bits_.resize(bits / kWordBits);
  mask_ = bits - 1;
}

arrow::Result<WantedKeys> WantedKeys::Of(const std::vector<std::shared_ptr<arrow::Table>>& tables,
                                         size_t key_count) {
  int64_t rows = 0;
  for (const auto& table : tables) rows += table->num_rows();
  WantedKeys wanted(rows);
  for (const auto& table : tables) {
    if (static_cast<size_t>(table->num_columns()) != key_count) return InputsDoNotFit();
    arrow::TableBatchReader reader(*table);
    std::shared_ptr<arrow::RecordBatch> batch;
    while (true) {
      VIAND_RETURN_NOT_OK(reader.ReadNext(&batch));
      if (batch == nullptr) break;
      std::vector<uint64_t> hashes(batch->num_rows(), 0);
      for (const auto& key : batch->columns()) MixKeyHash(*key, &hashes);
      for (const uint64_t hash : hashes) {
        const uint64_t bit = hash & wanted.mask_;
        wanted.bits_[bit / kWordBits] |= uint64_t{1} << bit % kWordBits;
      }
    }
  }
  return wanted;
}

void WantedKeys::ClearOthers(const std::vector<std::shared_ptr<arrow::Array>>& keys,
                             std::vector<uint8_t>* keep) const {
  std::vector<uint64_t> hashes(keep->size(), 0);
  for (const auto& key : keys) MixKeyHash(*key, &hashes);
  for (size_t i = 0; i < hashes.size(); ++i) {
    const uint64_t bit = hashes[i] & mask_;
    (*keep)[i] &= static_cast<uint8_t>(bits_[bit / kWordBits] >> bit % kWordBits & 1);
  }
}

}  // namespace viand::engine
