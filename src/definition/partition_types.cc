#include "src/definition/partition_types.h"

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include <map>

#include "src/definition/name_resolution.h"
#include "src/definition/validation.h"
#include "src/expression/binder.h"

namespace viand::definition {
namespace {

constexpr const char* kMark = "viand.partition";

bool IsMarked(const arrow::Field& field) {
  return field.metadata() != nullptr && field.metadata()->Contains(kMark);
}

std::shared_ptr<arrow::DataType> TypeOfKey(const std::string& value_type) {
  if (value_type == "STRING") return arrow::utf8();
  if (value_type == "BYTES") return arrow::binary();
  if (value_type == "INT32") return arrow::int32();
  if (value_type == "INT64") return arrow::int64();
  if (value_type == "UNIX_TIMESTAMP") return arrow::timestamp(arrow::TimeUnit::MICRO);
  return nullptr;
}

using Types = std::map<std::string, std::shared_ptr<arrow::DataType>>;

Types DeclaredTypes(const std::vector<Reference>& entities, const std::vector<Entity>& defined,
                    const std::vector<Feature>& features) {
  Types types;
  for (const Reference& reference : entities) {
    const Entity* entity = FindByName(defined, reference.name);
    if (entity == nullptr) continue;
    for (size_t i = 0; i < entity->join_keys.size(); ++i)
      types.emplace(entity->join_keys[i], TypeOfKey(entity->value_types[i]));
  }
  for (const Feature& feature : features) {
    if (feature.type.empty()) continue;
    auto type = TypeFromFeast(feature.type);
    if (!type.ok()) type = expression::TypeFromSql(feature.type);
    if (type.ok()) types.emplace(feature.name, *type);
  }
  return types;
}

}  // namespace

std::shared_ptr<arrow::Schema> MarkPartitions(const arrow::Schema& schema,
                                              const arrow::Schema& partitions) {
  arrow::FieldVector fields;
  for (const auto& field : schema.fields()) {
    const bool partition = partitions.GetFieldIndex(field->name()) >= 0;
    fields.push_back(partition ? field->WithMetadata(arrow::key_value_metadata({{kMark, "1"}}))
                               : field);
  }
  return arrow::schema(std::move(fields), schema.metadata());
}

std::shared_ptr<arrow::Schema> WithDeclaredPartitionTypes(
    const std::shared_ptr<arrow::Schema>& schema, const std::vector<Reference>& entities,
    const std::vector<Entity>& defined, const std::vector<Feature>& features) {
  if (schema == nullptr) return schema;
  const Types types = DeclaredTypes(entities, defined, features);
  arrow::FieldVector fields;
  for (const auto& field : schema->fields()) {
    if (!IsMarked(*field)) {
      fields.push_back(field);
      continue;
    }
    const auto declared = types.find(field->name());
    const bool known = declared != types.end() && declared->second != nullptr;
    fields.push_back(arrow::field(field->name(), known ? declared->second : field->type()));
  }
  return arrow::schema(std::move(fields), schema->metadata());
}

}  // namespace viand::definition
