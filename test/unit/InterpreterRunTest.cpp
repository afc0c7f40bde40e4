//===- InterpreterRunTest.cpp - Steps, states and what can go wrong -------===//
//
// What the interpreter does around the arithmetic: absent tensors, kept values,
// variants, views, groups and errors.
//
//===----------------------------------------------------------------------===//

#include "InterpreterTrial.h"

#include "dsl/Functions.h"
#include "dsl/InterpreterFormat.h"

#include <cmath>

using namespace updraft;
using namespace updraft::trial;

namespace {

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
