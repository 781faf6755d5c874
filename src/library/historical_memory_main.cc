// The C++ API in `bench/python`: features for rows in memory, into memory.
//
//   historical_memory REPO SPINE THREADS CALLS    prints the seconds of each call
//
// A call begins with the spine's rows at hand and ends when every row of the result is.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "viand/feature_store.h"

namespace viand {
namespace {

/// Batches that are held, and given again as a stream any number of times.
class HeldRows {
 public:
  HeldRows() = default;
  HeldRows(const HeldRows&) = delete;
  HeldRows& operator=(const HeldRows&) = delete;
  ~HeldRows() {
    for (ArrowArray& batch : batches_) batch.release(&batch);
    if (schema_.release != nullptr) schema_.release(&schema_);
  }

  Status Read(Table table) {
    if (Status read = table.GetSchema(&schema_); !read.ok()) return read;
    while (true) {
      ArrowArray batch = {};
      if (Status read = table.Next(&batch); !read.ok()) return read;
      if (batch.release == nullptr) return Status();
      batches_.push_back(batch);
    }
  }

  /// Refers to these rows, which must outlive it.
  Table Stream() const {
    ArrowArrayStream stream = {};
    stream.get_schema = [](ArrowArrayStream* self, ArrowSchema* out) {
      *out = Of(self).rows->schema_;
      out->release = [](ArrowSchema* schema) { schema->release = nullptr; };
      return 0;
    };
    stream.get_next = [](ArrowArrayStream* self, ArrowArray* out) {
      Position& at = Of(self);
      *out = {};
      if (at.next == at.rows->batches_.size()) return 0;
      *out = at.rows->batches_[at.next++];
      out->release = [](ArrowArray* array) { array->release = nullptr; };
      return 0;
    };
    stream.get_last_error = [](ArrowArrayStream*) -> const char* { return nullptr; };
    stream.release = [](ArrowArrayStream* self) {
      delete &Of(self);
      self->release = nullptr;
    };
    stream.private_data = new Position{this};
    return Table(&stream);
  }

 private:
  struct Position {
    const HeldRows* rows;
    size_t next = 0;
  };
  static Position& Of(ArrowArrayStream* stream) {
    return *static_cast<Position*>(stream->private_data);
  }

  ArrowSchema schema_ = {};
  std::vector<ArrowArray> batches_;
};

Status CallOnce(FeatureStore* store, const HeldRows& spine) {
  const auto start = std::chrono::steady_clock::now();
  auto table = store->GetHistoricalFeatures(spine.Stream(), {.features = {"view_a", "view_b"}});
  if (!table.ok()) return table.status();
  HeldRows result;
  if (Status read = result.Read(*std::move(table)); !read.ok()) return read;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("%.6f\n", seconds.count());
  return Status();
}

Status Run(char** arguments) {
  OpenOptions options;
  options.threads = std::atoi(arguments[3]);
  auto store = FeatureStore::Open(arguments[1], options);
  if (!store.ok()) return store.status();
  auto rows = (*store)->Read(arguments[2]);
  if (!rows.ok()) return rows.status();
  HeldRows spine;
  if (Status read = spine.Read(*std::move(rows)); !read.ok()) return read;
  for (int call = std::atoi(arguments[4]); call > 0; --call)
    if (Status called = CallOnce(store->get(), spine); !called.ok()) return called;
  return Status();
}

}  // namespace
}  // namespace viand

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "historical_memory REPO SPINE THREADS CALLS\n");
    return 2;
  }
  const viand::Status status = viand::Run(argv);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
