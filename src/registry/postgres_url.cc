#include "src/registry/postgres_url.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace viand::registry {
namespace {

constexpr std::array<std::string_view, 5> kSchemes = {"postgresql", "postgres",
                                                      "postgresql+psycopg2", "postgresql+psycopg",
                                                      "postgresql+psycopg2cffi"};
constexpr char kShape[] =
    "expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=...; a special character of a "
    "part is written as %XX, an @ as %40";

arrow::Status Wrong(std::string what) {
  return ErrorAt({"feature_store.yaml"}, ErrorKind::kDefinition,
                 "the URL of the PostgreSQL registry: " + std::move(what), kShape);
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// As Python's unquote: a % that no two hex digits follow stays.
std::string PercentDecoded(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
                        HexDigit(text[i + 2]) >= 0;
    result +=
        escape ? static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return result;
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// Cuts `text` at the first of `stops`; what is before it is returned.
std::string_view TakeUntil(std::string_view* text, std::string_view stops) {
  const std::string_view taken = text->substr(0, text->find_first_of(stops));
  text->remove_prefix(taken.size());
  return taken;
}

class UrlReader {
 public:
  arrow::Result<PostgresAddress> Read(std::string_view rest) {
    ReadUser(&rest);
    const std::string_view hosts = TakeUntil(&rest, "/?");
    if (hosts.find('@') != std::string_view::npos)
      return Wrong("there is more than one @ before the database");
    VIAND_RETURN_NOT_OK(ReadHosts(hosts));
    if (rest.starts_with('/')) {
      rest.remove_prefix(1);
      Set("dbname", PercentDecoded(TakeUntil(&rest, "?")));
    }
    if (rest.starts_with('?')) VIAND_RETURN_NOT_OK(ReadQuery(rest.substr(1)));
    Show();
    return std::move(address_);
  }

 private:
  void Set(const std::string& key, const std::string& value) {
    if (!value.empty()) address_.parameters[key] = value;
  }

  // The user ends at the first colon, the password at the first @, whatever else is in it.
  void ReadUser(std::string_view* rest) {
    const size_t at = rest->find('@');
    if (at == std::string_view::npos) return;
    const std::string_view both = rest->substr(0, at);
    const size_t colon = both.find(':');
    const std::string_view user = both.substr(0, colon);
    if (user.find('/') != std::string_view::npos) return;
    Set("user", PercentDecoded(user));
    if (colon != std::string_view::npos) Set("password", PercentDecoded(both.substr(colon + 1)));
    rest->remove_prefix(at + 1);
  }

  arrow::Status ReadHosts(std::string_view hosts) {
    if (hosts.empty()) return arrow::Status::OK();
    for (std::string_view host : Split(hosts, ',')) VIAND_RETURN_NOT_OK(ReadHost(host));
    return arrow::Status::OK();
  }

  arrow::Status ReadHost(std::string_view text) {
    std::string_view host;
    if (text.starts_with('[')) {
      host = text.substr(1, text.find(']') - 1);
      text.remove_prefix(std::min(text.size(), host.size() + 2));
    } else {
      host = TakeUntil(&text, ":");
    }
    std::string port(text.empty() ? text : text.substr(1));
    if (!std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; }))
      return Wrong("the port is not a number");
    Append("host", PercentDecoded(host));
    Append("port", port);
    return arrow::Status::OK();
  }

  // libpq's lists of hosts and ports have the same length.
  void Append(const std::string& key, const std::string& value) {
    auto [entry, first] = address_.parameters.try_emplace(key, value);
    if (!first) entry->second += "," + value;
  }

  arrow::Status ReadQuery(std::string_view query) {
    std::vector<std::string> hosts;
    for (const std::string_view pair : Split(query, '&')) {
      const size_t equals = pair.find('=');
      if (equals == std::string_view::npos || equals + 1 == pair.size()) continue;
      std::string key = PercentDecoded(pair.substr(0, equals));
      std::string encoded(pair.substr(equals + 1));
      std::replace(encoded.begin(), encoded.end(), '+', ' ');
      if (key == "host") {
        hosts.push_back(PercentDecoded(encoded));
      } else {
        Set(key, PercentDecoded(encoded));
      }
    }
    if (hosts.empty()) return arrow::Status::OK();
    address_.parameters.erase("host");
    for (const std::string& host : hosts) {
      // A folder of a socket; the port beside it names the socket's file.
      if (host.starts_with('/')) {
        Append("host", host);
      } else {
        VIAND_RETURN_NOT_OK(ReadHosts(host));
      }
    }
    return arrow::Status::OK();
  }

  void Show() {
    const auto value = [this](const char* key) {
      const auto found = address_.parameters.find(key);
      return found == address_.parameters.end() ? std::string() : found->second;
    };
    const std::string user = value("user"), port = value("port");
    const bool has_port = port.find_first_not_of(',') != std::string::npos;
    address_.shown = fmt::format("{}{}{}/{}", user.empty() ? "" : user + "@", value("host"),
                                 has_port ? ":" + port : "", value("dbname"));
    if (!has_port) address_.parameters.erase("port");
  }

  PostgresAddress address_;
};

}  // namespace

bool IsPostgresUrl(std::string_view url) {
  const size_t end = url.find("://");
  return end != std::string_view::npos &&
         std::find(kSchemes.begin(), kSchemes.end(), url.substr(0, end)) != kSchemes.end();
}

arrow::Result<PostgresAddress> ParsePostgresUrl(std::string_view url) {
  if (!IsPostgresUrl(url)) return Wrong("its scheme is none of PostgreSQL's");
  return UrlReader().Read(url.substr(url.find("://") + 3));
}

}  // namespace viand::registry
