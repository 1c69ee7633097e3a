#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RE2 behind a C interface: expressions that match whole texts. Texts are UTF-8 and may hold NUL bytes. */

#ifdef __cplusplus
extern "C" {
#endif

typedef struct redline_regex redline_regex;

/* NULL when the pattern cannot be used; `error` then holds the reason, cut to `error_bytes` with its NUL. */
redline_regex *redline_regex_new(const char *pattern, size_t pattern_bytes, bool dot_matches_newline,
                                 int64_t memory_bytes, char *error, size_t error_bytes);
void redline_regex_free(redline_regex *regex);

/* Safe from several threads at once. */
bool redline_regex_matches(const redline_regex *regex, const char *text, size_t text_bytes);

/* Capturing groups, the whole match not counted. */
int redline_regex_group_count(const redline_regex *regex);
/* The number of the named group, or -1. */
int redline_regex_group_named(const redline_regex *regex, const char *name, size_t name_bytes);
/* As redline_regex_matches, with the start and end of the whole match and of each group in `bounds`, which holds
   `2 * (redline_regex_group_count() + 1)`; both are -1 for a group that took no part. */
bool redline_regex_capture(const redline_regex *regex, const char *text, size_t text_bytes, ptrdiff_t *bounds);
/* As redline_regex_capture, for the first match anywhere from `start` on; what is before it still counts for ^ and \\b. */
bool redline_regex_search(const redline_regex *regex, const char *text, size_t text_bytes, size_t start,
                          ptrdiff_t *bounds);

#ifdef __cplusplus
}
#endif
