#include "src/library/entry_points.h"

void viand_open_v1(const std::string& path, const viand::OpenOptions& options,
                   viand::Result<std::unique_ptr<viand::FeatureStore>>* result) {
  *result = viand::FeatureStore::Open(path, options);
}

void viand_init_v1(const std::string& folder, const std::string& template_name,
                   viand::Status* status) {
  *status = viand::InitRepo(folder, template_name);
}

void viand_fragment_v1(const std::string& task, const std::vector<viand::SharedBytes>& inputs,
                       std::unique_ptr<viand::FragmentResult>* result) {
  *result = *viand::RunFragment(task, inputs);
}

void viand_cancel_fragments_v1(bool cancel) {
  cancel ? viand::CancelFragments() : viand::ResumeFragments();
}
