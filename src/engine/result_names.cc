#include "src/engine/result_names.h"

#include <fmt/format.h>

namespace viand::engine {

arrow::Status ResultNames::Add(const std::string& name, const std::string& origin) {
  const auto [found, added] = origins_.emplace(name, origin);
  if (added) return arrow::Status::OK();
  return MakeError(ErrorKind::kDefinition,
                   fmt::format("two columns of the result are named \"{}\": one of {}, one of {}",
                               name, found->second, origin),
                   "give one of them another name: an alias of the view, full feature names, or a "
                   "rename in the spine");
}

}  // namespace viand::engine
