/*
 * Loaded with LD_PRELOAD: a disk that is slow to flush. Each fsync and fdatasync of the process takes 150 to 450 ms more.
 *
 * Environment: PRELOAD_SLOW_LOG  file that gets one line a flush: the process id
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { LEAST_MS = 150, MOST_MS = 450 };

static void note(void) {
  const char *file = getenv("PRELOAD_SLOW_LOG");
  if (file == NULL) return;
  int descriptor = open(file, O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (descriptor < 0) return;
  char line[32];
  int length = snprintf(line, sizeof line, "%d\n", (int)getpid());
  if (length > 0) syscall(SYS_write, descriptor, line, (size_t)length);
  close(descriptor);
}

static void dawdle(void) {
  note();
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  unsigned seed = (unsigned)now.tv_nsec ^ (unsigned)getpid();
  long ms = LEAST_MS + rand_r(&seed) % (MOST_MS - LEAST_MS + 1);
  struct timespec left = {ms / 1000, ms % 1000 * 1000000L};
  while (nanosleep(&left, &left) != 0) {
  }
}

#define SLOW(name)                                               \
  int name(int descriptor) {                                     \
    static int (*real)(int);                                     \
    if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, #name); \
    dawdle();                                                    \
    return real(descriptor);                                     \
  }
SLOW(fsync)
SLOW(fdatasync)
