// Rows -> a Parquet file, sorted where asked, made visible only when whole. As long as rows come in
// order they go straight to disk; the first that does not brings all back into memory, to be
// sorted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "src/common/error.h"

namespace arrow {
class RecordBatch;
class Schema;
}  // namespace arrow

namespace viand::ingest {

class ParquetSink {
 public:
  /// `sort_by` empty keeps the order of arrival. A column that is not in the schema is kDefinition.
  static arrow::Result<std::unique_ptr<ParquetSink>> Open(const std::string& path,
                                                          std::shared_ptr<arrow::Schema> schema,
                                                          const std::string& sort_by,
                                                          const std::string& created_by);
  virtual ~ParquetSink() = default;

  virtual arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) = 0;
  virtual int64_t rows() const = 0;
  /// Finishes the file and makes it visible; returns its size. Without this call nothing is left
  /// behind.
  virtual arrow::Result<int64_t> Commit() = 0;
};

}  // namespace viand::ingest
