//===- SplitPlanTest.cpp - Byte tables worked out by hand -----------------===//
//
// Each rule is a graph of what it reads, reduces and stores; the passes and
// bytes beside it were counted on paper.
//
//===----------------------------------------------------------------------===//

#include "PlanBuilder.h"

#include "llvm/ADT/STLExtras.h"

using namespace updraft::plan;

// Reads p g m v, writes p m v.
TEST(SplitPlan, AdamW) {
  Case c;
  c.store(c.p, c.adamw(c.g));
  expectPlan(c, 1, 28);
}

// And reads g for the norm.
TEST(SplitPlan, ClipAdamW) {
  Case c;
  c.store(c.p, c.adamw(c.clip(c.g)));
  expectPlan(c, 2, 32);
}

// And reads and writes the average.
TEST(SplitPlan, EmaClipAdamW) {
  Case c;
  int average = c.array();
  int updated = c.adamw(c.clip(c.g));
  c.store(average, c.op({average, updated}));
  c.store(c.p, updated);
  expectPlan(c, 2, 40);
}

// First pass p g m v -> m v, second p m v -> p.
TEST(SplitPlan, Lamb) {
  Case c;
  int m = c.array(), v = c.array();
  int newM = c.op({m, c.g}), newV = c.op({v, c.g});
  c.store(m, newM);
  c.store(v, newV);
  int u = c.op({newM, newV, c.p});
  int ratio = c.op({c.reduce(c.op({c.p})), c.reduce(c.op({u}))});
  c.store(c.p, c.op({c.p, u, ratio}));
  expectPlan(c, 2, 40);
}

// M and v in bf16 cannot be read back: 12 bytes, then all again.
TEST(SplitPlan, LambWithNarrowMoments) {
  Case c;
  int m = c.array(false), v = c.array(false);
  int newM = c.op({m, c.g}), newV = c.op({v, c.g});
  c.store(m, newM);
  c.store(v, newV);
  int u = c.op({newM, newV, c.p});
  c.store(c.p, c.op({c.p, u, c.reduce(c.op({u}))}));
  expectPlan(c, 2, 12 + 12 + 8);
}

// At the last of the calls: p g m v total -> p m v total.
TEST(SplitPlan, AccumulateAdamW) {
  Case c;
  int total = c.array();
  int last = c.op({c.scalar(Level::Model)});
  int sum = c.op({total, c.g});
  c.store(total, c.select(last, c.scalar(Level::Model), sum));
  c.store(c.p, c.adamw(c.op({sum}), last), last);
  expectPlan(c, 1, 36);
}

// A norm of the accumulated gradient reads g and total once more.
TEST(SplitPlan, AccumulateClipAdamW) {
  Case c;
  int total = c.array();
  int last = c.op({c.scalar(Level::Model)});
  int sum = c.op({total, c.g});
  c.store(total, c.select(last, c.scalar(Level::Model), sum));
  c.store(c.p, c.adamw(c.clip(sum), last), last);
  expectPlan(c, 2, 44);
}

// All(is_finite(g)) is a pass; the norm inside stands in the same.
TEST(SplitPlan, DynamicLossScaleClipAdamW) {
  Case c;
  int scale = c.scalar(Level::Model);
  int finite = c.op({c.fold(c.op({c.g}))});
  int scaled = c.op({c.g, scale});
  c.store(c.p, c.adamw(c.clip(scaled), finite), finite);
  c.put(scale, c.select(finite, scale, c.op({scale})));
  expectPlan(c, 2, 32);
}

// A norm of the new p that only the next step reads.
TEST(SplitPlan, NormOfTheResultIsFree) {
  Case c;
  int norm = c.scalar(Level::Tensor);
  int updated = c.adamw(c.g);
  c.store(c.p, updated);
  c.put(norm, c.reduce(c.op({updated})));
  expectPlan(c, 1, 28);
}

// A reduction that only a held box reads is skipped with it.
TEST(SplitPlan, HeldReductionIsSkipped) {
  Case c;
  int last = c.op({c.scalar(Level::Model)});
  c.store(c.p, c.adamw(c.clip(c.g), last), last);
  Plan plan = makePlan(c.graph);
  for (const auto &[index, root] : llvm::enumerate(c.graph.roots))
    if (root.kind == Root::Kind::Partial)
      EXPECT_EQ(plan.partialWhen[index], literalsOf(c.graph, last, true));
}

// What is needed only where a condition holds is no choice there.
TEST(SplitPlan, KnownSelectIsSettled) {
  Case c;
  int last = c.op({c.scalar(Level::Model)});
  int select = c.select(last, c.g, c.p);
  c.store(c.p, c.op({select}), last);
  Plan plan = makePlan(c.graph);
  EXPECT_EQ(resolve(plan, select), c.g);
  EXPECT_EQ(plan.bytes[0], 4 + 4);
}

// Scalars of one level that can wait share a kernel: blocks to the norm,
// tensor, group, model, and the step.
TEST(SplitPlan, ScalarKernelsAreMerged) {
  Case c;
  c.store(c.p, c.adamw(c.clip(c.g)));
  Plan plan = makePlan(c.graph);
  std::vector<Level> levels;
  for (const Kernel &kernel : plan.kernels)
    levels.push_back(kernel.level);
  EXPECT_EQ(levels,
            (std::vector<Level>{Level::Element, Level::Tensor, Level::Group,
                                Level::Model, Level::Element}));
}
