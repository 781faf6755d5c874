#include "src/ml/booster.h"

#include <fmt/format.h>

namespace viand::ml {
namespace {

std::vector<const char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  pointers.reserve(texts.size());
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  return pointers;
}

}  // namespace

arrow::Result<BoosterMatrix> BoosterMatrix::Make(const XgboostLibrary& library,
                                                 const DenseMatrix& matrix,
                                                 const FeatureInfo& features, int threads) {
  BoosterMatrix made(library, matrix.rows);
  const std::string interface =
      fmt::format(R"({{"data":[{},true],"shape":[{},{}],"typestr":"<f4","version":3}})",
                  reinterpret_cast<uintptr_t>(matrix.values.data()), matrix.rows, matrix.columns);
  const std::string config = fmt::format(R"({{"missing":NaN,"nthread":{}}})", threads);
  const XgboostApi& api = library.api();
  VIAND_RETURN_NOT_OK(library.Check(
      api.matrix_create_from_dense(interface.c_str(), config.c_str(), &made.handle_)));
  auto names = Pointers(features.names);
  VIAND_RETURN_NOT_OK(library.Check(
      api.matrix_set_str_feature_info(made.handle_, "feature_name", names.data(), names.size())));
  auto types = Pointers(features.types);
  VIAND_RETURN_NOT_OK(library.Check(
      api.matrix_set_str_feature_info(made.handle_, "feature_type", types.data(), types.size())));
  return made;
}

BoosterMatrix::BoosterMatrix(BoosterMatrix&& other) noexcept
    : library_(other.library_),
      rows_(other.rows_),
      handle_(std::exchange(other.handle_, nullptr)) {}

BoosterMatrix::~BoosterMatrix() {
  if (handle_ != nullptr) library_->api().matrix_free(handle_);
}

arrow::Status BoosterMatrix::SetLabels(const std::vector<float>& labels) {
  return library_->Check(
      library_->api().matrix_set_float_info(handle_, "label", labels.data(), labels.size()));
}

arrow::Result<Booster> Booster::Make(const XgboostLibrary& library, const BoosterMatrix* train,
                                     int threads) {
  Booster made(library);
  void* const matrices[] = {train == nullptr ? nullptr : train->handle()};
  const uint64_t count = train == nullptr ? 0 : 1;
  VIAND_RETURN_NOT_OK(library.Check(library.api().booster_create(matrices, count, &made.handle_)));
  VIAND_RETURN_NOT_OK(made.SetParameter("nthread", std::to_string(threads)));
  return made;
}

Booster::Booster(Booster&& other) noexcept
    : library_(other.library_), handle_(std::exchange(other.handle_, nullptr)) {}

Booster::~Booster() {
  if (handle_ != nullptr) library_->api().booster_free(handle_);
}

arrow::Status Booster::SetParameter(const std::string& name, const std::string& value) {
  return library_->Check(library_->api().booster_set_param(handle_, name.c_str(), value.c_str()));
}

arrow::Status Booster::SetFeatures(const FeatureInfo& features) {
  const XgboostApi& api = library_->api();
  auto names = Pointers(features.names);
  VIAND_RETURN_NOT_OK(library_->Check(
      api.booster_set_str_feature_info(handle_, "feature_name", names.data(), names.size())));
  auto types = Pointers(features.types);
  return library_->Check(
      api.booster_set_str_feature_info(handle_, "feature_type", types.data(), types.size()));
}

arrow::Status Booster::SetAttribute(const std::string& key, const std::string& value) {
  return library_->Check(library_->api().booster_set_attr(handle_, key.c_str(), value.c_str()));
}

arrow::Status Booster::Update(int round, const BoosterMatrix& train) {
  return library_->Check(library_->api().booster_update_one_iter(handle_, round, train.handle()));
}

arrow::Result<std::vector<double>> Booster::Predict(const BoosterMatrix& matrix) const {
  // type 0 is the transformed value; an iteration_end of 0 stands for all rounds.
  constexpr char kConfig[] =
      R"({"type":0,"training":false,"iteration_begin":0,"iteration_end":0,"strict_shape":true})";
  const uint64_t* shape = nullptr;
  uint64_t dimensions = 0;
  const float* values = nullptr;
  VIAND_RETURN_NOT_OK(library_->Check(library_->api().booster_predict_from_matrix(
      handle_, matrix.handle(), kConfig, &shape, &dimensions, &values)));
  uint64_t count = 1;
  for (uint64_t i = 0; i < dimensions; ++i) count *= shape[i];
  if (count != static_cast<uint64_t>(matrix.rows())) {
    return MakeError(ErrorKind::kInput,
                     fmt::format("the model gives {} numbers for {} rows, expected one a row",
                                 count, matrix.rows()));
  }
  return std::vector<double>(values, values + count);
}

arrow::Result<std::string> Booster::SaveJson() const {
  uint64_t length = 0;
  const char* bytes = nullptr;
  VIAND_RETURN_NOT_OK(library_->Check(library_->api().booster_save_model_to_buffer(
      handle_, R"({"format":"json"})", &length, &bytes)));
  return std::string(bytes, length);
}

arrow::Status Booster::LoadJson(std::string_view json) {
  return library_->Check(
      library_->api().booster_load_model_from_buffer(handle_, json.data(), json.size()));
}

arrow::Result<std::string> Booster::Configure() {
  uint64_t length = 0;
  const char* text = nullptr;
  VIAND_RETURN_NOT_OK(
      library_->Check(library_->api().booster_save_json_config(handle_, &length, &text)));
  return std::string(text, length);
}

arrow::Result<std::vector<std::string>> Booster::FeatureTexts(const char* field) const {
  uint64_t length = 0;
  const char** texts = nullptr;
  VIAND_RETURN_NOT_OK(library_->Check(
      library_->api().booster_get_str_feature_info(handle_, field, &length, &texts)));
  return std::vector<std::string>(texts, texts + length);
}

arrow::Result<std::vector<std::string>> Booster::FeatureNames() const {
  return FeatureTexts("feature_name");
}

arrow::Result<std::vector<std::string>> Booster::FeatureTypes() const {
  return FeatureTexts("feature_type");
}

arrow::Result<int64_t> Booster::FeatureCount() const {
  uint64_t count = 0;
  VIAND_RETURN_NOT_OK(library_->Check(library_->api().booster_get_num_feature(handle_, &count)));
  return static_cast<int64_t>(count);
}

arrow::Result<std::optional<std::string>> Booster::Attribute(const std::string& key) const {
  const char* value = nullptr;
  int success = 0;
  VIAND_RETURN_NOT_OK(
      library_->Check(library_->api().booster_get_attr(handle_, key.c_str(), &value, &success)));
  if (success == 0) return std::nullopt;
  return std::optional<std::string>(value);
}

arrow::Result<int> Booster::Rounds() const {
  int rounds = 0;
  VIAND_RETURN_NOT_OK(library_->Check(library_->api().booster_boosted_rounds(handle_, &rounds)));
  return rounds;
}

arrow::Result<std::vector<std::pair<std::string, double>>> Booster::Gains() const {
  uint64_t features = 0, dimensions = 0;
  const char** names = nullptr;
  const uint64_t* shape = nullptr;
  const float* scores = nullptr;
  VIAND_RETURN_NOT_OK(library_->Check(library_->api().booster_feature_score(
      handle_, R"({"importance_type":"gain"})", &features, &names, &dimensions, &shape, &scores)));
  std::vector<std::pair<std::string, double>> gains;
  for (uint64_t i = 0; i < features; ++i) gains.emplace_back(names[i], scores[i]);
  return gains;
}

}  // namespace viand::ml
