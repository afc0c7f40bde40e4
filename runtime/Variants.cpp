//===- Variants.cpp - Which variant a tensor belongs to -------------------===//
//
// A program holds one variant for each outcome of its guards; the facts of a
// tensor decide, once, at creation.
//
//===----------------------------------------------------------------------===//

#include "Optimizer.h"

#include <cstring>

using namespace updraft::runtime;

static bool holds(uint32_t relation, double value, double wanted) {
  switch (relation) {
  case UPDRAFT_EQ:
    return value == wanted;
  case UPDRAFT_NE:
    return value != wanted;
  case UPDRAFT_LT:
    return value < wanted;
  case UPDRAFT_LE:
    return value <= wanted;
  case UPDRAFT_GT:
    return value > wanted;
  default:
    return value >= wanted;
  }
}

static bool hasTag(const updraft_param &given, const char *tag) {
  for (uint32_t i = 0; i < given.tag_count; ++i)
    if (given.tags[i] && !strcmp(given.tags[i], tag))
      return true;
  return false;
}

static bool passes(const updraft_program *program, const updraft_test &test,
                   const updraft_param &given, const Param &param) {
  switch (test.what) {
  case UPDRAFT_TEST_RANK:
    return holds(test.relation, param.rank, test.value);
  case UPDRAFT_TEST_DIM:
    // A dimension that does not exist passes no test.
    return test.index < param.rank &&
           holds(test.relation, double(param.shape[test.index]), test.value);
  case UPDRAFT_TEST_SIZE:
    return holds(test.relation, double(param.size), test.value);
  default:
    return hasTag(given, text(program, test.tag)) ==
           (test.relation == UPDRAFT_EQ);
  }
}

updraft_status updraft::runtime::chooseVariant(const Optimizer &optimizer,
                                               const updraft_param &given,
                                               Param &param) {
  const updraft_program *program = optimizer.program();
  auto variants = items<updraft_variant>(program, program->variants);
  for (uint32_t v = 0; v < variants.size(); ++v) {
    bool all = true;
    for (const updraft_test &test :
         items<updraft_test>(program, variants[v].tests))
      all = all && passes(program, test, given, param);
    if (all) {
      param.variant = v;
      return UPDRAFT_OK;
    }
  }
  return fail(UPDRAFT_INVALID_ARGUMENT,
              "%s: no variant of the rule fits parameter '%s' of rank %u and "
              "size %llu",
              optimizer.rule(), param.name.c_str(), param.rank,
              static_cast<unsigned long long>(param.size));
}
