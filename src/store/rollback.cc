#include "src/store/rollback.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "src/common/atomic_file.h"
#include "src/definition/yaml_reader.h"
#include "src/definition/yaml_writer.h"
#include "src/registry/stored_definitions.h"
#include "src/store/object_history.h"

namespace viand::store {
namespace {

using definition::CanonicalScope;
using registry::ObjectKind;

/// An object of some definitions by kind and name: its place and its text.
struct Defined {
  SourceLocation where;
  std::string text;
};

template <class Objects>
std::optional<Defined> FindIn(const Objects& objects, const std::string& name) {
  const auto* object = offline::FindObject(objects, name);
  if (object == nullptr || object->stored_only) return std::nullopt;
  return Defined{object->where, CanonicalText(*object, CanonicalScope::kWithDocumentation)};
}

std::optional<Defined> FindDefined(const definition::Definitions& all, ObjectKind kind,
                                   const std::string& name) {
  switch (kind) {
    case ObjectKind::kEntity:
      return FindIn(all.entities, name);
    case ObjectKind::kDataSource:
      return FindIn(all.sources, name);
    case ObjectKind::kFeatureView:
      return FindIn(all.feature_views, name);
    case ObjectKind::kFeatureService:
      return FindIn(all.feature_services, name);
    case ObjectKind::kDataset:
      return FindIn(all.datasets, name);
    case ObjectKind::kSnapshots:
      return FindIn(all.snapshots, name);
    case ObjectKind::kLabels:
      return FindIn(all.labels, name);
    default:
      return FindIn(all.models, name);
  }
}

std::string SectionOf(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kEntity:
      return "entities";
    case ObjectKind::kDataSource:
      return "sources";
    case ObjectKind::kFeatureView:
      return "feature_views";
    case ObjectKind::kFeatureService:
      return "feature_services";
    case ObjectKind::kDataset:
      return "datasets";
    case ObjectKind::kSnapshots:
      return "snapshots";
    case ObjectKind::kLabels:
      return "labels";
    default:
      return "models";
  }
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// The lines of a list item, counted from 0, the last not included.
struct Block {
  size_t first = 0, last = 0;
  int indent = 0;
};

/// The block that holds the place of an item's name: from its dash to the next line that is not
/// further in. Nothing where the item does not begin a line (a list in brackets).
std::optional<Block> BlockAt(const std::vector<std::string>& lines, const SourceLocation& where) {
  if (where.line < 1 || static_cast<size_t>(where.line) > lines.size()) return std::nullopt;
  const auto indent_of = [&](size_t i) { return lines[i].find_first_not_of(" \t\r"); };
  for (size_t first = where.line; first-- > 0;) {
    const size_t indent = indent_of(first);
    if (indent == std::string::npos || lines[first][indent] != '-') continue;
    if (indent >= static_cast<size_t>(where.column)) return std::nullopt;
    size_t last = first + 1;
    // Blank lines and comments at the end belong to what comes next.
    for (size_t i = last; i < lines.size(); ++i) {
      const size_t next = indent_of(i);
      if (next == std::string::npos) continue;
      if (next <= indent) break;
      last = i + 1;
    }
    return last > static_cast<size_t>(where.line) - 1
               ? std::optional(Block{first, last, static_cast<int>(indent)})
               : std::nullopt;
  }
  return std::nullopt;
}

arrow::Status CannotEdit(const Defined& defined, const RollbackReport& report) {
  return ErrorAt(defined.where, ErrorKind::kDefinition,
                 fmt::format("the {} \"{}\" is not written as an item of its own lines, so that it "
                             "cannot be replaced there",
                             report.kind, report.name),
                 "write there by hand:\n" + report.text);
}

/// A definition but for what is found of its functions when a repo is read: their texts stand in
/// the YAML, their packages and the repo's modules are those of now.
nlohmann::json AsWritten(const std::string& canonical) {
  nlohmann::json object = nlohmann::json::parse(canonical, nullptr, false);
  if (!object.is_object()) return object;
  object.erase("python_texts");
  for (const char* list : {"features", "columns"}) {
    if (!object.contains(list) || !object[list].is_array()) continue;
    for (auto& feature : object[list]) {
      if (!feature.is_object() || !feature.contains("function")) continue;
      for (const char* found : {"code", "modules", "python", "versions"})
        feature["function"].erase(found);
    }
  }
  return object;
}

/// What was written says what was asked for.
arrow::Status CheckWritten(const std::string& content, const std::string& file, ObjectKind kind,
                           const std::string& name, const std::string& wanted) {
  definition::Definitions written;
  ARROW_RETURN_NOT_OK(definition::ReadDefinitionText(content, file, &written));
  const auto found = FindDefined(written, kind, name);
  if (found && AsWritten(found->text) == AsWritten(wanted)) return arrow::Status::OK();
  return MakeError(
      ErrorKind::kDefinition,
      fmt::format("{} was not changed: the definition of \"{}\" could not be written so "
                  "that it reads back",
                  file, name),
      "see `viand rollback --dry-run` for its text");
}

}  // namespace

arrow::Result<RollbackReport> RollBack(RepoSession* session, const std::string& versioned_name,
                                       const RollbackOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto parsed, definition::ParseVersionedName(versioned_name));
  if (!parsed.version)
    return MakeError(ErrorKind::kUsage, fmt::format("\"{}\" names no version", versioned_name),
                     fmt::format("write {}@v0; `viand history {}` tells the versions", parsed.name,
                                 parsed.name));
  ARROW_ASSIGN_OR_RAISE(const ObjectVersion version,
                        FindVersion(session, versioned_name, options.kind));
  ARROW_ASSIGN_OR_RAISE(
      const std::string wanted,
      registry::DefinitionText(version.kind, version.name, version.content, session->root()));
  RollbackReport report{
      .kind = registry::KindName(version.kind), .name = version.name, .version = version.label};
  const auto defined = FindDefined(session->definitions(), version.kind, version.name);
  const std::string section = SectionOf(version.kind);
  report.file = defined ? defined->where.file : version.name + ".yaml";
  const std::string path = session->root() + "/" + report.file;
  std::string content;
  if (defined || std::filesystem::exists(path)) {
    ARROW_ASSIGN_OR_RAISE(content, ReadWholeFile(path));
  }
  std::vector<std::string> lines = LinesOf(content);
  const auto block = defined ? BlockAt(lines, defined->where) : std::nullopt;
  ARROW_ASSIGN_OR_RAISE(report.text,
                        definition::YamlItem(section, wanted, block ? block->indent : 2));
  if (defined && nlohmann::json::parse(defined->text, nullptr, false) ==
                     nlohmann::json::parse(wanted, nullptr, false))
    return report;
  report.changed = true;
  if (defined && !block) return CannotEdit(*defined, report);
  std::string after;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (block && i == block->first) after += report.text;
    if (!block || i < block->first || i >= block->last) after += lines[i] + "\n";
  }
  if (block) {
    report.first_line = static_cast<int64_t>(block->first) + 1;
    report.last_line = static_cast<int64_t>(block->last);
  } else {
    after += section + ":\n" + report.text;
  }
  ARROW_RETURN_NOT_OK(CheckWritten(after, report.file, version.kind, version.name, wanted));
  if (!options.dry_run) ARROW_RETURN_NOT_OK(WriteFileAtomically(path, after));
  return report;
}

}  // namespace viand::store
