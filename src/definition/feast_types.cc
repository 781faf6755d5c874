#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "src/definition/validation.h"
#include "src/expression/binder.h"

namespace viand::definition {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

struct ScalarName {
  std::string_view value_type;  ///< ValueType's name in Feast's protobuf
  std::string_view dtype;       ///< the name in Feast's Python types
};
constexpr std::array<ScalarName, 8> kScalars = {{{"INT32", "Int32"},
                                                 {"INT64", "Int64"},
                                                 {"FLOAT", "Float32"},
                                                 {"DOUBLE", "Float64"},
                                                 {"STRING", "String"},
                                                 {"BYTES", "Bytes"},
                                                 {"BOOL", "Bool"},
                                                 {"UNIX_TIMESTAMP", "UnixTimestamp"}}};

TypePtr ScalarType(std::string_view value_type) {
  if (value_type == "INT32") return arrow::int32();
  if (value_type == "INT64") return arrow::int64();
  if (value_type == "FLOAT") return arrow::float32();
  if (value_type == "DOUBLE") return arrow::float64();
  if (value_type == "STRING") return arrow::utf8();
  if (value_type == "BYTES") return arrow::binary();
  if (value_type == "BOOL") return arrow::boolean();
  return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
}

/// Empty where Feast has no such type.
std::string_view ScalarNameOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
      return "INT32";
    case arrow::Type::INT64:
    case arrow::Type::UINT32:
    case arrow::Type::UINT64:
      return "INT64";
    case arrow::Type::HALF_FLOAT:
    case arrow::Type::FLOAT:
      return "FLOAT";
    case arrow::Type::DOUBLE:
      return "DOUBLE";
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return "STRING";
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::FIXED_SIZE_BINARY:
      return "BYTES";
    case arrow::Type::BOOL:
      return "BOOL";
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
      return "UNIX_TIMESTAMP";
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
      return "DECIMAL";
    case arrow::Type::MAP:
      return "MAP";
    case arrow::Type::STRUCT:
      return "STRUCT";
    default:
      return {};
  }
}

/// A type that Feast tells apart from others that files hold alike: by its two names, and the types
/// of files that it can stand for.
struct LogicalType {
  std::string value_type;
  std::string dtype;
  std::vector<std::string> held_as;
};

const std::vector<LogicalType>& LogicalTypes() {
  static const std::vector<LogicalType> kTypes = [] {
    const std::vector<LogicalType> scalars = {{"JSON", "Json", {"STRING"}},
                                              {"UUID", "Uuid", {"STRING", "BYTES"}},
                                              {"TIME_UUID", "TimeUuid", {"STRING", "BYTES"}},
                                              {"DECIMAL", "Decimal", {"DECIMAL", "STRING"}},
                                              {"MAP", "Map", {"MAP", "STRING"}},
                                              {"STRUCT", "Struct", {"STRUCT", "MAP", "STRING"}}};
    std::vector<LogicalType> types = {
        {"PDF_BYTES", "PdfBytes", {"BYTES"}},
        {"IMAGE_BYTES", "ImageBytes", {"BYTES"}},
        {"SCALAR_MAP", "ScalarMap", {"MAP", "STRING"}},
        {"ZONED_TIMESTAMP", "ZonedTimestamp", {"UNIX_TIMESTAMP", "STRING", "STRUCT"}},
        {"VALUE_LIST", "ValueList", {"VALUE_LIST"}},
        {"VALUE_SET", "ValueSet", {"VALUE_LIST"}}};
    const auto add_list = [&](const std::string& value_type, const std::string& dtype,
                              const std::vector<std::string>& held_as, bool list) {
      std::vector<std::string> lists;
      for (const std::string& held : held_as) lists.push_back(held + "_LIST");
      if (list) types.push_back({value_type + "_LIST", fmt::format("Array({})", dtype), lists});
      if (value_type != "MAP" && value_type != "STRUCT" && value_type != "JSON")
        types.push_back({value_type + "_SET", fmt::format("Set({})", dtype), lists});
    };
    for (const LogicalType& type : scalars) {
      types.push_back(type);
      add_list(type.value_type, type.dtype, type.held_as, true);
    }
    for (const ScalarName& name : kScalars)
      add_list(std::string(name.value_type), std::string(name.dtype),
               {std::string(name.value_type)}, false);
    return types;
  }();
  return kTypes;
}

const LogicalType* FindLogicalType(const std::string& name) {
  for (const LogicalType& type : LogicalTypes())
    if (type.value_type == name || type.dtype == name) return &type;
  return nullptr;
}

bool IsListType(const arrow::DataType& type) {
  return type.id() == arrow::Type::LIST || type.id() == arrow::Type::LARGE_LIST ||
         type.id() == arrow::Type::FIXED_SIZE_LIST;
}

/// Every spelling and its type: INT64, Int64, INT64_LIST, Array(Int64), ...
const std::map<std::string, TypePtr>& TypesByName() {
  static const std::map<std::string, TypePtr> kTypes = [] {
    std::map<std::string, TypePtr> types;
    for (const ScalarName& name : kScalars) {
      const TypePtr type = ScalarType(name.value_type);
      types[std::string(name.value_type)] = types[std::string(name.dtype)] = type;
      types[fmt::format("{}_LIST", name.value_type)] = arrow::list(type);
      types[fmt::format("Array({})", name.dtype)] = arrow::list(type);
    }
    return types;
  }();
  return kTypes;
}

}  // namespace

arrow::Result<std::string> FeastTypeOf(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DICTIONARY) {
    return FeastTypeOf(*static_cast<const arrow::DictionaryType&>(type).value_type());
  }
  std::string_view name = ScalarNameOf(type);
  if (!name.empty()) return std::string(name);
  if (IsListType(type)) {
    if (IsListType(*type.field(0)->type())) return "VALUE_LIST";
    name = ScalarNameOf(*type.field(0)->type());
    if (!name.empty()) return fmt::format("{}_LIST", name);
  }
  return MakeError(ErrorKind::kDefinition, fmt::format("Feast has no type for {}", type.ToString()),
                   "cast it to a number, a text, a boolean or a timestamp");
}

std::optional<std::string> LogicalFeastType(const std::string& name) {
  const LogicalType* type = FindLogicalType(name);
  return type == nullptr ? std::nullopt : std::optional(type->value_type);
}

bool CanHoldLogicalType(const std::string& logical, const std::string& held_as) {
  const LogicalType* type = FindLogicalType(logical);
  return type != nullptr &&
         std::find(type->held_as.begin(), type->held_as.end(), held_as) != type->held_as.end();
}

bool IsFeastKeyType(const arrow::DataType& type) {
  const auto name = FeastTypeOf(type);
  return name.ok() && !FindLogicalType(*name);
}

arrow::Result<std::shared_ptr<arrow::DataType>> TypeFromFeast(const std::string& name) {
  const auto& types = TypesByName();
  const auto found = types.find(name);
  if (found != types.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, type] : types) names.push_back(known);
  for (const LogicalType& type : LogicalTypes()) {
    names.push_back(type.value_type);
    names.push_back(type.dtype);
  }
  std::string hint = DidYouMean(name, names);
  if (hint.empty())
    hint = "Feast's types are INT64, DOUBLE, STRING, BOOL, UNIX_TIMESTAMP, INT64_LIST, ...";
  return MakeError(ErrorKind::kDefinition, fmt::format("unknown type \"{}\"", name),
                   std::move(hint));
}

arrow::Result<std::shared_ptr<arrow::DataType>> TypeFromName(const std::string& name) {
  auto type = TypeFromFeast(name);
  if (type.ok()) return type;
  auto sql = expression::TypeFromSql(name);
  return sql.ok() ? sql : type;
}

}  // namespace viand::definition
