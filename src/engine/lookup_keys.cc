#include "src/engine/lookup_keys.h"

#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include "src/engine/key_column.h"
#include "src/engine/plain_array.h"
#include "src/engine/scan_schema.h"
#include "src/expression/binder.h"

namespace viand::engine {
namespace {

arrow::Result<KeyClass> ClassOfKey(const std::shared_ptr<arrow::DataType>& type,
                                   const std::string& name, const std::string& owner) {
  const auto found = KeyClassOf(*PlainType(type), /*floats=*/false);
  if (found.ok()) return found;
  std::string hint = "a key is an integer, a text, bytes or a time: cast it";
  if (arrow::is_floating(type->id()))
    hint += R"( (pandas makes integers beside nulls floats: astype("Int64") keeps them))";
  return MakeError(ErrorKind::kInput,
                   fmt::format("the key column \"{}\" of {} is of type {}, which cannot be a key",
                               name, owner, expression::TypeToSql(*type)),
                   hint);
}

bool AreComparable(KeyClass a, KeyClass b) {
  const auto is_exact_number = [](KeyClass key) {
    return key == KeyClass::kInteger || key == KeyClass::kDecimal;
  };
  return a == b || a == KeyClass::kNull || b == KeyClass::kNull ||
         (is_exact_number(a) && is_exact_number(b));
}

}  // namespace

arrow::Status CheckKeyTypes(const Spine& spine, const std::vector<std::string>& spine_keys,
                            const OpenedScan& source, const std::vector<std::string>& view_keys,
                            const std::string& view) {
  const arrow::Schema& columns = spine.schema();
  for (size_t i = 0; i < spine_keys.size(); ++i) {
    const auto own = columns.GetFieldByName(spine_keys[i]);
    if (own == nullptr) return MissingColumn(spine_keys[i], columns, "", spine.described_as);
    const auto other = source.schema->GetFieldByName(view_keys[i]);
    if (other == nullptr)
      return MissingColumn(view_keys[i], *source.schema, "", source.described_as);
    VIAND_ASSIGN_OR_RETURN(const KeyClass here,
                           ClassOfKey(own->type(), spine_keys[i], spine.described_as));
    VIAND_ASSIGN_OR_RETURN(const KeyClass there, ClassOfKey(other->type(), view_keys[i], view));
    if (AreComparable(here, there)) continue;
    return MakeError(
        ErrorKind::kInput,
        fmt::format("the key column \"{}\" of {} is of type {}, but the key \"{}\" of "
                    "{} is of type {}",
                    spine_keys[i], spine.described_as, expression::TypeToSql(*own->type()),
                    view_keys[i], view, expression::TypeToSql(*other->type())),
        "cast one of them to the other's type");
  }
  return arrow::Status::OK();
}

}  // namespace viand::engine
