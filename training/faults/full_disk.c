/* Makes writes to some files fail, as a full or a broken disk does: loaded by LD_PRELOAD.

   FAULT_PATH   a pattern of the files' paths, as in a shell
   FAULT_ERRNO  the error's number
   FAULT_AFTER  how many writes to them succeed before */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long seen;

static int fails(int descriptor) {
  const char *pattern = getenv("FAULT_PATH");
  char link[64], path[4096];
  if (pattern == NULL) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  if (fnmatch(pattern, path, 0) != 0) return 0;
  if (atomic_fetch_add(&seen, 1) < atol(getenv("FAULT_AFTER"))) return 0;
  errno = atoi(getenv("FAULT_ERRNO"));
  return 1;
}

/* Defines a function of a descriptor and other parameters that may fail in place of the C library's. */
#define REPLACE(type, name, parameters, ...)                    \
  type name parameters {                                        \
    static type(*genuine) parameters;                           \
    if (genuine == NULL) genuine = dlsym(RTLD_NEXT, #name);     \
    return fails(descriptor) ? (type)-1 : genuine(__VA_ARGS__); \
  }

REPLACE(ssize_t, write, (int descriptor, const void *data, size_t size), descriptor, data, size)
REPLACE(ssize_t, writev, (int descriptor, const struct iovec *parts, int count), descriptor, parts, count)
REPLACE(ssize_t, pwrite, (int descriptor, const void *data, size_t size, off_t at), descriptor, data, size, at)
REPLACE(ssize_t, pwrite64, (int descriptor, const void *data, size_t size, off64_t at), descriptor, data, size, at)
REPLACE(int, fsync, (int descriptor), descriptor)

/* Streams keep what fits into their buffer, and write when they are flushed. */
size_t fwrite(const void *data, size_t size, size_t count, FILE *file) {
  static size_t (*genuine)(const void *, size_t, size_t, FILE *);
  if (genuine == NULL) genuine = dlsym(RTLD_NEXT, "fwrite");
  return size * count > BUFSIZ && fails(fileno(file)) ? 0 : genuine(data, size, count, file);
}

int fflush(FILE *file) {
  static int (*genuine)(FILE *);
  if (genuine == NULL) genuine = dlsym(RTLD_NEXT, "fflush");
  return file != NULL && fails(fileno(file)) ? EOF : genuine(file);
}
