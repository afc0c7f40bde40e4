//===- Views.cpp - Values that a person looks at --------------------------===//
//
// A view is evaluated between steps, by kernels of its own, for one parameter;
// a view of a state alone is a copy. Nothing that the next step reads changes.
//
//===----------------------------------------------------------------------===//

#include "CudaDevice.h"
#include "Names.h"

#include <cstring>

using namespace updraft::runtime;

namespace {

class Viewer {
public:
  Viewer(Optimizer &optimizer, const char *name, const Param *param)
      : optimizer(optimizer), program(optimizer.program()), name(name),
        param(param) {}

  updraft_status array(const updraft_ndarray &out, size_t k);
  updraft_status scalar(const updraft_ndarray &out, uint32_t level);
  /// The array that shows the view, of the parameter's variant; else arrays'
  /// count.
  size_t arrayOf(const Table &table) const;
  /// Calls every kernel of the view.
  updraft_status evaluate();

private:
  updraft_status run(void *&place);
  updraft_status segment(const Schedule &kernels, size_t s, bool everywhere);
  updraft_status coarse(const Kernel &kernel);
  updraft_status rows(const Table &table, const Kernel &kernel, uint32_t round,
                      bool everywhere);
  updraft_status give(const void *from, const updraft_array &shown,
                      const updraft_ndarray &out, uint64_t count);
  updraft_status checkOut(const updraft_ndarray &out, const Shape &shape);

  Optimizer &optimizer;
  const updraft_program *program;
  const char *name;
  const Param *param; ///< null: none was meant
};

size_t Viewer::arrayOf(const Table &table) const {
  for (size_t k = 0; k < table.arrays.size(); ++k) {
    const updraft_array &array = table.arrays[k];
    bool shown =
        array.role == UPDRAFT_VIEW ||
        (array.role == UPDRAFT_STATE && array.flags & UPDRAFT_ARRAY_VIEW);
    if (shown && !strcmp(text(program, array.name), name))
      return k;
  }
  return table.arrays.size();
}

updraft_status Viewer::rows(const Table &table, const Kernel &kernel,
                            uint32_t round, bool everywhere) {
  bool hasOwn = param && &table == &optimizer.tables[param->variant];
  if (!everywhere && !hasOwn)
    return UPDRAFT_OK;
  if (optimizer.device)
    return optimizer.device->launchRows(kernel, table, hasOwn ? param->row : 0,
                                        everywhere, round);
  for (uint32_t row = 0; row < table.rowCount; ++row)
    if (everywhere || row == param->row)
      enterRows(optimizer, kernel, table, row, 1, {0, round});
  return UPDRAFT_OK;
}

updraft_status Viewer::coarse(const Kernel &kernel) {
  if (optimizer.device)
    return optimizer.device->launchAll(kernel, 0, nullptr);
  enter(kernel, optimizer.frame, 0,
        kernel.level == UPDRAFT_MODEL ? 1 : optimizer.groupCount);
  return UPDRAFT_OK;
}

/// Whether no segment after `s` has kernels of the variant.
bool isLast(const Schedule &kernels, size_t s, uint32_t variant) {
  for (++s; s < kernels.size(); ++s)
    for (const Chain &chain : kernels[s].chains)
      if (chain.variant == variant)
        return false;
  return true;
}

updraft_status Viewer::segment(const Schedule &kernels, size_t s,
                               bool everywhere) {
  for (const Kernel &kernel : kernels[s].coarse)
    if (updraft_status status = coarse(kernel))
      return status;
  for (const Chain &chain : kernels[s].chains) {
    const Table &table = optimizer.tables[chain.variant];
    size_t k = arrayOf(table);
    // The variant's last kernel writes the view, for the one tensor that has
    // memory for it.
    bool writes = k < table.arrays.size() &&
                  table.arrays[k].role == UPDRAFT_VIEW &&
                  isLast(kernels, s, chain.variant);
    const std::vector<Kernel> &all = chain.kernels;
    for (size_t begin = 0, end; begin < all.size(); begin = end) {
      end = endOfTurns(all, begin);
      for (uint32_t round = 0; round < all[begin].rounds; ++round)
        for (size_t i = begin; i < end; ++i)
          if (updraft_status status =
                  rows(table, all[i], round,
                       everywhere && !(writes && i + 1 == all.size())))
            return status;
    }
  }
  return UPDRAFT_OK;
}

updraft_status Viewer::evaluate() {
  for (const updraft_view &view :
       items<updraft_view>(program, program->views)) {
    if (strcmp(text(program, view.name), name))
      continue;
    Schedule kernels = schedule(program, UPDRAFT_AT_VIEW, view.index);
    // Only a coarse kernel can bring other tensors in.
    bool everywhere = false;
    for (const Segment &each : kernels)
      everywhere = everywhere || !each.coarse.empty();
    for (size_t s = 0; s < kernels.size(); ++s)
      if (updraft_status status = segment(kernels, s, everywhere))
        return status;
  }
  return UPDRAFT_OK;
}

updraft_status Viewer::checkOut(const updraft_ndarray &out,
                                const Shape &shape) {
  std::string what = std::string("the output for view '") + name + "'";
  uint32_t format = program->param;
  if (out.dtype != format && out.dtype == computeFormat(format))
    format = out.dtype;
  const Shape *axis = &shape == param ? nullptr : &shape;
  if (updraft_status status =
          checkArray(optimizer, *param, out, format, what, axis))
    return status;
  return checkOverlap(optimizer, out.data, shape.size * bytesOf(format), what);
}

/// Runs the view's kernels: on the device, else in exact arithmetic on this
/// thread. `place` is the pointer that only they may see.
updraft_status Viewer::run(void *&place) {
  if (optimizer.device) {
    updraft_status status = optimizer.device->beginView();
    place = nullptr;
    if (status)
      return status;
    status = evaluate();
    return optimizer.device->endView(status);
  }
  for (const Param &each : optimizer.params)
    optimizer.tables[each.variant].row(each.row)->active = 1;
  optimizer.threads.run(
      1,
      [](void *argument, const Team &) {
        (void)static_cast<Viewer *>(argument)->evaluate();
      },
      this);
  place = nullptr;
  return UPDRAFT_OK;
}

/// Copies values of an array to `out`, in its format.
updraft_status Viewer::give(const void *from, const updraft_array &shown,
                            const updraft_ndarray &out, uint64_t count) {
  ExactArithmetic exact;
  if (!optimizer.device) {
    convert(from, shown.format, out.data, out.dtype, count);
    return UPDRAFT_OK;
  }
  Block here(count * bytesOf(shown.format)), there(count * bytesOf(out.dtype));
  if (updraft_status status = optimizer.device->settle())
    return status;
  if (updraft_status status =
          optimizer.device->read(from, here.data(), here.bytes()))
    return status;
  convert(here.data(), shown.format, there.data(), out.dtype, count);
  if (updraft_status status =
          optimizer.device->write(out.data, there.data(), there.bytes()))
    return status;
  return optimizer.device->settle();
}

updraft_status Viewer::array(const updraft_ndarray &out, size_t k) {
  const Shape &shape = optimizer.shapeOf(*param, k);
  if (updraft_status status = checkOut(out, shape))
    return status;
  const updraft_array &shown = *optimizer.arrayOf(*param, k);
  void *&place = optimizer.arraysOf(*param)[k];
  if (shown.role == UPDRAFT_STATE)
    return give(place, shown, out, shape.size);
  Block other;
  bool converts = shown.format != out.dtype;
  size_t bytes = converts ? shape.size * bytesOf(shown.format) : 0;
  if (!optimizer.device)
    other = Block(bytes);
  else if (updraft_status status =
               optimizer.device->allocate(bytes, "a view", other))
    return status;
  place = converts ? other.data() : out.data;
  updraft_status status = run(place);
  return status || !converts ? status
                             : give(other.data(), shown, out, shape.size);
}

updraft_status Viewer::scalar(const updraft_ndarray &out, uint32_t level) {
  if (out.rank || out.dtype != UPDRAFT_F64 || !out.data || out.device ||
      reinterpret_cast<uintptr_t>(out.data) % sizeof(double))
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: view '%s' is one number: it needs an output of rank 0 and "
                "dtype f64 in host memory",
                optimizer.rule(), name);
  const updraft_scalar *found = nullptr;
  for (const updraft_scalar &scalar :
       items<updraft_scalar>(program, program->scalars)) {
    bool here = scalar.level == level &&
                (level != UPDRAFT_TENSOR || scalar.variant == param->variant);
    if (!here || strcmp(text(program, scalar.name), name))
      continue;
    if (!found || scalar.kind == UPDRAFT_SCALAR_VIEW)
      found = &scalar;
  }
  if (!found)
    return fail(UPDRAFT_NOT_FOUND, "%s: view '%s' does not exist for '%s'",
                optimizer.rule(), name,
                param ? param->name.c_str() : "the model");
  void *none = nullptr;
  if (found->kind == UPDRAFT_SCALAR_VIEW)
    if (updraft_status status = run(none))
      return status;
  const double *slot =
      optimizer.scalarAt(*found, param ? param->group : 0, param);
  double value = *slot;
  if (optimizer.device) {
    if (updraft_status status = optimizer.device->settle())
      return status;
    if (updraft_status status = optimizer.device->read(
            optimizer.device->addressOf(slot), &value, sizeof value))
      return status;
  }
  memcpy(out.data, &value, sizeof value);
  return UPDRAFT_OK;
}

} // namespace

namespace {
/// What a view of a parameter is.
struct Found {
  const char *name;
  uint32_t level;
  const Param *param; ///< null: none was meant
  size_t array;       ///< of an array's: its place
};
} // namespace

static updraft_status find(Optimizer &optimizer, const char *name, size_t index,
                           Found &result) {
  const updraft_program *program = optimizer.program();
  auto views = items<updraft_view>(program, program->views);
  std::vector<const char *> names;
  for (const updraft_view &each : views)
    if (names.empty() || strcmp(names.back(), text(program, each.name)))
      names.push_back(text(program, each.name));
  size_t found = 0;
  if (updraft_status status =
          findName(names, name, optimizer.rule(), "view", found))
    return status;
  result = {names[found], UPDRAFT_MODEL, nullptr, 0};
  for (const updraft_view &each : views)
    if (!strcmp(text(program, each.name), result.name))
      result.level = each.level;
  if (index < optimizer.params.size())
    result.param = &optimizer.params[index];
  else if (result.level >= UPDRAFT_TENSOR)
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: view '%s' of parameter %zu: there are %zu parameters",
                optimizer.rule(), result.name, index, optimizer.params.size());
  if (result.level < UPDRAFT_AXIS)
    return UPDRAFT_OK;
  const Table &table = optimizer.tables[result.param->variant];
  result.array = Viewer(optimizer, result.name, result.param).arrayOf(table);
  if (result.array == table.arrays.size())
    return fail(UPDRAFT_NOT_FOUND, "%s: view '%s' does not exist for '%s'",
                optimizer.rule(), result.name, result.param->name.c_str());
  return UPDRAFT_OK;
}

updraft_status updraft_optimizer_view(updraft_optimizer *optimizer,
                                      const char *name, size_t index,
                                      const updraft_ndarray *out) {
  return call(optimizer, [&] {
    if (updraft_status status = requireStates(*optimizer))
      return status;
    if (!name || !out)
      return fail(UPDRAFT_INVALID_ARGUMENT, "%s: name or output is null",
                  optimizer->rule());
    Found found = {};
    if (updraft_status status = find(*optimizer, name, index, found))
      return status;
    Viewer viewer(*optimizer, found.name, found.param);
    return found.level < UPDRAFT_AXIS ? viewer.scalar(*out, found.level)
                                      : viewer.array(*out, found.array);
  });
}

updraft_status updraft_optimizer_view_shape(updraft_optimizer *optimizer,
                                            const char *name, size_t index,
                                            updraft_ndarray *shape) {
  return call(optimizer, [&] {
    if (!name || !shape)
      return fail(UPDRAFT_INVALID_ARGUMENT, "%s: name or shape is null",
                  optimizer->rule());
    Found found = {};
    if (updraft_status status = find(*optimizer, name, index, found))
      return status;
    *shape = {nullptr, UPDRAFT_F64, 0, nullptr, nullptr, 0};
    if (found.level < UPDRAFT_AXIS)
      return UPDRAFT_OK;
    const Shape &own = optimizer->shapeOf(*found.param, found.array);
    *shape = {nullptr,  computeFormat(optimizer->program()->param),
              own.rank, own.shape,
              nullptr,  optimizer->place};
    return UPDRAFT_OK;
  });
}
