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

template <class T> static T sumInOrder(const std::vector<T> &items) {
  T total = 0;
  for (T item : items)
    total += item;
  return total;
}

namespace {
/// How the items of a sum are added.
enum class By { Lanes, Order };
} // namespace

/// Of a list that is already squared, if the reduction takes squares.
template <class T>
static T totalOf(Reducer reducer, const std::vector<T> &items,
                 By by = By::Lanes) {
  if (isSum(reducer))
    return by == By::Lanes ? sumOfLanes(items) : sumInOrder(items);
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

/// The total of runs of `length` items, each in the type T, then of these in
/// f64.
template <class T>
static Total totalOfRuns(Reducer reducer, Items items, uint64_t length,
                         By within, By among) {
  std::vector<double> totals;
  std::vector<T> run;
  for (uint64_t begin = 0; begin < items.count; begin += length) {
    run.clear();
    uint64_t end = std::min(begin + length, items.count);
    for (uint64_t i = begin; i < end; ++i) {
      T item = T(items[i]);
      run.push_back(takesSquares(reducer) ? item * item : item);
    }
    totals.push_back(totalOf(reducer, run, within));
  }
  return {totalOf(reducer, totals, among), double(items.count)};
}

static Total totalOfRuns(Reducer reducer, Compute type, Items items,
                         uint64_t length, By within, By among) {
  return type == Compute::F32
             ? totalOfRuns<float>(reducer, items, length, within, among)
             : totalOfRuns<double>(reducer, items, length, within, among);
}

Total listTotal(Reducer reducer, Compute type, Items items) {
  return totalOfRuns(reducer, type, items, 4096, By::Lanes, By::Lanes);
}

Total rowTotal(Reducer reducer, Compute type, Items items) {
  return totalOfRuns(reducer, type, items, 512, By::Lanes, By::Order);
}

Total columnTotal(Reducer reducer, Compute type, Items items) {
  return totalOfRuns(reducer, type, items, 64, By::Order, By::Order);
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
