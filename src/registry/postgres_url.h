// Where a PostgreSQL registry is, out of the URLs that libpq and SQLAlchemy (so Feast) read.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "src/common/error.h"

namespace viand::registry {

struct PostgresAddress {
  std::map<std::string, std::string> parameters;  ///< libpq's keywords: host, port, user, ...
  std::string shown;  ///< "feast@db.example.com:5432/features": never a password
};

/// Whether the URL's scheme is one of PostgreSQL's.
bool IsPostgresUrl(std::string_view url);

/// Reads `postgresql://`, `postgres://` and SQLAlchemy's `postgresql+psycopg2://` and
/// `postgresql+psycopg://`: user, password, host (several with commas), port, database, and libpq's
/// keywords as the query. Parts are percent-decoded. kDefinition says what is wrong with one, and
/// never shows a part that could hold the password.
arrow::Result<PostgresAddress> ParsePostgresUrl(std::string_view url);

}  // namespace viand::registry
