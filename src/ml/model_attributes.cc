#include "src/ml/model_attributes.h"

#include <fast_float/fast_float.h>
#include <fmt/format.h>

namespace viand::ml {
namespace {

constexpr char kFillNull[] = "viand.fill_null";  // in model files: never change

}  // namespace

arrow::Status SetFillNull(std::optional<double> fill_null, Booster* booster) {
  if (!fill_null.has_value()) return arrow::Status::OK();
  return booster->SetAttribute(kFillNull, fmt::format("{}", *fill_null));
}

arrow::Result<std::optional<double>> FillNullOf(const Booster& booster) {
  VIAND_ASSIGN_OR_RETURN(const auto text, booster.Attribute(kFillNull));
  if (!text.has_value()) return std::nullopt;
  double value = 0;
  const char* end = text->data() + text->size();
  const auto parsed = fast_float::from_chars(text->data(), end, value);
  if (parsed.ec == std::errc() && parsed.ptr == end) return std::optional<double>(value);
  return MakeError(
      ErrorKind::kInput,
      fmt::format("the model's attribute {} is \"{}\": expected a number", kFillNull, *text));
}

}  // namespace viand::ml
