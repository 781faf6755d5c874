#include "src/registry/postgres_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace viand::registry {
namespace {

struct Explanation {
  std::string_view sqlstate;  ///< a class of two characters stands for all of its codes
  std::string_view what;      ///< in front of the server's own words
  std::string_view hint;
};

constexpr std::string_view kAgain = "try again once the server is up; nothing was half-applied";

// The first that fits; appendix A of PostgreSQL's manual has the codes.
constexpr std::array<Explanation, 17> kExplanations = {{
    {"28P01", "wrong user or password: ",
     "correct registry.path (special characters percent-encoded), or leave the password to "
     "PGPASSWORD or ~/.pgpass"},
    {"28", "the server does not let this user in: ",
     "correct the user of registry.path, or the server's pg_hba.conf"},
    {"3D000", "no such database: ", "correct registry.path, or create it: createdb NAME"},
    {"3F000",
     "no schema to create tables in: ", "create one, or name it: ?options=-csearch_path%3DNAME"},
    {"42501", "missing rights: ",
     "as the owner: grant select, insert, update, delete on all tables in schema public to USER; "
     "the first apply also needs: grant create on schema public to USER"},
    {"42P01", "a table is missing: ", "apply once, with viand or feast, to create it"},
    {"42703", "a table is not laid out as Feast 0.67 lays it out: ",
     "let the Feast release that made the registry migrate it"},
    {"25006", "the server takes no writes: ",
     "name the primary server in registry.path (for several hosts: "
     "?target_session_attrs=read-write)"},
    {"55P03", "locked by another process for longer than the time to wait: ",
     "try again once the other viand or feast has finished"},
    {"53100", "the server's disk is full: ", "nothing was changed; free some space and try again"},
    {"53300", "the server has no connection left: ", "try again, or raise its max_connections"},
    {"57P03", "the server is starting up or shutting down: ", kAgain},
    {"57P", "the server shut down: ", kAgain},
    {"08", "the connection was lost: ", kAgain},
    {"40", "it kept meeting other transactions: ", "try again"},
    {"22021", "a text is not valid UTF-8: ", ""},
    {"0A000", "the server cannot do it: ", "PostgreSQL 10 or later is needed"},
}};

struct Symptom {
  std::string_view text;  ///< part of libpq's message
  std::string_view what;
  std::string_view hint;
  bool transient;
};

// What libpq says when no server has answered.
constexpr std::array<Symptom, 11> kSymptoms = {{
    {"could not translate host name", "no such host: ", "correct the host of registry.path", false},
    {"Connection refused", "nothing answers there: ",
     "start the server, or correct the host and port of registry.path", true},
    {"No such file or directory",
     "nothing answers there: ", "start the server, or correct the host of registry.path", true},
    {"no password supplied", "the server asks for a password: ",
     "put it into registry.path, PGPASSWORD or ~/.pgpass", false},
    {"invalid connection option", "", "correct the part of registry.path behind the ?", false},
    {"invalid", "", "correct the part of registry.path behind the ?", false},
    {"SSL", "no encrypted connection: ", "see sslmode, sslrootcert of registry.path", false},
    {"certificate", "no encrypted connection: ", "see sslmode, sslrootcert of registry.path",
     false},
    {"within", "nothing answers there: ",
     "correct the host and port of registry.path; ?connect_timeout=SECONDS waits longer", false},
    {"Permission denied", "not reachable: ", "check the permissions of the socket's folder", false},
    {"", "the connection was lost: ", kAgain, true},
}};

const Symptom& SymptomOf(const std::string& message) {
  return *std::find_if(kSymptoms.begin(), kSymptoms.end(), [&](const Symptom& symptom) {
    return message.find(symptom.text) != std::string::npos;
  });
}

bool IsCodeByte(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); }

// libpq's lines are the hosts that it tried; what it asks below one, behind a tab, our hints say.
std::string OneLine(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty() || line.starts_with('\t')) continue;
    result += (result.empty() ? "" : "; ") + std::string(line);
  }
  return result;
}

}  // namespace

bool IsTransient(const PostgresFailure& failure) {
  if (failure.sqlstate.empty()) return SymptomOf(failure.message).transient;
  // A catalog's unique key: two have created the same table at once.
  static constexpr std::array<std::string_view, 7> kTransient = {"57P",   "08",    "40P01", "40001",
                                                                 "53300", "42P07", "23505"};
  return std::any_of(kTransient.begin(), kTransient.end(),
                     [&](std::string_view prefix) { return failure.sqlstate.starts_with(prefix); });
}

PostgresFailure ConnectFailure(std::string_view text) {
  for (size_t at = text.find(":  "); at != std::string_view::npos; at = text.find(":  ", at + 1)) {
    const std::string_view code = text.substr(at + 3, 5);
    if (text.size() < at + 10 || text[at + 8] != ':') continue;
    if (!std::all_of(code.begin(), code.end(), IsCodeByte)) continue;
    const std::string_view rest = text.substr(at + 10);
    return {std::string(code), std::string(rest.substr(0, rest.find('\n')))};
  }
  return {"", OneLine(text)};
}

arrow::Status PostgresError(const std::string& shown, const PostgresFailure& failure) {
  const std::string prefix = fmt::format("registry postgresql {}: ", shown);
  if (failure.sqlstate.empty()) {
    const Symptom& symptom = SymptomOf(failure.message);
    return MakeError(ErrorKind::kRegistry,
                     fmt::format("{}{}{}", prefix, symptom.what, failure.message),
                     std::string(symptom.hint));
  }
  for (const Explanation& known : kExplanations) {
    if (!failure.sqlstate.starts_with(known.sqlstate)) continue;
    return MakeError(ErrorKind::kRegistry,
                     fmt::format("{}{}{}", prefix, known.what, failure.message),
                     std::string(known.hint));
  }
  return MakeError(ErrorKind::kRegistry,
                   fmt::format("{}{} (SQLSTATE {})", prefix, failure.message, failure.sqlstate));
}

}  // namespace viand::registry
