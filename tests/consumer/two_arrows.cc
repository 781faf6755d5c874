// A program with an Arrow of its own that opens a repo with viand's beside it: both work, and
// neither sees the other.
//
// Were viand's calls bound to this program's libarrow, what viand reads would be counted by this
// program's memory pool, and a type registered here would be known there.
#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <viand/feature_store.h>

#include <fstream>
#include <iostream>
#include <set>
#include <string>

namespace {

int Fail(const std::string& what) {
  std::cerr << "two_arrows: " << what << "\n";
  return 1;
}

/// File names of the Arrow libraries that this process has mapped.
std::set<std::string> LoadedArrows() {
  std::set<std::string> names;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const std::string name = line.substr(line.find_last_of('/') + 1);
    if (name.find("arrow.so") != std::string::npos) names.insert(name);
  }
  return names;
}

arrow::Result<std::shared_ptr<arrow::Table>> Rows(viand::Table table) {
  ArrowArrayStream stream;
  table.Release(&stream);
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ImportRecordBatchReader(&stream));
  return reader->ToTable();
}

/// Works with this program's Arrow alone; must give the same before viand is loaded and after.
arrow::Result<int64_t> RowsOfTwoArrays() {
  arrow::Int64Builder builder;
  ARROW_RETURN_NOT_OK(builder.AppendValues({1, 2, 3}));
  ARROW_ASSIGN_OR_RAISE(auto values, builder.Finish());
  ARROW_ASSIGN_OR_RAISE(auto both, arrow::Concatenate({values, values}));
  return both->length();
}

arrow::Status Check(const std::string& repo) {
  ARROW_ASSIGN_OR_RAISE(const int64_t before, RowsOfTwoArrays());
  const int64_t counted = arrow::default_memory_pool()->total_bytes_allocated();
  auto store = viand::FeatureStore::Open(repo);
  if (!store.ok()) return arrow::Status::Invalid(store.status().ToString());
  auto read = (*store)->Read("data/rows.parquet");
  if (!read.ok()) return arrow::Status::Invalid(read.status().ToString());
  ARROW_ASSIGN_OR_RAISE(const auto table, Rows(std::move(read).value()));
  if (table->num_rows() == 0 || table->GetColumnByName("word") == nullptr) {
    return arrow::Status::Invalid("the rows did not come across");
  }
  if (arrow::default_memory_pool()->total_bytes_allocated() != counted) {
    return arrow::Status::Invalid(
        "viand allocates from this program's memory pool: the two Arrows are one");
  }
  if (LoadedArrows().size() != 2)
    return arrow::Status::Invalid("two Arrow libraries should be loaded");
  ARROW_ASSIGN_OR_RAISE(const int64_t after, RowsOfTwoArrays());
  return before == 6 && after == 6 ? arrow::Status::OK()
                                   : arrow::Status::Invalid("this program's Arrow went wrong");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return Fail("usage: two_arrows REPO");
  const arrow::Status checked = Check(argv[1]);
  if (!checked.ok()) return Fail(checked.ToString());
  for (const std::string& name : LoadedArrows()) std::cout << "loaded " << name << "\n";
  return 0;
}
