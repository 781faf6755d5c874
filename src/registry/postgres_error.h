// What PostgreSQL and libpq say, as errors that name the registry and what to do.
#pragma once

#include <string>
#include <string_view>

#include "src/common/error.h"

namespace viand::registry {

/// An answer of the server, or of libpq where `sqlstate` is empty.
struct PostgresFailure {
  std::string sqlstate;  ///< five characters; empty: the server said nothing
  std::string message;
};

/// Whether another try on a new connection may succeed: the server restarts, shuts down, is full or
/// out of reach; two transactions met in a deadlock.
bool IsTransient(const PostgresFailure& failure);

/// Takes a failed connection's text apart. It was asked for with PQERRORS_VERBOSE, which has the
/// SQLSTATE: "... failed: FATAL:  28P01: password authentication failed for ...\nLOCATION: ...".
PostgresFailure ConnectFailure(std::string_view text);

/// The error for people. `shown` is PostgresAddress::shown.
arrow::Status PostgresError(const std::string& shown, const PostgresFailure& failure);

}  // namespace viand::registry
