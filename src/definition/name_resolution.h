// Names -> objects, and what may not share a name.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "src/definition/error_list.h"
#include "src/definition/model.h"

namespace viand::definition {

/// Returns the object of a name, or null.
template <typename T>
const T* FindByName(const std::vector<T>& objects, std::string_view name) {
  const auto found = std::find_if(objects.begin(), objects.end(),
                                  [&](const T& object) { return object.name == name; });
  return found == objects.end() ? nullptr : &*found;
}

template <typename T>
std::vector<std::string> NamesOf(const std::vector<T>& objects) {
  std::vector<std::string> names;
  for (const T& object : objects) names.push_back(object.name);
  return names;
}

/// An error `unknown <kind> "x"` with the nearest name, else with all there are.
arrow::Status UnknownName(const Reference& reference, std::string_view kind,
                          const std::vector<std::string>& names);

/// Returns the object that a reference names. `kind` reads "entity".
template <typename T>
arrow::Result<const T*> Resolve(const std::vector<T>& objects, const Reference& reference,
                                std::string_view kind) {
  const T* found = FindByName(objects, reference.name);
  if (found != nullptr) return found;
  return UnknownName(reference, kind, NamesOf(objects));
}

/// Returns a path in one spelling: `a/./b`, `file://a/b` and `a//b` are one file.
std::string NormalPath(const std::string& path);

/// Adds an error for two objects of a kind with one name, a view and labels with one name, and two
/// datasets that write one path.
void CheckClashes(const Definitions& definitions, ErrorList* errors);

}  // namespace viand::definition
