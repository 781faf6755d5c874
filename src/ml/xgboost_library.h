// libxgboost.so, loaded on first use: a program that neither trains nor predicts needs no XGBoost.
//
// Thread-safe. The library stays loaded until the process ends.
//
//   VIAND_ASSIGN_OR_RETURN(const XgboostLibrary* xgboost, XgboostLibrary::Load(options.threads));
//   VIAND_RETURN_NOT_OK(xgboost->Check(xgboost->api().matrix_free(handle)));
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "src/common/error.h"

namespace viand::ml {

/// The functions of XGBoost's C API that viand calls; their contracts are those of
/// <xgboost/c_api.h>. Each returns 0, or another number with the reason in last_error() of the same
/// thread.
struct XgboostApi {
  void (*version)(int* major, int* minor, int* patch);
  const char* (*last_error)();
  int (*register_log_callback)(void (*callback)(const char*));

  int (*matrix_create_from_dense)(const char* array_interface, const char* config, void** out);
  int (*matrix_set_float_info)(void* matrix, const char* field, const float* values,
                               uint64_t length);
  int (*matrix_set_str_feature_info)(void* matrix, const char* field, const char** values,
                                     uint64_t length);
  int (*matrix_free)(void* matrix);

  int (*booster_create)(void* const matrices[], uint64_t length, void** out);
  int (*booster_set_param)(void* booster, const char* name, const char* value);
  int (*booster_update_one_iter)(void* booster, int iteration, void* matrix);
  int (*booster_predict_from_matrix)(void* booster, void* matrix, const char* config,
                                     const uint64_t** shape, uint64_t* dimensions,
                                     const float** values);
  int (*booster_load_model_from_buffer)(void* booster, const void* bytes, uint64_t length);
  int (*booster_save_model_to_buffer)(void* booster, const char* config, uint64_t* length,
                                      const char** bytes);
  int (*booster_save_json_config)(void* booster, uint64_t* length, const char** text);
  int (*booster_get_attr)(void* booster, const char* key, const char** value, int* success);
  int (*booster_set_attr)(void* booster, const char* key, const char* value);
  int (*booster_get_num_feature)(void* booster, uint64_t* count);
  int (*booster_boosted_rounds)(void* booster, int* rounds);
  int (*booster_set_str_feature_info)(void* booster, const char* field, const char** values,
                                      uint64_t length);
  int (*booster_get_str_feature_info)(void* booster, const char* field, uint64_t* length,
                                      const char*** values);
  int (*booster_feature_score)(void* booster, const char* config, uint64_t* features,
                               const char*** names, uint64_t* dimensions, const uint64_t** shape,
                               const float** scores);
  int (*booster_free)(void* booster);
};

/// Returns the number of threads to use: `requested`, or all cores for 0; never more than the cores
/// there are.
int BoundThreads(int requested);

class XgboostLibrary {
 public:
  /// Returns the process's XGBoost, loading it at the first call, and bounds this thread's OpenMP
  /// teams to BoundThreads(threads). Fails with kEnvironment where there is none (a later call
  /// tries again) or where its version is not 3.x.
  static arrow::Result<const XgboostLibrary*> Load(int threads);

  /// Loads the first of `candidates` that is an XGBoost 3.x; for tests. A path with a slash that
  /// does not exist is passed over.
  static arrow::Result<std::unique_ptr<XgboostLibrary>> Open(
      const std::vector<std::string>& candidates);

  /// Returns where to look, in order: $VIAND_XGBOOST_LIBRARY alone where it is set; else
  /// ../lib/viand and the folder of this code and of the program, the path compiled in, and the
  /// system's libraries.
  static std::vector<std::string> Candidates();

  const XgboostApi& api() const { return api_; }
  const std::string& path() const { return path_; }
  /// Returns "3.2.0".
  const std::string& version() const { return version_; }

  /// Turns an API function's return code into a status: kInput with XGBoost's own words, without
  /// its stack trace and source places.
  arrow::Status Check(int code) const;

 private:
  XgboostLibrary(void* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  static arrow::Result<std::unique_ptr<XgboostLibrary>> OpenOne(const std::string& path);
  arrow::Status Resolve();
  arrow::Status CheckVersion();

  void* const handle_;
  const std::string path_;
  std::string version_;
  XgboostApi api_ = {};
};

/// Strips "[12:00:00] WARNING: /workspace/src/learner.cc:782: " and a stack trace from a text of
/// XGBoost.
std::string CleanXgboostText(const std::string& text);

/// Collects the warnings that XGBoost logs on this thread while it lives; they would go to stderr
/// otherwise. One at a time a thread.
class XgboostWarnings {
 public:
  explicit XgboostWarnings(const XgboostLibrary& library);
  ~XgboostWarnings();
  XgboostWarnings(const XgboostWarnings&) = delete;
  XgboostWarnings& operator=(const XgboostWarnings&) = delete;

  /// Returns the warnings so far, cleaned, each once.
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  static void Receive(const char* text);
  std::vector<std::string> texts_;
};

}  // namespace viand::ml
