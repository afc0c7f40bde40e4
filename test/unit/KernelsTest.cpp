//===- KernelsTest.cpp - Compiled element kernels against C++ -------------===//
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

// Every element of every tensor, in groups of their own hypers; the absent
// tensor keeps its bytes.
TEST_P(Kernels, ElementsOfManyTensors) {
  Loaded loaded(planNamed("adam"), GetParam());
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

// Four outcomes of two conditions; an absent gradient is a null pointer that
// nobody reads.
TEST_P(Kernels, UniformConditions) {
  Loaded loaded(planNamed("conditions"), GetParam());
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

// However many conditions there are, and however often the body asks whether
// there is a gradient, nobody reads one that is absent; read it is +0.
TEST_P(Kernels, AbsentGradientsUnderManyConditions) {
  Loaded loaded(planNamed("absences"), GetParam());
  for (unsigned outcome = 0; outcome < 16; ++outcome) {
    std::deque<TestTensor> tensors;
    for (bool active : {false, true}) {
      TestTensor tensor;
      tensor.size = 1003;
      tensor.active = active;
      tensor.arrays = {randomArray<double>(1003, outcome, 1),
                       active ? randomArray<double>(1003, outcome + 99, 1)
                              : std::vector<uint8_t>()};
      tensors.push_back(std::move(tensor));
    }
    std::deque<TestTensor> wanted = tensors;
    Frame frame(loaded, tensors, 1);
    for (unsigned slot = 0; slot < 4; ++slot)
      frame.model(slot) = outcome >> slot & 1;
    frame.run(UPDRAFT_AT_STEP);
    for (size_t i = 0; i < tensors.size(); ++i) {
      double *p = wanted[i].array<double>(0), *g = wanted[i].array<double>(1);
      for (size_t j = 0; j < tensors[i].size; ++j) {
        double grad = tensors[i].active ? g[j] : 0.0, sum = 0;
        for (unsigned slot = 0; slot < 3; ++slot)
          sum += outcome >> slot & 1 ? grad : p[j];
        p[j] = sum + grad;
      }
      EXPECT_EQ(tensors[i].arrays, wanted[i].arrays) << outcome;
    }
  }
}

// A function of a vector is the function of its elements, in tails as well.
TEST_P(Kernels, FunctionsOfVectorsAreThoseOfScalars) {
  Loaded loaded(planNamed("functions"), GetParam());
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
