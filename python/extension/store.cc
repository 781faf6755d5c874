#include "python/extension/store.h"

#include <nanobind/stl/map.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "python/extension/call.h"
#include "python/extension/capsule.h"
#include "python/extension/python_error.h"
#include "python/extension/reports.h"
#include "python/extension/rows.h"
#include "viand/feature_store.h"

namespace viand::python {
namespace {

using Names = std::vector<std::string>;
using Texts = std::map<std::string, std::string>;

/// A repo that is opened when it is first used, and once more in a process that was forked since:
/// threads and connections do not cross a fork. Calls from several threads go one behind the other.
class Store {
 public:
  Store(OpenOptions options, std::string path, nb::object show)
      : options_(std::move(options)), path_(std::move(path)), show_(std::move(show)) {}

  /// Whoever ends an opened store waits for its threads, and they may want the GIL to let go of
  /// Python's memory.
  ~Store() { Replace(nullptr); }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Runs `work` on the opened store, the GIL released; throws its failure.
  template <typename Work>
  auto Call(const Work& work) {
    using Answer = decltype(work(std::declval<FeatureStore&>()));
    std::optional<Answer> answer;
    const std::shared_ptr<Opened> opened = Here();
    const auto turn = std::make_shared<Turn>(opened);
    const CallOptions options{
        .cancel = [turn] { turn->Cancel(); }, .progress = &opened->progress, .show = show_};
    RunReleased(options, [&] {
      answer = turn->template Run<Answer>([&]() -> Answer {
        const Status failed = opened->Open(path_);
        return failed.ok() ? work(*opened->store) : Answer(failed);
      });
    });
    return Require(*std::move(answer));
  }

  template <typename Work>
  nb::object Report(const Work& work) {
    return ToPython(Call(work));
  }

  nb::object root() {
    return Report([](FeatureStore& store) { return Result<std::string>(store.root()); });
  }
  nb::object project() {
    return Report([](FeatureStore& store) { return Result<std::string>(store.project()); });
  }

  /// What the files of the repo say is read again by the next call.
  void Forget() { Replace(nullptr); }

  /// The same, with objects besides those of the files (docs/formats/python.md).
  void Define(const std::string& definitions) { Replace(&definitions); }

 private:
  struct Opened {
    explicit Opened(OpenOptions with) : options(std::move(with)) {}

    const OpenOptions options;
    const pid_t process = ::getpid();
    std::timed_mutex one_call;
    std::unique_ptr<FeatureStore> store;  // guarded by one_call; made once
    ProgressState progress;

    Status Open(const std::string& path) {
      if (store != nullptr) return Status();
      OpenOptions watched = options;
      watched.on_progress = [this](const std::string& stage, int64_t done, int64_t total,
                                   const std::string& unit) {
        progress.Set(stage, done, total, unit);
      };
      auto result = FeatureStore::Open(path, watched);
      if (!result.ok()) return result.status();
      store = *std::move(result);
      const std::lock_guard lock(cancelling);
      to_cancel = store.get();
      return Status();
    }
    void Cancel() {
      const std::lock_guard lock(cancelling);
      if (to_cancel != nullptr) to_cancel->Cancel();
    }
    void Resume() {
      const std::lock_guard lock(cancelling);
      if (to_cancel != nullptr) to_cancel->Resume();
    }

    std::mutex cancelling;
    FeatureStore* to_cancel = nullptr;  // guarded by cancelling; `store`, once it is there
  };

  /// One call's turn among those of the same store: cancelled while it waits, or once it is over,
  /// it stops none of the others.
  class Turn {
   public:
    explicit Turn(std::shared_ptr<Opened> opened) : opened_(std::move(opened)) {}

    /// Runs `work` when the store is free; kCancelled where the call was cancelled before.
    template <typename Answer, typename Work>
    Answer Run(const Work& work) {
      std::unique_lock one_call(opened_->one_call, std::defer_lock);
      while (!one_call.try_lock_for(kLook)) {
        if (!Waits()) break;
      }
      if (!one_call.owns_lock() || !Begin())
        return Status(StatusCode::kCancelled, "interrupted; nothing was begun");
      const End end{this};
      return work();
    }

    void Cancel() {
      const std::lock_guard lock(mutex_);
      cancelled_ = true;
      if (runs_) opened_->Cancel();
    }

   private:
    static constexpr auto kLook = std::chrono::milliseconds(20);

    /// Before the next call of the store begins.
    struct End {
      Turn* turn;
      ~End() {
        const std::lock_guard lock(turn->mutex_);
        turn->runs_ = false;
        turn->opened_->Resume();
      }
    };

    bool Waits() {
      const std::lock_guard lock(mutex_);
      return !cancelled_;
    }
    bool Begin() {
      const std::lock_guard lock(mutex_);
      return runs_ = !cancelled_;
    }

    const std::shared_ptr<Opened> opened_;
    std::mutex mutex_;
    bool cancelled_ = false, runs_ = false;  // guarded by mutex_
  };

  void Replace(const std::string* definitions) {
    std::shared_ptr<Opened> ended;
    const nb::gil_scoped_release released;
    {
      const std::lock_guard lock(opening_);
      if (definitions != nullptr) options_.definitions = *definitions;
      ended = std::exchange(opened_, nullptr);
    }
    if (ended != nullptr && ended->process != ::getpid()) Leave(std::move(ended));
    ended.reset();
  }

  /// The parent's: its threads are not here to be waited for, and its locks may be held by them for
  /// ever.
  static void Leave(std::shared_ptr<Opened> opened) {
    new std::shared_ptr<Opened>(std::move(opened));
  }

  std::shared_ptr<Opened> Here() {
    if (opened_ != nullptr && opened_->process != ::getpid()) {
      Leave(std::exchange(opened_, nullptr));
      return opened_ = std::make_shared<Opened>(options_);
    }
    const std::lock_guard lock(opening_);
    if (opened_ == nullptr) opened_ = std::make_shared<Opened>(options_);
    return opened_;
  }

  OpenOptions options_;  // guarded by opening_
  const std::string path_;
  const nb::object show_;
  std::mutex opening_;
  std::shared_ptr<Opened> opened_;
};

/// The descriptor that a function of Python's returns; -1 where it raises.
int Started(nb::handle start) {
  const nb::gil_scoped_acquire acquired;
  try {
    return nb::cast<int>(start());
  } catch (nb::python_error& error) {
    error.discard_as_unraisable("viand: the driver of Ray");
    return -1;
  }
}

void Make(Store* self, const std::string& path, int threads, const std::string& memory,
          const std::string& temporary_folder, const std::string& python, nb::object show,
          const std::string& executor, const std::string& ray_address, nb::object ray_driver) {
  OpenOptions options;
  options.threads = threads;
  options.memory = memory;
  options.temporary_folder = temporary_folder;
  options.python = python;
  options.executor = executor;
  options.ray_address = ray_address;
  if (!ray_driver.is_none()) {
    // A function of the package, which lives as long as Python: never given back.
    options.ray_driver = [start = ray_driver.release()] { return Started(start); };
  }
  new (self) Store(options, path, std::move(show));
  try {
    self->root();  // opens it
  } catch (...) {
    self->~Store();
    throw;
  }
}

/// A retrieval as viand/feature_store.py asks for it.
HistoricalOptions Asked(const Names& features, const Texts& texts) {
  HistoricalOptions options;
  options.features = features;
  for (const auto& [name, value] : texts) {
    if (name == "service") options.service = value;
    if (name == "timestamp_column") options.timestamp_column = value;
    if (name == "start") options.start = value;
    if (name == "end") options.end = value;
    if (name == "manifest") options.manifest = value;
    if (name == "full_feature_names") options.full_feature_names = !value.empty();
    if (name == "created_not_after") options.created_not_after = !value.empty();
    if (name == "every_row") options.every_row = !value.empty();
  }
  return options;
}

/// A spine: a path, a capsule of a stream, or None.
struct Spine {
  std::string path;
  std::optional<Table> rows;
};

Spine TakeSpine(nb::handle given) {
  Spine spine;
  if (nb::isinstance<nb::str>(given)) {
    spine.path = nb::cast<std::string>(given);
  } else if (!given.is_none()) {
    spine.rows = TakeStream(given);
  }
  return spine;
}

Result<std::shared_ptr<Rows>> ReadAll(Result<Table> table) {
  if (!table.ok()) return table.status();
  return Rows::Read(std::move(*table));
}

std::shared_ptr<Rows> Retrieve(Store& self, nb::handle given, const Names& features,
                               const Texts& texts) {
  Spine spine = TakeSpine(given);
  const HistoricalOptions options = Asked(features, texts);
  return self.Call([&](FeatureStore& store) {
    if (spine.rows) return ReadAll(store.GetHistoricalFeatures(*std::move(spine.rows), options));
    if (spine.path.empty()) return ReadAll(store.GetHistoricalFeatures(options));
    return ReadAll(store.GetHistoricalFeatures(spine.path, options));
  });
}

void CheckRetrieval(Store& self, const Names& features, const Texts& texts) {
  const HistoricalOptions options = Asked(features, texts);
  self.Call([&](FeatureStore& store) -> Result<std::string> {
    const Status checked = store.CheckRetrieval(options);
    if (!checked.ok()) return checked;
    return std::string();
  });
}

nb::object WriteRetrieval(Store& self, nb::handle given, const Names& features, const Texts& texts,
                          const std::string& output) {
  Spine spine = TakeSpine(given);
  const HistoricalOptions options = Asked(features, texts);
  return self.Report([&](FeatureStore& store) {
    return spine.rows ? store.WriteHistoricalFeatures(*std::move(spine.rows), options, output)
                      : store.WriteHistoricalFeatures(spine.path, options, output, "");
  });
}

nb::object Explain(Store& self, nb::handle given, const Names& features, const Texts& texts,
                   bool analyze) {
  Spine spine = TakeSpine(given);
  const HistoricalOptions options = Asked(features, texts);
  return self.Report([&](FeatureStore& store) {
    return spine.rows ? store.Explain(*std::move(spine.rows), options, analyze)
                      : store.Explain(spine.path, options, analyze);
  });
}

nb::object Write(Store& self, nb::handle capsule, const std::string& output) {
  Table rows = TakeStream(capsule);
  return self.Report([&](FeatureStore& store) { return store.Write(std::move(rows), output); });
}

void Refresh(Store& self) {
  self.Call([](FeatureStore& store) -> Result<std::string> {
    const Status read = store.RefreshRegistry();
    if (!read.ok()) return read;
    return std::string();
  });
}

void AddWork(nb::class_<Store>& type) {
  type.def("run",
           [](Store& self, const Names& steps, bool yes) {
             return self.Report([&](FeatureStore& store) { return store.Run({steps, yes}); });
           })
      .def("ingest",
           [](Store& self, const Names& datasets) {
             return self.Report([&](FeatureStore& store) { return store.Ingest(datasets); });
           })
      .def(
          "plan",
          [](Store& self) { return self.Report([](FeatureStore& store) { return store.Plan(); }); })
      .def("apply",
           [](Store& self, bool yes, bool force, bool as_planned, const Names& objects) {
             return self.Report([&](FeatureStore& store) {
               return store.Apply({yes, force, as_planned, objects});
             });
           })
      .def("teardown",
           [](Store& self) {
             return self.Report([](FeatureStore& store) { return store.Teardown(); });
           })
      .def("backfill",
           [](Store& self, const Names& views) {
             return self.Report([&](FeatureStore& store) { return store.Backfill(views); });
           })
      .def("train",
           [](Store& self, const std::string& model, const std::string& path, bool force) {
             return self.Report([&](FeatureStore& store) {
               return store.Train(model, {path, force});
             });
           })
      .def("predict", [](Store& self, const std::string& model, const std::string& as_of,
                         const std::string& output, bool force) {
        return self.Report([&](FeatureStore& store) {
          return store.Predict(model, {as_of, output, force});
        });
      });
}

void AddRetrieval(nb::class_<Store>& type) {
  type.def("check_retrieval", &CheckRetrieval)
      .def("retrieve", &Retrieve, nb::arg("spine").none(), nb::arg("features"), nb::arg("texts"))
      .def("write_retrieval", &WriteRetrieval, nb::arg("spine").none(), nb::arg("features"),
           nb::arg("texts"), nb::arg("output"))
      .def("explain", &Explain, nb::arg("spine").none(), nb::arg("features"), nb::arg("texts"),
           nb::arg("analyze"))
      .def("write", &Write)
      .def("rebuild",
           [](Store& self, const std::string& manifest, const std::string& spine,
              const std::string& output) {
             return self.Report([&](FeatureStore& store) {
               return store.RebuildHistoricalFeatures(manifest, spine, output);
             });
           })
      .def("read", [](Store& self, const std::string& path) {
        return self.Call([&](FeatureStore& store) { return ReadAll(store.Read(path)); });
      });
}

void AddObjects(nb::class_<Store>& type) {
  type.def("list",
           [](Store& self, const std::string& kind, const Names& tags) {
             return self.Report([&](FeatureStore& store) { return store.List(kind, tags); });
           })
      .def("search",
           [](Store& self, const std::string& text) {
             return self.Report([&](FeatureStore& store) { return store.Search(text); });
           })
      .def("describe",
           [](Store& self, const std::string& kind, const std::string& name) {
             return self.Report([&](FeatureStore& store) { return store.Describe(kind, name); });
           })
      .def("lineage",
           [](Store& self, const std::string& name, bool up, bool down, const std::string& format) {
             return self.Report([&](FeatureStore& store) {
               return store.Lineage(name, {up, down, format});
             });
           })
      .def("history",
           [](Store& self, const std::string& name, const std::string& kind) {
             return self.Report([&](FeatureStore& store) { return store.History(name, kind); });
           })
      .def("diff",
           [](Store& self, const std::string& before, const std::string& after,
              const std::string& kind) {
             return self.Report(
                 [&](FeatureStore& store) { return store.Diff(before, after, kind); });
           })
      .def("rollback",
           [](Store& self, const std::string& name, const std::string& kind, bool dry_run) {
             return self.Report([&](FeatureStore& store) {
               return store.Rollback(name, {kind, dry_run});
             });
           })
      .def("export_",
           [](Store& self, const std::string& format) {
             return self.Report([&](FeatureStore& store) { return store.Export(format); });
           })
      .def("import_", [](Store& self, const Names& names) {
        return self.Report([&](FeatureStore& store) { return store.Import(names); });
      });
}

}  // namespace

void AddStore(nb::module_& module) {
  nb::class_<Store> type(module, "Store", "An opened repo.");
  type.def("__init__", &Make, nb::arg("path"), nb::arg("threads"), nb::arg("memory"),
           nb::arg("temporary_folder"), nb::arg("python"), nb::arg("show").none(),
           nb::arg("executor"), nb::arg("ray_address"), nb::arg("ray_driver").none())
      .def_prop_ro("root", &Store::root)
      .def_prop_ro("project", &Store::project)
      .def("forget", &Store::Forget, "Reads the repo's files again at the next call.")
      .def("define", &Store::Define, nb::arg("definitions"),
           "The same, with objects besides the files'.")
      .def("refresh_registry", &Refresh);
  AddWork(type);
  AddRetrieval(type);
  AddObjects(type);
}

}  // namespace viand::python
