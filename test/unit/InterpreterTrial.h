//===- InterpreterTrial.h - A rule from text, and what it does ------------===//

#ifndef UPDRAFT_TEST_INTERPRETERTRIAL_H
#define UPDRAFT_TEST_INTERPRETERTRIAL_H

#include "dsl/FrontEnd.h"
#include "dsl/Interpreter.h"

#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>

namespace updraft::trial {

using Doubles = std::vector<double>;

/// A rule and an interpreter that runs it.
struct Trial {
  Library library;
  Diagnostics diagnostics;
  std::unique_ptr<Rule> rule;
  std::unique_ptr<Interpreter> interpreter;
  std::string error;

  Trial(const char *source, std::vector<TensorSetup> tensors,
        std::vector<GroupSetup> groups = {}, Format param = Format::F32) {
    Request request;
    request.kind = Request::Kind::Source;
    request.text = source;
    request.param = param;
    rule = buildRule(request, library, diagnostics);
    if (!rule) {
      diagnostics.print(llvm::errs());
      ADD_FAILURE() << "the rule is wrong";
      return;
    }
    interpreter = Interpreter::create(*rule, groups, std::move(tensors), error);
  }

  void step(std::vector<Gradient> gradients) {
    ASSERT_TRUE(interpreter) << error;
    ASSERT_TRUE(interpreter->step(gradients, error)) << error;
  }
  Doubles state(const char *name, unsigned index = 0) {
    const Doubles *values = interpreter->state(name, index);
    return values ? *values : Doubles();
  }
};

inline TensorSetup tensor(Doubles values, unsigned group = 0,
                          std::vector<std::string> tags = {}) {
  return {"w", {values.size()}, std::move(tags), group, values};
}

/// Numbers that need all bits of an f32, the same in every run.
inline Doubles noise(size_t count, uint32_t seed) {
  Doubles values;
  for (size_t i = 0; i < count; ++i) {
    seed = seed * 1664525 + 1013904223;
    values.push_back(float(int32_t(seed)) * 0x1p-31f);
  }
  return values;
}

inline const char *const adamw = R"(
rule adamw {
  rate   lr = 1e-3 in [0, inf)
  hyper  beta1 = 0.9 in [0, 1), beta2 = 0.999 in [0, 1)
  hyper  eps = 1e-8 in [0, inf), weight_decay = 1e-2 in [0, inf)
  state  m, v: like p = 0
  m'     = lerp(m, g,   1 - beta1)
  v'     = lerp(v, g^2, 1 - beta2)
  v_hat  = v' / (1 - beta2^t)
  u      = (m' / (1 - beta1^t)) / (sqrt(v_hat) + eps)
  p'     = (1 - lr*weight_decay)*p - lr*u
}
)";

} // namespace updraft::trial

#endif // UPDRAFT_TEST_INTERPRETERTRIAL_H
