//===- Lanes.h - Handlers from functions of one lane ----------------------===//
//
// An operation is a struct with a static template `of`; map1, map2 and map3
// make handlers of it. `of` must be defined for every value: lanes that do not
// take part may be computed and thrown away.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TEST_GPU_LANES_H
#define UPDRAFT_TEST_GPU_LANES_H

#include "Build.h"
#include "Warp.h"

#include <cstring>
#include <type_traits>

namespace updraft::gpu {

constexpr uint32_t kAll = ~0u;

/// target[l] = compute(l) of the lanes. Target and sources may be one register.
template <class T, class F>
inline void eachLane(T *target, uint32_t lanes, F compute) {
  if (lanes == kAll) {
#pragma clang loop vectorize(assume_safety)
    for (uint32_t l = 0; l < kLanes; ++l)
      target[l] = compute(l);
    return;
  }
#pragma clang loop vectorize(assume_safety)
  for (uint32_t l = 0; l < kLanes; ++l) {
    T value = compute(l);
    target[l] = (lanes >> l & 1) ? value : target[l];
  }
}

template <class F> inline void forLanes(uint32_t lanes, F run) {
  for (; lanes; lanes &= lanes - 1)
    run(static_cast<uint32_t>(__builtin_ctz(lanes)));
}

template <class R, class A, class Op>
void map1(Warp &w, const Instruction &i, uint32_t lanes) {
  const A *a = w.at<A>(i.operands[1]);
  eachLane(w.at<R>(i.operands[0]), lanes,
           [=](uint32_t l) -> R { return Op::of(a[l]); });
}
template <class R, class A, class B, class Op>
void map2(Warp &w, const Instruction &i, uint32_t lanes) {
  const A *a = w.at<A>(i.operands[1]);
  const B *b = w.at<B>(i.operands[2]);
  eachLane(w.at<R>(i.operands[0]), lanes,
           [=](uint32_t l) -> R { return Op::of(a[l], b[l]); });
}
template <class R, class A, class B, class C, class Op>
void map3(Warp &w, const Instruction &i, uint32_t lanes) {
  const A *a = w.at<A>(i.operands[1]);
  const B *b = w.at<B>(i.operands[2]);
  const C *c = w.at<C>(i.operands[3]);
  eachLane(w.at<R>(i.operands[0]), lanes,
           [=](uint32_t l) -> R { return Op::of(a[l], b[l], c[l]); });
}

/// Calls make<T>() with the C++ type of an integer type; .b is unsigned.
template <class Make> Handler ofInteger(Type type, Make make) {
  bool isSigned = type.kind == 's';
  if (!type.isInteger())
    return nullptr;
  switch (type.bits) {
  case 16:
    return isSigned ? make.template operator()<int16_t>()
                    : make.template operator()<uint16_t>();
  case 32:
    return isSigned ? make.template operator()<int32_t>()
                    : make.template operator()<uint32_t>();
  case 64:
    return isSigned ? make.template operator()<int64_t>()
                    : make.template operator()<uint64_t>();
  default:
    return nullptr;
  }
}

/// One target and `sources` sources, all of the type's width.
inline void alike(Build &build, Type type, size_t sources) {
  build.count(sources + 1);
  build.target(build.arguments[0], type.bits);
  for (size_t i = 1; i <= sources; ++i)
    build.source(build.arguments[i], type.bits);
}

} // namespace updraft::gpu

#endif // UPDRAFT_TEST_GPU_LANES_H
