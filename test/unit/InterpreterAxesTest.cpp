//===- InterpreterAxesTest.cpp - Rows, columns, matrices and blocks -------===//
//
// Each value is computed again in plain loops over (matrix, row, column), in
// the order of the language; numbers must be equal. Shapes are ragged, of the
// runs that sums are cut into, and empty in each axis.
//
//===----------------------------------------------------------------------===//

#include "InterpreterTrial.h"

#include <cmath>

using namespace updraft;
using namespace updraft::trial;

namespace {

/// A tensor as the language sees it, and a gradient for it.
struct Stack {
  std::vector<uint64_t> shape;
  size_t batch, rows, cols;

  size_t size() const { return batch * rows * cols; }
  size_t at(size_t b, size_t i, size_t j) const {
    return (b * rows + i) * cols + j;
  }
  Doubles gradient() const { return noise(size(), 11); }
};

const Stack stacks[] = {
    {{1, 1}, 1, 1, 1},         {{0, 3}, 1, 0, 3},     {{3, 0}, 1, 3, 0},
    {{2, 0, 3}, 2, 0, 3},      {{0, 2, 3}, 0, 2, 3},  {{65, 513}, 1, 65, 513},
    {{64, 512}, 1, 64, 512},   {{129, 1}, 1, 129, 1}, {{1, 1025}, 1, 1, 1025},
    {{2, 3, 70, 5}, 6, 70, 5},
};

std::vector<TensorSetup> tensorsOf(llvm::ArrayRef<Stack> all, double value) {
  std::vector<TensorSetup> result;
  for (const Stack &stack : all)
    result.push_back({"w", stack.shape, {}, 0, Doubles(stack.size(), value)});
  return result;
}

std::vector<Gradient> gradientsOf(llvm::ArrayRef<Stack> all) {
  std::vector<Gradient> result;
  for (const Stack &stack : all)
    result.push_back(stack.gradient());
  return result;
}

/// A run of up to 512 numbers of a row.
float lanesOf(llvm::ArrayRef<double> items) {
  float lanes[128] = {};
  for (size_t i = 0; i < items.size(); ++i)
    lanes[i % 128] += float(items[i]);
  for (int h = 64; h; h /= 2)
    for (int i = 0; i < h; ++i)
      lanes[i] += lanes[i + h];
  return lanes[0];
}

double rowSum(const Stack &stack, const Doubles &values, size_t row) {
  llvm::ArrayRef<double> items(values.data() + row * stack.cols, stack.cols);
  double total = 0;
  for (; !items.empty();
       items = items.drop_front(std::min<size_t>(512, items.size())))
    total += lanesOf(items.take_front(512));
  return total;
}

double colSum(const Stack &stack, const Doubles &values, size_t b, size_t j) {
  double total = 0;
  for (size_t begin = 0; begin < stack.rows; begin += 64) {
    float run = 0;
    for (size_t i = begin; i < std::min(begin + 64, stack.rows); ++i)
      run += float(values[stack.at(b, i, j)]);
    total += run;
  }
  return total;
}

TEST(InterpreterAxes, RowsAndColumnsAreSummedInRuns) {
  Trial run(R"(rule r {
    require rank(p) >= 2, "matrices"
    state r, mean_r: rows p = 7
    state c: cols p = 7
    r' = sum(g over cols)
    mean_r' = mean(g over cols)
    c' = sum(g over rows)
    p' = p
  })",
            tensorsOf(stacks, 0));
  run.step(gradientsOf(stacks));
  unsigned index = 0;
  for (const Stack &stack : stacks) {
    Doubles g = stack.gradient(), r, means, c;
    for (size_t row = 0; row < stack.batch * stack.rows; ++row) {
      double sum = rowSum(stack, g, row);
      r.push_back(float(sum));
      means.push_back(stack.cols ? float(sum / double(stack.cols)) : 0);
    }
    for (size_t b = 0; b < stack.batch; ++b)
      for (size_t j = 0; j < stack.cols; ++j)
        c.push_back(float(colSum(stack, g, b, j)));
    EXPECT_EQ(run.state("r", index), r) << index;
    EXPECT_EQ(run.state("mean_r", index), means) << index;
    EXPECT_EQ(run.state("c", index), c) << index;
    ++index;
  }
}

TEST(InterpreterAxes, EmptyRowsHaveTheValueOfNothing) {
  Stack empty[] = {{{2, 0}, 1, 2, 0}, {{0, 2}, 1, 0, 2}};
  Trial run(R"(rule r {
    require rank(p) >= 2, "matrices"
    state low, some, root: rows p = 7
    state high, every: cols p = 7
    state m: matrix p = 7
    low'   = min_of(g over cols)
    some'  = any(g > 0 over cols) ? 1 : 0
    root'  = rms(g over cols)
    high'  = max_of(g over rows)
    every' = all(g > 0 over rows) ? 1 : 0
    m'     = sum(low' over rows)
    p'     = p
  })",
            tensorsOf(empty, 0));
  run.step({Doubles{}, Doubles{}});
  EXPECT_EQ(run.state("low"), (Doubles{HUGE_VAL, HUGE_VAL}));
  EXPECT_EQ(run.state("some"), (Doubles{0, 0}));
  EXPECT_EQ(run.state("root"), (Doubles{0, 0}));
  EXPECT_EQ(run.state("m"), Doubles{HUGE_VAL});
  EXPECT_EQ(run.state("high"), Doubles{});
  EXPECT_EQ(run.state("low", 1), Doubles{});
  EXPECT_EQ(run.state("high", 1), (Doubles{-HUGE_VAL, -HUGE_VAL}));
  EXPECT_EQ(run.state("every", 1), (Doubles{1, 1}));
  EXPECT_EQ(run.state("m", 1), Doubles{0});
}

TEST(InterpreterAxes, ValuesMeetAlongTheirAxes) {
  Trial run(R"(rule r {
    require rank(p) >= 2, "matrices"
    state r: rows p = max_of(p over cols)
    state c: cols p = min_of(p over rows)
    state m, low: matrix p = 0
    state outer, spread: like p = 0
    low'    = min_of(c over cols)
    m'      = max_of(r over rows)
    r'      = r - m'
    c'      = low'*c
    outer'  = r*c
    spread' = m'
    p'      = r' + c
  })",
            {{"w", {2, 2, 3}, {}, 0, {1, 2, 3, 4, 5, 6, 9, 8, 7, 3, 2, 1}}});
  EXPECT_EQ(run.state("r"), (Doubles{3, 6, 9, 3}));
  EXPECT_EQ(run.state("c"), (Doubles{1, 2, 3, 3, 2, 1}));
  run.step({Doubles(12, 0)});
  EXPECT_EQ(run.state("m"), (Doubles{6, 9}));
  EXPECT_EQ(run.state("low"), (Doubles{1, 1}));
  EXPECT_EQ(run.state("r"), (Doubles{-3, 0, 0, -6}));
  EXPECT_EQ(run.state("c"), (Doubles{1, 2, 3, 3, 2, 1}));
  EXPECT_EQ(run.state("outer"),
            (Doubles{3, 6, 9, 6, 12, 18, 27, 18, 9, 9, 6, 3}));
  EXPECT_EQ(run.state("spread"), (Doubles{6, 6, 6, 6, 6, 6, 9, 9, 9, 9, 9, 9}));
  EXPECT_EQ(run.interpreter->param(0),
            (Doubles{-2, -1, 0, 1, 2, 3, 3, 2, 1, -3, -4, -5}));
}

TEST(InterpreterAxes, TheLastBlockMayBeShorter) {
  Trial run(R"(rule r {
    state b: block(4) p = 0
    state large: block(3) p = 0
    state total: tensor = 0
    b'     = mean(g over block(4))
    large' = count(g > 2 over block(3))
    total' = sum(b')
    p'     = p + b'
  })",
            {tensor(Doubles(6, 0)),
             tensor({}),
             {"w", {1, 2, 2}, {}, 0, Doubles(4, 0)}});
  run.step({Doubles{1, 2, 3, 6, 7, 9}, Doubles{}, Doubles{4, 4, 4, 8}});
  EXPECT_EQ(run.state("b"), (Doubles{3, 8}));
  EXPECT_EQ(run.state("large"), (Doubles{1, 3}));
  EXPECT_EQ(run.state("total"), Doubles{11});
  EXPECT_EQ(run.interpreter->param(0), (Doubles{3, 3, 3, 3, 8, 8}));
  EXPECT_EQ(run.state("b", 1), Doubles{});
  EXPECT_EQ(run.state("total", 1), Doubles{0});
  EXPECT_EQ(run.state("b", 2), Doubles{5});
  EXPECT_EQ(run.state("large", 2), (Doubles{3, 1}));
}

TEST(InterpreterAxes, FoldReadsOneMatrix) {
  Trial run(R"(rule r {
    fold p
    require rank(p) >= 2, "matrices"
    state r: rows p = 0
    state c: cols p = 0
    state m: matrix p = 0
    state sizes: tensor = 0
    r'     = sum(g over cols)
    c'     = sum(g over rows)
    m'     = sum(r' over rows)
    sizes' = 100*rank(p) + 10*dim(p, 0) + dim(p, 1)
    p'     = r'*c'
  })",
            {{"w", {2, 2, 1, 2}, {}, 0, Doubles(8, 0)},
             {"w", {3, 0, 2}, {}, 0, {}},
             {"w", {0, 1, 2}, {}, 0, {}}});
  run.step({Doubles{1, 2, 3, 4, 5, 6, 7, 8}, Doubles{}, Doubles{}});
  EXPECT_EQ(run.state("r"), (Doubles{10, 26}));
  EXPECT_EQ(run.state("c"), (Doubles{6, 8, 10, 12}));
  EXPECT_EQ(run.state("m"), Doubles{36});
  EXPECT_EQ(run.state("sizes"), Doubles{422}); // of the shape as it is
  EXPECT_EQ(run.interpreter->param(0),
            (Doubles{60, 80, 100, 120, 156, 208, 260, 312}));
  EXPECT_EQ(run.state("r", 1), (Doubles{0, 0, 0}));
  EXPECT_EQ(run.state("c", 1), Doubles{});
  EXPECT_EQ(run.state("r", 2), Doubles{});
  EXPECT_EQ(run.state("c", 2), (Doubles{0, 0}));
}

/// One step of the iteration on a matrix that is not tall, in f32.
Doubles newtonSchulz(size_t rows, size_t cols, const Doubles &g,
                     float divisor) {
  constexpr float a = 3.5f, b = -4.75f, c = 2.03125f;
  auto chain = [](size_t count, auto left, auto right) {
    float total = 0;
    for (size_t begin = 0; begin < count; begin += 256) {
      float chunk = 0;
      for (size_t k = begin; k < std::min(begin + 256, count); ++k)
        chunk = std::fma(left(k), right(k), chunk);
      total = begin ? total + chunk : chunk;
    }
    return total;
  };
  std::vector<float> x, square(rows * rows), factor(rows * rows);
  for (double value : g)
    x.push_back(float(value) / divisor);
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < rows; ++j)
      square[i * rows + j] = chain(
          cols, [&](size_t k) { return x[i * cols + k]; },
          [&](size_t k) { return x[j * cols + k]; });
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < rows; ++j) {
      float twice = chain(
          rows, [&](size_t k) { return square[i * rows + k]; },
          [&](size_t k) { return square[k * rows + j]; });
      factor[i * rows + j] = std::fma(b, square[i * rows + j], c * twice);
    }
  Doubles result;
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < cols; ++j)
      result.push_back(
          std::fma(a, x[i * cols + j],
                   chain(
                       rows, [&](size_t k) { return factor[i * rows + k]; },
                       [&](size_t k) { return x[k * cols + j]; })));
  return result;
}

TEST(InterpreterAxes, NewtonSchulzIsChainsOfFma) {
  constexpr size_t rows = 3, cols = 700;
  Doubles g = noise(rows * cols, 3), turned(g.size());
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < cols; ++j)
      turned[j * rows + i] = g[i * cols + j];
  Trial run(R"(rule r {
    require rank(p) == 2, "matrices"
    state n: tensor = 0
    n' = norm(g)
    p' = newton_schulz(g, 1, 0.5, 3.5, -4.75, 2.03125)
  })",
            {{"wide", {rows, cols}, {}, 0, Doubles(g.size(), 0)},
             {"tall", {cols, rows}, {}, 0, Doubles(g.size(), 0)}});
  run.step({g, turned});
  for (unsigned index : {0, 1}) {
    float divisor = float(run.state("n", index)[0] + 0.5);
    Doubles wanted = newtonSchulz(rows, cols, g, divisor);
    Doubles got = run.interpreter->param(index);
    for (size_t i = 0; i < rows; ++i)
      for (size_t j = 0; j < cols; ++j)
        ASSERT_EQ(got[index ? j * rows + i : i * cols + j],
                  wanted[i * cols + j])
            << index << ": " << i << ", " << j;
  }
}

} // namespace
