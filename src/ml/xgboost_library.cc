#include "src/ml/xgboost_library.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <xgboost/c_api.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <regex>
#include <thread>
#include <type_traits>

namespace viand::ml {
namespace {

namespace fs = std::filesystem;

constexpr char kFileName[] = "libxgboost.so";
constexpr char kInstallHint[] =
    "install it with `pip install xgboost-cpu==3.2.*`, or set VIAND_XGBOOST_LIBRARY to the path of "
    "its libxgboost.so";
// The API that api_ relies on (JSON configuration, buffers with a format) and the models' JSON are
// those of 3.x.
constexpr int kMajorVersion = 3;

thread_local std::vector<std::string>* current_texts = nullptr;

arrow::Status EnvironmentError(std::string message) {
  return MakeError(ErrorKind::kEnvironment, std::move(message), kInstallHint);
}

/// Returns the folders of the object that holds this code and of the program.
std::vector<fs::path> OwnFolders() {
  std::vector<fs::path> folders;
  const auto add = [&](const fs::path& file) {
    std::error_code error;
    const fs::path folder = fs::canonical(file, error).parent_path();
    if (!error && std::find(folders.begin(), folders.end(), folder) == folders.end()) {
      folders.push_back(folder);
    }
  };
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&OwnFolders), &info) != 0) add(info.dli_fname);
  add("/proc/self/exe");
  return folders;
}

/// Bounds the teams of parallel regions that XGBoost opens without naming a number of threads. The
/// setting is per calling thread, so it is repeated at every Load.
void BoundOpenMp(void* library, int threads) {
  const auto set = reinterpret_cast<void (*)(int)>(dlsym(library, "omp_set_num_threads"));
  if (set != nullptr) set(threads);
}

}  // namespace

int BoundThreads(int requested) {
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return requested <= 0 ? cores : std::min(requested, cores);
}

std::vector<std::string> XgboostLibrary::Candidates() {
  const char* chosen = std::getenv("VIAND_XGBOOST_LIBRARY");
  if (chosen != nullptr && *chosen != '\0') return {chosen};
  std::vector<std::string> candidates;
  for (const fs::path& folder : OwnFolders()) {
    candidates.push_back((folder.parent_path() / "lib" / "viand" / kFileName).string());
    candidates.push_back((folder / kFileName).string());
  }
  if (*VIAND_XGBOOST != '\0') candidates.push_back(VIAND_XGBOOST);
  candidates.push_back(kFileName);
  return candidates;
}

arrow::Result<const XgboostLibrary*> XgboostLibrary::Load(int threads) {
  static std::mutex mutex;
  static std::unique_ptr<XgboostLibrary> loaded;
  const std::lock_guard<std::mutex> lock(mutex);
  if (loaded == nullptr) {
    // libgomp reads it once, when it is loaded. By default its idle threads spin, which on a busy
    // machine of few cores takes the very time slices that the working thread waits for. A user's
    // own choice stands.
    setenv("OMP_WAIT_POLICY", "passive", /*overwrite=*/0);
    VIAND_ASSIGN_OR_RETURN(loaded, Open(Candidates()));
  }
  BoundOpenMp(loaded->handle_, BoundThreads(threads));
  return loaded.get();
}

arrow::Result<std::unique_ptr<XgboostLibrary>> XgboostLibrary::Open(
    const std::vector<std::string>& candidates) {
  std::vector<std::string> reasons;
  for (const std::string& path : candidates) {
    std::error_code error;
    if (path.find('/') != std::string::npos && !fs::exists(path, error)) {
      reasons.push_back(path + " does not exist");
      continue;
    }
    auto library = OpenOne(path);
    if (library.ok()) return library;
    reasons.push_back(library.status().message());
  }
  return EnvironmentError(fmt::format("cannot load XGBoost: {}", fmt::join(reasons, "; ")));
}

arrow::Result<std::unique_ptr<XgboostLibrary>> XgboostLibrary::OpenOne(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return EnvironmentError(dlerror());
  std::unique_ptr<XgboostLibrary> library(new XgboostLibrary(handle, path));
  arrow::Status status = library->CheckVersion();
  if (status.ok()) status = library->Resolve();
  if (!status.ok()) dlclose(handle);
  VIAND_RETURN_NOT_OK(status);
  return library;
}

arrow::Status XgboostLibrary::CheckVersion() {
  api_.version = reinterpret_cast<decltype(api_.version)>(dlsym(handle_, "XGBoostVersion"));
  if (api_.version == nullptr) {
    return EnvironmentError(path_ + " is not XGBoost: it has no XGBoostVersion");
  }
  int major = 0, minor = 0, patch = 0;
  api_.version(&major, &minor, &patch);
  version_ = fmt::format("{}.{}.{}", major, minor, patch);
  if (major == kMajorVersion) return arrow::Status::OK();
  return EnvironmentError(
      fmt::format("{} is XGBoost {}, expected {}.x", path_, version_, kMajorVersion));
}

arrow::Status XgboostLibrary::Resolve() {
  std::string missing;
// Binds a member to the function of that name, and checks the member's type against the header's
// declaration.
#define VIAND_BIND(member, function)                                                      \
  static_assert(std::is_same_v<decltype(api_.member), decltype(&::function)>, #function); \
  api_.member = reinterpret_cast<decltype(api_.member)>(dlsym(handle_, #function));       \
  if (api_.member == nullptr && missing.empty()) missing = #function

  VIAND_BIND(last_error, XGBGetLastError);
  VIAND_BIND(register_log_callback, XGBRegisterLogCallback);
  VIAND_BIND(matrix_create_from_dense, XGDMatrixCreateFromDense);
  VIAND_BIND(matrix_set_float_info, XGDMatrixSetFloatInfo);
  VIAND_BIND(matrix_set_str_feature_info, XGDMatrixSetStrFeatureInfo);
  VIAND_BIND(matrix_free, XGDMatrixFree);
  VIAND_BIND(booster_create, XGBoosterCreate);
  VIAND_BIND(booster_set_param, XGBoosterSetParam);
  VIAND_BIND(booster_update_one_iter, XGBoosterUpdateOneIter);
  VIAND_BIND(booster_predict_from_matrix, XGBoosterPredictFromDMatrix);
  VIAND_BIND(booster_load_model_from_buffer, XGBoosterLoadModelFromBuffer);
  VIAND_BIND(booster_save_model_to_buffer, XGBoosterSaveModelToBuffer);
  VIAND_BIND(booster_save_json_config, XGBoosterSaveJsonConfig);
  VIAND_BIND(booster_get_attr, XGBoosterGetAttr);
  VIAND_BIND(booster_set_attr, XGBoosterSetAttr);
  VIAND_BIND(booster_get_num_feature, XGBoosterGetNumFeature);
  VIAND_BIND(booster_boosted_rounds, XGBoosterBoostedRounds);
  VIAND_BIND(booster_set_str_feature_info, XGBoosterSetStrFeatureInfo);
  VIAND_BIND(booster_get_str_feature_info, XGBoosterGetStrFeatureInfo);
  VIAND_BIND(booster_feature_score, XGBoosterFeatureScore);
  VIAND_BIND(booster_free, XGBoosterFree);
#undef VIAND_BIND
  if (missing.empty()) return arrow::Status::OK();
  return EnvironmentError(
      fmt::format("{} is XGBoost {} without the function {}", path_, version_, missing));
}

arrow::Status XgboostLibrary::Check(int code) const {
  if (code == 0) return arrow::Status::OK();
  return MakeError(ErrorKind::kInput, "XGBoost: " + CleanXgboostText(api_.last_error()));
}

std::string CleanXgboostText(const std::string& text) {
  static const std::regex place(R"(^\[\d+:\d+:\d+\] (?:[A-Z]+: )?\S+:\d+: )");
  std::string clean = text.substr(0, text.find("Stack trace:"));
  clean = std::regex_replace(clean, place, "", std::regex_constants::format_first_only);
  const auto first = clean.find_first_not_of(" \n");
  if (first == std::string::npos) return "";
  return clean.substr(first, clean.find_last_not_of(" \n") - first + 1);
}

XgboostWarnings::XgboostWarnings(const XgboostLibrary& library) {
  current_texts = &texts_;
  library.api().register_log_callback(&XgboostWarnings::Receive);
}

XgboostWarnings::~XgboostWarnings() { current_texts = nullptr; }

void XgboostWarnings::Receive(const char* text) {
  // The callback stays registered for the thread; what is logged while nobody listens is of no use
  // to anybody.
  if (current_texts == nullptr || std::string_view(text).find("WARNING:") == std::string::npos) {
    return;
  }
  std::string clean = CleanXgboostText(text);
  if (std::find(current_texts->begin(), current_texts->end(), clean) == current_texts->end()) {
    current_texts->push_back(std::move(clean));
  }
}

}  // namespace viand::ml
