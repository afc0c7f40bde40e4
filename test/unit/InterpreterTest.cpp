//===- InterpreterTest.cpp - Rules against loops written by hand ----------===//
//
// Each rule is given as text and its result is computed again here, in plain
// loops that follow the arithmetic of the language; numbers must be equal.
//
//===----------------------------------------------------------------------===//

#include "InterpreterTrial.h"

#include "dsl/Functions.h"
#include "dsl/InterpreterFormat.h"

#include <cmath>

using namespace updraft;
using namespace updraft::trial;

namespace {

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

} // namespace
