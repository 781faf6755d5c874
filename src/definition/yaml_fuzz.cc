// Fuzzes the reader and the validation of definitions: any bytes give a model or an error, and a
// view's canonical text reads back as the same.
//
//   cmake --preset fuzz && ninja -C build/fuzz yaml_fuzz && build/fuzz/src/definition/yaml_fuzz
//   tests/fuzz/definition
#include <arrow/type.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "src/definition/testing/recorded_events.h"
#include "src/definition/validation.h"
#include "src/definition/yaml_reader.h"

namespace viand::definition {
namespace {

SchemaResult NoSource(const Source&) { return nullptr; }
SchemaResult NoFile(const std::string&) { return nullptr; }
SchemaResult NoHeader(const Dataset&) { return nullptr; }

void CheckRoundTrip(const FeatureView& view) {
  const std::string text = CanonicalText(view);
  const auto back = ViewFromCanonicalText(text);
  if (!back.ok() || CanonicalText(*back) != text) std::abort();
}

}  // namespace
}  // namespace viand::definition

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace viand::definition;  // NOLINT: a program of one function
  auto definitions = std::make_shared<Definitions>();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string fast = FastEvents(std::string(text));
  if (fast != "unsure" && fast != YamlCppEvents(std::string(text))) std::abort();
  if (!ReadDefinitionText(text, "fuzz.yaml", definitions.get()).ok()) return 0;
  for (const FeatureView& view : definitions->feature_views) CheckRoundTrip(view);
  const auto bound = Validate(
      definitions, {.source = NoSource, .parquet = NoFile, .spine = NoFile, .raw = NoHeader});
  if (bound.ok() && bound->views.size() != definitions->feature_views.size()) std::abort();
  return 0;
}
