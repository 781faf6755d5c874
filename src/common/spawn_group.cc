#include "src/common/spawn_group.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

extern char** environ;

namespace viand {
namespace {

/// Copies above every number that is given, so that giving one does not take another's place.
class Copies {
 public:
  Copies() = default;
  ~Copies() {
    for (const int copy : copies_) close(copy);
  }
  Copies(const Copies&) = delete;
  Copies& operator=(const Copies&) = delete;

  int Add(int descriptor, int above) {
    const int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, above + 1);
    if (copy >= 0) copies_.push_back(copy);
    return copy;
  }

 private:
  std::vector<int> copies_;
};

}  // namespace

int SpawnGroup(const std::vector<std::string>& command, const std::vector<GivenDescriptor>& given,
               pid_t* pid) {
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  int highest = 2;
  for (const GivenDescriptor& each : given) highest = std::max(highest, each.theirs);
  Copies copies;
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  int failed = 0;
  for (const GivenDescriptor& each : given) {
    if (each.ours < 0) {
      posix_spawn_file_actions_addopen(&files, each.theirs, "/dev/null", O_RDONLY, 0);
      continue;
    }
    const int copy = copies.Add(each.ours, highest);
    if (copy < 0) failed = errno;
    if (copy >= 0) posix_spawn_file_actions_adddup2(&files, copy, each.theirs);
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  if (failed == 0)
    failed = posix_spawnp(pid, arguments[0], &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return failed;
}

}  // namespace viand
