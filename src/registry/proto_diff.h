// In which fields two messages of Feast differ, as people name the fields.
#pragma once

#include <string>
#include <vector>

#include "src/registry/plan.h"

namespace google::protobuf {
class Message;
}

namespace viand::registry {

/// Compares two messages of one type: "features.monetary.value_type", `DOUBLE` -> `INT64`.
/// Submessages `spec` add no step to the path, `meta` at the top is left out, and elements of a
/// list are matched by name. The tag with the definition is compared as JSON, its paths without a
/// prefix and in front.
std::vector<FieldChange> DiffMessages(const google::protobuf::Message& before,
                                      const google::protobuf::Message& after);

}  // namespace viand::registry
