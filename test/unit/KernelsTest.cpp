//===- KernelsTest.cpp - Compiled kernels against C++ ---------------------===//
//
// Plans written by hand, run by their machine code, compared bit for bit with
// the same arithmetic in C++ (which is compiled without contraction).
//
//===----------------------------------------------------------------------===//

#include "KernelFrame.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>

using namespace updraft::test;

namespace {

constexpr size_t kSizes[] = {0, 1, 7, 15, 16, 17, 100, 127, 128, 4095,
                             4096, 4097, 16384, 16385, 100003};

template <typename T>
std::vector<uint8_t> randomArray(size_t size, unsigned seed, double scale) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, scale);
  std::vector<T> items(size);
  for (T &item : items)
    item = T(normal(random));
  std::vector<uint8_t> bytes(size * sizeof(T));
  if (size != 0)
    memcpy(bytes.data(), items.data(), bytes.size());
  return bytes;
}

template <typename T> std::vector<T> as(const std::vector<uint8_t> &bytes) {
  std::vector<T> items(bytes.size() / sizeof(T));
  if (!items.empty())
    memcpy(items.data(), bytes.data(), bytes.size());
  return items;
}

/// Same bits, or both NaN.
template <typename T> bool same(T left, T right) {
  return memcmp(&left, &right, sizeof(T)) == 0 || (left != left && right != right);
}

class Kernels : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(All, Kernels, testing::ValuesIn(runnableTargets()),
                         [](const auto &info) {
                           std::string name = info.param;
                           for (char &c : name)
                             c = isalnum(c) ? c : '_';
                           return name;
                         });

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

const char kNorms[] = R"(
updraft.program @norms compute f32 {
  updraft.scalar @sum model slot
  updraft.scalar @peak model slot
  updraft.scalar @group_sum group slot
  updraft.scalar @group_peak group slot
  updraft.list @squares partial
  updraft.list @peaks partial
  updraft.list @sums total
  updraft.list @tops total
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.scalar @norm tensor slot
  }
  updraft.kernel @square step element @all {
    %g = updraft.get @g : f32
    %eps = arith.constant 0.5 : f32
    %g2 = arith.mulf %g, %g : f32
    %x = arith.addf %g2, %eps : f32
    updraft.partial sum @squares, %x : f32
    updraft.partial max @peaks, %g : f32
  }
  updraft.kernel @fold step tensor @all after tensor {
    %s = updraft.fold sum @squares
    %m = updraft.fold max @peaks
    updraft.put @norm, %s : f64
    updraft.put @sums, %s : f64
    updraft.put @tops, %m : f64
  }
  updraft.kernel @groups step group after group {
    %s = updraft.fold sum @sums
    %m = updraft.fold max @tops
    updraft.put @group_sum, %s : f64
    updraft.put @group_peak, %m : f64
  }
  updraft.kernel @model step model after model {
    %s = updraft.fold sum @group_sum
    %m = updraft.fold max @group_peak
    updraft.put @sum, %s : f64
    updraft.put @peak, %m : f64
  }
})";

// Lanes of a tail that do not exist add nothing, though their operand is not 0.
TEST_P(Kernels, Reductions) {
  Loaded loaded(kNorms, GetParam());
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
      EXPECT_EQ(frame.tensor(index, 0), sums.back())
          << "size " << items.size();
    }
    groupSums.push_back(sumOf(sums.data(), sums.size()));
    EXPECT_EQ(frame.group(group, 0), groupSums.back());
  }
  EXPECT_EQ(frame.model(0), sumOf(groupSums.data(), 3));
  EXPECT_EQ(frame.model(1), top);
}

std::string narrowCopy(const std::string &format) {
  return R"(
updraft.program @copy compute f32 {
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad )" + format + R"(
    updraft.array @q state )" + format + R"(
    updraft.array @w state f32
  }
  updraft.kernel @copy step element @all {
    %p = updraft.get @p : f32
    %g = updraft.get @g : f32
    updraft.put @q, %p : f32
    updraft.put @w, %g : f32
  }
})";
}

/// Bits of a float rounded to 16 bits, by the definition: of the two
/// neighbours the nearer one, of equally near ones the even one.
uint16_t roundToBf16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  uint32_t low = bits & 0xffff, high = bits >> 16;
  if (std::isnan(value))
    return high | 0x40;
  bool up = low > 0x8000 || (low == 0x8000 && (high & 1));
  return high + up;
}

float widenBf16(uint16_t bits) {
  return std::bit_cast<float>(uint32_t(bits) << 16);
}

// All bit patterns are read; patterns around every one are rounded.
void checkNarrow(const std::string &target, const std::string &format,
                 uint16_t (*round)(float), float (*widen)(uint16_t)) {
  Loaded loaded(narrowCopy(format), target);
  std::mt19937 random(5);
  std::deque<TestTensor> tensors(1);
  size_t size = 4 * 65536 + 3;
  std::vector<uint32_t> wide(size);
  std::vector<uint16_t> narrow(size);
  for (size_t i = 0; i < size; ++i) {
    constexpr uint32_t kLow[] = {0x8000, 0x7fff, 0x8001, 0};
    wide[i] = uint32_t(i & 0xffff) << 16 |
              (i < 3 * 65536 ? kLow[i >> 16] : random() & 0xffff);
    if (format == "f16" && i >= 65536)
      wide[i] = random(); // f16 cuts at another bit
    narrow[i] = uint16_t(i);
  }
  TestTensor &tensor = tensors[0];
  tensor.size = size;
  tensor.arrays.resize(4);
  for (size_t i = 0; i < 4; ++i)
    tensor.arrays[i].resize(size * (i == 0 || i == 3 ? 4 : 2));
  memcpy(tensor.array<uint32_t>(0), wide.data(), 4 * size);
  memcpy(tensor.array<uint16_t>(1), narrow.data(), 2 * size);
  Frame frame(loaded, tensors, 1);
  frame.run(UPDRAFT_AT_STEP);
  size_t wrong = 0;
  for (size_t i = 0; i < size && wrong < 10; ++i) {
    float value = std::bit_cast<float>(wide[i]);
    uint16_t stored = tensor.array<uint16_t>(2)[i];
    uint16_t wanted = round(value);
    bool bothNan = std::isnan(widen(stored)) && std::isnan(widen(wanted));
    if (stored != wanted && !bothNan) {
      ADD_FAILURE() << std::hex << wide[i] << " became " << stored << ", not "
                    << wanted;
      ++wrong;
    }
    float read = tensor.array<float>(3)[i];
    if (!same(read, widen(narrow[i]))) {
      ADD_FAILURE() << std::hex << narrow[i] << " was read as " << read;
      ++wrong;
    }
  }
}

TEST_P(Kernels, Bf16) {
  checkNarrow(GetParam(), "bf16", roundToBf16, widenBf16);
}

TEST_P(Kernels, F16) {
  checkNarrow(
      GetParam(), "f16",
      [](float value) { return std::bit_cast<uint16_t>(_Float16(value)); },
      [](uint16_t bits) { return float(std::bit_cast<_Float16>(bits)); });
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

const char kCorrections[] = R"(
updraft.program @corrections compute f32 {
  updraft.scalar @beta group hyper describe {initial = 0.9}
  updraft.variant @all tests [] {
    updraft.array @p param f32
    updraft.array @g grad f32
    updraft.scalar @t tensor counter
    updraft.scalar @c tensor slot
    updraft.scalar @d tensor slot
  }
  updraft.kernel @correct step tensor @all {
    %one = arith.constant 1.0 : f64
    %t = updraft.get @t : f64
    %b = updraft.get @beta : f64
    %size = updraft.shape size : f64
    %dim = updraft.shape dim {index = 1 : i32} : f64
    %rank = updraft.shape rank : f64
    %q = arith.divf %b, %t : f64
    %c = arith.subf %one, %q : f64
    %n = arith.mulf %dim, %rank : f64
    %d = arith.addf %size, %n : f64
    updraft.put @c, %c : f64
    updraft.put @d, %d : f64
    %t1 = arith.addf %t, %one : f64
    updraft.put @t, %t1 : f64
  }
})";

// A tensor takes the results of the one before it only if its group and its
// own scalars are the same; 0 and -0 are not.
TEST_P(Kernels, RepeatedScalars) {
  Loaded loaded(kCorrections, GetParam());
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
