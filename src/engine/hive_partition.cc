#include "src/engine/hive_partition.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/uri.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "src/common/data_location.h"
#include "src/common/path_pattern.h"
#include "src/engine/plain_array.h"

namespace viand::engine {
namespace {

constexpr std::string_view kNull = "__HIVE_DEFAULT_PARTITION__";

/// What a column may be, from the narrowest.
std::vector<std::shared_ptr<arrow::DataType>> Candidates() {
  return {arrow::int64(), arrow::date32(), arrow::timestamp(arrow::TimeUnit::MICRO)};
}

bool Reads(const std::string& text, const std::shared_ptr<arrow::DataType>& type) {
  // Arrow reads hexadecimal numbers too, which nobody means by 0x10 in a folder's name.
  if (type->id() == arrow::Type::INT64 && text.find_first_not_of("-0123456789") != text.npos)
    return false;
  return arrow::Scalar::Parse(type, text).ok();
}

struct Inference {
  std::string key;
  std::vector<std::shared_ptr<arrow::DataType>> candidates = Candidates();
  bool has_value = false;

  void See(const std::string& text) {
    has_value = true;
    std::erase_if(candidates, [&](const auto& type) { return !Reads(text, type); });
  }
  std::shared_ptr<arrow::DataType> Type() const {
    return !has_value || candidates.empty() ? arrow::utf8() : candidates.front();
  }
};

}  // namespace

arrow::Result<std::vector<PartitionValue>> PartitionValuesOf(const std::string& path) {
  std::vector<PartitionValue> values;
  if (path.find('=') == std::string::npos) return values;
  const DataAddress address = ParseAddress(path);
  std::vector<std::string_view> names = NamesOfPath(address.path);
  if (!names.empty()) names.pop_back();
  for (const std::string_view name : names) {
    const size_t equals = name.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    PartitionValue value;
    value.key = arrow::util::UriUnescape(name.substr(0, equals));
    const std::string_view text = name.substr(equals + 1);
    if (text != kNull) value.text = arrow::util::UriUnescape(text);
    const auto same = std::find_if(values.begin(), values.end(), [&](const PartitionValue& known) {
      return known.key == value.key;
    });
    if (same == values.end()) {
      values.push_back(std::move(value));
    } else if (same->text != value.text) {
      return MakeError(
          ErrorKind::kInput,
          fmt::format("{}: its folders give \"{}\" two values, {} and {}", DisplayPath(path),
                      value.key, same->text.value_or("null"), value.text.value_or("null")),
          "a folder named key=value makes the key a column of the files below it");
    }
  }
  return values;
}

arrow::Result<std::shared_ptr<arrow::Schema>> PartitionSchema(
    const std::vector<std::string>& paths) {
  std::vector<Inference> columns;
  for (const std::string& path : paths) {
    VIAND_ASSIGN_OR_RETURN(const auto values, PartitionValuesOf(path));
    for (const PartitionValue& value : values) {
      auto found = std::find_if(columns.begin(), columns.end(),
                                [&](const Inference& known) { return known.key == value.key; });
      if (found == columns.end()) found = columns.insert(columns.end(), Inference{value.key});
      if (value.text) found->See(*value.text);
    }
  }
  arrow::FieldVector fields;
  for (const Inference& column : columns) fields.push_back(arrow::field(column.key, column.Type()));
  return arrow::schema(std::move(fields));
}

arrow::Result<std::shared_ptr<arrow::Scalar>> ParsePartitionValue(
    const PartitionValue& value, const std::shared_ptr<arrow::DataType>& type,
    const std::string& path, const std::string& described_as) {
  const auto plain = PlainType(type);
  if (!value.text) return arrow::MakeNullScalar(plain);
  auto parsed = arrow::Scalar::Parse(plain, *value.text);
  if (parsed.ok()) return parsed;
  return MakeError(ErrorKind::kInput,
                   fmt::format("{}{}the folder {}={} of {} is no {}", described_as,
                               described_as.empty() ? "" : ": ", value.key, *value.text,
                               DisplayPath(path), plain->ToString()),
                   "all values of a partition column must be of one type");
}

}  // namespace viand::engine
