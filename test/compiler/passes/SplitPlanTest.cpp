//===- SplitPlanTest.cpp - Byte tables worked out by hand -----------------===//
//
// Each rule is a graph of what it reads, reduces and stores; the passes and
// bytes beside it were counted on paper. Arithmetic is one n-ary value, since
// only what depends on what matters here.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/SplitPlan.h"

#include <algorithm>
#include <cstdio>
#include <initializer_list>
#include <string>

using namespace updraft::plan;

namespace {

struct Builder {
  Graph graph;
  int lists = 0;

  Builder() { graph.variantCount = 1; }

  int add(Value value) {
    graph.values.push_back(value);
    return graph.values.size() - 1;
  }
  int array(bool isWide = true) {
    graph.arrays.push_back({0, isWide ? 4 : 2, isWide});
    return add({Value::Kind::Array,
                Level::Element,
                0,
                int(graph.arrays.size() - 1),
                false,
                {}});
  }
  int scalar(Level level) {
    int variant = level >= Level::Tensor ? 0 : -1;
    return add(
        {Value::Kind::Scalar, level, variant, graph.scalarCount++, true, {}});
  }
  int op(std::initializer_list<int> operands,
         Value::Kind kind = Value::Kind::Compute) {
    Value value;
    value.kind = kind;
    value.operands = operands;
    for (int operand : operands)
      value.level = std::max(value.level, graph.values[operand].level);
    value.variant = value.level >= Level::Tensor ? 0 : -1;
    return add(value);
  }
  int select(int condition, int a, int b) {
    return op({condition, a, b}, Value::Kind::Select);
  }
  int reduce(int operand) {
    return add({Value::Kind::Reduce, Level::Tensor, 0, -1, false, {operand}});
  }
  int fold(int operand) {
    int list = lists++;
    graph.roots.push_back({Root::Kind::Partial, graph.values[operand].level, 0,
                           list, operand, -1});
    return add({Value::Kind::Fold, Level::Model, -1, list, false, {}});
  }
  void store(int array, int value, int when = -1) {
    graph.roots.push_back({Root::Kind::Store, Level::Element, 0,
                           graph.values[array].index, value, when});
  }
  void put(int scalar, int value) {
    graph.roots.push_back({Root::Kind::Put, graph.values[scalar].level,
                           graph.values[scalar].variant,
                           graph.values[scalar].index, value, -1});
  }

  int p = -1, g = -1;
  /// Adam's moments and step from the gradient `g`; the new p.
  int adamw(int gradient, int when = -1) {
    int m = array(), v = array();
    int t = scalar(Level::Tensor), lr = scalar(Level::Group);
    int correction = op({lr, t});
    put(t, op({t}));
    int newM = op({m, gradient}), newV = op({v, gradient});
    store(m, newM, when);
    store(v, newV, when);
    return op({p, newM, newV, correction, lr});
  }
  /// Clips by the norm over all tensors.
  int clip(int gradient) { return op({gradient, op({fold(op({gradient}))})}); }
};

unsigned failures = 0;

void expect(const char *name, Builder &builder, int passes, int bytes) {
  Plan plan = makePlan(builder.graph);
  bool isRight = plan.passes[0] == passes && plan.bytes[0] == bytes;
  failures += !isRight;
  std::printf("%s: %d passes, %d bytes%s\n", name, plan.passes[0],
              plan.bytes[0], isRight ? "" : " (WRONG)");
  for (const Kernel &kernel : plan.kernels)
    std::printf("  level %d pass %d: %zu items, %zu roots\n", int(kernel.level),
                kernel.pass, kernel.items.size(),
                kernel.roots.size() + kernel.reduces.size());
}

struct Case : Builder {
  Case() {
    p = array();
    g = array();
  }
};

} // namespace

int main() {
  { // reads p g m v, writes p m v
    Case c;
    c.store(c.p, c.adamw(c.g));
    expect("adamw", c, 1, 28);
  }
  { // and reads g for the norm
    Case c;
    c.store(c.p, c.adamw(c.clip(c.g)));
    expect("clip | adamw", c, 2, 32);
  }
  { // and reads and writes the average
    Case c;
    int average = c.array();
    int updated = c.adamw(c.clip(c.g));
    c.store(average, c.op({average, updated}));
    c.store(c.p, updated);
    expect("ema | clip | adamw", c, 2, 40);
  }
  { // first pass p g m v -> m v, second p m v -> p
    Case c;
    int m = c.array(), v = c.array();
    int newM = c.op({m, c.g}), newV = c.op({v, c.g});
    c.store(m, newM);
    c.store(v, newV);
    int u = c.op({newM, newV, c.p});
    int ratio = c.op({c.reduce(c.op({c.p})), c.reduce(c.op({u}))});
    c.store(c.p, c.op({c.p, u, ratio}));
    expect("lamb", c, 2, 40);
  }
  { // m and v in bf16 cannot be read back: 12 bytes, then all again
    Case c;
    int m = c.array(false), v = c.array(false);
    int newM = c.op({m, c.g}), newV = c.op({v, c.g});
    c.store(m, newM);
    c.store(v, newV);
    int u = c.op({newM, newV, c.p});
    c.store(c.p, c.op({c.p, u, c.reduce(c.op({u}))}));
    expect("lamb with narrow moments", c, 2, 12 + 12 + 8);
  }
  { // at the last of the calls: p g m v total -> p m v total
    Case c;
    int total = c.array();
    int last = c.op({c.scalar(Level::Model)});
    int sum = c.op({total, c.g});
    c.store(total, c.select(last, c.scalar(Level::Model), sum));
    c.store(c.p, c.adamw(c.op({sum}), last), last);
    expect("accumulate | adamw", c, 1, 36);
  }
  { // a norm of the accumulated gradient reads g and total once more
    Case c;
    int total = c.array();
    int last = c.op({c.scalar(Level::Model)});
    int sum = c.op({total, c.g});
    c.store(total, c.select(last, c.scalar(Level::Model), sum));
    c.store(c.p, c.adamw(c.clip(sum), last), last);
    expect("accumulate | clip | adamw", c, 2, 44);
  }
  { // all(is_finite(g)) is a pass; the norm inside stands in the same
    Case c;
    int scale = c.scalar(Level::Model);
    int finite = c.op({c.fold(c.op({c.g}))});
    int scaled = c.op({c.g, scale});
    c.store(c.p, c.adamw(c.clip(scaled), finite), finite);
    c.put(scale, c.select(finite, scale, c.op({scale})));
    expect("dynamic_loss_scale | clip | adamw", c, 2, 32);
  }
  { // a norm of the new p that only the next step reads
    Case c;
    int norm = c.scalar(Level::Tensor);
    int updated = c.adamw(c.g);
    c.store(c.p, updated);
    c.put(norm, c.reduce(c.op({updated})));
    expect("adamw, norm of the result kept", c, 1, 28);
  }
  return failures != 0;
}
