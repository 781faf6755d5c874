// `viand init`: a new feature repo from a template folder.
#pragma once

#include <string>
#include <vector>

#include "src/common/error.h"

namespace viand::store {

/// Copies the template's files into `folder`, which must not exist or be empty. Templates are
/// folders of share/viand/templates beside the executable's or the library's own folder.
arrow::Status CopyTemplate(const std::string& folder, const std::string& template_name);

/// Tells whether a template has a file of that name.
bool TemplateHas(const std::string& template_name, const std::string& file);

/// Names of the templates that are installed.
std::vector<std::string> TemplateNames();

}  // namespace viand::store
