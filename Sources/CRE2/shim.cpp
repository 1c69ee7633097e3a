#include "include/shim.h"

#include <cstring>
#include <re2/re2.h>
#include <string>
#include <vector>

using re2::RE2;
using re2::StringPiece;

struct redline_regex {
  redline_regex(StringPiece pattern, const RE2::Options &options) : expression(pattern, options) {}
  const RE2 expression;
};

redline_regex *redline_regex_new(const char *pattern, size_t pattern_bytes, bool dot_matches_newline,
                                 int64_t memory_bytes, char *error, size_t error_bytes) {
  RE2::Options options(RE2::Quiet);
  options.set_dot_nl(dot_matches_newline);
  options.set_max_mem(memory_bytes);
  auto *regex = new redline_regex(StringPiece(pattern, pattern_bytes), options);
  if (regex->expression.ok()) return regex;
  const std::string &reason = regex->expression.error();
  if (error_bytes > 0) {
    const size_t kept = reason.size() < error_bytes ? reason.size() : error_bytes - 1;
    std::memcpy(error, reason.data(), kept);
    error[kept] = 0;
  }
  delete regex;
  return nullptr;
}

void redline_regex_free(redline_regex *regex) { delete regex; }

bool redline_regex_matches(const redline_regex *regex, const char *text, size_t text_bytes) {
  if (!text) text = "";
  return regex->expression.Match(StringPiece(text, text_bytes), 0, text_bytes, RE2::ANCHOR_BOTH, nullptr, 0);
}

int redline_regex_group_count(const redline_regex *regex) { return regex->expression.NumberOfCapturingGroups(); }

int redline_regex_group_named(const redline_regex *regex, const char *name, size_t name_bytes) {
  const auto &groups = regex->expression.NamedCapturingGroups();
  const auto found = groups.find(std::string(name, name_bytes));
  return found == groups.end() ? -1 : found->second;
}

static bool match_into(const redline_regex *regex, const char *text, size_t text_bytes, size_t start,
                       RE2::Anchor anchor, ptrdiff_t *bounds) {
  if (!text) text = "";
  std::vector<StringPiece> groups(redline_regex_group_count(regex) + 1);
  if (!regex->expression.Match(StringPiece(text, text_bytes), start, text_bytes, anchor, groups.data(),
                               static_cast<int>(groups.size())))
    return false;
  for (size_t index = 0; index < groups.size(); index++) {
    const bool took_part = groups[index].data() != nullptr;
    bounds[2 * index] = took_part ? groups[index].data() - text : -1;
    bounds[2 * index + 1] = took_part ? groups[index].data() - text + static_cast<ptrdiff_t>(groups[index].size()) : -1;
  }
  return true;
}

bool redline_regex_capture(const redline_regex *regex, const char *text, size_t text_bytes, ptrdiff_t *bounds) {
  return match_into(regex, text, text_bytes, 0, RE2::ANCHOR_BOTH, bounds);
}

bool redline_regex_search(const redline_regex *regex, const char *text, size_t text_bytes, size_t start,
                          ptrdiff_t *bounds) {
  return match_into(regex, text, text_bytes, start, RE2::UNANCHORED, bounds);
}
