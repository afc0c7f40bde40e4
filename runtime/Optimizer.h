//===- Optimizer.h - A program together with tensors ----------------------===//
//
// All tables are built once, at creation; a step rewrites gradient pointers
// and nothing else, and allocates nothing. Tensors have three numbers: their
// index (the caller's order), their id (by group, then by index: the order of
// all reductions) and their row (among those of their variant, by id).
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_RUNTIME_OPTIMIZER_H
#define UPDRAFT_RUNTIME_OPTIMIZER_H

#include "CudaModule.h"
#include "Error.h"
#include "Extents.h"
#include "Format.h"
#include "Memory.h"
#include "Program.h"
#include "Schedule.h"
#include "Threads.h"

#include <memory>
#include <string>
#include <vector>

namespace updraft::runtime {

/// A parameter as it was given, its memory aside.
struct Param : Shape {
  std::string name;
  uint32_t group = 0, variant = 0, row = 0, id = 0;
};

/// Bytes that nothing else may overlap.
struct Range {
  uintptr_t begin = 0, end = 0;
  uint32_t param = 0; ///< its index; kStates for the optimizer's own memory
};
inline constexpr uint32_t kStates = UINT32_MAX;

/// Consecutive rows of one group that one thread works on at a time.
struct Piece {
  uint32_t firstRow = 0, rowCount = 0;
};

/// The chunks of one extent that kernels of a variant walk.
struct Items {
  updraft_extent extent = {};
  std::vector<updraft_chunk> chunks; ///< by row, so by group
  std::vector<uint64_t> firstChunk;  ///< by row, and the end
  updraft_frame frame = {};

  uint64_t chunksOf(uint32_t row) const {
    return firstChunk[row + 1] - firstChunk[row];
  }
};

/// The tensors of one variant.
struct Table {
  const updraft_variant *variant = nullptr;
  std::span<const updraft_array> arrays;
  bool hasInputs = false;
  uint32_t rowCount = 0;
  Block rows;
  std::vector<uint32_t> paramOf; ///< by row
  uint32_t rounds = 0;           ///< of products of matrices, in a step
  std::vector<Items> items;      ///< by walked extent; elements first
  std::vector<Shape> axisShapes; ///< by row and array; none: all are elements
  std::vector<uint32_t> shared;  ///< rows that all threads work on
  std::vector<std::vector<Piece>> own; ///< by share: the other rows

  /// Of a row: its head and pointers.
  size_t headBytes() const {
    return sizeof(updraft_tensor) + arrays.size() * sizeof(void *);
  }
  updraft_tensor *row(uint32_t index) const {
    return reinterpret_cast<updraft_tensor *>(
        rows.data() + size_t(index) * variant->row_bytes);
  }
  void **arraysOf(uint32_t index) const {
    return reinterpret_cast<void **>(row(index) + 1);
  }
  double *slotsOf(uint32_t index) const {
    return reinterpret_cast<double *>(arraysOf(index) + arrays.size());
  }
};

class CudaDevice;

} // namespace updraft::runtime

struct updraft_optimizer {
  explicit updraft_optimizer(const updraft_options &options);
  ~updraft_optimizer();

  const updraft_program *program() const { return loaded->program; }
  const char *rule() const {
    return updraft::runtime::text(program(), program()->name);
  }
  const updraft_array *arrayOf(const updraft::runtime::Param &param,
                               size_t k) const {
    return &tables[param.variant].arrays[k];
  }
  void **arraysOf(const updraft::runtime::Param &param) const {
    return tables[param.variant].arraysOf(param.row);
  }
  /// The shape of array `k` of a parameter.
  const updraft::runtime::Shape &shapeOf(const updraft::runtime::Param &param,
                                         size_t k) const;
  double *slotsOf(const updraft::runtime::Param &param) const {
    return tables[param.variant].slotsOf(param.row);
  }
  double *groupRow(uint32_t group) const {
    return reinterpret_cast<double *>(groups.data()) +
           size_t(group) * program()->group_slots;
  }
  double *modelRow() const { return reinterpret_cast<double *>(model.data()); }
  /// The f64 that a scalar is, for a param (tensor level) or a group.
  double *scalarAt(const updraft_scalar &scalar, uint32_t group,
                   const updraft::runtime::Param *param) const;

  updraft_loaded_program *loaded = nullptr; ///< one reference
  uint32_t place = 0; ///< where the tensors are: updraft_ndarray.device
  /// Of a place that is not the host. Then all tables here are a mirror.
  std::unique_ptr<updraft::runtime::CudaDevice> device;
  updraft::runtime::Threads threads;
  uint64_t seed;
  bool hasStates = true; ///< false: their memory is still to be given
  uint32_t shareCount = 1;
  uint32_t groupCount = 1;

  std::vector<updraft::runtime::Param> params;
  std::vector<uint32_t> paramOfId;
  std::vector<updraft::runtime::Range> ranges; ///< sorted, disjoint
  std::vector<uintptr_t> checkedGrads; ///< by index: known to overlap nothing
  std::vector<updraft::runtime::Table> tables; ///< by variant
  std::vector<updraft_shape> shapes;           ///< by id
  std::vector<updraft_span> spans;             ///< by group
  std::vector<uint8_t> inputsGiven;            ///< by the program's scalars
  updraft::runtime::Block model, groups, partials, totals, states, scratch;
  updraft::runtime::Block workspaces; ///< by share
  updraft_frame frame = {};           ///< for model and group kernels

  updraft::runtime::Schedule atInit, atCheck, atStep;

  mutable std::atomic<bool> busy{false};
};

namespace updraft::runtime {

using Optimizer = ::updraft_optimizer;

/// Holds an optimizer for one call.
class Hold {
public:
  explicit Hold(const Optimizer &optimizer)
      : optimizer(optimizer),
        held(!optimizer.busy.exchange(true, std::memory_order_acquire)) {}
  ~Hold() {
    if (held)
      optimizer.busy.store(false, std::memory_order_release);
  }
  Hold(const Hold &) = delete;
  Hold &operator=(const Hold &) = delete;

  updraft_status status() const {
    return held ? UPDRAFT_OK
                : fail(UPDRAFT_BUSY,
                       "%s: the optimizer is in use by another thread",
                       optimizer.rule());
  }

private:
  const Optimizer &optimizer;
  bool held;
};

/// The code of the optimizer's device, else null.
const CudaModule *codeOf(const Optimizer &optimizer);

/// Runs `body` as one call of the interface on `optimizer`: not null, not used
/// by two threads, in its device's context, no exception.
template <class Body>
updraft_status call(const Optimizer *optimizer, Body &&body) noexcept {
  if (!optimizer)
    return fail(UPDRAFT_INVALID_ARGUMENT, "optimizer is null");
  return guarded([&] {
    Hold hold(*optimizer);
    if (updraft_status status = hold.status())
      return status;
    CudaEntered entered(codeOf(*optimizer));
    if (updraft_status status = entered.enter())
      return status;
    return body();
  });
}

//===- Arrays.cpp ---------------------------------------------------------===//

/// Checks a caller's array against a parameter's shape and a format. `what`
/// names the array: "the gradient of 'w'". `axis`, if not null, is the shape
/// that it needs instead.
updraft_status checkArray(const Optimizer &optimizer, const Param &param,
                          const updraft_ndarray &array, uint32_t format,
                          const std::string &what, const Shape *axis = nullptr);

/// The same as a yes or no, without texts, for steps.
bool arrayFits(const updraft_ndarray &array, const updraft_shape &shape,
               uint32_t format, uint32_t place);

/// Copies name, shape and group; checks dtype, rank, sizes and strides.
updraft_status describeParam(const Optimizer &optimizer,
                             const updraft_param &given, size_t index,
                             Param &result);

/// The range that [begin, end) overlaps, else null.
const Range *overlapping(const std::vector<Range> &ranges, uintptr_t begin,
                         uintptr_t end);

/// Like overlapping, as a status; a range of parameter `except` does not count.
updraft_status checkOverlap(const Optimizer &optimizer, const void *data,
                            uint64_t bytes, const std::string &what,
                            uint32_t except = kStates - 1);

/// Sorts ranges; fails where two overlap.
updraft_status sortRanges(const Optimizer &optimizer,
                          std::vector<Range> &ranges);

//===- Bind.cpp -----------------------------------------------------------===//

/// Fails while the caller has not given the states' memory.
updraft_status requireStates(const Optimizer &optimizer);

/// Inputs are read while parameters are written: they must not share memory.
updraft_status checkInputs(const Optimizer &optimizer, uintptr_t begin,
                           uint64_t bytes, const std::string &what);

//===- Optimizer.cpp ------------------------------------------------------===//

/// Sets a pointer of a tensor's row.
updraft_status replace(Optimizer &optimizer, void *&pointer, void *data);

//===- Variants.cpp -------------------------------------------------------===//

/// Picks the first variant whose tests a parameter passes.
updraft_status chooseVariant(const Optimizer &optimizer,
                             const updraft_param &given, Param &param);

//===- Tables.cpp, Shares.cpp, Schedule.cpp, Walk.cpp ---------------------===//

/// Builds all tables from `params` and places the states.
updraft_status buildTables(Optimizer &optimizer, const updraft_param *given);

/// Divides the tensors among the threads.
void divide(Optimizer &optimizer);

/// One thread's part of all kernels; every thread of the team calls it.
void walk(const Optimizer &optimizer, const Schedule &schedule,
          const Team &team);

/// Calls a kernel of tensor level or finer on rows of its variant, on the host.
void enterRows(const Optimizer &optimizer, const Kernel &kernel,
               const Table &table, uint32_t firstRow, uint32_t rowCount,
               Turn turn);

/// Calls one kernel.
void enter(const Kernel &kernel, const updraft_frame &frame, uint64_t first,
           uint64_t count);

/// Runs a schedule on the optimizer's threads.
void runAll(Optimizer &optimizer, const Schedule &schedule, uint32_t count);

//===- Hypers.cpp ---------------------------------------------------------===//

/// Defaults and the groups' settings, checked.
updraft_status initHypers(Optimizer &optimizer, const updraft_group *groups);

/// Whether a hyper takes a value.
updraft_status checkValue(const Optimizer &optimizer,
                          const updraft_hyper &hyper, double value);

/// Runs the CHECK kernels and looks at what `require` says.
updraft_status checkRequires(Optimizer &optimizer);

/// Where a hyper's value is.
double *hyperAt(const Optimizer &optimizer, const updraft_hyper &hyper,
                uint32_t group);

} // namespace updraft::runtime

#endif // UPDRAFT_RUNTIME_OPTIMIZER_H
