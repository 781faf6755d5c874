// What a footer says of one column of one row group. Parquet's library throws where a damaged
// footer contradicts itself there; whoever plans by it then goes without, and the reading of the
// column says what is wrong with the file.
#pragma once

#include <memory>

namespace parquet {
class ColumnChunkMetaData;
class RowGroupMetaData;
class Statistics;
}  // namespace parquet

namespace viand::engine {

/// Null where the footer is damaged.
std::unique_ptr<parquet::ColumnChunkMetaData> ChunkOf(const parquet::RowGroupMetaData& group,
                                                      int leaf);

/// Null where there are none, or the footer is damaged.
std::shared_ptr<parquet::Statistics> StatisticsOf(const parquet::RowGroupMetaData& group, int leaf);

}  // namespace viand::engine
