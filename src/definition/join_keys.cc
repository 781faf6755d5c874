#include "src/definition/join_keys.h"

#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "src/definition/name_resolution.h"
#include "src/definition/validation.h"
#include "src/expression/binder.h"
#include "src/expression/sql_types.h"

namespace viand::definition {
namespace {

// What Feast's entity key encoding (version 3) can hold.
const std::vector<std::string>& KeyTypes() {
  static const std::vector<std::string> kTypes = {"INT64", "INT32", "STRING", "BYTES",
                                                  "UNIX_TIMESTAMP"};
  return kTypes;
}

/// Tells whether keys of a column can be compared exactly: what the engine's key columns take
/// (engine/key_column.h). A column of nulls alone has no type, and matches nothing.
bool IsKeyType(const arrow::DataType& type) {
  using arrow::Type;
  const Type::type id = type.id();
  if (id == Type::DICTIONARY) {
    return IsKeyType(*static_cast<const arrow::DictionaryType&>(type).value_type());
  }
  return arrow::is_integer(id) || arrow::is_decimal(id) || arrow::is_base_binary_like(id) ||
         arrow::is_binary_view_like(id) || id == Type::FIXED_SIZE_BINARY || id == Type::BOOL ||
         id == Type::NA || arrow::is_temporal(id) || id == Type::DURATION;
}

/// Integers fit integers of any width: keys compare by value.
bool Fits(const arrow::DataType& type, const std::string& value_type) {
  // A value type that no key can have is an error of the entity, said there.
  const auto& known = KeyTypes();
  if (std::find(known.begin(), known.end(), value_type) == known.end()) return true;
  const auto own = FeastTypeOf(type);
  if (!own.ok()) return false;
  if (value_type == "INT32" || value_type == "INT64") return *own == "INT32" || *own == "INT64";
  return *own == value_type;
}

}  // namespace

arrow::Status CheckValueTypes(const Entity& entity) {
  for (const std::string& type : entity.value_types) {
    const auto& known = KeyTypes();
    if (type == "UNKNOWN" || std::find(known.begin(), known.end(), type) != known.end()) continue;
    const bool is_float = type == "FLOAT" || type == "DOUBLE";
    return ErrorAt(entity.where, ErrorKind::kDefinition,
                   fmt::format("the entity \"{}\" has the value type \"{}\", expected {}",
                               entity.name, type, fmt::join(known, ", ")),
                   is_float ? "floating numbers do not compare exactly, so no key is made of them"
                            : DidYouMean(type, known));
  }
  return arrow::Status::OK();
}

std::vector<std::string> JoinKeysOf(const std::vector<Reference>& entities,
                                    const std::vector<Entity>& defined, ErrorList* errors) {
  std::vector<std::string> keys;
  std::map<std::string, std::string> owner;
  for (const Reference& reference : entities) {
    const auto entity = Resolve(defined, reference, "entity");
    errors->Add(entity.status());
    if (!entity.ok()) continue;
    for (const std::string& key : (*entity)->join_keys) {
      const auto [first, fresh] = owner.emplace(key, reference.name);
      keys.push_back(key);
      if (fresh) continue;
      errors->Add(ErrorAt(reference.where, ErrorKind::kDefinition,
                          fmt::format("the entities \"{}\" and \"{}\" share the join key \"{}\"",
                                      first->second, reference.name, key)));
    }
  }
  return keys;
}

void CheckJoinKeyColumns(const std::vector<Reference>& entities, const std::vector<Entity>& defined,
                         const arrow::Schema& schema, bool open, const std::string& described_as,
                         ErrorList* errors) {
  for (const Reference& reference : entities) {
    const Entity* entity = FindByName(defined, reference.name);
    if (entity == nullptr) continue;
    for (size_t i = 0; i < entity->join_keys.size(); ++i) {
      const std::string& key = entity->join_keys[i];
      const std::string& value_type = entity->value_types[i];
      const auto field = schema.GetFieldByName(key);
      std::string problem, hint;
      if (field == nullptr ? open : expression::IsUnknown(*field->type())) continue;
      if (field == nullptr) {
        problem = "does not exist";
        hint = NearestOrAll(key, schema.field_names(), "columns are ");
      } else if (!IsKeyType(*field->type())) {
        problem = fmt::format("is of type {}, which cannot be a key",
                              expression::TypeToSql(*field->type()));
        hint = "a key is an integer, a text, bytes or a time: cast it in the dataset";
      } else if (!Fits(*field->type(), value_type)) {
        problem = fmt::format("is of type {}, expected {}", expression::TypeToSql(*field->type()),
                              value_type);
      } else {
        continue;
      }
      errors->Add(ErrorAt(reference.where, ErrorKind::kDefinition,
                          fmt::format("the join key \"{}\" of the entity \"{}\" {} in {}", key,
                                      entity->name, problem, described_as),
                          std::move(hint)));
    }
  }
}

}  // namespace viand::definition
