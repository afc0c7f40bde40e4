//===- PlanBuilder.h - Rules as graphs, for tests of the plan -------------===//
//
// Arithmetic is one n-ary value, since only what depends on what matters here.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TEST_COMPILER_PASSES_PLANBUILDER_H
#define UPDRAFT_TEST_COMPILER_PASSES_PLANBUILDER_H

#include "compiler/Passes/SplitPlan.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <initializer_list>

namespace updraft::plan {

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
  int array(Space space) {
    int value = array();
    graph.arrays.back().space = space;
    graph.values[value].level = Level::Axis;
    graph.values[value].space = space;
    graph.values[value].isCheap = true;
    return value;
  }
  int scalar(Level level) {
    int variant = level >= Level::Tensor ? 0 : -1;
    return add(
        {Value::Kind::Scalar, level, variant, graph.scalarCount++, true, {}});
  }
  /// Rows meet columns in elements; a matrix value is named last.
  void join(Value &value, const Value &operand) {
    bool meets = value.level == Level::Axis && operand.level == Level::Axis;
    if (operand.level > value.level)
      value.space = operand.space;
    value.level = std::max(value.level, operand.level);
    if (meets && value.space != operand.space &&
        operand.space.kind != Space::Kind::Matrix) {
      value.level = Level::Element;
      value.space = {};
    }
  }
  int op(std::initializer_list<int> operands,
         Value::Kind kind = Value::Kind::Compute) {
    Value value;
    value.kind = kind;
    value.operands = operands;
    for (int operand : operands)
      join(value, graph.values[operand]);
    value.variant = value.level >= Level::Tensor ? 0 : -1;
    return add(value);
  }
  int select(int condition, int a, int b) {
    return op({condition, a, b}, Value::Kind::Select);
  }
  int reduce(int operand) {
    return add({Value::Kind::Reduce, Level::Tensor, 0, -1, false, {operand}});
  }
  int reduce(int operand, Space to) {
    const Value &reduced = graph.values[operand];
    Space from = reduced.level == Level::Axis ? reduced.space : Space{};
    Level level = to.kind == Space::Kind::None ? Level::Tensor : Level::Axis;
    return add({Value::Kind::Reduce, level, 0, -1, false, {operand}, to, from});
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
  /// Of a scalar or an axis array.
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

inline void expectPlan(Builder &builder, int passes, int bytes) {
  Plan plan = makePlan(builder.graph);
  EXPECT_EQ(plan.passes[0], passes);
  EXPECT_EQ(plan.bytes[0], bytes);
  // Equal graphs must give equal programs.
  EXPECT_EQ(makePlan(builder.graph).rootPass, plan.rootPass);
}

struct Case : Builder {
  Case() {
    p = array();
    g = array();
  }
};

} // namespace updraft::plan

#endif // UPDRAFT_TEST_COMPILER_PASSES_PLANBUILDER_H
