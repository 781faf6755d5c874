// An AtomicFile as an Arrow stream, for writers that take one: a write that fails says which file,
// why (disk full, a limit, read-only) and what to do, whatever the writer above makes of it. An
// address of a store (data_location.h) is written as one upload, which a store makes visible when
// it is complete.
//
//   VIAND_ASSIGN_OR_RETURN(auto output, AtomicOutput::Open(path));
//   VIAND_RETURN_NOT_OK(output->Check(arrow::csv::WriteCSV(table, options, output.get())));
//   VIAND_RETURN_NOT_OK(output->Commit());
#pragma once

#include <arrow/io/interfaces.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "src/common/atomic_file.h"

namespace viand {

/// Not thread-safe. Without Commit nothing is left behind.
class AtomicOutput : public arrow::io::OutputStream {
 public:
  static arrow::Result<std::shared_ptr<AtomicOutput>> Open(const std::string& path);
  ~AtomicOutput() override;

  /// Appends. After the first failure nothing more is tried and every call returns that failure.
  arrow::Status Write(const void* bytes, int64_t count) override;
  using arrow::io::Writable::Write;
  arrow::Result<int64_t> Tell() const override { return size_bytes_; }
  arrow::Status Close() override;
  bool closed() const override { return upload_ != nullptr ? ended_ : descriptor_ < 0; }

  /// Returns a writer's status as the user should see it: the failure of this stream where there
  /// was one, an error of viand as it is, any other as "cannot write PATH: ...".
  /// Any thread may ask, also while another writes.
  arrow::Status Check(const arrow::Status& status) const;

  /// Closes, syncs and makes the file visible; returns its size. Fails when any write failed.
  arrow::Result<int64_t> Commit();

  /// Commit in steps, as AtomicFile has them; Sync closes.
  arrow::Status Sync();
  arrow::Status Rename();

  const std::string& path() const { return path_; }
  /// Where the bytes are until Commit; of a store: the path itself.
  const std::string& temporary_path() const { return file_ ? file_->temporary_path() : path_; }

 private:
  AtomicOutput(std::string path, AtomicFile file, int descriptor);
  AtomicOutput(std::string path, std::shared_ptr<arrow::io::OutputStream> upload);
  arrow::Status Failure() const;
  arrow::Status Remember(arrow::Status failure);
  arrow::Status Fail(int error);
  void StartToDisk();
  void ForgetReplaced(int64_t from, int64_t to) const;
  arrow::Status FailUpload(const arrow::Status& status);

  const std::string path_;
  std::optional<AtomicFile> file_;  // none of a store
  int descriptor_ = -1;
  int replaced_ = -1;                                // the file that is there now; -1: none
  std::shared_ptr<arrow::io::OutputStream> upload_;  // null of a file
  bool ended_ = false;                               // of an upload: nothing more is written
  bool visible_ = false;                             // of an upload: it is complete
  int64_t size_bytes_ = 0;
  int64_t started_bytes_ = 0;  // of these: on their way to disk
  mutable std::mutex mutex_;
  arrow::Status failure_;  // guarded by mutex_
};

}  // namespace viand
