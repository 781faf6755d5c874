#include "src/registry/change_writer.h"

#include <fmt/format.h>
#include <google/protobuf/message.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "src/common/failpoint.h"
#include "src/common/sha256.h"
#include "src/common/time.h"
#include "src/registry/feast_codec.h"
#include "src/registry/feast_messages.h"
#include "src/registry/feast_tables.h"
#include "src/registry/new_uuid.h"
#include "src/registry/view_version.h"

namespace viand::registry {
namespace {

const char* ActionName(ChangeAction action) {
  switch (action) {
    case ChangeAction::kAdd:
      return "add";
    case ChangeAction::kRemove:
      return "remove";
    case ChangeAction::kDrift:
      return "drift";
    default:
      return "change";
  }
}

std::string LogText(const Plan& plan) {
  nlohmann::json log = nlohmann::json::array();
  for (const Change& change : plan.changes) {
    if (change.action == ChangeAction::kUnchanged) continue;
    nlohmann::json entry = {{"action", ActionName(change.action)},
                            {"kind", KindName(change.kind)},
                            {"name", change.name}};
    for (const FieldChange& field : change.fields)
      entry["fields"].push_back(
          {{"path", field.path}, {"before", field.before}, {"after", field.after}});
    if (change.breaking) entry["breaking"] = change.why_breaking;
    log.push_back(std::move(entry));
  }
  return log.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

class ChangeWriter {
 public:
  ChangeWriter(SqlConnection* connection, const Plan& plan, const RegistrySnapshot& now)
      : connection_(connection), plan_(plan), now_(now) {}

  arrow::Status Write() {
    for (const Change& change : plan_.changes) {
      if (change.action == ChangeAction::kUnchanged || IsThereAlready(change, now_)) continue;
      VIAND_RETURN_NOT_OK(Failpoint("registry.change"));
      if (change.action == ChangeAction::kRemove) {
        VIAND_RETURN_NOT_OK(Remove(change));
      } else {
        VIAND_RETURN_NOT_OK(Put(change));
      }
    }
    VIAND_RETURN_NOT_OK(WriteMetadata());
    return Run(
        "insert into viand_apply_log (project_id, applied_us, tool_version, changes) values (?, ?, "
        "?, ?)",
        plan_.project, time_us_, VIAND_VERSION, LogText(plan_));
  }

 private:
  struct Blob {
    std::string_view bytes;
  };
  struct Null {};

  static arrow::Status BindOne(SqlStatement* statement, int index, const Blob& value) {
    return statement->BindBlob(index, value.bytes);
  }
  static arrow::Status BindOne(SqlStatement* statement, int index, Null) {
    return statement->BindNull(index);
  }
  static arrow::Status BindOne(SqlStatement* statement, int index, int64_t value) {
    return statement->Bind(index, value);
  }
  static arrow::Status BindOne(SqlStatement* statement, int index, std::string_view value) {
    return statement->Bind(index, value);
  }

  template <class... Values>
  arrow::Result<SqlStatement*> Bound(const std::string& sql, const Values&... values) {
    VIAND_ASSIGN_OR_RETURN(SqlStatement * statement, connection_->Prepare(sql));
    int index = 0;
    arrow::Status status;
    ((status = status.ok() ? BindOne(statement, ++index, values) : status), ...);
    VIAND_RETURN_NOT_OK(status);
    return statement;
  }

  template <class... Values>
  arrow::Status Run(const std::string& sql, const Values&... values) {
    VIAND_ASSIGN_OR_RETURN(SqlStatement * statement, Bound(sql, values...));
    return statement->Run();
  }

  /// The one number of a query without rows or with one.
  template <class... Values>
  arrow::Result<int64_t> Number(const std::string& sql, const Values&... values) {
    VIAND_ASSIGN_OR_RETURN(SqlStatement * statement, Bound(sql, values...));
    VIAND_ASSIGN_OR_RETURN(const bool row, statement->Step());
    return row ? statement->Integer(0) : 0;
  }

  arrow::Status Put(const Change& change) {
    std::string content = change.desired.content;
    const FeastTable* table = FeastTableOf(change.kind);
    if (table != nullptr) {
      VIAND_ASSIGN_OR_RETURN(const auto message, ParseMessage(change.kind, change.name, content));
      StampTimes(time_us_, message.get());
      std::optional<int64_t> version;
      if (change.kind == ObjectKind::kFeatureView) {
        VIAND_ASSIGN_OR_RETURN(version, VersionThatBegins(change.name, content));
        if (version) SetVersion(*version, message.get());
      }
      content = SerializeMessage(*message);
      if (version) VIAND_RETURN_NOT_OK(AddVersion(change.name, *version, content));
      VIAND_RETURN_NOT_OK(PutFeastRow(*table, change.name, content));
    }
    const std::string sha256 = Sha256Hex(content);
    const std::string sql = fmt::format(
        "insert into viand_objects (project_id, kind, name, content, sha256, updated_us) "
        "values (?, ?, ?, {}, ?, ?) on conflict (project_id, kind, name) do update set "
        "content = excluded.content, sha256 = excluded.sha256, updated_us = excluded.updated_us",
        table == nullptr ? "?" : "null");
    const int64_t kind = static_cast<int>(change.kind);
    VIAND_RETURN_NOT_OK(
        table == nullptr
            ? Run(sql, plan_.project, kind, change.name, Blob{content}, sha256, time_us_)
            : Run(sql, plan_.project, kind, change.name, sha256, time_us_));
    VIAND_RETURN_NOT_OK(
        Run("insert into viand_owners (project_id, kind, name, repo) values (?, ?, ?, ?) "
            "on conflict (project_id, kind, name) do update set repo = excluded.repo",
            plan_.project, kind, change.name, plan_.repo));
    return AddHistory(change, content, sha256);
  }

  arrow::Status PutFeastRow(const FeastTable& table, const std::string& name,
                            const std::string& content) {
    // The row of a project has its id as the key; all others have the name and the project's id.
    const bool project = table.kind == ObjectKind::kProject;
    return Run(
        fmt::format("insert into {0} ({1}, project_id, last_updated_timestamp, {2}) "
                    "values (?, ?, ?, ?) on conflict ({3}) do update set "
                    "last_updated_timestamp = excluded.last_updated_timestamp, {2} = excluded.{2}",
                    table.table, table.name_column, table.content_column,
                    project ? "project_id" : fmt::format("{}, project_id", table.name_column)),
        name, plan_.project, seconds_, Blob{content});
  }

  // Feast's rules: the first apply is version 0; a view that changed gets the next number, and one
  // without history has its stored state recorded as 0 first.
  arrow::Result<std::optional<int64_t>> VersionThatBegins(const std::string& name,
                                                          const std::string& content) {
    VIAND_ASSIGN_OR_RETURN(
        int64_t next,
        Number("select coalesce(max(version_number) + 1, 0) from feature_view_version_history "
               "where feature_view_name = ? and project_id = ?",
               name, plan_.project));
    if (const StoredObject* stored = now_.Find(ObjectKind::kFeatureView, name)) {
      VIAND_ASSIGN_OR_RETURN(const bool is_new, IsNewVersion(name, stored->content, content));
      if (!is_new) return std::nullopt;
      if (next == 0) VIAND_RETURN_NOT_OK(AddVersion(name, next++, stored->content));
      VIAND_RETURN_NOT_OK(KeepRowsOf(name, stored->content));
    }
    return next;
  }

  // Whoever reads the version that ends here by its number, plain Feast too, must not get the rows
  // of the one that begins.
  arrow::Status KeepRowsOf(const std::string& name, const std::string& content) {
    VIAND_ASSIGN_OR_RETURN(const int64_t version, VersionOf(name, content));
    VIAND_ASSIGN_OR_RETURN(const std::string kept, WithRowsOfVersion(name, content, version));
    if (kept == content) return arrow::Status::OK();
    return Run(
        "update feature_view_version_history set feature_view_proto = ? "
        "where feature_view_name = ? and project_id = ? and version_number = ?",
        Blob{kept}, name, plan_.project, version);
  }

  arrow::Status AddVersion(const std::string& name, int64_t version, const std::string& content) {
    return Run(
        "insert into feature_view_version_history (feature_view_name, project_id, version_number, "
        "feature_view_type, feature_view_proto, created_timestamp, description, version_id) "
        "values (?, ?, ?, 'feature_view', ?, ?, '', ?)",
        name, plan_.project, version, Blob{content}, seconds_, NewUuid());
  }

  arrow::Status AddHistory(const Change& change, const std::string& content,
                           const std::string& sha256) {
    const int64_t kind = static_cast<int>(change.kind);
    const std::string sql =
        "insert into viand_object_history (project_id, kind, name, revision, content, sha256, "
        "applied_us) values (?, ?, ?, (select coalesce(max(revision) + 1, 0) "
        "from viand_object_history where project_id = ? and kind = ? and name = ?), ?, ?, ?)";
    if (change.action == ChangeAction::kRemove)
      return Run(sql, plan_.project, kind, change.name, plan_.project, kind, change.name, Null{},
                 sha256, time_us_);
    return Run(sql, plan_.project, kind, change.name, plan_.project, kind, change.name,
               Blob{content}, sha256, time_us_);
  }

  arrow::Status Remove(const Change& change) {
    const int64_t kind = static_cast<int>(change.kind);
    if (const FeastTable* table = FeastTableOf(change.kind))
      VIAND_RETURN_NOT_OK(Run(fmt::format("delete from {} where {} = ? and project_id = ?",
                                          table->table, table->name_column),
                              change.name, plan_.project));
    if (change.kind == ObjectKind::kFeatureView)
      VIAND_RETURN_NOT_OK(
          Run("delete from feature_view_version_history "
              "where feature_view_name = ? and project_id = ?",
              change.name, plan_.project));
    for (const char* table : {"viand_objects", "viand_owners"})
      VIAND_RETURN_NOT_OK(
          Run(fmt::format("delete from {} where project_id = ? and kind = ? and name = ?", table),
              plan_.project, kind, change.name));
    return AddHistory(change, "", "");
  }

  arrow::Status WriteMetadata() {
    const std::string sql =
        "insert into feast_metadata (project_id, metadata_key, metadata_value, "
        "last_updated_timestamp) "
        "values (?, ?, ?, ?) on conflict (project_id, metadata_key) do ";
    VIAND_RETURN_NOT_OK(Run(sql + "nothing", plan_.project, "project_uuid", NewUuid(), seconds_));
    return Run(sql +
                   "update set metadata_value = excluded.metadata_value, "
                   "last_updated_timestamp = excluded.last_updated_timestamp",
               plan_.project, "last_updated_timestamp", std::to_string(seconds_), seconds_);
  }

  SqlConnection* const connection_;
  const Plan& plan_;
  const RegistrySnapshot& now_;
  const int64_t time_us_ = NowUs();
  const int64_t seconds_ = time_us_ / kMicrosPerSecond;
};

}  // namespace

bool IsThereAlready(const Change& change, const RegistrySnapshot& now) {
  const bool is_shared = change.kind == ObjectKind::kProject || change.name == kDummyEntity;
  return is_shared && change.action == ChangeAction::kAdd &&
         now.Find(change.kind, change.name) != nullptr;
}

arrow::Status WriteChanges(SqlConnection* connection, const Plan& plan,
                           const RegistrySnapshot& now) {
  return ChangeWriter(connection, plan, now).Write();
}

}  // namespace viand::registry
