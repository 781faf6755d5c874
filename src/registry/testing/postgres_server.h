// A PostgreSQL of one test's own: a fresh cluster in a scratch folder, reached by a socket in it.
#pragma once

#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace viand::registry {

/// Not thread-safe. Needs Debian's package postgresql-15 (or PG_BINDIR).
class PostgresServer {
 public:
  PostgresServer() {
    // A socket's path has at most 107 bytes, so the folder is short.
    char folder[] = "/tmp/viand_pg_XXXXXX";
    if (mkdtemp(folder) == nullptr) Die("mkdtemp");
    folder_ = folder;
    std::filesystem::permissions(folder_, std::filesystem::perms::all);
    Wait(Spawn({"initdb", "-D", Data(), "-U", "viand", "--auth=trust", "--no-sync",
                "--encoding=UTF8", "--locale=C"}));
    Start();
  }
  PostgresServer(const PostgresServer&) = delete;
  ~PostgresServer() {
    Stop(SIGQUIT);
    std::filesystem::remove_all(folder_);
  }

  /// The one server of a test program.
  static PostgresServer& Instance() {
    static PostgresServer server;
    return server;
  }

  std::string Url(const std::string& database) const {
    return "postgresql+psycopg2://viand@/" + database + "?host=" + folder_;
  }

  /// A new, empty database.
  std::string NewDatabase() {
    std::string name = "test" + std::to_string(++databases_);
    Wait(Spawn({"psql", "-qX", "-h", folder_, "-U", "viand", "-d", "postgres", "-c",
                "create database " + name + " strategy file_copy"}));
    return name;
  }

  void Start() {
    // The cluster is thrown away, so it need not survive a power cut.
    server_ = Spawn({"postgres", "-D", Data(), "-k", folder_, "-c", "listen_addresses=", "-c",
                     "fsync=off", "-c", "max_connections=60"});
    for (int i = 0; i < 200; ++i) {
      if (Status(Spawn({"pg_isready", "-q", "-h", folder_})) == 0) return;
      usleep(50'000);
    }
    Die("the server does not start");
  }

  /// SIGINT: disconnects everybody and stops; SIGQUIT: dies as in a crash.
  void Stop(int signal) {
    if (server_ <= 0) return;
    kill(server_, signal);
    waitpid(server_, nullptr, 0);
    server_ = 0;
  }

 private:
  std::string Data() const { return folder_ + "/data"; }

  [[noreturn]] static void Die(const std::string& what) {
    std::fprintf(stderr, "PostgresServer: %s\n", what.c_str());
    std::abort();
  }

  static std::string Program(const std::string& name) {
    const char* folder = std::getenv("PG_BINDIR");
    std::string path =
        std::string(folder != nullptr ? folder : "/usr/lib/postgresql/15/bin") + "/" + name;
    if (!std::filesystem::exists(path)) Die(path + " is missing: install postgresql-15");
    return path;
  }

  // PostgreSQL refuses to run as root.
  static void DropRoot() {
    if (geteuid() != 0) return;
    const passwd* user = getpwnam("postgres");
    if (user == nullptr) user = getpwnam("nobody");
    if (user == nullptr || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0) _exit(126);
  }

  pid_t Spawn(std::vector<std::string> arguments) const {
    const std::string program = Program(arguments[0]);
    const pid_t child = fork();
    if (child != 0) return child;
    DropRoot();
    prctl(PR_SET_PDEATHSIG, SIGQUIT);  // nothing survives a test that is killed
    if (chdir(folder_.c_str()) != 0) _exit(126);
    if (std::freopen((folder_ + "/log").c_str(), "a", stdout) != nullptr) dup2(1, 2);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    execv(program.c_str(), argv.data());
    _exit(127);
  }

  static int Status(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return status;
  }

  void Wait(pid_t child) const {
    if (Status(child) != 0) Die("a command failed; " + folder_ + "/log says why");
  }

  std::string folder_;
  pid_t server_ = 0;
  int databases_ = 0;
};

}  // namespace viand::registry
