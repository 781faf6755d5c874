#include "src/engine/column_chunk.h"

#include <parquet/exception.h>
#include <parquet/metadata.h>
#include <parquet/statistics.h>

namespace viand::engine {

std::unique_ptr<parquet::ColumnChunkMetaData> ChunkOf(const parquet::RowGroupMetaData& group,
                                                      int leaf) {
  try {
    return group.ColumnChunk(leaf);
  } catch (const parquet::ParquetException&) {
    return nullptr;
  }
}

std::shared_ptr<parquet::Statistics> StatisticsOf(const parquet::RowGroupMetaData& group,
                                                  int leaf) {
  try {
    return group.ColumnChunk(leaf)->statistics();
  } catch (const parquet::ParquetException&) {
    return nullptr;
  }
}

}  // namespace viand::engine
