// viand in `bench/asof --memory`: two views looked up for a spine, tables in memory in and out.
//
//   as_of_memory FOLDER OUT THREADS     prints the seconds of the lookup; OUT: its result, for
//                                       comparison
#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/table.h>
#include <arrow/util/thread_pool.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>

#include <chrono>
#include <cstdlib>

#include "src/common/parquet_output.h"
#include "src/distributed/local_executor.h"
#include "src/engine/execute.h"

namespace viand::distributed {
namespace {

arrow::Result<std::shared_ptr<arrow::Table>> ReadTable(const std::string& path) {
  VIAND_ASSIGN_OR_RETURN(auto file, arrow::io::ReadableFile::Open(path));
  VIAND_ASSIGN_OR_RETURN(auto reader, parquet::arrow::OpenFile(file, arrow::default_memory_pool()));
  return reader->ReadTable();
}

arrow::Result<engine::Lookup> LookupOf(const std::string& folder, const std::string& view,
                                       int integers) {
  engine::AsOfView ready;
  VIAND_ASSIGN_OR_RETURN(ready.source.table, ReadTable(folder + "/" + view + ".parquet"));
  ready.source.described_as = view;
  ready.keys = {"entity_id"};
  ready.timestamp_column = "event_timestamp";
  for (int i = 0; i < integers; ++i) ready.columns.push_back(fmt::format("{}_i{}", view, i));
  for (int i = 0; i < 2; ++i) ready.columns.push_back(fmt::format("{}_d{}", view, i));
  engine::Lookup lookup;
  lookup.spine_keys = ready.keys;
  lookup.output_names = ready.columns;
  lookup.view = std::move(ready);
  return lookup;
}

arrow::Status Run(const std::string& folder, const std::string& out, int threads) {
  VIAND_RETURN_NOT_OK(arrow::SetCpuThreadPoolCapacity(threads));
  engine::RetrievalPlan plan;
  VIAND_ASSIGN_OR_RETURN(plan.spine.table, ReadTable(folder + "/spine.parquet"));
  for (const auto& [view, integers] : {std::pair("a", 2), std::pair("b", 3)}) {
    VIAND_ASSIGN_OR_RETURN(auto lookup, LookupOf(folder, view, integers));
    plan.lookups.push_back(std::move(lookup));
  }
  const auto executor = MakeLocalExecutor({.threads = threads});
  const auto start = std::chrono::steady_clock::now();
  VIAND_ASSIGN_OR_RETURN(const auto result, engine::Retrieve(plan, {.executor = executor.get()}));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  fmt::print("{}\n", seconds.count());
  return WriteParquet(result, out, {.encoding = ParquetEncoding::kQuick});
}

}  // namespace
}  // namespace viand::distributed

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "as_of_memory FOLDER OUT THREADS\n");
    return 2;
  }
  const arrow::Status status = viand::distributed::Run(argv[1], argv[2], std::atoi(argv[3]));
  if (status.ok()) return 0;
  fmt::print(stderr, "{}\n", viand::RenderError(status));
  return 1;
}
