#include "python/extension/type_name.h"

#include <map>
#include <string_view>

namespace viand::python {
namespace {

const std::map<std::string_view, const char*>& Names() {
  static const std::map<std::string_view, const char*> names = {
      {"n", "null"},           {"b", "bool"},          {"c", "int8"},
      {"C", "uint8"},          {"s", "int16"},         {"S", "uint16"},
      {"i", "int32"},          {"I", "uint32"},        {"l", "int64"},
      {"L", "uint64"},         {"e", "halffloat"},     {"f", "float"},
      {"g", "double"},         {"z", "binary"},        {"Z", "large_binary"},
      {"u", "string"},         {"U", "large_string"},  {"vz", "binary_view"},
      {"vu", "string_view"},   {"tdD", "date32[day]"}, {"tdm", "date64[ms]"},
      {"tts", "time32[s]"},    {"ttm", "time32[ms]"},  {"ttu", "time64[us]"},
      {"ttn", "time64[ns]"},   {"tDs", "duration[s]"}, {"tDm", "duration[ms]"},
      {"tDu", "duration[us]"}, {"tDn", "duration[ns]"}};
  return names;
}

std::string UnitName(char unit) {
  return unit == 's' ? "s" : std::string(1, unit == 'm' ? 'm' : unit) + "s";
}

std::string FieldList(const ArrowSchema& schema) {
  std::string text;
  for (int64_t i = 0; i < schema.n_children; ++i)
    text += (i == 0 ? "" : ", ") + std::string(schema.children[i]->name) + ": " +
            TypeName(*schema.children[i]);
  return text;
}

}  // namespace

std::string TypeName(const ArrowSchema& schema) {
  if (schema.dictionary != nullptr) return "dictionary<" + TypeName(*schema.dictionary) + ">";
  const std::string_view format = schema.format;
  if (const auto known = Names().find(format); known != Names().end()) return known->second;
  if (format.starts_with("ts")) {
    const std::string_view zone = format.substr(4);
    return "timestamp[" + UnitName(format[2]) + (zone.empty() ? "" : ", ") + std::string(zone) +
           "]";
  }
  if (format.starts_with("d:")) return "decimal(" + std::string(format.substr(2)) + ")";
  if (format == "+s") return "struct<" + FieldList(schema) + ">";
  if (format == "+m") return "map<" + FieldList(*schema.children[0]) + ">";
  if (format.starts_with("+l") || format.starts_with("+L") || format.starts_with("+w"))
    return "list<" + TypeName(*schema.children[0]) + ">";
  if (format.starts_with("w:")) return "fixed_size_binary[" + std::string(format.substr(2)) + "]";
  return std::string(format);
}

}  // namespace viand::python
