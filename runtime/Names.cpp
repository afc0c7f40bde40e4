//===- Names.cpp - Finding what a person named ----------------------------===//
//
// Exact first, then short, then an error that helps.
//
//===----------------------------------------------------------------------===//

#include "Names.h"

#include <algorithm>
#include <cstring>
#include <vector>

using namespace updraft::runtime;

bool updraft::runtime::isShortFor(std::string_view wanted,
                                  std::string_view full) {
  return full.size() > wanted.size() && full.ends_with(wanted) &&
         full[full.size() - wanted.size() - 1] == '.';
}

/// Levenshtein's distance.
static size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t above = row[j];
      row[j] = std::min(
          {above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row.back();
}

static const char *closest(std::span<const char *const> names,
                           std::string_view wanted) {
  const char *best = nullptr;
  size_t least = wanted.size() / 3 + 2;
  if (wanted.size() > 200)
    return nullptr;
  for (const char *name : names) {
    std::string_view full = name;
    std::string_view last = full.substr(full.rfind('.') + 1);
    size_t d = std::min(distance(full, wanted), distance(last, wanted));
    if (d < least) {
      least = d;
      best = name;
    }
  }
  return best;
}

updraft_status updraft::runtime::findName(std::span<const char *const> names,
                                          const char *wanted, const char *rule,
                                          const char *noun, size_t &index) {
  size_t count = 0;
  std::string candidates;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!strcmp(names[i], wanted)) {
      index = i;
      return UPDRAFT_OK;
    }
    if (!isShortFor(wanted, names[i]))
      continue;
    index = i;
    candidates += std::string(count++ ? ", '" : "'") + names[i] + "'";
  }
  if (count == 1)
    return UPDRAFT_OK;
  if (count > 1)
    return fail(UPDRAFT_INVALID_ARGUMENT, "%s: %s '%s' could be %s", rule, noun,
                wanted, candidates.c_str());
  if (const char *name = closest(names, wanted))
    return fail(UPDRAFT_NOT_FOUND, "%s: no %s '%s'; did you mean '%s'?", rule,
                noun, wanted, name);
  std::string all;
  for (const char *name : names)
    all += std::string(all.empty() ? "'" : ", '") + name + "'";
  if (all.empty())
    return fail(UPDRAFT_NOT_FOUND, "%s: no %s '%s'; there is none", rule, noun,
                wanted);
  return fail(UPDRAFT_NOT_FOUND, "%s: no %s '%s'; there %s %s", rule, noun,
              wanted, names.size() == 1 ? "is" : "are", all.c_str());
}
