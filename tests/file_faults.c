// LD_PRELOAD: the calls by which files become durable, on paths that hold $FAULT_PATH, are counted, and the one of number
// $FAULT_CALL goes wrong: $FAULT_MODE is `fail` (ENOSPC, EIO) or `cut` (half of the bytes are written, then the process
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int calls;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int path_matters(const char* path) {
  const char* wanted = getenv("FAULT_PATH");
  return wanted != NULL && path != NULL && strstr(path, wanted) != NULL;
}

static int file_matters(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0) return 0;
  path[size] = '\0';
  return path_matters(path);
}

// Counts a call that matters; whether it is the one that goes wrong. A cut process is gone unless `half` is to be written.
static int goes_wrong(int error, int* half) {
  const char* number = getenv("FAULT_CALL");
  if (number == NULL || atomic_fetch_add(&calls, 1) + 1 != atoi(number)) return 0;
  const char* mode = getenv("FAULT_MODE");
  if (mode != NULL && strcmp(mode, "cut") == 0) {
    if (half == NULL) raise(SIGKILL);
    *half = 1;
  }
  errno = error;
  return 1;
}

ssize_t write(int fd, const void* bytes, size_t size) {
  int half = 0;
  if (!file_matters(fd) || !goes_wrong(ENOSPC, &half)) return REAL(write)(fd, bytes, size);
  if (!half) return -1;
  REAL(write)(fd, bytes, size / 2);
  raise(SIGKILL);
  return -1;
}

ssize_t writev(int fd, const struct iovec* parts, int count) {
  int half = 0;
  if (!file_matters(fd) || !goes_wrong(ENOSPC, &half)) return REAL(writev)(fd, parts, count);
  if (!half) return -1;
  REAL(writev)(fd, parts, count / 2);
  raise(SIGKILL);
  return -1;
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  int half = 0;
  if (!file_matters(fd) || !goes_wrong(ENOSPC, &half)) return REAL(pwrite64)(fd, bytes, size, offset);
  if (!half) return -1;
  REAL(pwrite64)(fd, bytes, size / 2, offset);
  raise(SIGKILL);
  return -1;
}

int fsync(int fd) { return file_matters(fd) && goes_wrong(EIO, NULL) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return file_matters(fd) && goes_wrong(EIO, NULL) ? -1 : REAL(fdatasync)(fd); }
int ftruncate64(int fd, off64_t size) {
  return file_matters(fd) && goes_wrong(EIO, NULL) ? -1 : REAL(ftruncate64)(fd, size);
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned int flags) {
  return path_matters(to) && goes_wrong(EIO, NULL) ? -1 : REAL(renameat2)(from_folder, from, to_folder, to, flags);
}
int rename(const char* from, const char* to) {
  return path_matters(to) && goes_wrong(EIO, NULL) ? -1 : REAL(rename)(from, to);
}
int unlink(const char* path) { return path_matters(path) && goes_wrong(EIO, NULL) ? -1 : REAL(unlink)(path); }

__attribute__((destructor)) static void report(void) {
  const char* log = getenv("FAULT_LOG");
  FILE* file = log != NULL ? fopen(log, "w") : NULL;
  if (file == NULL) return;
  fprintf(file, "reached %d\n", atomic_load(&calls));
  fclose(file);
}
