#include "src/common/s3_store.h"

#include <arrow/filesystem/filesystem.h>
#include <arrow/filesystem/s3fs.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/uri.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <any>
#include <cstdlib>
#include <filesystem>
#include <mutex>

namespace viand {
namespace {

/// Requests wait for the network, not for a core: so many run at a time.
constexpr int kRequestsAtATime = 32;
/// Repeats after the first try: a server that restarts is waited for some seconds, one that is gone
/// is told soon.
constexpr int64_t kRepeats = 5;
constexpr int64_t kFirstPauseMs = 100;

/// Repeats what the SDK says may succeed another time, after pauses that double.
class DoublingPauses : public arrow::fs::S3RetryStrategy {
 public:
  bool ShouldRetry(const AWSErrorDetail& error, int64_t attempted_retries) override {
    return error.should_retry && attempted_retries < kRepeats;
  }
  int64_t CalculateDelayBeforeNextRetry(const AWSErrorDetail&, int64_t attempted_retries) override {
    return kFirstPauseMs << attempted_retries;
  }
};

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string FirstSet(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (std::string value = Variable(name); !value.empty()) return value;
  }
  return "";
}

bool IsTrue(const std::string& text) {
  return text == "true" || text == "TRUE" || text == "1" || text == "yes" || text == "YES";
}

/// The library of S3 beside that of Arrow, whatever the two are called here: libarrow.so.N has
/// libarrow_s3.so.N. Empty where there is none: then Arrow has S3 in it, or not at all.
std::string LibraryOfS3() {
  Dl_info arrow = {};
  if (dladdr(reinterpret_cast<const void*>(&arrow::fs::EnsureFinalized), &arrow) == 0) return "";
  std::string path = arrow.dli_fname == nullptr ? "" : arrow.dli_fname;
  const size_t at = path.rfind("arrow.so");
  if (at == std::string::npos) return "";
  path.insert(at + 5, "_s3");
  std::error_code error;
  return std::filesystem::exists(path, error) ? path : "";
}

/// Loads the library of S3: 17 MB that only those wait for who use it. It registers itself with
/// Arrow, and its SDK starts with the first connection.
arrow::Status LoadS3() {
  static std::once_flag once;
  static arrow::Status loaded;
  std::call_once(once, [] {
    if (const std::string library = LibraryOfS3(); !library.empty()) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
      // Its Arrow is the one beside it, also where the process has another.
      dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
#endif
      loaded = arrow::fs::LoadFileSystemFactories(library.c_str());
    }
    if (loaded.ok() && arrow::io::GetIOThreadPoolCapacity() < kRequestsAtATime)
      loaded = arrow::io::SetIOThreadPoolCapacity(kRequestsAtATime);
  });
  return loaded;
}

/// The SDK must not outlive what its threads use. What is registered last runs first: this comes
/// after the SDK's start, so that its own static objects are still there.
void EndSdkAtExit() {
  static std::once_flag once;
  std::call_once(once, [] { std::atexit([] { arrow::fs::EnsureFinalized(); }); });
}

arrow::Status CheckCredentials() {
  const bool key = !Variable("AWS_ACCESS_KEY_ID").empty();
  const bool secret = !Variable("AWS_SECRET_ACCESS_KEY").empty();
  if (key == secret) return arrow::Status::OK();
  return MakeError(
      ErrorKind::kEnvironment,
      fmt::format("{} is set and {} is not", key ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                  key ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID"),
      "set both, or neither and let AWS_PROFILE or the machine's role say who asks");
}

}  // namespace

arrow::Result<S3Settings> S3SettingsOf(const std::string& options) {
  S3Settings settings;
  std::string scheme;
  for (size_t start = 0; start < options.size();) {
    const size_t end = std::min(options.find('&', start), options.size());
    const std::string option = options.substr(start, end - start);
    const size_t equals = std::min(option.find('='), option.size());
    const std::string name = option.substr(0, equals);
    const std::string value = arrow::util::UriUnescape(
        std::string_view(option).substr(std::min(equals + 1, option.size())));
    if (name == "endpoint_override") {
      settings.endpoint = value;
    } else if (name == "region") {
      settings.region = value;
    } else if (name == "scheme") {
      scheme = value;
    } else if (name == "anonymous") {
      settings.anonymous = IsTrue(value);
    } else {
      return MakeError(ErrorKind::kUsage,
                       fmt::format("unknown option \"{}\" of an s3:// path", name),
                       "options are endpoint_override, region, scheme and anonymous");
    }
    start = end + 1;
  }
  if (settings.endpoint.empty())
    settings.endpoint = FirstSet({"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  if (!scheme.empty() && !settings.endpoint.empty() &&
      settings.endpoint.find("://") == std::string::npos) {
    settings.endpoint = scheme + "://" + settings.endpoint;
  }
  if (settings.region.empty()) settings.region = FirstSet({"AWS_REGION", "AWS_DEFAULT_REGION"});
  settings.anonymous = settings.anonymous || IsTrue(Variable("AWS_NO_SIGN_REQUEST"));
  return settings;
}

arrow::Result<std::shared_ptr<arrow::fs::FileSystem>> ConnectS3(const S3Settings& settings,
                                                                const std::string& bucket) {
  if (!settings.anonymous) VIAND_RETURN_NOT_OK(CheckCredentials());
  VIAND_RETURN_NOT_OK(LoadS3());
  std::string uri = "s3://" + bucket;
  char separator = '?';
  const auto add = [&](std::string_view name, const std::string& value) {
    uri += fmt::format("{}{}={}", separator, name, arrow::util::UriEscape(value));
    separator = '&';
  };
  std::string endpoint = settings.endpoint;
  if (const size_t mark = endpoint.find("://"); mark != std::string::npos) {
    add("scheme", endpoint.substr(0, mark));
    endpoint = endpoint.substr(mark + 3);
  }
  while (endpoint.ends_with('/')) endpoint.pop_back();
  if (!endpoint.empty()) add("endpoint_override", endpoint);
  if (!settings.region.empty()) add("region", settings.region);
  arrow::fs::FileSystemFactoryOptions options;
  options.emplace_back("retry_strategy", std::make_any<std::shared_ptr<arrow::fs::S3RetryStrategy>>(
                                             std::make_shared<DoublingPauses>()));
  if (settings.anonymous) {
    // Without a key a request goes unsigned.
    options.emplace_back("access_key", std::string());
    options.emplace_back("secret_key", std::string());
  }
  auto filesystem = arrow::fs::FileSystemFromUriAndOptions(uri, options);
  EndSdkAtExit();
  return filesystem;
}

std::string DescribeS3(const S3Settings& settings) {
  return settings.endpoint.empty() ? "Amazon S3" : settings.endpoint;
}

}  // namespace viand
