#include "src/engine/scan_schema.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <set>

#include "src/common/data_location.h"
#include "src/engine/plain_array.h"

namespace viand::engine {
namespace {

std::string NameHere(const std::string& name, const Renames& renames) {
  for (const auto& [in_file, here] : renames) {
    if (in_file == name) return here;
  }
  return name;
}

std::string Place(const std::string& path, const std::string& described_as) {
  if (path.empty()) return described_as;
  const std::string shown = DisplayPath(path);
  return described_as.empty() ? shown : fmt::format("{}, file {}", described_as, shown);
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Schema>> RenamedSchema(const arrow::Schema& schema,
                                                            const Renames& renames,
                                                            const std::string& described_as) {
  arrow::FieldVector fields;
  std::set<std::string> seen;
  for (const auto& field : schema.fields()) {
    const std::string name = NameHere(field->name(), renames);
    if (!seen.insert(name).second) {
      return MakeError(ErrorKind::kInput,
                       fmt::format("{}: two columns are named \"{}\"", described_as, name),
                       renames.empty() ? "rename one of them" : "change the field_mapping");
    }
    fields.push_back(field->WithName(name));
  }
  return arrow::schema(std::move(fields), schema.metadata());
}

arrow::Result<std::shared_ptr<arrow::Schema>> WidenedSchema(
    const std::shared_ptr<arrow::Schema>& schema, const arrow::Schema& file,
    const std::string& path, const std::string& described_as) {
  arrow::FieldVector fields = schema->fields();
  for (auto& field : fields) {
    const auto other = file.GetFieldByName(field->name());
    if (other == nullptr || other->type()->Equals(*field->type())) continue;
    const auto have = PlainType(field->type());
    const auto found = PlainType(other->type());
    if (IsWidening(*found, *have)) continue;
    if (!IsWidening(*have, *found))
      return CheckType(field->name(), found, have, path, described_as);
    field = field->WithType(other->type());
  }
  return arrow::schema(std::move(fields), schema->metadata());
}

std::shared_ptr<arrow::Schema> MergedSchema(const arrow::Schema& schema,
                                            const arrow::Schema& other) {
  arrow::FieldVector fields = schema.fields();
  for (const auto& field : other.fields()) {
    const int index = schema.GetFieldIndex(field->name());
    if (index < 0) {
      fields.push_back(field);
    } else if (!IsWidening(*PlainType(field->type()), *PlainType(fields[index]->type())) &&
               IsWidening(*PlainType(fields[index]->type()), *PlainType(field->type()))) {
      fields[index] = fields[index]->WithType(field->type());
    }
  }
  return arrow::schema(std::move(fields), schema.metadata());
}

arrow::Status MissingColumn(const std::string& name, const arrow::Schema& schema,
                            const std::string& path, const std::string& described_as) {
  return MakeError(ErrorKind::kInput,
                   fmt::format("no column \"{}\" in {}", name, Place(path, described_as)),
                   NearestOrAll(name, schema.field_names(), "it has: "));
}

arrow::Status CheckType(const std::string& name, const std::shared_ptr<arrow::DataType>& from,
                        const std::shared_ptr<arrow::DataType>& to, const std::string& path,
                        const std::string& described_as) {
  if (IsWidening(*PlainType(from), *PlainType(to))) return arrow::Status::OK();
  return MakeError(
      ErrorKind::kInput,
      fmt::format("column \"{}\" of {} is {}, expected {}", name, Place(path, described_as),
                  from->ToString(), PlainType(to)->ToString()),
      "files of one source must have one schema; integers may widen");
}

}  // namespace viand::engine
