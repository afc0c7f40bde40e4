//===- InterpreterReduce.cpp - Many numbers to one ------------------------===//

#include "InterpreterReduce.h"

#include "Functions.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace updraft {

/// Whether the reduction is by addition; else by an order or by logic.
static bool isSum(Reducer reducer) {
  switch (reducer) {
  case Reducer::Max:
  case Reducer::Min:
  case Reducer::Any:
  case Reducer::All:
    return false;
  default:
    return true;
  }
}

static bool takesSquares(Reducer reducer) {
  return reducer == Reducer::Norm || reducer == Reducer::Rms;
}

/// The sum of a list in 128 lanes: item i goes to lane i mod 128, then the
/// upper half of the lanes is added to the lower until one is left.
template <class T> static T sumOfLanes(const std::vector<T> &items) {
  T lanes[128] = {};
  for (size_t i = 0; i < items.size(); ++i)
    lanes[i % 128] += items[i];
  for (int half = 64; half >= 1; half /= 2)
    for (int i = 0; i < half; ++i)
      lanes[i] += lanes[i + half];
  return lanes[0];
}

/// Of a list that is already squared, if the reduction takes squares.
template <class T>
static T totalOf(Reducer reducer, const std::vector<T> &items) {
  if (isSum(reducer))
    return sumOfLanes(items);
  T total = T(emptyTotal(reducer).value);
  for (T item : items)
    switch (reducer) {
    case Reducer::Max:
      total = T(functions::maximum(total, item));
      break;
    case Reducer::Min:
      total = T(functions::minimum(total, item));
      break;
    case Reducer::Any:
      total = total != 0 || item != 0;
      break;
    default:
      total = total != 0 && item != 0;
    }
  return total;
}

Total emptyTotal(Reducer reducer) {
  switch (reducer) {
  case Reducer::Max:
    return {-HUGE_VAL, 0};
  case Reducer::Min:
    return {HUGE_VAL, 0};
  case Reducer::All:
    return {1, 0};
  default:
    return {0, 0};
  }
}

template <class T>
static Total elementTotal(Reducer reducer, const double *items, bool isUniform,
                          uint64_t size) {
  std::vector<double> blocks;
  std::vector<T> block;
  for (uint64_t begin = 0; begin < size; begin += 4096) {
    block.clear();
    for (uint64_t i = begin, end = std::min(begin + 4096, size); i < end; ++i) {
      T item = T(items[isUniform ? 0 : i]);
      block.push_back(takesSquares(reducer) ? item * item : item);
    }
    blocks.push_back(totalOf(reducer, block));
  }
  return {totalOf(reducer, blocks), double(size)};
}

Total elementTotal(Reducer reducer, Compute type, const double *items,
                   bool isUniform, uint64_t size) {
  return type == Compute::F32
             ? elementTotal<float>(reducer, items, isUniform, size)
             : elementTotal<double>(reducer, items, isUniform, size);
}

Total scalarTotal(Reducer reducer, double item) {
  std::vector<double> items = {takesSquares(reducer) ? item * item : item};
  return {totalOf(reducer, items), 1};
}

Total joinTotals(Reducer reducer, llvm::ArrayRef<Total> totals) {
  std::vector<double> values, counts;
  for (Total total : totals) {
    values.push_back(total.value);
    counts.push_back(total.count);
  }
  return {totalOf(reducer, values), sumOfLanes(counts)};
}

double finishTotal(Reducer reducer, Total total) {
  bool isEmpty = total.count == 0;
  switch (reducer) {
  case Reducer::Mean:
    return isEmpty ? 0 : total.value / total.count;
  case Reducer::Norm:
    return std::sqrt(total.value);
  case Reducer::Rms:
    return isEmpty ? 0 : std::sqrt(total.value / total.count);
  default:
    return total.value;
  }
}

} // namespace updraft
