#include "src/registry/libpq_library.h"

#include <dlfcn.h>

#include <string>

namespace viand::registry {
namespace {

// The name that libpq has had since PostgreSQL 8.3; pipelines came with 14.
constexpr char kLibrary[] = "libpq.so.5";

arrow::Status Missing(const char* what) {
  return MakeError(ErrorKind::kRegistry,
                   std::string("a PostgreSQL registry needs libpq 14 or later: ") + what,
                   "install it (Debian's package is libpq5)");
}

arrow::Result<LibpqLibrary> LoadOnce() {
  void* handle = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return Missing(dlerror());
  LibpqLibrary library{};
  const char* absent = nullptr;
  const auto find = [&](const char* name, auto* function) {
    void* symbol = dlsym(handle, name);
    if (symbol == nullptr) absent = name;
    *function = reinterpret_cast<std::remove_reference_t<decltype(*function)>>(symbol);
  };
  find("PQconnectStartParams", &library.connectStartParams);
  find("PQconnectPoll", &library.connectPoll);
  find("PQstatus", &library.status);
  find("PQsocket", &library.socket);
  find("PQfinish", &library.finish);
  find("PQerrorMessage", &library.errorMessage);
  find("PQsetErrorVerbosity", &library.setErrorVerbosity);
  find("PQsetNoticeProcessor", &library.setNoticeProcessor);
  find("PQsendQuery", &library.sendQuery);
  find("PQsendQueryParams", &library.sendQueryParams);
  find("PQconsumeInput", &library.consumeInput);
  find("PQisBusy", &library.isBusy);
  find("PQgetResult", &library.getResult);
  find("PQresultStatus", &library.resultStatus);
  find("PQresultErrorField", &library.resultErrorField);
  find("PQntuples", &library.ntuples);
  find("PQgetvalue", &library.getvalue);
  find("PQgetlength", &library.getlength);
  find("PQgetisnull", &library.getisnull);
  find("PQclear", &library.clear);
  find("PQenterPipelineMode", &library.enterPipelineMode);
  find("PQexitPipelineMode", &library.exitPipelineMode);
  find("PQpipelineSync", &library.pipelineSync);
  if (absent != nullptr) return Missing(absent);
  return library;
}

}  // namespace

arrow::Result<const LibpqLibrary*> LibpqLibrary::Load() {
  static const arrow::Result<LibpqLibrary> library = LoadOnce();
  VIAND_RETURN_NOT_OK(library.status());
  return &*library;
}

}  // namespace viand::registry
