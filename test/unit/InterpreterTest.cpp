//===- InterpreterTest.cpp - Rules against loops written by hand ----------===//
//
// Each rule is given as text and its result is computed again here, in plain
// loops that follow the arithmetic of the language; numbers must be equal.
//
//===----------------------------------------------------------------------===//

#include "dsl/Interpreter.h"
#include "dsl/FrontEnd.h"
#include "dsl/Functions.h"
#include "dsl/InterpreterFormat.h"

#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace updraft;

namespace {

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

TensorSetup tensor(Doubles values, unsigned group = 0,
                   std::vector<std::string> tags = {}) {
  return {"w", {values.size()}, std::move(tags), group, values};
}

/// Numbers that need all bits of an f32, the same in every run.
Doubles noise(size_t count, uint32_t seed) {
  Doubles values;
  for (size_t i = 0; i < count; ++i) {
    seed = seed * 1664525 + 1013904223;
    values.push_back(float(int32_t(seed)) * 0x1p-31f);
  }
  return values;
}

/// The sum of numerics.md 5 of one tensor.
double sum(const Doubles &items) {
  Doubles blocks;
  for (size_t begin = 0; begin < items.size(); begin += 4096) {
    float lanes[128] = {};
    for (size_t i = begin; i < std::min(begin + 4096, items.size()); ++i)
      lanes[i % 128] += float(items[i]);
    for (int h = 64; h; h /= 2)
      for (int i = 0; i < h; ++i)
        lanes[i] += lanes[i + h];
    blocks.push_back(lanes[0]);
  }
  double lanes[128] = {};
  for (size_t i = 0; i < blocks.size(); ++i)
    lanes[i % 128] += blocks[i];
  for (int h = 64; h; h /= 2)
    for (int i = 0; i < h; ++i)
      lanes[i] += lanes[i + h];
  return lanes[0];
}

TEST(Interpreter, SgdIsOneFma) {
  Trial run("rule sgd { rate lr = 0.1\n p' = p - lr*g\n }",
            {tensor({1, 2, 3})});
  run.step({Doubles{0.1f, 1e-40, -3}});
  Doubles p = run.interpreter->param(0);
  EXPECT_EQ(p[0], std::fma(-0.1f, 0.1f, 1.0f));
  EXPECT_EQ(p[1], 2);
  EXPECT_EQ(p[2], std::fma(-0.1f, -3.0f, 3.0f));
}

const char *const adamw = R"(
rule adamw {
  rate   lr = 1e-3 in [0, inf)
  hyper  beta1 = 0.9 in [0, 1), beta2 = 0.999 in [0, 1), eps = 1e-8 in [0, inf), weight_decay = 1e-2 in [0, inf)
  state  m, v: like p = 0
  m'     = lerp(m, g,   1 - beta1)
  v'     = lerp(v, g^2, 1 - beta2)
  v_hat  = v' / (1 - beta2^t)
  u      = (m' / (1 - beta1^t)) / (sqrt(v_hat) + eps)
  p'     = (1 - lr*weight_decay)*p - lr*u
}
)";

TEST(Interpreter, AdamwIsALoop) {
  Doubles start = noise(1000, 1);
  Trial run(adamw, {tensor(start)});
  std::vector<float> p(start.begin(), start.end()), m(1000), v(1000);
  for (int t = 1; t <= 5; ++t) {
    Doubles gradient = noise(1000, 100 + t);
    run.step({gradient});
    double lr = 1e-3;
    float w1 = float(1 - 0.9), w2 = float(1 - 0.999);
    float c1 = float(1 - functions::pow(0.9, double(t)));
    float c2 = float(1 - functions::pow(0.999, double(t)));
    float decay = float(std::fma(-lr, 1e-2, 1.0));
    for (int i = 0; i < 1000; ++i) {
      float g = float(gradient[i]);
      m[i] = std::fma(g - m[i], w1, m[i]);
      v[i] = std::fma(g * g - v[i], w2, v[i]);
      float u = (m[i] / c1) / (std::sqrt(v[i] / c2) + 1e-8f);
      p[i] = std::fma(decay, p[i], -(float(lr) * u));
    }
  }
  EXPECT_EQ(run.interpreter->param(0), Doubles(p.begin(), p.end()));
  EXPECT_EQ(run.state("m"), Doubles(m.begin(), m.end()));
  EXPECT_EQ(run.state("v"), Doubles(v.begin(), v.end()));
  EXPECT_EQ(run.interpreter->tensorStepNumber(0), 6u);
}

TEST(Interpreter, SumsGoByBlocksAndLanes) {
  for (size_t size : {0, 1, 7, 127, 129, 4096, 4097, 100003}) {
    Trial run(R"(rule r {
      state s, q: tensor = 0
      s' = sum(g)
      q' = norm(g)
      p' = p
    })",
              {tensor(Doubles(size, 1))});
    Doubles g = noise(size, 5), squares;
    for (double x : g)
      squares.push_back(float(x) * float(x));
    run.step({g});
    EXPECT_EQ(run.state("s"), Doubles{sum(g)}) << size;
    EXPECT_EQ(run.state("q"), Doubles{std::sqrt(sum(squares))}) << size;
  }
}

TEST(Interpreter, GroupsAndModelSumTotals) {
  Trial run(R"(rule r {
    state whole, each: model = 0
    state mine: group = 0
    whole' = norm(g over model)
    each' = sum(size(p) over model)
    mine' = mean(g over group)
    p' = p
  })",
            {tensor({1, 2}), tensor({3}, 1), tensor({4}, 1)}, {{}, {}});
  run.step({Doubles{3, 4}, Doubles{12}, std::nullopt});
  EXPECT_EQ(run.state("whole"), Doubles{13});
  EXPECT_EQ(run.state("each"), Doubles{3});
  EXPECT_EQ(run.state("mine", 0), Doubles{3.5});
  EXPECT_EQ(run.state("mine", 1), Doubles{12});
}

TEST(Interpreter, NormOverflowsInF32) {
  Trial run("rule r { state n: tensor = 0\n n' = norm(g)\n p' = p\n }",
            {tensor(Doubles(4096, 0))});
  run.step({Doubles(4096, 2e19f)});
  EXPECT_EQ(run.state("n"), Doubles{HUGE_VAL});
}

TEST(Interpreter, ExtremesOfNothing) {
  Trial run(R"(rule r {
    state low, high, some, every: tensor = 0
    low'   = min_of(g)
    high'  = max_of(g)
    some'  = any(g > 0) ? 1 : 0
    every' = all(g > 0) ? 1 : 0
    p' = p
  })",
            {tensor({}), tensor({1, 2})});
  run.step({Doubles{}, Doubles{-0.0, 0.0}});
  EXPECT_EQ(run.state("low"), Doubles{HUGE_VAL});
  EXPECT_EQ(run.state("high"), Doubles{-HUGE_VAL});
  EXPECT_EQ(run.state("some"), Doubles{0});
  EXPECT_EQ(run.state("every"), Doubles{1});
  EXPECT_TRUE(std::signbit(run.state("low", 1)[0]));
  EXPECT_FALSE(std::signbit(run.state("high", 1)[0]));
}

TEST(Interpreter, MinimumPropagatesNan) {
  Trial run("rule r { p' = min(p, g)\n }", {tensor({0.0, 1, NAN, 5})});
  run.step({Doubles{-0.0, NAN, 1, 4}});
  Doubles p = run.interpreter->param(0);
  EXPECT_TRUE(p[0] == 0 && std::signbit(p[0]));
  EXPECT_TRUE(std::isnan(p[1]));
  EXPECT_TRUE(std::isnan(p[2]));
  EXPECT_EQ(p[3], 4);
}

TEST(Interpreter, DenormalsAreKept) {
  Trial run("rule r { p' = p*g\n }", {tensor({0x1p-100f, 0x1p-149f})});
  run.step({Doubles{0x1p-40f, 0.75}});
  EXPECT_EQ(run.interpreter->param(0), (Doubles{0x1p-140, 0x1p-149}));
}

TEST(Interpreter, AbsentTensorsStay) {
  Trial run(R"(rule r {
    state n: model = 0
    state m: like p = 0
    n' = n + 1
    m' = m + t
    p' = p - g
  })",
            {tensor({1}), tensor({1})});
  run.step({Doubles{1}, Doubles{1}});
  run.step({Doubles{1}, std::nullopt});
  run.step({std::nullopt, std::nullopt});
  run.step({Doubles{1}, Doubles{1}});
  EXPECT_EQ(run.state("n"), Doubles{3});
  EXPECT_EQ(run.state("m", 0), Doubles{1 + 2 + 3});
  EXPECT_EQ(run.state("m", 1), Doubles{1 + 2});
  EXPECT_EQ(run.interpreter->param(1), Doubles{-1});
  EXPECT_EQ(run.interpreter->stepNumber(), 4u);
}

TEST(Interpreter, CoveringStatesGoOnWithoutGradient) {
  Trial run(R"(rule r covers absent {
    state a: like p = 0 covers absent
    state b: like p = 0
    a' = a + g + 1
    b' = b + 1
    p' = absent ? p + 100 : p - g
  })",
            {tensor({1}), tensor({1})});
  run.step({Doubles{5}, std::nullopt});
  EXPECT_EQ(run.state("a", 1), Doubles{1});
  EXPECT_EQ(run.state("b", 1), Doubles{0});
  EXPECT_EQ(run.interpreter->param(1), Doubles{101});
  EXPECT_EQ(run.interpreter->param(0), Doubles{-4});
}

TEST(Interpreter, KeepLeavesTheOldValue) {
  Trial run(R"(rule r {
    state m: like p as bf16 = 0
    state n: like p = 0
    m' = step mod 2 == 0 ? m + g : keep
    n' = m'
    p' = p
  })",
            {tensor({1})});
  run.step({Doubles{1}});
  EXPECT_EQ(run.state("m"), Doubles{0});
  run.step({Doubles{1.001f}});
  EXPECT_EQ(run.state("m"), Doubles{1});
  EXPECT_EQ(run.state("n"), Doubles{1.001f}); // before it is rounded
  run.step({Doubles{1}});
  EXPECT_EQ(run.state("m"), Doubles{1});
  EXPECT_EQ(run.state("n"), Doubles{1});
}

TEST(Interpreter, OldValuesAreReadUntilTheEnd) {
  Trial run(R"(rule r {
    state a: like p = p
    state b: like p = 2
    a' = b
    b' = a
    p' = p
  })",
            {tensor({1})});
  EXPECT_EQ(run.state("a"), Doubles{1});
  run.step({Doubles{0}});
  EXPECT_EQ(run.state("a"), Doubles{2});
  EXPECT_EQ(run.state("b"), Doubles{1});
}

TEST(Interpreter, VariantsFollowTagsAndRank) {
  const char *source = R"(rule r {
    matrix = rank(p) >= 2 && !tag("plain")
    state m: like p = 0 if matrix
    m' = m + g if matrix
    p' = matrix ? p - m' : p - 2*g
  })";
  TensorSetup matrix = {"a", {2, 1}, {}, 0, {1, 1}};
  TensorSetup plain = {"b", {2, 1}, {"plain"}, 0, {1, 1}};
  Trial run(source, {matrix, plain});
  run.step({Doubles{1, 1}, Doubles{1, 1}});
  EXPECT_EQ(run.interpreter->param(0), (Doubles{0, 0}));
  EXPECT_EQ(run.interpreter->param(1), (Doubles{-1, -1}));
  EXPECT_EQ(run.interpreter->state("m", 1), nullptr);
}

TEST(Interpreter, ViewsSeeWhatIsStored) {
  Trial run(R"(rule r {
    hyper scale = 3
    state m: like p = 0
    m' = m + g
    p' = p
    view twice = m*scale
    view m
  })",
            {tensor({1, 2})});
  run.step({Doubles{1, 10}});
  EXPECT_EQ(*run.interpreter->view("twice", 0), (Doubles{3, 30}));
  EXPECT_EQ(*run.interpreter->view("m", 0), (Doubles{1, 10}));
  EXPECT_FALSE(run.interpreter->view("nothing", 0));
}

TEST(Interpreter, ParametersInF64AndF16) {
  Trial wide("rule r { p' = p + g\n }", {tensor({1})}, {}, Format::F64);
  wide.step({Doubles{0x1p-40}});
  EXPECT_EQ(wide.interpreter->param(0), Doubles{1 + 0x1p-40});
  Trial narrow("rule r { p' = p + g\n }", {tensor({1})}, {}, Format::F16);
  narrow.step({Doubles{0x1.8p-10}});
  EXPECT_EQ(narrow.interpreter->param(0), Doubles{1 + 0x1p-9});
}

TEST(Interpreter, HypersHaveGroupsAndDomains) {
  Trial run("rule r { rate lr = 1 in [0, 2)\n p' = p - lr*g\n }",
            {tensor({0}), tensor({0}, 1)}, {{}, {{{"lr", 0.5}}}});
  run.step({Doubles{1}, Doubles{1}});
  EXPECT_EQ(run.interpreter->param(0), Doubles{-1});
  EXPECT_EQ(run.interpreter->param(1), Doubles{-0.5});
  std::string error;
  EXPECT_FALSE(run.interpreter->setHyper(0, "lr", 2, error));
  EXPECT_EQ(error, "hyper 'lr' is 2, which is outside of [0, 2)");
  EXPECT_FALSE(run.interpreter->setHyper(0, "lr", NAN, error));
  EXPECT_FALSE(run.interpreter->setHyper(0, "rate", 1, error));
  EXPECT_EQ(error, "rule 'r' has no hyper 'rate'");
  EXPECT_TRUE(run.interpreter->setHyper(0, "lr", 1.5, error));
  EXPECT_EQ(run.interpreter->hyper(0, "lr"), 1.5);
}

TEST(Interpreter, ErrorsAtCreation) {
  const char *source = R"(rule r {
    hyper k: int
    require k > 1, "k counts more than one"
    require size(p) > 1, "wants two elements"
    p' = p*k
  })";
  Trial missing(source, {});
  EXPECT_EQ(missing.error, "hyper 'k' has no default and must be given");
  Trial fraction(source, {}, {{{{"k", 1.5}}}});
  EXPECT_EQ(fraction.error, "hyper 'k' wants a whole number, found 1.5");
  Trial broken(source, {}, {{{{"k", 1}}}});
  EXPECT_EQ(broken.error, "r: k counts more than one");
  Trial small(source, {tensor({1})}, {{{{"k", 2}}}});
  EXPECT_EQ(small.error, "r: tensor 'w': wants two elements");
  Trial shape(source, {{"w", {3}, {}, 0, {1}}}, {{{{"k", 2}}}});
  EXPECT_EQ(shape.error, "tensor 'w' has 1 values, its shape wants 3");
}

TEST(Interpreter, GradientsMustFit) {
  Trial run("rule r { p' = p - g\n }", {tensor({1, 2})});
  std::string error;
  EXPECT_FALSE(run.interpreter->step({Doubles{1}}, error));
  EXPECT_EQ(error, "the gradient of 'w' has 1 elements, the tensor 2");
  EXPECT_FALSE(run.interpreter->step({}, error));
  EXPECT_EQ(run.interpreter->param(0), (Doubles{1, 2}));
}

TEST(Interpreter, RoundingToFormats) {
  EXPECT_EQ(roundTo(Format::BF16, 1 + 0x1p-8), 1);
  EXPECT_EQ(roundTo(Format::BF16, 1 + 3 * 0x1p-8), 1 + 0x1p-6);
  EXPECT_EQ(roundTo(Format::BF16, 0x1p-133), 0x1p-133);
  EXPECT_EQ(roundTo(Format::BF16, 0x1p-134), 0);
  EXPECT_EQ(roundTo(Format::BF16, 0x1.8p-134), 0x1p-133);
  EXPECT_EQ(roundTo(Format::BF16, 0x1.ffp127), HUGE_VAL);
  EXPECT_EQ(roundTo(Format::BF16, 0x1.fep127), 0x1.fep127);
  EXPECT_EQ(roundTo(Format::F16, 65519), 65504);
  EXPECT_EQ(roundTo(Format::F16, 65520), HUGE_VAL);
  EXPECT_EQ(roundTo(Format::F16, 0x1p-25), 0);
  EXPECT_EQ(roundTo(Format::F16, -0x1.1p-25), -0x1p-24);
  EXPECT_TRUE(std::isnan(roundTo(Format::F16, NAN)));
}

// Not a benchmark: the random tests need an interpreter that is not hopeless.
TEST(Interpreter, IsFastEnoughForTests) {
  Trial run(adamw, {tensor(noise(100000, 1))});
  for (int t = 0; t < 10; ++t)
    run.step({noise(100000, t)});
  EXPECT_TRUE(std::isfinite(run.interpreter->param(0)[99999]));
}

} // namespace
