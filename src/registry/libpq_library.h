// libpq, loaded by the first PostgreSQL registry that is opened: linked, it would bring two dozen
// libraries to the start of every viand.
#pragma once

#include <libpq-fe.h>

#include "src/common/error.h"

namespace viand::registry {

/// The functions that are used, under libpq's names without PQ.
struct LibpqLibrary {
  decltype(&PQconnectStartParams) connectStartParams;
  decltype(&PQconnectPoll) connectPoll;
  decltype(&PQstatus) status;
  decltype(&PQsocket) socket;
  decltype(&PQfinish) finish;
  decltype(&PQerrorMessage) errorMessage;
  decltype(&PQsetErrorVerbosity) setErrorVerbosity;
  decltype(&PQsetNoticeProcessor) setNoticeProcessor;
  decltype(&PQsendQuery) sendQuery;
  decltype(&PQsendQueryParams) sendQueryParams;
  decltype(&PQconsumeInput) consumeInput;
  decltype(&PQisBusy) isBusy;
  decltype(&PQgetResult) getResult;
  decltype(&PQresultStatus) resultStatus;
  decltype(&PQresultErrorField) resultErrorField;
  decltype(&PQntuples) ntuples;
  decltype(&PQgetvalue) getvalue;
  decltype(&PQgetlength) getlength;
  decltype(&PQgetisnull) getisnull;
  decltype(&PQclear) clear;
  decltype(&PQenterPipelineMode) enterPipelineMode;
  decltype(&PQexitPipelineMode) exitPipelineMode;
  decltype(&PQpipelineSync) pipelineSync;

  /// Loads it once a process; kEnvironment says what to install.
  static arrow::Result<const LibpqLibrary*> Load();
};

}  // namespace viand::registry
