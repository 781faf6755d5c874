#include "src/common/data_location.h"

#include <arrow/filesystem/filesystem.h>
#include <arrow/filesystem/localfs.h>
#include <arrow/util/uri.h>
#include <fmt/format.h>

#include <array>
#include <cctype>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>

#include "src/common/s3_store.h"

namespace viand {
namespace {

constexpr std::string_view kSchemeMark = "://";
constexpr std::array<std::string_view, 7> kSchemes = {"s3",    "gs",   "gcs",   "abfs",
                                                      "abfss", "hdfs", "viewfs"};
constexpr std::array<std::string_view, 4> kOptions = {
    "endpoint_override=", "region=", "scheme=", "anonymous="};

bool IsSchemeName(std::string_view text) {
  if (text.empty() || !std::isalpha(static_cast<unsigned char>(text[0]))) return false;
  for (const char c : text) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '+' && c != '.' && c != '-')
      return false;
  }
  return true;
}

/// A key may have a ? of its own, and a pattern has: options are only what starts with one's name.
bool StartsWithOption(std::string_view text) {
  for (const std::string_view option : kOptions) {
    if (text.starts_with(option)) return true;
  }
  return false;
}

std::string AuthorityOf(const DataAddress& address) {
  return address.path.substr(0, address.path.find('/'));
}

/// A file system by scheme, options, and where these decide something, bucket.
class Stores {
 public:
  using FileSystemPtr = std::shared_ptr<arrow::fs::FileSystem>;

  template <typename Connect>
  arrow::Result<FileSystemPtr> Find(const std::string& key, Connect connect) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const auto found = stores_.find(key); found != stores_.end()) return found->second;
    VIAND_ASSIGN_OR_RETURN(FileSystemPtr store, connect());
    stores_.emplace(key, store);
    return store;
  }

  /// Never destroyed: what is left of a store's client at exit is ended with the SDK.
  static Stores& Instance() {
    static auto* stores = new Stores;
    return *stores;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, FileSystemPtr> stores_;  // guarded by mutex_
};

arrow::Result<DataLocation> LocateOnS3(const DataAddress& address) {
  VIAND_ASSIGN_OR_RETURN(const S3Settings settings, S3SettingsOf(address.options));
  const std::string bucket = AuthorityOf(address);
  const bool ask_bucket = settings.endpoint.empty() && settings.region.empty();
  const std::string key = fmt::format("s3 {} {} {} {}", settings.endpoint, settings.region,
                                      settings.anonymous, ask_bucket ? bucket : "");
  VIAND_ASSIGN_OR_RETURN(auto filesystem,
                         Stores::Instance().Find(key, [&] { return ConnectS3(settings, bucket); }));
  return DataLocation{std::move(filesystem), address.path};
}

/// Stores that Arrow connects to by an address of their root; keys are not decoded.
arrow::Result<DataLocation> LocateByRoot(const DataAddress& address) {
  const std::string authority = AuthorityOf(address);
  std::string root = address.scheme + "://" + authority + "/";
  // Google's client would try for a quarter of an hour.
  if (address.scheme.starts_with("g")) root += "?retry_limit_seconds=20";
  std::string root_path;
  VIAND_ASSIGN_OR_RETURN(auto filesystem, Stores::Instance().Find(root, [&] {
    return arrow::fs::FileSystemFromUri(root, &root_path);
  }));
  VIAND_ASSIGN_OR_RETURN(root_path, filesystem->PathFromUri(root));
  while (root_path.ends_with('/')) root_path.pop_back();
  return DataLocation{std::move(filesystem), root_path + address.path.substr(authority.size())};
}

arrow::Status CheckStore(const DataAddress& address) {
  const std::string authority = AuthorityOf(address);
  // An Azure address has container@account; a GCS one anonymous@bucket.
  const bool may_have_user = address.scheme.starts_with("abfs") || address.scheme.starts_with("g");
  if (authority.find('@') != std::string::npos &&
      (!may_have_user || authority.find(':') < authority.find('@'))) {
    return MakeError(ErrorKind::kUsage,
                     fmt::format("credentials do not belong into a path: {}://...@{}",
                                 address.scheme, authority.substr(authority.rfind('@') + 1)),
                     "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead");
  }
  if (authority.empty()) {
    return MakeError(ErrorKind::kUsage, fmt::format("{}:// names no bucket", address.scheme),
                     fmt::format("write {}://BUCKET/KEY", address.scheme));
  }
  for (const std::string_view scheme : kSchemes) {
    if (scheme == address.scheme) return arrow::Status::OK();
  }
  return MakeError(
      ErrorKind::kUsage,
      fmt::format("unknown kind of store \"{}://\" in {}://{}", address.scheme, address.scheme,
                  address.path),
      NearestOrAll(address.scheme, {kSchemes.begin(), kSchemes.end()}, "viand reads a path, or "));
}

bool Mentions(const std::string& message, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (message.find(word) != std::string::npos) return true;
  }
  return false;
}

/// What to check of a store, by the name that the SDK gives an error.
std::string S3Hint(const std::string& message, const DataAddress& address) {
  const auto settings = S3SettingsOf(address.options);
  const std::string where = settings.ok() ? DescribeS3(*settings) : "the store";
  if (Mentions(message, {"NO_SUCH_BUCKET", "NoSuchBucket"}))
    return fmt::format("there is no bucket \"{}\" at {}", AuthorityOf(address), where);
  if (Mentions(message, {"ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH",
                         "INVALID_CLIENT_TOKEN_ID", "UNRECOGNIZED_CLIENT", "EXPIRED_TOKEN",
                         "ExpiredToken", "HTTP status 403", "MISSING_AUTHENTICATION_TOKEN"})) {
    if (std::getenv("AWS_ACCESS_KEY_ID") == nullptr && std::getenv("AWS_PROFILE") == nullptr) {
      return fmt::format(
          "{} refuses who has no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or "
          "AWS_PROFILE); AWS_NO_SIGN_REQUEST=true reads what is public",
          where);
    }
    return fmt::format(
        "{} refuses the credentials: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY (or "
        "AWS_PROFILE) and what they may do",
        where);
  }
  if (Mentions(message, {"NETWORK_CONNECTION", "curlCode", "REQUEST_TIMEOUT", "SLOW_DOWN",
                         "SERVICE_UNAVAILABLE", "INTERNAL_FAILURE"})) {
    return fmt::format(
        "{} does not answer: check AWS_ENDPOINT_URL, the source's s3_endpoint_override and the "
        "network",
        where);
  }
  if (Mentions(message, {"HTTP status 400"})) {
    return fmt::format(
        "is \"{}\" the bucket's name? It has 3 to 63 small letters, digits and hyphens",
        AuthorityOf(address));
  }
  return "";
}

}  // namespace

std::string DataAddress::TextOf(std::string_view other_path) const {
  if (!IsRemote()) return std::string(other_path);
  return fmt::format("{}://{}{}{}", scheme, other_path, options.empty() ? "" : "?", options);
}

DataAddress ParseAddress(std::string_view text) {
  DataAddress address;
  const size_t mark = text.find(kSchemeMark);
  if (mark == std::string_view::npos || !IsSchemeName(text.substr(0, mark))) {
    address.path = text;
    return address;
  }
  const std::string_view scheme = text.substr(0, mark);
  text.remove_prefix(mark + kSchemeMark.size());
  if (scheme == "file") {
    address.path = text;
    return address;
  }
  address.scheme = scheme;
  for (size_t at = text.rfind('?'); at != std::string_view::npos && at > 0;
       at = text.rfind('?', at - 1)) {
    if (!StartsWithOption(text.substr(at + 1))) continue;
    address.options = text.substr(at + 1);
    text = text.substr(0, at);
    break;
  }
  address.path = text;
  return address;
}

std::string DisplayPath(const std::string& text) {
  const DataAddress address = ParseAddress(text);
  if (!address.IsRemote()) return text;
  return fmt::format("{}://{}", address.scheme, address.path);
}

std::string WithEndpoint(const std::string& text, const std::string& endpoint) {
  const DataAddress address = ParseAddress(text);
  if (endpoint.empty() || address.scheme != "s3") return text;
  if (address.options.find("endpoint_override=") != std::string::npos) return text;
  return fmt::format("{}{}endpoint_override={}", text, address.options.empty() ? '?' : '&',
                     arrow::util::UriEscape(endpoint));
}

arrow::Status CheckAddress(const std::string& text) {
  const DataAddress address = ParseAddress(text);
  return address.IsRemote() ? CheckStore(address) : arrow::Status::OK();
}

arrow::Result<DataLocation> LocateData(const std::string& text) {
  const DataAddress address = ParseAddress(text);
  if (!address.IsRemote()) {
    static const auto local = std::make_shared<arrow::fs::LocalFileSystem>();
    return DataLocation{local, address.path};
  }
  VIAND_RETURN_NOT_OK(CheckStore(address));
  auto located = address.scheme == "s3" ? LocateOnS3(address) : LocateByRoot(address);
  if (located.ok()) return located;
  return StorageError(located.status(), text, "");
}

arrow::Status StorageError(const arrow::Status& status, const std::string& text,
                           const std::string& prefix, const std::string& hint,
                           std::string_view doing) {
  if (DetailOf(status) != nullptr) return status;
  const DataAddress address = ParseAddress(text);
  const std::string store_hint =
      address.scheme == "s3" ? S3Hint(status.message(), address) : std::string();
  const ErrorKind kind = status.IsIOError() ? ErrorKind::kEnvironment : ErrorKind::kInput;
  // Some tell in hundreds of lines what they tried.
  const std::string reason = status.message().substr(0, status.message().find('\n'));
  return MakeError(kind,
                   fmt::format("{}{}{} {}: {}", prefix, prefix.empty() ? "" : ": ", doing,
                               DisplayPath(text), reason),
                   store_hint.empty() ? hint : store_hint);
}

}  // namespace viand
