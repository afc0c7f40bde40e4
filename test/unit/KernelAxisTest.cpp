//===- KernelAxisTest.cpp - Rows, columns, matrices and blocks ------------===//
//
// Inputs/axis.mlir against plain loops that say what numerics.md 5 says, on
// shapes around every edge: vectors, strips, runs, bands, blocks of 4096.
//
//===----------------------------------------------------------------------===//

#include "KernelFrame.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace updraft::test;

namespace {

class KernelAxis : public testing::TestWithParam<std::string> {};
UPDRAFT_FOR_ALL_TARGETS(KernelAxis);

const std::vector<uint64_t> kShapes[] = {
    {1, 1},    {1, 700},     {700, 1},    {63, 511},    {64, 512},
    {65, 513}, {129, 1030},  {5000, 3},   {2, 4500},    {7, 16},
    {3, 17},   {3, 65, 513}, {200, 3, 3}, {2, 3, 4, 5}, {9, 1, 130},
    {0, 5},    {5, 0},       {2, 0, 3},   {0, 2, 3},    {4, 2, 0}};

/// The order of arrays and slots in the plan.
enum { P, G, R, C, M, S, L, H, RMax, CMin, RNext, CNext };
enum { Rows, Cols, Sizes, All };

/// What the plan computes, of one tensor, in T.
template <typename T> struct Reference {
  uint64_t batch, rows, cols;
  std::vector<T> p, g, r, c, m, s, l, rMax, cMin, rNext, cNext;
  double slots[4];

  uint64_t size() const { return batch * rows * cols; }
  uint64_t line(uint64_t i) const { return i / cols; }
  uint64_t column(uint64_t i) const {
    return i / (rows * cols) * cols + i % cols;
  }
  uint64_t matrix(uint64_t i) const { return i / (rows * cols); }

  /// One number a row: runs of 512 columns, then those in order.
  template <typename F> std::vector<double> rowSums(F x) const {
    std::vector<double> sums(batch * rows);
    for (uint64_t line = 0; line < sums.size(); ++line)
      for (uint64_t begin = 0; begin < cols; begin += 512) {
        std::vector<T> run;
        for (uint64_t c = begin; c < std::min(cols, begin + 512); ++c)
          run.push_back(x(line * cols + c));
        sums[line] += sumOf(run.data(), run.size());
      }
    return sums;
  }
  /// One number a column: runs of 64 rows, each in order, then those.
  template <typename F> std::vector<double> columnSums(F x) const {
    std::vector<double> sums(batch * cols);
    for (uint64_t b = 0; b < batch; ++b)
      for (uint64_t c = 0; c < cols; ++c)
        for (uint64_t begin = 0; begin < rows; begin += 64) {
          T run = 0;
          for (uint64_t r = begin; r < std::min(rows, begin + 64); ++r)
            run += x((b * rows + r) * cols + c);
          sums[b * cols + c] += run;
        }
    return sums;
  }
  template <typename F>
  std::vector<double> blockSums(uint64_t length, F x) const {
    std::vector<double> sums;
    for (uint64_t begin = 0; begin < size(); begin += length) {
      std::vector<T> items;
      for (uint64_t i = begin; i < std::min(size(), begin + length); ++i)
        items.push_back(x(i));
      sums.push_back(tensorSum(items));
    }
    return sums;
  }
  static std::vector<T> part(const std::vector<T> &all, uint64_t index,
                             uint64_t length) {
    return {all.begin() + index * length, all.begin() + (index + 1) * length};
  }

  void reduce();
  void reduceBlocks();
  void update();
};

template <typename T> void Reference<T>::reduce() {
  auto square = [&](uint64_t i) { return g[i] * g[i]; };
  for (double sum : rowSums(square))
    r.push_back(T(sum / double(cols)));
  for (double sum : columnSums(square))
    c.push_back(T(sum / double(rows)));
  rMax.assign(r.size(), -INFINITY);
  cMin.assign(c.size(), INFINITY);
  for (uint64_t i = 0; i < size(); ++i) {
    rMax[line(i)] = std::max(rMax[line(i)], g[i]);
    cMin[column(i)] = std::min(cMin[column(i)], g[i]);
  }
  for (uint64_t b = 0; b < batch; ++b) {
    double most = -INFINITY;
    for (T value : part(c, b, cols))
      most =
          value != value || most != most ? NAN : std::max<double>(most, value);
    m.push_back(T(tensorSum(part(r, b, rows)) + most));
  }
  slots[Rows] = tensorSum(r);
  slots[Cols] = tensorSum(c);
}

template <typename T> void Reference<T>::reduceBlocks() {
  auto small = blockSums(
      64, [&](uint64_t i) { return g[i] * (r[line(i)] * c[column(i)]); });
  for (uint64_t block = 0; block < small.size(); ++block)
    s.push_back(
        T(small[block] / double(std::min<uint64_t>(64, size() - block * 64))));
  slots[Sizes] = tensorSum(small);
  for (double sum : blockSums(
           5000, [&](uint64_t i) { return g[i] * s[i / 64] * m[matrix(i)]; }))
    l.push_back(T(sum));
}

template <typename T> void Reference<T>::update() {
  auto x = [&](uint64_t i) {
    T rc = (r[line(i)] / m[matrix(i)]) * (c[column(i)] / m[matrix(i)]);
    return std::fma(rc, g[i], m[matrix(i)] * s[i / 64]);
  };
  for (double sum : rowSums(x))
    rNext.push_back(T(sum));
  for (double sum : columnSums(x))
    cNext.push_back(T(sum));
  std::vector<T> us;
  for (uint64_t i = 0; i < size(); ++i) {
    T n = T(std::min<uint64_t>(64, size() - i / 64 * 64));
    us.push_back(std::fma(r[line(i)] * c[column(i)], m[matrix(i)] * s[i / 64],
                          T(0.34375) * n));
    p[i] -= us[i];
  }
  slots[All] = tensorSum(us);
}

void replaceAll(std::string &text, const std::string &from,
                const std::string &to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos;
       at += to.size())
    text.replace(at, from.size(), to);
}

std::string planOf(bool isFolded, bool isWide) {
  std::string plan = planNamed("axis");
  if (isFolded) {
    for (std::string space :
         {"rows", "cols", "matrix", "rowruns", "colruns", "bands"})
      replaceAll(plan, "<" + space + ">", "<" + space + ", folded>");
    replaceAll(plan, "{index = 0", "{index = 1");
  }
  if (isWide) {
    replaceAll(plan, "%size = arith.truncf %n : f64 to f32\n", "");
    replaceAll(plan, "%h, %size", "%h, %n");
    replaceAll(plan, "f32", "f64");
  }
  return plan;
}

template <typename T>
TestTensor tensorOf(const Loaded &loaded, const std::vector<uint64_t> &dims,
                    unsigned group) {
  TestTensor tensor;
  tensor.group = group;
  tensor.dims = dims;
  tensor.size = 1;
  for (uint64_t dim : dims)
    tensor.size *= dim;
  updraft_shape shape = shapeOf(dims);
  const auto &variant =
      *loaded.items<updraft_variant>(loaded.program().variants);
  for (uint64_t i = 0; i < variant.arrays.count; ++i) {
    const auto &array = loaded.items<updraft_array>(variant.arrays)[i];
    uint64_t bytes = array.format == UPDRAFT_F64   ? 8
                     : array.format == UPDRAFT_F32 ? 4
                                                   : 2;
    // What is not written is seen: a byte of all ones is a NaN.
    tensor.arrays.emplace_back(
        itemsOf(array.extent, shape, tensor.size) * bytes, 0xff);
  }
  tensor.arrays[P] = randomArray<T>(tensor.size, 3, 1);
  tensor.arrays[G] = randomArray<T>(tensor.size, 7 + tensor.size, 1);
  return tensor;
}

template <typename T>
void expectSame(const std::vector<T> &wanted, const std::vector<uint8_t> &got,
                const char *what) {
  std::vector<T> items = as<T>(got);
  ASSERT_EQ(wanted.size(), items.size()) << what;
  for (size_t i = 0; i < wanted.size(); ++i)
    ASSERT_TRUE(same(wanted[i], items[i]))
        << what << "[" << i << "]: " << items[i] << ", not " << wanted[i];
}

template <typename T>
void expectAll(const Reference<T> &wanted, TestTensor &tensor, Frame &frame,
               unsigned index) {
  const std::pair<int, const std::vector<T> *> arrays[] = {
      {R, &wanted.r},       {C, &wanted.c},         {RMax, &wanted.rMax},
      {CMin, &wanted.cMin}, {M, &wanted.m},         {S, &wanted.s},
      {L, &wanted.l},       {RNext, &wanted.rNext}, {CNext, &wanted.cNext},
      {P, &wanted.p}};
  for (auto [array, items] : arrays)
    expectSame(*items, tensor.arrays[array],
               ("array " + std::to_string(array)).c_str());
  for (int slot = 0; slot < 4; ++slot)
    EXPECT_TRUE(same(frame.tensor(index, slot), wanted.slots[slot]))
        << "slot " << slot;
}

template <typename T>
void runAll(const std::string &plan, bool isFolded, const std::string &target) {
  Loaded loaded(plan, target);
  std::deque<TestTensor> tensors;
  for (unsigned group = 0; group < 2; ++group)
    for (const std::vector<uint64_t> &dims : kShapes)
      tensors.push_back(tensorOf<T>(loaded, dims, group));
  std::vector<Reference<T>> wanted;
  for (TestTensor &tensor : tensors) {
    updraft_shape shape = shapeOf(tensor.dims);
    Reference<T> reference{};
    reference.batch = shape.batch[isFolded];
    reference.rows = shape.rows[isFolded];
    reference.cols = shape.cols[isFolded];
    reference.p = as<T>(tensor.arrays[P]);
    reference.g = as<T>(tensor.arrays[G]);
    reference.reduce();
    reference.reduceBlocks();
    reference.update();
    wanted.push_back(std::move(reference));
  }
  Frame frame(loaded, tensors, 2);
  frame.run(UPDRAFT_AT_INIT);
  frame.run(UPDRAFT_AT_STEP);
  for (size_t i = 0; i < tensors.size(); ++i) {
    SCOPED_TRACE(testing::PrintToString(tensors[i].dims));
    expectAll(wanted[i], tensors[i], frame, i);
  }
}

TEST_P(KernelAxis, LastTwoAxes) {
  runAll<float>(planOf(false, false), false, GetParam());
}

TEST_P(KernelAxis, Folded) {
  runAll<float>(planOf(true, false), true, GetParam());
}

TEST_P(KernelAxis, InF64) {
  runAll<double>(planOf(false, true), false, GetParam());
}

} // namespace
