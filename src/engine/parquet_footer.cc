#include "src/engine/parquet_footer.h"

#include <arrow/io/interfaces.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/size_statistics.h>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>

#include "src/common/cancellation.h"
#include "src/common/data_location.h"
#include "src/common/file_signature.h"
#include "src/common/io_threads.h"
#include "src/engine/column_chunk.h"
#include "src/engine/read_file.h"

namespace viand::engine {
namespace {

/// Of footers as they are in the files; in memory one takes a few times as much.
constexpr int64_t kMostCachedBytes = 16 << 20;

class FooterCache {
 public:
  FooterPtr Find(const ListedFile& file) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = footers_.find(file.path);
    if (found == footers_.end()) return nullptr;
    const ListedFile& known = found->second->file;
    const bool same = known.size_bytes == file.size_bytes && known.modified_ns == file.modified_ns;
    return same ? found->second : nullptr;
  }

  void Add(const FooterPtr& footer) {
    const std::lock_guard<std::mutex> lock(mutex_);
    FooterPtr& place = footers_[footer->file.path];
    if (place != nullptr) bytes_ -= place->metadata->size();
    if (place == nullptr) order_.push_back(footer->file.path);
    place = footer;
    bytes_ += footer->metadata->size();
    while (bytes_ > kMostCachedBytes && order_.size() > 1) {
      const auto oldest = footers_.find(order_.front());
      bytes_ -= oldest->second->metadata->size();
      footers_.erase(oldest);
      order_.pop_front();
    }
  }

 private:
  std::mutex mutex_;
  std::map<std::string, FooterPtr> footers_;  // guarded by mutex_
  std::deque<std::string> order_;             // guarded by mutex_: oldest first
  int64_t bytes_ = 0;                         // guarded by mutex_
};

FooterCache& Cache() {
  // Never destroyed: the process's end frees thousands of footers faster than one by one.
  static auto* cache = new FooterCache;
  return *cache;
}

arrow::Status NotParquet(const arrow::Status& status, const std::string& path,
                         const std::string& described_as) {
  const std::string why = IsRemotePath(path) ? "" : WhyNotParquet(path);
  if (why.empty()) return StorageError(status, path, described_as, "is the file whole?");
  return MakeError(ErrorKind::kInput,
                   fmt::format("{}{}{} is not a Parquet file: {}", described_as,
                               described_as.empty() ? "" : ": ", path, why),
                   "is the file whole?");
}

arrow::Status Parse(const std::shared_ptr<arrow::io::RandomAccessFile>& input,
                    ParquetFooter* footer) {
  parquet::arrow::FileReaderBuilder builder;
  VIAND_RETURN_NOT_OK(builder.Open(input));
  footer->metadata = builder.raw_reader()->metadata();
  return parquet::arrow::FromParquetSchema(footer->metadata->schema(),
                                           parquet::default_arrow_reader_properties(),
                                           footer->metadata->key_value_metadata(), &footer->schema);
}

}  // namespace

arrow::Result<FooterPtr> ReadFooter(const std::string& path, const std::string& described_as) {
  VIAND_RETURN_NOT_OK(CheckCancelled());
  VIAND_ASSIGN_OR_RETURN(ListedFile file, KnownDataFile(path, described_as));
  if (FooterPtr known = Cache().Find(file)) return known;
  auto footer = std::make_shared<ParquetFooter>();
  footer->file = std::move(file);
  VIAND_ASSIGN_OR_RETURN(const auto input, OpenDataFile(path, described_as));
  if (const auto status = Parse(input, footer.get()); !status.ok())
    return NotParquet(status, path, described_as);
  Cache().Add(footer);
  return footer;
}

arrow::Result<std::vector<FooterPtr>> ReadFooters(const std::vector<std::string>& paths,
                                                  const std::string& described_as) {
  return MapOnIoThreads(paths,
                        [&](const std::string& path) { return ReadFooter(path, described_as); });
}

int64_t TextBytes(const parquet::RowGroupMetaData& group, const std::set<std::string>& columns) {
  int64_t bytes = 0;
  for (int leaf = 0; leaf < group.num_columns(); ++leaf) {
    if (columns.count(group.schema()->GetColumnRoot(leaf)->name()) == 0) continue;
    const parquet::ColumnDescriptor& descriptor = *group.schema()->Column(leaf);
    const auto chunk = ChunkOf(group, leaf);
    if (chunk == nullptr) continue;
    if (descriptor.physical_type() == parquet::Type::BYTE_ARRAY) {
      const auto sizes = chunk->size_statistics();
      const bool known = sizes != nullptr && sizes->unencoded_byte_array_data_bytes;
      bytes += std::max(chunk->total_uncompressed_size(),
                        known ? *sizes->unencoded_byte_array_data_bytes : 0);
    } else if (descriptor.physical_type() == parquet::Type::FIXED_LEN_BYTE_ARRAY) {
      bytes += chunk->num_values() * descriptor.type_length();
    } else if (descriptor.max_repetition_level() > 0) {
      bytes += chunk->num_values() * static_cast<int64_t>(sizeof(int64_t));
    }
  }
  return bytes;
}

}  // namespace viand::engine
