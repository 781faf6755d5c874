#include "src/ingest/workbook.h"

#include <fmt/format.h>

#include <charconv>
#include <map>

#include "src/ingest/limits.h"
#include "src/ingest/number_format.h"
#include "src/ingest/xml_reader.h"

namespace viand::ingest {
namespace {

constexpr std::string_view kCompoundFileMagic = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";

struct SheetEntry {
  std::string name;
  std::string relation;
};

struct WorkbookPart {
  std::vector<SheetEntry> sheets;
  bool date1904 = false;
};

struct Relation {
  std::string type;    // the last piece of its URI: worksheet, styles, sharedStrings
  std::string target;  // path in the zip
};
using Relations = std::map<std::string, Relation>;

arrow::Status Damaged(const ZipArchive& zip, std::string_view part, std::string_view what) {
  return MakeError(ErrorKind::kInput, fmt::format("{}: {} is damaged: {}", zip.path(), part, what));
}

std::string AttributeText(const XmlReader& xml, std::string_view name) {
  std::string text;
  const auto raw = xml.Attribute(name);
  if (raw && !AppendXmlText(*raw, &text)) text = std::string(*raw);
  return text;
}

int AttributeNumber(const XmlReader& xml, std::string_view name, int otherwise) {
  const auto raw = xml.Attribute(name);
  int number = otherwise;
  if (raw) std::from_chars(raw->data(), raw->data() + raw->size(), number);
  return number;
}

/// Calls `on_tag(xml, is_start)` for every tag of a part.
template <typename OnTag>
arrow::Status ForEachTag(const ZipArchive& zip, const ZipArchive::Entry& entry, OnTag on_tag) {
  VIAND_ASSIGN_OR_RETURN(const std::string content, zip.ReadPart(entry, kMaxSmallPartBytes));
  std::string_view text(content);
  VIAND_RETURN_NOT_OK(SkipXmlPreamble(fmt::format("{}: {}", zip.path(), entry.name), &text));
  XmlReader xml(text);
  while (true) {
    switch (xml.Next()) {
      case XmlToken::kStart:
        on_tag(xml, true);
        if (xml.self_closing()) on_tag(xml, false);
        break;
      case XmlToken::kEnd:
        on_tag(xml, false);
        break;
      case XmlToken::kText:
        break;
      case XmlToken::kDone:
        return arrow::Status::OK();
      case XmlToken::kUnfinished:
        return Damaged(zip, entry.name, "it ends early");
      case XmlToken::kBad:
        return Damaged(zip, entry.name, xml.what());
    }
  }
}

/// Resolves a relation's target against the folder of the part that has it.
std::string Resolve(std::string_view folder, std::string_view target) {
  if (target.starts_with('/')) return std::string(target.substr(1));
  std::string path(folder);
  while (target.starts_with("../") || target.starts_with("./")) {
    if (target.starts_with("../")) {
      const size_t slash = path.empty() ? std::string::npos : path.rfind('/', path.size() - 2);
      path.resize(slash == std::string::npos ? 0 : slash + 1);
    }
    target.remove_prefix(target.find('/') + 1);
  }
  return path + std::string(target);
}

/// Reads the relations of `part`; none where the part has none.
arrow::Result<Relations> ReadRelations(const ZipArchive& zip, const std::string& part) {
  const size_t slash = part.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : part.substr(0, slash + 1);
  Relations relations;
  const ZipArchive::Entry* entry =
      zip.Find(folder + "_rels/" + part.substr(folder.size()) + ".rels");
  if (entry == nullptr) return relations;
  VIAND_RETURN_NOT_OK(ForEachTag(zip, *entry, [&](const XmlReader& xml, bool start) {
    if (!start || xml.name() != "Relationship" || AttributeText(xml, "TargetMode") == "External")
      return;
    const std::string type = AttributeText(xml, "Type");
    relations[AttributeText(xml, "Id")] = {type.substr(type.rfind('/') + 1),
                                           Resolve(folder, AttributeText(xml, "Target"))};
  }));
  return relations;
}

const ZipArchive::Entry* FindByType(const ZipArchive& zip, const Relations& relations,
                                    std::string_view type) {
  for (const auto& [id, relation] : relations) {
    if (relation.type == type) return zip.Find(relation.target);
  }
  return nullptr;
}

arrow::Result<WorkbookPart> ReadWorkbookPart(const ZipArchive& zip,
                                             const ZipArchive::Entry& entry) {
  WorkbookPart part;
  VIAND_RETURN_NOT_OK(ForEachTag(zip, entry, [&](const XmlReader& xml, bool start) {
    if (!start) return;
    if (xml.name() == "sheet")
      part.sheets.push_back({AttributeText(xml, "name"), AttributeText(xml, "id")});
    if (xml.name() == "workbookPr") {
      const std::string flag = AttributeText(xml, "date1904");
      part.date1904 = flag == "1" || flag == "true";
    }
  }));
  return part;
}

arrow::Result<std::vector<bool>> ReadDateStyles(const ZipArchive& zip,
                                                const ZipArchive::Entry& entry) {
  std::map<int, bool> custom;
  std::vector<int> formats;
  // A dxf, too, holds a numFmt, whose number means nothing outside of it.
  bool in_number_formats = false, in_cell_formats = false;
  VIAND_RETURN_NOT_OK(ForEachTag(zip, entry, [&](const XmlReader& xml, bool start) {
    if (xml.name() == "numFmts") in_number_formats = start;
    if (xml.name() == "cellXfs") in_cell_formats = start;
    if (!start) return;
    if (xml.name() == "numFmt" && in_number_formats) {
      custom[AttributeNumber(xml, "numFmtId", -1)] =
          IsDateFormatCode(AttributeText(xml, "formatCode"));
    }
    if (xml.name() == "xf" && in_cell_formats)
      formats.push_back(AttributeNumber(xml, "numFmtId", 0));
  }));
  std::vector<bool> styles;
  for (int id : formats) {
    const auto found = custom.find(id);
    styles.push_back(found != custom.end() ? found->second : IsBuiltinDateFormat(id));
  }
  return styles;
}

arrow::Result<SharedStrings> ReadSharedStrings(const ZipArchive& zip,
                                               const ZipArchive::Entry& entry) {
  VIAND_ASSIGN_OR_RETURN(std::string xml, zip.ReadPart(entry, kMaxSharedStringsBytes));
  return SharedStrings::Parse(fmt::format("{}: {}", zip.path(), entry.name), std::move(xml));
}

arrow::Result<std::shared_ptr<ZipArchive>> OpenZip(const std::string& path) {
  VIAND_ASSIGN_OR_RETURN(std::shared_ptr<MappedFile> file, MappedFile::Open(path));
  if (file->bytes().empty())
    return MakeError(ErrorKind::kInput, path + " is empty; expected an xlsx workbook");
  if (file->bytes().starts_with(kCompoundFileMagic)) {
    return MakeError(ErrorKind::kInput,
                     path + " is an encrypted workbook or an old .xls; expected xlsx",
                     "open it in Excel or LibreOffice and save it as .xlsx without a password");
  }
  if (!file->bytes().starts_with("PK")) {
    return MakeError(ErrorKind::kInput, path + " is no xlsx workbook: it is not a zip file",
                     "set `format` where the extension misleads");
  }
  return ZipArchive::Open(std::move(file));
}

arrow::Result<const SheetEntry*> SelectSheet(const std::string& path,
                                             const std::vector<SheetEntry>& sheets,
                                             const std::optional<std::string>& name,
                                             std::optional<int> index) {
  if (sheets.empty()) return MakeError(ErrorKind::kInput, path + " has no sheets");
  if (name) {
    std::vector<std::string> names;
    for (const SheetEntry& sheet : sheets) {
      if (sheet.name == *name) return &sheet;
      names.push_back(sheet.name);
    }
    const std::string nearest = DidYouMean(*name, names);
    return MakeError(ErrorKind::kInput,
                     fmt::format("{} has no sheet \"{}\"; it has \"{}\"", path, *name,
                                 fmt::join(names, "\", \"")),
                     nearest);
  }
  const int wanted = index.value_or(0);
  if (wanted < 0 || wanted >= static_cast<int>(sheets.size())) {
    return MakeError(ErrorKind::kInput, fmt::format("{} has no sheet {}; it has {}, counted from 0",
                                                    path, wanted, sheets.size()));
  }
  return &sheets[wanted];
}

arrow::Result<std::string> FindWorkbookPart(const ZipArchive& zip) {
  VIAND_ASSIGN_OR_RETURN(const Relations package, ReadRelations(zip, ""));
  const ZipArchive::Entry* entry = FindByType(zip, package, "officeDocument");
  if (entry == nullptr) entry = zip.Find("xl/workbook.xml");
  if (entry == nullptr) {
    return MakeError(ErrorKind::kInput,
                     zip.path() + " is a zip file but no xlsx workbook: it has no xl/workbook.xml");
  }
  if (entry->name.ends_with(".bin")) {
    return MakeError(ErrorKind::kInput, zip.path() + " is a binary workbook (.xlsb); expected xlsx",
                     "open it in Excel or LibreOffice and save it as .xlsx");
  }
  return entry->name;
}

}  // namespace

arrow::Result<Sheet> OpenSheet(const std::string& path, const std::optional<std::string>& name,
                               std::optional<int> index) {
  VIAND_ASSIGN_OR_RETURN(const std::shared_ptr<ZipArchive> zip, OpenZip(path));
  VIAND_ASSIGN_OR_RETURN(const std::string workbook_name, FindWorkbookPart(*zip));
  VIAND_ASSIGN_OR_RETURN(const WorkbookPart workbook,
                         ReadWorkbookPart(*zip, *zip->Find(workbook_name)));
  VIAND_ASSIGN_OR_RETURN(const Relations relations, ReadRelations(*zip, workbook_name));
  VIAND_ASSIGN_OR_RETURN(const SheetEntry* selected,
                         SelectSheet(path, workbook.sheets, name, index));

  const auto relation = relations.find(selected->relation);
  const ZipArchive::Entry* entry =
      relation == relations.end() ? nullptr : zip->Find(relation->second.target);
  if (entry == nullptr) {
    return Damaged(*zip, workbook_name,
                   fmt::format("the part of sheet \"{}\" is missing", selected->name));
  }
  if (relation->second.type != "worksheet") {
    return MakeError(ErrorKind::kInput, fmt::format("{}: \"{}\" is a {}; expected a worksheet",
                                                    path, selected->name, relation->second.type));
  }
  auto context = std::make_shared<WorkbookContext>();
  context->date1904 = workbook.date1904;
  if (const auto* styles = FindByType(*zip, relations, "styles")) {
    VIAND_ASSIGN_OR_RETURN(context->date_styles, ReadDateStyles(*zip, *styles));
  }
  if (const auto* strings = FindByType(*zip, relations, "sharedStrings")) {
    VIAND_ASSIGN_OR_RETURN(context->strings, ReadSharedStrings(*zip, *strings));
  }
  Sheet sheet;
  sheet.name = selected->name;
  sheet.path = path;
  sheet.context = std::move(context);
  sheet.compressed_bytes = static_cast<int64_t>(entry->compressed_bytes);
  VIAND_ASSIGN_OR_RETURN(sheet.xml, zip->OpenStream(*entry));
  return sheet;
}

}  // namespace viand::ingest
