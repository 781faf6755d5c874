#include "src/registry/file_storage.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

#include "src/common/atomic_file.h"
#include "src/common/cancellation.h"
#include "src/common/failpoint.h"
#include "src/common/sha256.h"
#include "src/registry/feast_tables.h"
#include "src/registry/file_lock.h"
#include "src/registry/side_file.h"

namespace viand::registry {
namespace {

// Protobuf's own limit.
constexpr int64_t kMaxBytes = int64_t{1} << 31;
// Feast truncates the file and writes it again: what is read meanwhile is a part of it.
constexpr int kReadTries = 8;
constexpr auto kReadPause = std::chrono::milliseconds(60);
constexpr auto kWritingAge = std::chrono::seconds(2);

/// Whether somebody may be writing the file just now.
bool IsFresh(const std::string& path) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(path, error);
  return error || std::filesystem::file_time_type::clock::now() - written < kWritingAge;
}

arrow::Result<std::vector<std::string>> Column(SqliteConnection* connection,
                                               const std::string& sql) {
  std::vector<std::string> values;
  VIAND_ASSIGN_OR_RETURN(SqlStatement * statement, connection->Prepare(sql));
  while (true) {
    VIAND_ASSIGN_OR_RETURN(const bool row, statement->Step());
    if (!row) return values;
    values.push_back(statement->Text(0));
  }
}

arrow::Result<std::vector<std::string>> ViandTables(SqliteConnection* connection,
                                                    const std::string& schema) {
  return Column(connection, fmt::format("select name from {}.sqlite_master where type = 'table' "
                                        "and name like 'viand\\_%' escape '\\'",
                                        schema));
}

// Copies by the names of columns, so that an image of older tables fits into newer ones.
arrow::Status LoadViandTables(std::string_view image, SqliteConnection* connection) {
  VIAND_RETURN_NOT_OK(connection->Execute("attach ':memory:' as stored"));
  VIAND_RETURN_NOT_OK(connection->LoadImage("stored", image));
  VIAND_ASSIGN_OR_RETURN(const auto tables, ViandTables(connection, "stored"));
  for (const std::string& table : tables) {
    VIAND_ASSIGN_OR_RETURN(
        const auto columns,
        Column(connection,
               fmt::format("select name from pragma_table_info('{}', 'stored')", table)));
    const std::string list = fmt::format("{}", fmt::join(columns, ", "));
    VIAND_RETURN_NOT_OK(connection->Execute(
        fmt::format("delete from main.{0}; insert into main.{0} ({1}) select {1} from stored.{0}",
                    table, list)));
  }
  return arrow::Status::OK();
}

arrow::Result<std::string> ViandImage(SqliteConnection* connection) {
  VIAND_RETURN_NOT_OK(connection->Execute("attach ':memory:' as side"));
  VIAND_ASSIGN_OR_RETURN(const auto tables, ViandTables(connection, "main"));
  for (const std::string& table : tables)
    VIAND_RETURN_NOT_OK(
        connection->Execute(fmt::format("create table side.{0} as select * from main.{0}", table)));
  return connection->Image("side");
}

}  // namespace

FileStorage::FileStorage(std::string path, std::string shown_path, int lock_timeout_ms)
    : path_(std::move(path)),
      shown_path_(std::move(shown_path)),
      lock_timeout_ms_(lock_timeout_ms) {}

std::string FileStorage::Describe() const { return "file " + shown_path_; }

arrow::Status FileStorage::Named(const arrow::Status& status) const {
  return status.ok() ? status : WithContext(status, fmt::format("registry file {}: ", path_));
}

// An image is for the file of its hash; one that another client wrote has that of viand's last
// write, whose number it carries on.
arrow::Status FileStorage::FindImage(Contents* contents) const {
  std::error_code error;
  const std::string exact = SidePath(path_, contents->sha256);
  if (std::filesystem::exists(exact, error)) {
    VIAND_ASSIGN_OR_RETURN(SideFile side, ReadSideFile(exact));
    contents->sequence = side.stamp.sequence;
    contents->image = std::move(side.image);
    return arrow::Status::OK();
  }
  const FileStamp stamp = contents->file.stamp();
  std::optional<SideFile> last;
  bool any = false;
  for (const std::string& path : SidePaths(path_)) {
    VIAND_ASSIGN_OR_RETURN(SideFile side, ReadSideFile(path));
    if (!WrittenByAnother(stamp, side.stamp))
      return MakeError(ErrorKind::kRegistry,
                       "damaged: it is not what viand wrote (the SHA-256 differs from that of the "
                       "file beside it), and no other client has written it since",
                       fmt::format("restore it from a copy; to go on with what it holds, remove "
                                   "{}",
                                   path));
    // A write that was cut off before it counted left the image of a later number.
    const bool carried_on = stamp.sequence == 0 || side.stamp.sequence == stamp.sequence;
    if (carried_on && (!last || side.stamp.sequence > last->stamp.sequence)) last = std::move(side);
    any = true;
  }
  // Another viand has committed since the file was read; or the file was copied here alone.
  if (any && !last)
    return MakeError(ErrorKind::kRegistry,
                     fmt::format("the files beside it are not those of this registry, {}.* of its "
                                 "write {} is missing",
                                 path_ + ".viand", stamp.sequence),
                     "restore both from a copy, or remove the files beside it");
  if (!last) return arrow::Status::OK();
  contents->sequence = last->stamp.sequence;
  contents->image = std::move(last->image);
  return arrow::Status::OK();
}

arrow::Result<std::optional<FileStorage::Contents>> FileStorage::TryReadContents(
    bool last_try) const {
  std::error_code error;
  Contents contents;
  if (!std::filesystem::exists(path_, error)) {
    if (error) return WriteError(path_, error.value());
    return contents;
  }
  VIAND_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(path_, kMaxBytes));
  contents.sha256 = Sha256Hex(bytes);
  arrow::Status status = [&]() -> arrow::Status {
    VIAND_RETURN_NOT_OK(RegistryFile::Parse(bytes).Value(&contents.file));
    return FindImage(&contents);
  }();
  if (status.ok()) return contents;
  if (last_try || !IsFresh(path_)) return status;
  return std::nullopt;
}

arrow::Result<FileStorage::Contents> FileStorage::ReadContents() const {
  for (int number = 1;; ++number) {
    auto contents = TryReadContents(number == kReadTries);
    if (!contents.ok()) return Named(contents.status());
    if (*contents) return std::move(**contents);
    VIAND_RETURN_NOT_OK(CheckCancelled());
    std::this_thread::sleep_for(kReadPause);
  }
}

arrow::Result<std::unique_ptr<SqliteConnection>> FileStorage::Load(const Contents& contents) const {
  VIAND_ASSIGN_OR_RETURN(
      auto connection,
      SqliteConnection::Open(":memory:", SqliteConnection::Mode::kCreate, lock_timeout_ms_));
  VIAND_RETURN_NOT_OK(CreateTables(SqlDialect::kSqlite, connection.get()));
  if (!contents.image.empty())
    VIAND_RETURN_NOT_OK(LoadViandTables(contents.image, connection.get()));
  VIAND_RETURN_NOT_OK(connection->Execute("begin"));
  VIAND_RETURN_NOT_OK(contents.file.Load(connection.get()));
  VIAND_RETURN_NOT_OK(connection->Execute("commit"));
  return connection;
}

arrow::Status FileStorage::Read(const Body& body) {
  VIAND_ASSIGN_OR_RETURN(const Contents contents, ReadContents());
  if (contents.sha256.empty()) return arrow::Status::OK();
  VIAND_ASSIGN_OR_RETURN(const auto connection, Load(contents));
  return body(connection.get());
}

arrow::Status FileStorage::Write(const Body& body) {
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  VIAND_RETURN_NOT_OK(MakeFolders(folder));
  auto lock = FileLock::Take(path_ + ".viand.lock", lock_timeout_ms_);
  if (!lock.ok()) return Named(lock.status());
  VIAND_RETURN_NOT_OK(RemoveStaleTemporaries(folder));
  while (true) {
    VIAND_RETURN_NOT_OK(CheckCancelled());
    VIAND_ASSIGN_OR_RETURN(Contents contents, ReadContents());
    VIAND_ASSIGN_OR_RETURN(const auto connection, Load(contents));
    VIAND_RETURN_NOT_OK(body(connection.get()));
    VIAND_RETURN_NOT_OK(contents.file.Save(connection.get(), contents.sequence + 1));
    VIAND_ASSIGN_OR_RETURN(const std::string image, ViandImage(connection.get()));
    VIAND_ASSIGN_OR_RETURN(const bool done, Commit(contents, image));
    if (done) return arrow::Status::OK();
  }
}

arrow::Result<bool> FileStorage::Commit(const Contents& contents, const std::string& image) const {
  namespace fs = std::filesystem;
  const std::string bytes = contents.file.Serialize();
  const std::string side_path = SidePath(path_, Sha256Hex(bytes));
  VIAND_RETURN_NOT_OK(Failpoint("registry.side"));
  VIAND_RETURN_NOT_OK(WriteSideFile(side_path, {contents.file.stamp(), image}));
  VIAND_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path_));
  VIAND_RETURN_NOT_OK(WriteFile(file.temporary_path(), bytes));
  std::error_code error;
  std::string now;
  if (const auto status = fs::status(path_, error); fs::exists(status)) {
    fs::permissions(file.temporary_path(), status.permissions(), error);
    VIAND_ASSIGN_OR_RETURN(now, ReadWholeFile(path_, kMaxBytes));
    now = Sha256Hex(now);
  }
  if (now != contents.sha256) {
    fs::remove(side_path, error);
    return false;
  }
  VIAND_RETURN_NOT_OK(Failpoint("registry.commit"));
  VIAND_RETURN_NOT_OK(file.Commit());
  VIAND_RETURN_NOT_OK(Failpoint("registry.committed"));
  RemoveOtherSides(side_path);
  return true;
}

// Nobody needs them any more; a reader that has just read the old file reads again.
void FileStorage::RemoveOtherSides(const std::string& kept) const {
  for (const std::string& path : SidePaths(path_)) {
    std::error_code ignored;
    if (path != kept) std::filesystem::remove(path, ignored);
  }
}

}  // namespace viand::registry
