#include "src/engine/result_names.h"

#include <fmt/format.h>

namespace viand::engine {

arrow::Status ResultNames::Add(const std::string& name, const std::string& origin) {
  const auto [found, added] = origins_.emplace(name, origin);
  if (added) return arrow::Status::OK();
  return MakeError(
      ErrorKind::kDefinition,
      fmt::format("two columns of the result are named \"{}\": one of {}, one of {}", name,
                  found->second, origin),
      "--full-feature-names names features view__feature; so does an alias in a feature "
      "service");
}

}  // namespace viand::engine
