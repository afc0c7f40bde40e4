//===- KernelsTest.cpp - Compiled element kernels against C++
//--------------===//
//
// Plans written by hand, run by their machine code, compared bit for bit with
// the same arithmetic in C++ (which is compiled without contraction).
//
//===----------------------------------------------------------------------===//

#include "KernelFrame.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace updraft::test;

namespace {

class Kernels : public testing::TestWithParam<std::string> {};
UPDRAFT_FOR_ALL_TARGETS(Kernels);

const char kAdam[] = R"(
updraft.program @adam compute f32 {
  updraft.scalar @lr group hyper describe {initial = 1.0e-3}
  updraft.scalar @beta1 group hyper describe {initial = 0.9}
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.array @m state f32
    updraft.array @v state f32
    updraft.scalar @c tensor slot
  }
  updraft.kernel @update step element @all {
    %absent = updraft.shape absent : i1
    %true = arith.constant true
    %present = arith.xori %absent, %true : i1
    %one = arith.constant 1.0 : f64
    %b1 = updraft.get @beta1 : f64
    %lr = updraft.get @lr : f64
    %w1d = arith.subf %one, %b1 : f64
    %w1 = arith.truncf %w1d : f64 to f32
    %lrf = arith.truncf %lr : f64 to f32
    %eps = arith.constant 1.0e-8 : f32
    %cd = updraft.get @c : f64
    %c = arith.truncf %cd : f64 to f32
    %p = updraft.get @p : f32
    %g = updraft.get @g : f32
    %m = updraft.get @m : f32
    %v = updraft.get @v : f32
    %dm = arith.subf %g, %m : f32
    %m1 = math.fma %dm, %w1, %m : f32
    %g2 = arith.mulf %g, %g : f32
    %dv = arith.subf %g2, %v : f32
    %v1 = math.fma %dv, %w1, %v : f32
    %vh = arith.divf %v1, %c : f32
    %s = math.sqrt %vh : f32
    %d = arith.addf %s, %eps : f32
    %u = arith.divf %m1, %d : f32
    %lu = arith.mulf %lrf, %u : f32
    %p1 = arith.subf %p, %lu : f32
    updraft.put @m, %m1 when %present : f32
    updraft.put @v, %v1 when %present : f32
    updraft.put @p, %p1 when %present : f32
  }
})";

// Every element of every tensor, in groups of their own hypers; the absent
// tensor keeps its bytes.
TEST_P(Kernels, ElementsOfManyTensors) {
  Loaded loaded(kAdam, GetParam());
  std::deque<TestTensor> tensors;
  for (size_t size : kSizes)
    for (uint32_t k = 0; k < 1; ++k) {
      TestTensor tensor;
      tensor.size = size;
      tensor.group = size > 127;
      tensor.active = size != 4096;
      for (unsigned array = 0; array < 4; ++array)
        tensor.arrays.push_back(
            randomArray<float>(size, array + 5 * size, array == 3 ? 0 : 1));
      tensors.push_back(std::move(tensor));
    }
  std::deque<TestTensor> before = tensors;
  Frame frame(loaded, tensors, 2);
  for (unsigned group = 0; group < 2; ++group) {
    frame.group(group, 0) = 1e-3 + group;
    frame.group(group, 1) = 0.9 + 0.05 * group;
  }
  for (size_t i = 0; i < tensors.size(); ++i)
    frame.tensor(i, 0) = 0.1 + i;
  frame.run(UPDRAFT_AT_STEP);
  for (size_t i = 0; i < tensors.size(); ++i) {
    float *p = before[i].array<float>(0), *g = before[i].array<float>(1),
          *m = before[i].array<float>(2), *v = before[i].array<float>(3);
    unsigned group = tensors[i].group;
    float w = float(1.0 - (0.9 + 0.05 * group)), lr = float(1e-3 + group);
    float c = float(0.1 + i);
    for (size_t j = 0; j < tensors[i].size && tensors[i].active; ++j) {
      m[j] = std::fma(g[j] - m[j], w, m[j]);
      float square = g[j] * g[j];
      v[j] = std::fma(square - v[j], w, v[j]);
      float u = m[j] / (std::sqrt(v[j] / c) + 1e-8f);
      p[j] = p[j] - lr * u;
    }
    EXPECT_EQ(tensors[i].arrays, before[i].arrays)
        << "size " << tensors[i].size;
  }
}

const char kConditions[] = R"(
updraft.program @conditions compute f64 {
  updraft.scalar @last model input
  updraft.list @sum partial
  updraft.variant @all tests [] {
    updraft.array @p param f64
    updraft.array @g grad f64
    updraft.array @total state f64
    updraft.scalar @s tensor slot
  }
  updraft.kernel @update step element @all {
    %absent = updraft.shape absent : i1
    %true = arith.constant true
    %present = arith.xori %absent, %true : i1
    %last = updraft.get @last : i1
    %zero = arith.constant 0.0 : f64
    %g0 = updraft.get @g : f64
    %g = arith.select %absent, %zero, %g0 : f64
    %total = updraft.get @total : f64
    %sum = arith.addf %total, %g : f64
    %kept = arith.select %last, %zero, %sum : f64
    %p = updraft.get @p : f64
    %p1 = arith.subf %p, %sum : f64
    %both = arith.andi %present, %last : i1
    updraft.put @total, %kept : f64
    updraft.partial sum @sum, %sum when %last : f64
    updraft.put @p, %p1 when %both : f64
  }
  updraft.kernel @fold step tensor @all after tensor {
    %last = updraft.get @last : i1
    %s = updraft.fold sum @sum
    updraft.put @s, %s when %last : f64
  }
})";

// Four outcomes of two conditions; an absent gradient is a null pointer that
// nobody reads.
TEST_P(Kernels, UniformConditions) {
  Loaded loaded(kConditions, GetParam());
  for (bool last : {false, true}) {
    std::deque<TestTensor> tensors;
    for (size_t size : kSizes)
      for (bool active : {false, true}) {
        TestTensor tensor;
        tensor.size = size;
        tensor.active = active;
        for (unsigned array = 0; array < 3; ++array)
          tensor.arrays.push_back(
              array == 1 && !active
                  ? std::vector<uint8_t>()
                  : randomArray<double>(size, 3 * size + array, 1));
        tensors.push_back(std::move(tensor));
      }
    std::deque<TestTensor> before = tensors;
    Frame frame(loaded, tensors, 1);
    frame.model(0) = last;
    for (size_t i = 0; i < tensors.size(); ++i)
      frame.tensor(i, 0) = -3;
    frame.run(UPDRAFT_AT_STEP);
    for (size_t i = 0; i < tensors.size(); ++i) {
      double *p = before[i].array<double>(0), *g = before[i].array<double>(1),
             *total = before[i].array<double>(2);
      std::vector<double> sums;
      for (size_t j = 0; j < tensors[i].size; ++j) {
        double sum = total[j] + (tensors[i].active ? g[j] : 0.0);
        sums.push_back(sum);
        total[j] = last ? 0.0 : sum;
        if (last && tensors[i].active)
          p[j] -= sum;
      }
      EXPECT_EQ(tensors[i].arrays, before[i].arrays);
      EXPECT_EQ(frame.tensor(i, 0), last ? tensorSum(sums) : -3);
    }
  }
}

const char kFunctions[] = R"(
updraft.program @functions compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.scalar @t tensor input
  }
  updraft.kernel @update step element @all {
    %t = updraft.get @t : f64
    %e = updraft.math exp %t : f64
    %ef = arith.truncf %e : f64 to f32
    %g = updraft.get @g : f32
    %u = updraft.math exp %g : f32
    %x = arith.mulf %u, %ef : f32
    updraft.put @p, %x : f32
  }
})";

// A function of a vector is the function of its elements, in tails as well.
TEST_P(Kernels, FunctionsOfVectorsAreThoseOfScalars) {
  Loaded loaded(kFunctions, GetParam());
  std::deque<TestTensor> tensors;
  std::vector<uint8_t> items = randomArray<float>(100, 3, 4);
  for (size_t size : {size_t(1), size_t(100)}) {
    TestTensor tensor;
    tensor.size = size;
    tensor.arrays = {items, items};
    tensors.push_back(tensor);
  }
  Frame frame(loaded, tensors, 1);
  frame.tensor(0, 0) = frame.tensor(1, 0) = 1.25;
  frame.run(UPDRAFT_AT_STEP);
  float e = float(std::exp(1.25));
  EXPECT_EQ(tensors[0].array<float>(0)[0], tensors[1].array<float>(0)[0]);
  for (size_t i = 0; i < 100; ++i) {
    float wanted = std::exp(as<float>(items)[i]) * e;
    EXPECT_NEAR(tensors[1].array<float>(0)[i] / wanted, 1, 3e-7);
  }
}

} // namespace
