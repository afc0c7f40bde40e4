//===- InterpreterMatrix.cpp - Functions of a whole matrix ----------------===//

#include "InterpreterMatrix.h"

#include <algorithm>
#include <cmath>

namespace updraft {

namespace {
/// In row-major order.
template <class T> struct Matrix {
  uint64_t rows, cols;
  std::vector<T> numbers;

  Matrix(uint64_t rows, uint64_t cols)
      : rows(rows), cols(cols), numbers(rows * cols) {}
  T &at(uint64_t row, uint64_t col) { return numbers[row * cols + col]; }
  T at(uint64_t row, uint64_t col) const { return numbers[row * cols + col]; }
};
} // namespace

template <class T> static Matrix<T> transposed(const Matrix<T> &matrix) {
  Matrix<T> result(matrix.cols, matrix.rows);
  for (uint64_t i = 0; i < matrix.rows; ++i)
    for (uint64_t j = 0; j < matrix.cols; ++j)
      result.at(j, i) = matrix.at(i, j);
  return result;
}

/// Each element in chunks of 256: fma after fma from +0, then the chunks in
/// order.      SPEC (6.1)
template <class T>
static Matrix<T> product(const Matrix<T> &a, const Matrix<T> &b) {
  constexpr uint64_t kChunk = 256;
  Matrix<T> result(a.rows, b.cols);
  for (uint64_t i = 0; i < a.rows; ++i)
    for (uint64_t j = 0; j < b.cols; ++j)
      for (uint64_t begin = 0; begin < a.cols; begin += kChunk) {
        T chunk = 0;
        for (uint64_t k = begin; k < std::min(begin + kChunk, a.cols); ++k)
          chunk = std::fma(a.at(i, k), b.at(k, j), chunk);
        T &total = result.at(i, j);
        total = begin == 0 ? chunk : total + chunk;
      }
  return result;
}

template <class T>
static std::vector<double> iterate(const NewtonSchulz &numbers, Compute type,
                                   Items items, uint64_t rows) {
  Matrix<T> x(rows, rows == 0 ? 0 : items.count / rows);
  double norm =
      finishTotal(Reducer::Norm, listTotal(Reducer::Norm, type, items));
  T divisor = T(norm + numbers.eps);
  for (uint64_t i = 0; i < x.numbers.size(); ++i)
    x.numbers[i] = T(items[i]) / divisor;
  bool isTall = x.rows > x.cols;
  if (isTall)
    x = transposed(x);
  T a = T(numbers.a), b = T(numbers.b), c = T(numbers.c);
  for (unsigned step = 0; step < numbers.steps; ++step) {
    Matrix<T> square = product(x, transposed(x));
    Matrix<T> factor = product(square, square);
    for (uint64_t i = 0; i < factor.numbers.size(); ++i)
      factor.numbers[i] = std::fma(b, square.numbers[i], c * factor.numbers[i]);
    Matrix<T> next = product(factor, x);
    for (uint64_t i = 0; i < next.numbers.size(); ++i)
      next.numbers[i] = std::fma(a, x.numbers[i], next.numbers[i]);
    x = std::move(next);
  }
  if (isTall)
    x = transposed(x);
  return {x.numbers.begin(), x.numbers.end()};
}

std::vector<double> newtonSchulz(const NewtonSchulz &numbers, Compute type,
                                 Items x, uint64_t rows) {
  return type == Compute::F32 ? iterate<float>(numbers, type, x, rows)
                              : iterate<double>(numbers, type, x, rows);
}

} // namespace updraft
