// Types of hive partitions: the names of folders are text, and what they mean is inferred where no
// definition says it.
#pragma once

#include <memory>
#include <vector>

#include "src/definition/model.h"

namespace arrow {
class Schema;
}

namespace viand::definition {

/// Returns the schema with the columns that MarkPartitions marked of the types that the definitions
/// declare: of a join key its entity's value type, of a ready column its dtype. Marks come off.
std::shared_ptr<arrow::Schema> WithDeclaredPartitionTypes(
    const std::shared_ptr<arrow::Schema>& schema, const std::vector<Reference>& entities,
    const std::vector<Entity>& defined, const std::vector<Feature>& features);

}  // namespace viand::definition
