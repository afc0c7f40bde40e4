//===- KernelFrame.h - Runs compiled kernels without the runtime ----------===//
//
// Compiles a plan written by hand, maps the image and calls its kernels on
// tables built here, so that a test of the code generator depends on nothing
// behind it.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TEST_UNIT_KERNELFRAME_H
#define UPDRAFT_TEST_UNIT_KERNELFRAME_H

#include "runtime/abi.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <vector>

namespace updraft::test {

/// Targets whose code this machine can run.
std::vector<std::string> runnableTargets();

/// The text of a plan in Inputs/.
std::string planNamed(const std::string &name);

/// A plan compiled for a target and mapped.
class Loaded {
public:
  Loaded(const std::string &plan, const std::string &target);
  ~Loaded();
  Loaded(const Loaded &) = delete;
  Loaded &operator=(const Loaded &) = delete;

  const updraft_program &program() const { return *program_; }
  const char *text(updraft_rel at) const {
    return reinterpret_cast<const char *>(program_) + at;
  }
  template <typename Item> const Item *items(updraft_list list) const {
    return reinterpret_cast<const Item *>(text(list.at));
  }

private:
  void *memory_ = nullptr;
  size_t bytes_ = 0;
  const updraft_program *program_ = nullptr;
};

/// One tensor: its arrays as bytes, in the variant's order.
struct TestTensor {
  uint64_t size = 0;
  uint32_t group = 0;
  bool active = true;
  std::vector<std::vector<uint8_t>> arrays;
  std::vector<uint64_t> dims;

  template <typename T> T *array(size_t index) {
    return reinterpret_cast<T *>(arrays[index].data());
  }
};

updraft_shape shapeOf(const std::vector<uint64_t> &dims);

/// How many items of `extent` a tensor has (abi.h).
uint64_t itemsOf(const updraft_extent &extent, const updraft_shape &shape,
                 uint64_t size);

/// All tensors of a test, of the program's first variant, sorted by group.
class Frame {
public:
  Frame(const Loaded &loaded, std::deque<TestTensor> &tensors, unsigned groups);

  /// Runs all kernels of `when` in order, chunks of one group at a time.
  void run(uint32_t when);
  double &model(unsigned slot) { return model_[slot]; }
  double &group(unsigned group, unsigned slot) {
    return groups_[group * groupSlots_ + slot];
  }
  double &tensor(unsigned index, unsigned slot);
  double &partial(unsigned list, size_t entry) {
    return partials_[list * frame_.partial_stride + entry];
  }
  double &total(unsigned list, size_t id) {
    return totals_[list * frame_.total_stride + id];
  }

private:
  void addTensor(TestTensor &tensor, uint32_t id, uint64_t firstPartial);
  void runItems(const updraft_kernel &kernel, updraft_entry *entry);

  const Loaded &loaded_;
  unsigned arrays_, rowBytes_, groupSlots_, groupCount_;
  std::vector<double> model_, groups_, partials_, totals_;
  std::vector<char> rows_;
  std::deque<TestTensor> &tensors_;
  std::vector<updraft_shape> shapes_;
  std::vector<updraft_span> spans_;
  updraft_frame frame_ = {};
};

/// numerics.md 5, T(list), written as it stands there.
template <typename T> T sumOf(const T *items, size_t count) {
  T lanes[128] = {};
  for (size_t i = 0; i < count; ++i)
    lanes[i % 128] += items[i];
  for (size_t half = 64; half > 0; half /= 2)
    for (size_t i = 0; i < half; ++i)
      lanes[i] += lanes[i + half];
  return lanes[0];
}

/// The reduction of a tensor: blocks in their type, their totals in f64.
template <typename T> double tensorSum(const std::vector<T> &items) {
  std::vector<double> blocks;
  for (size_t i = 0; i < items.size(); i += 4096)
    blocks.push_back(
        sumOf(&items[i], std::min<size_t>(4096, items.size() - i)));
  return sumOf(blocks.data(), blocks.size());
}

/// Sizes around every edge: vectors, lanes, blocks, chunks.
constexpr size_t kSizes[] = {0,   1,    7,    15,   16,    17,    100,   127,
                             128, 4095, 4096, 4097, 16384, 16385, 100003};

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
  return memcmp(&left, &right, sizeof(T)) == 0 ||
         (left != left && right != right);
}

/// Instantiates a suite for every target that this machine can run.
#define UPDRAFT_FOR_ALL_TARGETS(Suite)                                         \
  INSTANTIATE_TEST_SUITE_P(All, Suite, testing::ValuesIn(runnableTargets()),   \
                           [](const auto &info) {                              \
                             std::string name = info.param;                    \
                             for (char &c : name)                              \
                               c = isalnum(c) ? c : '_';                       \
                             return name;                                      \
                           })

} // namespace updraft::test

#endif // UPDRAFT_TEST_UNIT_KERNELFRAME_H
