#include "src/distributed/held_tables.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/json/from_string.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "src/distributed/spill_file.h"
#include "src/distributed/testing/tables.h"

namespace viand::distributed {
namespace {

using TablePtr = std::shared_ptr<arrow::Table>;

TablePtr SomeRows() {
  return testing::TableOf({{"n", arrow::int64(), "[1, null, 3]"},
                           {"t", arrow::utf8(), R"(["a", "", null])"},
                           {"d", arrow::float64(), "[-0.0, 1.5, null]"}});
}

/// A slice of few rows of many texts.
TablePtr CodedSlice() {
  const auto type = arrow::dictionary(arrow::int32(), arrow::utf8());
  std::string values = "[";
  for (int i = 0; i < 1000; ++i) values += (i > 0 ? ",\"v" : "\"v") + std::to_string(i) + "\"";
  auto coded = arrow::json::DictArrayFromJSONString(type, "[5, null, 700, 5, 1]", values + "]");
  return arrow::Table::Make(arrow::schema({arrow::field("s", type)}),
                            arrow::ArrayVector{coded.ValueOrDie()->Slice(1)});
}

TEST(HeldTables, GivesBackWhatWasSpilled) {
  const testing::Folder folder;
  std::vector<engine::TableReference> references;
  {
    HeldTables held(1, folder.path());
    references = *held.Hold({SomeRows(), SomeRows()->Slice(1, 1), SomeRows()->Slice(0, 0)});
    EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "the file has no name";
  }
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE((*HeldTables::Load(references[0]))->Equals(*SomeRows()));
    EXPECT_TRUE((*HeldTables::Load(references[1]))->Equals(*SomeRows()->Slice(1, 1)));
    EXPECT_TRUE((*HeldTables::Load(references[2]))->Equals(*SomeRows()->Slice(0, 0)));
  }
}

TEST(HeldTables, KeepsTheTextsOfCodes) {
  const testing::Folder folder;
  HeldTables held(1, folder.path());
  const auto references = *held.Hold({CodedSlice()});
  const TablePtr loaded = *HeldTables::Load(references[0]);
  const auto& coded = static_cast<const arrow::DictionaryArray&>(*loaded->column(0)->chunk(0));
  EXPECT_EQ(coded.dictionary()->length(), 3) << "only those in use go to disk";
  ASSERT_EQ(coded.length(), 4);
  EXPECT_TRUE(coded.IsNull(0));
  const auto& texts = static_cast<const arrow::StringArray&>(*coded.dictionary());
  EXPECT_EQ(texts.GetView(coded.GetValueIndex(1)), "v700");
  EXPECT_EQ(texts.GetView(coded.GetValueIndex(2)), "v5");
  EXPECT_EQ(texts.GetView(coded.GetValueIndex(3)), "v1");
}

TEST(HeldTables, StaysInMemoryWhereThereIsRoom) {
  HeldTables held(int64_t{1} << 40, "/no such folder");
  const TablePtr table = SomeRows();
  const auto references = *held.Hold({table});
  EXPECT_EQ(*HeldTables::Load(references[0]), table);
  const auto kept = HeldTables::Keep(table);
  EXPECT_EQ(*HeldTables::Load(kept), table);
}

TEST(HeldTables, SaysThatTheFolderCannotBeWritten) {
  HeldTables held(1, "/no such folder");
  const auto references = held.Hold({SomeRows()});
  ASSERT_FALSE(references.ok());
  EXPECT_EQ(RenderError(references.status()),
            "cannot make a temporary file in /no such folder: No such file or directory\n"
            "  hint: name a folder that can be written with --temp-dir");
}

/// Bounds the files that this process writes, as a full disk does.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(int64_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{static_cast<rlim_t>(bytes), before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST(HeldTables, SaysThatTheDiskIsFull) {
  const testing::Folder folder;
  HeldTables held(1, folder.path());
  const FileSizeLimit limit(300);
  const auto references = held.Hold({SomeRows()});
  ASSERT_FALSE(references.ok());
  EXPECT_EQ(KindOf(references.status()), ErrorKind::kEnvironment);
  EXPECT_EQ(RenderError(references.status()),
            "memory is short, and after 300 bytes of temporary data in " + folder.path() +
                " no more could be written: File too large\n"
                "  hint: free disk space there, name another folder with --temp-dir, or allow "
                "more memory with --memory");
}

TEST(SpillFile, WhatWasReadKeepsItsRoom) {
  const testing::Folder folder;
  const auto file = *SpillFile::Open(folder.path());
  auto first = *file->Write(SomeRows(), SpillFile::Layout::kMapped);
  const auto second = *file->Write(SomeRows(), SpillFile::Layout::kPacked);
  const TablePtr read = *SpillFile::Read(first);
  first.reset();
  EXPECT_TRUE(read->Equals(*SomeRows())) << "the room was given back too early";
  EXPECT_TRUE((*SpillFile::Read(second))->Equals(*SomeRows()));
}

TEST(SpillFile, AForkedChildLeavesTheRoomToItsParent) {
  const testing::Folder folder;
  const auto file = *SpillFile::Open(folder.path());
  auto piece = *file->Write(SomeRows(), SpillFile::Layout::kMapped);
  const pid_t child = ::fork();
  if (child == 0) {
    piece.reset();
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE((*SpillFile::Read(piece))->Equals(*SomeRows()));
}

/// Of the nameless file in a folder that this process has open.
int64_t BlocksOnDisk(const std::string& folder) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    const auto target = std::filesystem::read_symlink(entry, error);
    struct stat file = {};
    if (!error && target.string().starts_with(folder) && ::stat(entry.path().c_str(), &file) == 0)
      return file.st_blocks;
  }
  return -1;
}

TEST(SpillFile, GivesRoomBack) {
  const testing::Folder folder;
  const auto file = *SpillFile::Open(folder.path());
  const auto many = arrow::MakeArrayFromScalar(arrow::Int64Scalar(7), 200'000).ValueOrDie();
  const auto table = arrow::Table::Make(arrow::schema({arrow::field("n", arrow::int64())}), {many});
  auto first = *file->Write(table, SpillFile::Layout::kMapped);
  const auto second = *file->Write(table, SpillFile::Layout::kMapped);
  const int64_t before = BlocksOnDisk(folder.path());
  EXPECT_GE(before * 512, first->bytes() + second->bytes());
  const int64_t bytes = first->bytes();
  first.reset();
  EXPECT_LE(BlocksOnDisk(folder.path()) * 512, before * 512 - bytes + 2 * 4096);
  EXPECT_TRUE((*SpillFile::Read(second))->Equals(*table));
}

TEST(SpillFile, PackedColumnsKeepTheirPlacesAmongOthers) {
  const testing::Folder folder;
  const auto file = *SpillFile::Open(folder.path());
  const auto table = testing::TableOf({{"t", arrow::utf8(), R"(["a", null, "c"])"},
                                       {"n", arrow::int64(), "[5, -7, 5]"},
                                       {"d", arrow::float64(), "[-0.0, 1.5, null]"},
                                       {"ts", testing::Micros(), "[1, 2, 4]"}});
  const TablePtr twice = *arrow::ConcatenateTables({table, table});
  const auto piece = *file->Write(twice, SpillFile::Layout::kPacked);
  EXPECT_TRUE((*SpillFile::Read(piece))->Equals(*twice));
  const auto none = *file->Write(twice->Slice(0, 0), SpillFile::Layout::kPacked);
  EXPECT_TRUE((*SpillFile::Read(none))->Equals(*twice->Slice(0, 0)));
}

TEST(SpillFile, AscendingNumbersTakeAFractionOfTheRoom) {
  const testing::Folder folder;
  const auto file = *SpillFile::Open(folder.path());
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < 10'000; ++i)
    ASSERT_TRUE(builder.Append(1'700'000'000'000'000 + i * 1000 + i % 7).ok());
  const auto table = arrow::Table::Make(arrow::schema({arrow::field("n", arrow::int64())}),
                                        {builder.Finish().ValueOrDie()});
  const auto packed = *file->Write(table, SpillFile::Layout::kPacked);
  EXPECT_LT(packed->bytes() * 8, (*file->Write(table, SpillFile::Layout::kMapped))->bytes());
  EXPECT_TRUE((*SpillFile::Read(packed))->Equals(*table));
}

}  // namespace
}  // namespace viand::distributed
