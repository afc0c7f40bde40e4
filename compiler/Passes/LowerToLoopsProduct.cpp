//===- LowerToLoopsProduct.cpp - A tile of a product of matrices ----------===//
//
// A register tile is tileRows x 3 vectors: its sums, three vectors of the right
// matrix and one number of the left are all the registers there are. For each k
// that takes 3 + tileRows loads for 3*tileRows fma. Copies of both matrices in
// slivers, as many rows wide as a register tile, let these loads go through
// memory in order.
//
//===----------------------------------------------------------------------===//

#include "compiler/Passes/LowerToLoopsProduct.h"

#include "runtime/abi.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <algorithm>

namespace updraft::loops {

namespace arith = mlir::arith;
namespace scf = mlir::scf;
using Values = llvm::SmallVector<Value>;

/// Vectors of a row of a register tile.
static constexpr int64_t kVectors = 3;
/// k that one turn of the innermost loop does.
static constexpr int64_t kUnrolled = 4;

static int64_t bytesOf(Type type) { return type.getIntOrFloatBitWidth() / 8; }

static llvm::StringRef nameOf(Type type) {
  return type.isF64() ? "_f64" : "_f32";
}

int64_t workspaceBytes(Type type) {
  int64_t tile = UPDRAFT_TILE_ROWS * UPDRAFT_TILE_COLS;
  int64_t copies = kDepth * (UPDRAFT_TILE_ROWS + UPDRAFT_TILE_COLS);
  return (tile + copies) * bytesOf(type);
}

namespace {

/// What a register tile is for one type and target.
struct Register {
  Type type;
  int64_t lanes, rows;

  Register(Type type, const LoopShape &shape)
      : type(type), lanes(shape.registerBytes / bytesOf(type)),
        rows(shape.tileRows) {}
  int64_t columns() const { return kVectors * lanes; }
  Type vector() const { return Builder::widened(type, lanes); }
};

} // namespace

//===- Copies -------------------------------------------------------------===//

/// The transpose of as many vectors as they have lanes: blocks that lie across
/// the diagonal change places, from halves down to single lanes.
static void transpose(Builder &at, Values &rows) {
  int64_t count = rows.size();
  for (int64_t half = count / 2; half; half /= 2)
    for (int64_t i = 0; i < count; ++i) {
      if (i & half)
        continue;
      llvm::SmallVector<int64_t> upper, lower;
      for (int64_t lane = 0; lane < count; ++lane) {
        upper.push_back(lane & half ? count + lane - half : lane);
        lower.push_back(lane & half ? count + lane : lane + half);
      }
      Value a = rows[i], b = rows[i + half];
      rows[i] = mlir::vector::ShuffleOp::create(at, at.location, a, b, upper);
      rows[i + half] =
          mlir::vector::ShuffleOp::create(at, at.location, a, b, lower);
    }
}

namespace {

/// Copies a sliver of `width` rows, `depth` deep: k by k, its rows side by
/// side.
struct Copier {
  Builder &at;
  Register shape;
  int64_t width;
  Value target, source, stride, depth;

  void lines();
  void columns();
  void few(Value count, bool hasLines);

private:
  /// The greatest square that vectors can turn and the sliver is made of.
  int64_t side() const { return std::min(shape.lanes, width & -width); }
  Value place(Value k, int64_t row) {
    Value index = at.add(at.multiply(k, at.integer(width)), at.integer(row));
    return at.at(target, index, shape.type);
  }
  void move(Value k, Value row, Value from) {
    Value index = at.add(at.multiply(k, at.integer(width)), row);
    at.store(at.load(shape.type, at.at(source, from, shape.type)),
             at.at(target, index, shape.type));
  }
};

} // namespace

void Copier::lines() {
  int64_t size = side(), bytes = bytesOf(shape.type);
  Type vector = Builder::widened(shape.type, size);
  Value whole = at.bitAnd(depth, -size);
  at.loop(at.integer(0), whole, size, [&](Value k) {
    for (int64_t row = 0; row < width; row += size) {
      Values turned;
      for (int64_t i = 0; i < size; ++i) {
        Value start = at.add(at.multiply(stride, at.integer(row + i)), k);
        turned.push_back(
            at.load(vector, at.at(source, start, shape.type), bytes));
      }
      transpose(at, turned);
      for (int64_t i = 0; i < size; ++i)
        at.store(turned[i], place(at.add(k, at.integer(i)), row), bytes);
    }
  });
  at.loop(whole, depth, 1, [&](Value k) {
    at.loop(at.integer(0), at.integer(width), 1, [&](Value row) {
      move(k, row, at.add(at.multiply(row, stride), k));
    });
  });
}

void Copier::columns() {
  int64_t size = side(), bytes = bytesOf(shape.type);
  Type vector = Builder::widened(shape.type, size);
  at.loop(at.integer(0), depth, 1, [&](Value k) {
    for (int64_t row = 0; row < width; row += size) {
      Value start = at.add(at.multiply(k, stride), at.integer(row));
      at.store(at.load(vector, at.at(source, start, shape.type), bytes),
               place(k, row), bytes);
    }
  });
}

/// A sliver of fewer rows: the others are 0, and what becomes of them is not
/// read.
void Copier::few(Value count, bool hasLines) {
  at.loop(at.integer(0), depth, 1, [&](Value k) {
    at.loop(at.integer(0), count, 1, [&](Value row) {
      Value from = hasLines ? at.add(at.multiply(row, stride), k)
                            : at.add(at.multiply(k, stride), row);
      move(k, row, from);
    });
    at.loop(count, at.integer(width), 1, [&](Value row) {
      Value index = at.add(at.multiply(k, at.integer(width)), row);
      at.store(at.number(0, shape.type), at.at(target, index, shape.type));
    });
  });
}

/// Copies `count` rows of a matrix, `depth` deep, in slivers of `width`.
static void copySlivers(Builder &builder, mlir::ModuleOp module,
                        const Register &shape, int64_t width, bool hasLines,
                        Value target, const Factor &matrix, Value count,
                        Value depth) {
  callShared(
      builder, module,
      llvm::Twine(hasLines ? "updraft_copy_lines_" : "updraft_copy_columns_") +
          llvm::Twine(width) + nameOf(shape.type),
      {}, {target, matrix.start, matrix.stride, count, depth},
      [&](Builder &at, ValueRange arguments) -> Values {
        Value count = arguments[3];
        at.loop(at.integer(0), count, width, [&](Value row) {
          Value from = hasLines ? at.multiply(row, arguments[2]) : row;
          Copier copier{at,
                        shape,
                        width,
                        at.at(arguments[0],
                              at.multiply(row, at.integer(kDepth)), shape.type),
                        at.at(arguments[1], from, shape.type),
                        arguments[2],
                        arguments[4]};
          Value left = at.subtract(count, row);
          at.when(
              at.compare(arith::CmpIPredicate::uge, left, at.integer(width)),
              [&] { hasLines ? copier.lines() : copier.columns(); },
              [&] { copier.few(left, hasLines); });
        });
        return {};
      });
}

//===- Register tiles -----------------------------------------------------===//

/// One k of a register tile: `state` is its sums, and where both slivers are.
static Values addProduct(Builder &at, const Register &shape, ValueRange state,
                         int64_t k) {
  int64_t bytes = bytesOf(shape.type), count = shape.rows * kVectors;
  Values sums(state.take_front(count));
  Value left = state[count], right = state[count + 1], columns[kVectors];
  for (int64_t j = 0; j < kVectors; ++j)
    columns[j] =
        at.load(shape.vector(),
                at.at(right, (k * kVectors + j) * shape.lanes * bytes), bytes);
  for (int64_t i = 0; i < shape.rows; ++i) {
    Value number =
        at.load(shape.type, at.at(left, (k * shape.rows + i) * bytes));
    Value row = mlir::vector::BroadcastOp::create(at, at.location,
                                                  shape.vector(), number);
    for (int64_t j = 0; j < kVectors; ++j) {
      Value &sum = sums[i * kVectors + j];
      sum = mlir::math::FmaOp::create(at, at.location, row, columns[j], sum);
    }
  }
  sums.push_back(left);
  sums.push_back(right);
  return sums;
}

/// The loop over k from `from` to `to`, `step` of them at a time.
static Values loopOverDepth(Builder &at, const Register &shape, Value from,
                            Value to, int64_t step, ValueRange state) {
  int64_t bytes = bytesOf(shape.type);
  auto loop =
      scf::ForOp::create(at, at.location, from, to, at.integer(step), state);
  mlir::OpBuilder::InsertionGuard guard(at);
  at.setInsertionPointToStart(loop.getBody());
  Values next(loop.getRegionIterArgs());
  for (int64_t k = 0; k < step; ++k)
    next = addProduct(at, shape, next, k);
  size_t count = shape.rows * kVectors;
  next[count] = at.at(next[count], step * shape.rows * bytes);
  next[count + 1] = at.at(next[count + 1], step * shape.columns() * bytes);
  scf::YieldOp::create(at, at.location, next);
  return Values(loop.getResults());
}

/// One register tile: {left, right, target, depth, isFirst}.
static Values fillRegisterTile(Builder &at, const Register &shape,
                               ValueRange arguments) {
  Value depth = arguments[3];
  int64_t bytes = bytesOf(shape.type), count = shape.rows * kVectors;
  Values state(count, at.number(0, shape.vector()));
  state.push_back(arguments[0]);
  state.push_back(arguments[1]);
  Value whole = at.bitAnd(depth, -kUnrolled);
  state = loopOverDepth(at, shape, at.integer(0), whole, kUnrolled, state);
  state = loopOverDepth(at, shape, whole, depth, 1, state);
  auto place = [&](int64_t index) {
    int64_t item =
        index / kVectors * UPDRAFT_TILE_COLS + index % kVectors * shape.lanes;
    return at.at(arguments[2], item * bytes);
  };
  at.when(
      arguments[4],
      [&] {
        for (int64_t i = 0; i < count; ++i)
          at.store(state[i], place(i), bytes);
      },
      [&] {
        for (int64_t i = 0; i < count; ++i) {
          Value total = at.load(shape.vector(), place(i), bytes);
          at.store(arith::AddFOp::create(at, at.location, total, state[i]),
                   place(i), bytes);
        }
      });
  return {};
}

//===- Tiles --------------------------------------------------------------===//

namespace {

/// Memory of one thread: the tile, then the copies.
struct Workspace {
  Value tile, left, right;

  Workspace(Builder &at, Value start, Type type) : tile(start) {
    int64_t bytes = bytesOf(type);
    left = at.at(tile, UPDRAFT_TILE_ROWS * UPDRAFT_TILE_COLS * bytes);
    right = at.at(left, UPDRAFT_TILE_ROWS * kDepth * bytes);
  }
};

} // namespace

/// The register tiles of a tile, row by row: a sliver of the left matrix stays
/// in the first cache while those of the right one pass by.
static void addRegisterTiles(Builder &at, mlir::ModuleOp module,
                             const Register &shape, const Workspace &memory,
                             const TileExtent &extent, Value depth,
                             Value isFirst) {
  Value none = at.integer(0), width = at.integer(shape.columns());
  at.loop(none, extent.rows, shape.rows, [&](Value row) {
    Value first =
        arith::MaxSIOp::create(at, at.location, none, at.add(row, extent.skip));
    first = at.multiply(at.divide(first, width), width);
    Value left =
        at.at(memory.left, at.multiply(row, at.integer(kDepth)), shape.type);
    Value line = at.multiply(row, at.integer(UPDRAFT_TILE_COLS));
    at.loop(first, extent.columns, shape.columns(), [&](Value column) {
      Value right = at.at(memory.right, at.multiply(column, at.integer(kDepth)),
                          shape.type);
      Value target = at.at(memory.tile, at.add(line, column), shape.type);
      callShared(at, module,
                 llvm::Twine("updraft_register_tile") + nameOf(shape.type), {},
                 {left, right, target, depth, isFirst},
                 [&](Builder &inner, ValueRange arguments) {
                   return fillRegisterTile(inner, shape, arguments);
                 });
    });
  });
}

static Values fillTile(Builder &at, mlir::ModuleOp module,
                       const Register &shape, ValueRange arguments) {
  Workspace memory(at, arguments[0], shape.type);
  TileExtent extent{arguments[7], arguments[8], arguments[9], arguments[10]};
  at.loop(at.integer(0), extent.depth, kDepth, [&](Value k) {
    Value depth = at.least(at.subtract(extent.depth, k), at.integer(kDepth));
    auto copy = [&](Value target, ValueRange given, int64_t width,
                    Value count) {
      auto from = [&](bool hasLines) {
        Value offset = hasLines ? k : at.multiply(k, given[1]);
        copySlivers(at, module, shape, width, hasLines, target,
                    {at.at(given[0], offset, shape.type), given[1], {}}, count,
                    depth);
      };
      at.when(given[2], [&] { from(true); }, [&] { from(false); });
    };
    copy(memory.left, arguments.slice(1, 3), shape.rows, extent.rows);
    copy(memory.right, arguments.slice(4, 3), shape.columns(), extent.columns);
    Value isFirst = at.compare(arith::CmpIPredicate::eq, k, at.integer(0));
    addRegisterTiles(at, module, shape, memory, extent, depth, isFirst);
  });
  return {};
}

void multiplyTile(Builder &at, mlir::ModuleOp module, const LoopShape &shape,
                  Type type, Value workspace, const Factor &left,
                  const Factor &right, const TileExtent &extent) {
  Register tile(type, shape);
  callShared(at, module, llvm::Twine("updraft_multiply_tile") + nameOf(type),
             {},
             {workspace, left.start, left.stride, left.hasLines, right.start,
              right.stride, right.hasLines, extent.rows, extent.columns,
              extent.depth, extent.skip},
             [&](Builder &inner, ValueRange arguments) {
               return fillTile(inner, module, tile, arguments);
             });
}

} // namespace updraft::loops
