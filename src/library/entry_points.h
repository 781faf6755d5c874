// The functions by which libviand.so, the thin front that programs link, calls libviand_impl.so,
// which holds everything else and is opened when first used. Their names carry a version: change a
// signature, and the number goes up.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "viand/feature_store.h"
#include "viand/fragment_task.h"

namespace viand::library {

using OpenFunction = void(const std::string& path, const OpenOptions& options,
                          Result<std::unique_ptr<FeatureStore>>* result);
using InitFunction = void(const std::string& folder, const std::string& template_name,
                          Status* status);
using FragmentFunction = void(const std::string& task, const std::vector<SharedBytes>& inputs,
                              std::unique_ptr<FragmentResult>* result);
using CancelFunction = void(bool cancel);

inline constexpr char kOpenName[] = "viand_open_v1";
inline constexpr char kInitName[] = "viand_init_v1";
inline constexpr char kFragmentName[] = "viand_fragment_v1";
inline constexpr char kCancelName[] = "viand_cancel_fragments_v1";

}  // namespace viand::library

extern "C" {
__attribute__((visibility("default"))) viand::library::OpenFunction viand_open_v1;
__attribute__((visibility("default"))) viand::library::InitFunction viand_init_v1;
__attribute__((visibility("default"))) viand::library::FragmentFunction viand_fragment_v1;
__attribute__((visibility("default"))) viand::library::CancelFunction viand_cancel_fragments_v1;
}
