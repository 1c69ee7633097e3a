"""A wall clock that a check sets, for one program."""

import mmap
import struct

from .check import Check
from .preload import preload

# In place of those of the C library. What counts from the system's start is left alone, as an operator leaves it.
SHIM = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t none = 0, *shift = &none;

__attribute__((constructor)) static void begin(void) {
  int file = open(getenv("CLOCK_SHIFT"), O_RDONLY | O_CLOEXEC);
  void *page = file < 0 ? MAP_FAILED : mmap(0, sizeof *shift, PROT_READ, MAP_SHARED, file, 0);
  if (page == MAP_FAILED) _exit(99);
  shift = page;
  close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = syscall(SYS_clock_gettime, clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *shift;
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *into) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  if (into) *into = exact.tv_sec;
  return exact.tv_sec;
}
"""


class Clock:
    """`environment` makes a program read it. It is right until it is set."""

    def __init__(self, check: Check):
        self._file = open(check.file("clock.shift", b"\0" * 8), "r+b")
        self._page = mmap.mmap(self._file.fileno(), 8)
        self.environment = preload(check, "clock", SHIM) | {"CLOCK_SHIFT": self._file.name}
        self.ahead_seconds = 0

    def set(self, ahead_seconds: int) -> None:
        """Ahead of the true time by so much from now on, or behind."""
        self.ahead_seconds = ahead_seconds
        self._page[:8] = struct.pack("=q", ahead_seconds)
