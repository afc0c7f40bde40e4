//===- CxxTest.cpp - The C++ layer ----------------------------------------===//
//
// Lifetimes, exceptions with the text, and that a step through it has the bits
// of a step through C. Compiled as C++17, as users may.
//
//===----------------------------------------------------------------------===//

#include "FakeProgram.h"
#include "runtime/updraft.hpp"

#include <cmath>
#include <cstdio>

static int failed;

static void check(bool holds, const char *what) {
  if (holds)
    return;
  ++failed;
  printf("failed: %s\n", what);
}

template <class Body>
static void throws(Body body, updraft_status status, const char *fragment) {
  try {
    body();
  } catch (const updraft::Failure &failure) {
    check(failure.status() == status && strstr(failure.what(), fragment),
          failure.what());
    return;
  }
  check(false, fragment);
}

static updraft::Optimizer make(std::vector<float> &w, std::vector<float> &b) {
  updraft::Program program = updraft::Program::from(*fakeAdamw());
  check(program.name() == "adamw" && program.rule().rfind("rule", 0) == 0,
        "the program describes itself");
  return updraft::Optimizer(
      program,
      {updraft::param("w", w.data(), {2, 3}),
       updraft::param("b", b.data(), {4}, 1, {"no_decay"})},
      {{{"lr", 0.5}}, {}});
}

int main() {
  std::vector<float> w(6, 1), b(4, 1), g(10, 0.5f);
  updraft::Optimizer optimizer = make(w, b);
  check(optimizer.hyper("lr") == 0.5 && optimizer.hyper("lr", 1) == 1e-3,
        "groups have their hypers");
  optimizer.step(
      {updraft::array(g.data(), {2, 3}), updraft::array(g.data() + 6, {4})});
  check(std::fabs(w[0] - 0.495f) < 1e-6f, "w moved");
  check(std::fabs(b[0] - 0.999f) < 1e-6f, "b moved");
  optimizer.step({updraft::absent(), updraft::array(g.data() + 6, {4})});
  check(*static_cast<double *>(optimizer.state("t", 0).data) == 2,
        "an absent tensor's t stays");
  optimizer.setHyper("lr", 0.25);
  std::vector<float> m(6);
  optimizer.view("m", 0, updraft::array(m.data(), {2, 3}));
  check(m[5] > 0, "the view shows m");
  check(optimizer.view("norm") > 0, "the view shows the norm");
  throws([&] { optimizer.setHyper("lr", -1); }, UPDRAFT_INVALID_ARGUMENT,
         "adamw: hyper 'lr' is -1, it must be in [0, inf)");
  throws([&] { optimizer.step({updraft::array(g.data(), {3, 2})}); },
         UPDRAFT_INVALID_ARGUMENT,
         "adamw: 1 gradients were given, there are 2 parameters");
  throws([] { updraft::Program::open("/nowhere/a.img"); }, UPDRAFT_NOT_FOUND,
         "/nowhere/a.img");
  throws([&] { optimizer.load("/nowhere/a.safetensors"); }, UPDRAFT_NOT_FOUND,
         "/nowhere/a.safetensors");
  optimizer.save("runtime-test-cxx.safetensors");
  updraft::Optimizer moved = std::move(optimizer);
  moved.load("runtime-test-cxx.safetensors");
  remove("runtime-test-cxx.safetensors");
  check(moved.hyper("lr") == 0.25, "hypers come back");
  printf("%d failed\n", failed);
  return failed != 0;
}
