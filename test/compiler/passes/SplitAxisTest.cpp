//===- SplitAxisTest.cpp - Rows, columns, matrices and blocks -------------===//
//
// Byte tables worked out by hand, as in SplitPlanTest.cpp. What has one value a
// row, a column or less costs nothing.
//
//===----------------------------------------------------------------------===//

#include "PlanBuilder.h"

#include "llvm/ADT/STLExtras.h"

using namespace updraft::plan;

namespace {

using Kind = Space::Kind;
constexpr Space kRows{Kind::Rows}, kCols{Kind::Cols}, kMatrix{Kind::Matrix};
constexpr Space kBands{Kind::Bands}, kFoldedBands{Kind::Bands, true};
constexpr Space kBlock{Kind::Block, false, 64};

/// What the element kernels walk along and the axis kernels are of.
std::vector<Space> spacesOf(const Plan &plan, Level level) {
  std::vector<Space> spaces;
  for (const Kernel &kernel : plan.kernels)
    if (kernel.level == level)
      spaces.push_back(kernel.space);
  return spaces;
}

using Spaces = std::vector<Space>;

} // namespace

// Reads g for rows and columns, then g and p for two norms, then p g -> p.
// What rows and columns have is free, and so is the mean over them.
TEST(SplitAxis, AdafactorOfMatrices) {
  Case c;
  int r = c.array(kRows), col = c.array(kCols), square = c.op({c.g});
  int newR = c.op({r, c.reduce(square, kRows)});
  int newC = c.op({col, c.reduce(square, kCols)});
  c.put(r, newR);
  c.put(col, newC);
  int share = c.op({newR, c.reduce(newR, kMatrix)});
  int u = c.op({c.g, c.op({share, newC})});
  int scaled = c.op({u, c.reduce(c.op({c.p}))});
  c.store(c.p, c.op({c.p, scaled, c.reduce(c.op({u}))}));
  expectPlan(c, 3, 4 + 8 + 12);
  Plan plan = makePlan(c.graph);
  EXPECT_EQ(spacesOf(plan, Level::Element), (Spaces{kBands, {}, {}}));
  // Columns can wait for nothing, the rows' share for the matrix.
  EXPECT_EQ(spacesOf(plan, Level::Axis),
            (Spaces{kRows, kCols, kMatrix, kRows}));
}

// V is an array: p g v for the norms, then p g v -> p v; or v stored first.
TEST(SplitAxis, AdafactorOfVectors) {
  Case c;
  int v = c.array(), newV = c.op({v, c.op({c.g})});
  c.store(v, newV);
  int u = c.op({c.g, newV});
  int scale = c.op({c.reduce(c.op({u})), c.reduce(c.op({c.p}))});
  c.store(c.p, c.op({c.p, u, scale}));
  expectPlan(c, 2, 32);
}

// Reads g for the means of the folded rows, then as AdamW.
TEST(SplitAxis, GradientCentralisation) {
  Case c;
  Space rows{Kind::Rows, true};
  c.store(c.p, c.adamw(c.op({c.g, c.reduce(c.g, rows)})));
  expectPlan(c, 2, 4 + 28);
  Plan plan = makePlan(c.graph);
  EXPECT_EQ(spacesOf(plan, Level::Element), (Spaces{kFoldedBands, {}}));
  EXPECT_EQ(spacesOf(plan, Level::Axis), (Spaces{rows}));
}

// The new scale of a block needs all of it: g, then p g -> p.
TEST(SplitAxis, BlockScales) {
  Case c;
  int scale = c.array(kBlock);
  int newScale = c.op({scale, c.reduce(c.op({c.g}), kBlock)});
  c.put(scale, newScale);
  c.store(c.p, c.op({c.p, c.g, newScale}));
  expectPlan(c, 2, 4 + 12);
}

// The old one is there already; the pass walks along blocks.
TEST(SplitAxis, BlockScalesOfTheLastStep) {
  Case c;
  int scale = c.array(kBlock);
  c.put(scale, c.op({scale, c.reduce(c.op({c.g}), kBlock)}));
  c.store(c.p, c.op({c.p, c.g, scale}));
  expectPlan(c, 1, 12);
  EXPECT_EQ(spacesOf(makePlan(c.graph), Level::Element), (Spaces{kBlock}));
}

// LAMB with norms of rows of u and of all of p: p for its norm, and along the
// bands, where u is made anyway, p g m v -> m v; then p m v -> p.
TEST(SplitAxis, LambByRows) {
  Case c;
  int m = c.array(), v = c.array();
  int newM = c.op({m, c.g}), newV = c.op({v, c.g});
  c.store(m, newM);
  c.store(v, newV);
  int u = c.op({newM, newV, c.p});
  int ratio = c.op({c.reduce(c.op({c.p})), c.reduce(c.op({u}), kRows)});
  c.store(c.p, c.op({c.p, u, ratio}));
  expectPlan(c, 3, 4 + 24 + 16);
  Plan plan = makePlan(c.graph);
  EXPECT_EQ(spacesOf(plan, Level::Element), (Spaces{{}, kBands, {}}));
}

// One walk cannot do for matrices and for the folded one.
TEST(SplitAxis, FoldedAndUnfoldedRows) {
  Case c;
  int both =
      c.op({c.reduce(c.g, kRows), c.reduce(c.g, Space{Kind::Rows, true})});
  c.store(c.p, c.op({c.p, both}));
  expectPlan(c, 3, 4 + 4 + 8);
  EXPECT_EQ(spacesOf(makePlan(c.graph), Level::Element),
            (Spaces{kFoldedBands, kBands, {}}));
}

// A sum over what rows have costs no pass: the kernel of the rows, the sum.
TEST(SplitAxis, RowValuesAreReducedForNothing) {
  Case c;
  int r = c.array(kRows), total = c.scalar(Level::Tensor);
  c.put(total, c.reduce(r, {}));
  c.store(c.p, c.op({c.p, c.g, total}));
  expectPlan(c, 1, 12);
  Plan plan = makePlan(c.graph);
  std::vector<Level> levels;
  for (const Kernel &kernel : plan.kernels)
    levels.push_back(kernel.level);
  EXPECT_EQ(levels,
            (std::vector<Level>{Level::Axis, Level::Tensor, Level::Element}));
}
