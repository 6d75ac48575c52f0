/*
 * Loaded with LD_PRELOAD: ends the process at its N-th durable write below a path, and moves its wall clock. For crash tests on Linux.
 *
 * Environment: PRELOAD_KILL_PREFIX  files whose path starts so are watched
 *              PRELOAD_KILL_AT      number of the write at which the process ends, from 1; absent = never
 *              PRELOAD_KILL_WHEN    before | after | torn (half of a write reaches the file; like before for what is no write)
 *              PRELOAD_KILL_LOG     file that gets one line a watched write: "<call> <path>"
 *              PRELOAD_CLOCK_OFFSET seconds added to the wall clock
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long count;

static void die(void) {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

static void note(const char *call, const char *path) {
  const char *file = getenv("PRELOAD_KILL_LOG");
  if (file == NULL) return;
  char line[4300];
  int length = snprintf(line, sizeof line, "%s %s\n", call, path);
  int descriptor = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (descriptor < 0) return;
  if (length > 0) syscall(SYS_write, descriptor, line, (size_t)length);
  syscall(SYS_close, descriptor);
}

/* Whether the process must end at this write. Counts it when its path is watched. */
static int meets(const char *call, const char *path) {
  const char *prefix = getenv("PRELOAD_KILL_PREFIX");
  if (prefix == NULL || path == NULL || strncmp(path, prefix, strlen(prefix)) != 0) return 0;
  pthread_mutex_lock(&lock);
  long mine = ++count;
  pthread_mutex_unlock(&lock);
  note(call, path);
  const char *at = getenv("PRELOAD_KILL_AT");
  return at != NULL && mine == atol(at);
}

static int meetsDescriptor(const char *call, int descriptor) {
  char link[64], path[4200];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = '\0';
  return meets(call, path);
}

static int isWhen(const char *when) {
  const char *wanted = getenv("PRELOAD_KILL_WHEN");
  return strcmp(wanted == NULL ? "before" : wanted, when) == 0;
}

#define REAL(name, type)          \
  static __typeof__(type) real;   \
  if (real == NULL) real = (__typeof__(type))dlsym(RTLD_NEXT, name)
#define AROUND(met, act)               \
  int met_ = (met);                    \
  if (met_ && !isWhen("after")) die(); \
  act;                                 \
  if (met_) die();                     \
  return result

typedef ssize_t (*writeAt)(int, const void *, size_t, off_t);

static ssize_t doWrite(writeAt real, const char *call, int descriptor, const void *bytes, size_t size, off_t at) {
  int met = meetsDescriptor(call, descriptor);
  if (met && isWhen("torn")) real(descriptor, bytes, size / 2, at);
  if (met && !isWhen("after")) die();
  ssize_t result = real(descriptor, bytes, size, at);
  if (met) die();
  return result;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t at) {
  REAL("pwrite", writeAt);
  return doWrite(real, "pwrite", descriptor, bytes, size, at);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off_t at) {
  REAL("pwrite64", writeAt);
  return doWrite(real, "pwrite", descriptor, bytes, size, at);
}

int fsync(int descriptor) {
  REAL("fsync", int (*)(int));
  int result;
  AROUND(meetsDescriptor("fsync", descriptor), result = real(descriptor));
}

int fdatasync(int descriptor) {
  REAL("fdatasync", int (*)(int));
  int result;
  AROUND(meetsDescriptor("fdatasync", descriptor), result = real(descriptor));
}

int ftruncate(int descriptor, off_t size) {
  REAL("ftruncate", int (*)(int, off_t));
  int result;
  AROUND(meetsDescriptor("ftruncate", descriptor), result = real(descriptor, size));
}

int ftruncate64(int descriptor, off_t size) {
  REAL("ftruncate64", int (*)(int, off_t));
  int result;
  AROUND(meetsDescriptor("ftruncate", descriptor), result = real(descriptor, size));
}

int unlink(const char *path) {
  REAL("unlink", int (*)(const char *));
  int result;
  AROUND(meets("unlink", path), result = real(path));
}

int rename(const char *from, const char *to) {
  REAL("rename", int (*)(const char *, const char *));
  int result;
  AROUND(meets("rename", from), result = real(from, to));
}

static int isCreated(const char *path, int flags) {
  return (flags & O_CREAT) != 0 && access(path, F_OK) != 0 && meets("create", path);
}

#define OPEN(name)                                            \
  int name(const char *path, int flags, ...) {                \
    REAL(#name, int (*)(const char *, int, ...));             \
    va_list rest;                                             \
    va_start(rest, flags);                                    \
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                             \
    int result;                                               \
    AROUND(isCreated(path, flags), result = real(path, flags, mode)); \
  }
OPEN(open)
OPEN(open64)

static long offset(void) {
  const char *text = getenv("PRELOAD_CLOCK_OFFSET");
  return text == NULL ? 0 : atol(text);
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  REAL("gettimeofday", int (*)(struct timeval *, void *));
  int result = real(now, zone);
  now->tv_sec += offset();
  return result;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  REAL("clock_gettime", int (*)(clockid_t, struct timespec *));
  int result = real(clock, now);
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec += offset();
  return result;
}
