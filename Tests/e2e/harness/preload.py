"""Functions of the C library replaced for one program."""

import shutil
import subprocess

from .check import Check, Failed


def preload(check: Check, name: str, source: str) -> dict[str, str]:
    """The environment in which a program has the functions of a C text in place of the library's."""
    compiler = shutil.which("cc") or shutil.which("clang")
    if compiler is None:
        raise Failed("no compiler for C: Swift's own is called clang")
    file, library = check.file(f"{name}.c", source), check.folder / f"{name}.so"
    told = subprocess.run([compiler, "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, file, "-ldl"],
                          capture_output=True, text=True, timeout=60)
    if told.returncode != 0:
        raise Failed(f"the {name} does not compile: {told.stderr}")
    return {"LD_PRELOAD": str(library)}


# In place of the system's: what ends in .slow takes ten seconds and has no address, what ends in .test is this machine.
NAMES = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

static int ends(const char *name, const char *tail) {
  size_t length = name ? strlen(name) : 0, rest = strlen(tail);
  return length > rest && !strcmp(name + length - rest, tail);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
  if (ends(name, ".slow")) {
    sleep(10);
    return EAI_AGAIN;
  }
  return real(ends(name, ".test") ? "127.0.0.1" : name, service, hints, found);
}
"""


def names_that_hang(check: Check) -> dict[str, str]:
    """The environment in which a program looks up names so: see `NAMES`."""
    return preload(check, "names", NAMES)
