// libviand.so: the public API's entry points, and nothing else. Python's module has them built in.
//
// The implementation brings its own Arrow. A program may have another one loaded, and the dynamic
// linker would bind one to the other's symbols; so the implementation is opened apart from the
// program's symbols: RTLD_LOCAL hides its own, RTLD_DEEPBIND makes it look at its own first.
// cmake/isolate.py does the rest.
#include <dlfcn.h>

#include <filesystem>
#include <string>

#include "src/library/entry_points.h"

namespace viand {
namespace {

namespace fs = std::filesystem;
constexpr char kFileName[] = "libviand_impl.so";

struct Implementation {
  library::OpenFunction* open = nullptr;
  library::InitFunction* init = nullptr;
  library::FragmentFunction* fragment = nullptr;
  library::CancelFunction* cancel = nullptr;
  Status status;  ///< why it could not be loaded
};

/// The folder of this library, whatever the program is.
fs::path OwnFolder() {
  Dl_info info = {};
  if (dladdr(reinterpret_cast<void*>(&OwnFolder), &info) == 0 || info.dli_fname == nullptr)
    return {};
  std::error_code error;
  const fs::path real = fs::canonical(info.dli_fname, error);
  return error ? fs::path() : real.parent_path();
}

Implementation Fail(const std::string& what) {
  Implementation failed;
  failed.status =
      Status(StatusCode::kEnvironment, what, "install viand again: its files belong together");
  return failed;
}

Implementation Load() {
  const fs::path folder = OwnFolder();
  // As installed; in the build tree they are neighbours.
  fs::path path = folder / VIAND_PRIVATE_FOLDER / kFileName;
  if (!fs::exists(path)) path = folder / kFileName;
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  if (handle == nullptr)
    return Fail(std::string("cannot load viand's implementation: ") + dlerror());
  Implementation loaded;
  loaded.open = reinterpret_cast<library::OpenFunction*>(dlsym(handle, library::kOpenName));
  loaded.init = reinterpret_cast<library::InitFunction*>(dlsym(handle, library::kInitName));
  loaded.fragment =
      reinterpret_cast<library::FragmentFunction*>(dlsym(handle, library::kFragmentName));
  loaded.cancel = reinterpret_cast<library::CancelFunction*>(dlsym(handle, library::kCancelName));
  if (loaded.open == nullptr || loaded.init == nullptr || loaded.fragment == nullptr ||
      loaded.cancel == nullptr)
    return Fail(path.string() + " is of another version of viand");
  return loaded;
}

/// Loaded by the first call, for the life of the process.
const Implementation& TheImplementation() {
  static const Implementation implementation = Load();
  return implementation;
}

}  // namespace

Result<std::unique_ptr<FeatureStore>> FeatureStore::Open(const std::string& path,
                                                         const OpenOptions& options) {
  const Implementation& implementation = TheImplementation();
  if (!implementation.status.ok()) return implementation.status;
  Result<std::unique_ptr<FeatureStore>> result = std::unique_ptr<FeatureStore>();
  implementation.open(path, options, &result);
  return result;
}

Status InitRepo(const std::string& folder, const std::string& template_name) {
  const Implementation& implementation = TheImplementation();
  if (!implementation.status.ok()) return implementation.status;
  Status status;
  implementation.init(folder, template_name, &status);
  return status;
}

Result<std::unique_ptr<FragmentResult>> RunFragment(const std::string& task,
                                                    const std::vector<SharedBytes>& inputs) {
  const Implementation& implementation = TheImplementation();
  if (!implementation.status.ok()) return implementation.status;
  std::unique_ptr<FragmentResult> result;
  implementation.fragment(task, inputs, &result);
  return result;
}

void CancelFragments() {
  if (TheImplementation().status.ok()) TheImplementation().cancel(true);
}

void ResumeFragments() {
  if (TheImplementation().status.ok()) TheImplementation().cancel(false);
}

std::string Version() { return VIAND_VERSION; }

}  // namespace viand
