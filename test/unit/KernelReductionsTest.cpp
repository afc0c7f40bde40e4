//===- KernelReductionsTest.cpp - Compiled reductions against C++ ---------===//
//
// Block, tensor, group and model reductions, and scalar kernels that repeat
// their results.
//
//===----------------------------------------------------------------------===//

#include "KernelFrame.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace updraft::test;

namespace {

class KernelReductions : public testing::TestWithParam<std::string> {};
UPDRAFT_FOR_ALL_TARGETS(KernelReductions);

// Lanes of a tail that do not exist add nothing, though their operand is not 0.
TEST_P(KernelReductions, Reductions) {
  Loaded loaded(planNamed("norms"), GetParam());
  std::deque<TestTensor> tensors;
  for (unsigned group = 0; group < 3; ++group)
    for (size_t size : kSizes) {
      TestTensor tensor;
      tensor.size = size;
      tensor.group = group;
      tensor.arrays = {randomArray<float>(size, 1, 1),
                       randomArray<float>(size, 7 * size + group, 1)};
      tensors.push_back(std::move(tensor));
    }
  Frame frame(loaded, tensors, 3);
  frame.run(UPDRAFT_AT_STEP);
  std::vector<double> groupSums;
  double top = -INFINITY;
  for (unsigned group = 0; group < 3; ++group) {
    std::vector<double> sums;
    for (size_t i = 0; i < std::size(kSizes); ++i) {
      size_t index = group * std::size(kSizes) + i;
      std::vector<float> items = as<float>(tensors[index].arrays[1]);
      for (float &item : items) {
        top = std::fmax(top, item);
        item = item * item + 0.5f;
      }
      sums.push_back(tensorSum(items));
      EXPECT_EQ(frame.tensor(index, 0), sums.back()) << "size " << items.size();
    }
    groupSums.push_back(sumOf(sums.data(), sums.size()));
    EXPECT_EQ(frame.group(group, 0), groupSums.back());
  }
  EXPECT_EQ(frame.model(0), sumOf(groupSums.data(), 3));
  EXPECT_EQ(frame.model(1), top);
}

// A tensor takes the results of the one before it only if its group and its
// own scalars are the same; 0 and -0 are not.
TEST_P(KernelReductions, RepeatedScalars) {
  Loaded loaded(planNamed("corrections"), GetParam());
  constexpr double kSteps[] = {1, 1, 2, 2, 0.0, -0.0, 1, NAN, NAN, 1};
  std::deque<TestTensor> tensors;
  for (unsigned group = 0; group < 2; ++group)
    for (size_t i = 0; i < std::size(kSteps); ++i) {
      TestTensor tensor;
      tensor.size = 6;
      tensor.group = group;
      tensor.dims = {2, 3};
      tensor.arrays.assign(2, std::vector<uint8_t>(24));
      tensors.push_back(tensor);
    }
  Frame frame(loaded, tensors, 2);
  frame.group(0, 0) = 0.9;
  frame.group(1, 0) = 0.8;
  for (size_t i = 0; i < tensors.size(); ++i)
    frame.tensor(i, 0) = kSteps[i % std::size(kSteps)];
  frame.run(UPDRAFT_AT_STEP);
  for (size_t i = 0; i < tensors.size(); ++i) {
    double t = kSteps[i % std::size(kSteps)];
    EXPECT_TRUE(
        same(frame.tensor(i, 1), 1 - (tensors[i].group ? 0.8 : 0.9) / t));
    EXPECT_EQ(frame.tensor(i, 2), 6 + 3 * 2);
    EXPECT_TRUE(same(frame.tensor(i, 0), t + 1));
  }
}

} // namespace
