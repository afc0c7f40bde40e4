//===- Optimizer.cpp - A program with Python's tensors --------------------===//
//
// Tensors are used in place. What keeps their memory is held as long as the
// optimizer may touch it: parameters and bound states until others are bound,
// gradients for the length of a step. The lock of the interpreter is released
// while kernels run.
//
//===----------------------------------------------------------------------===//

#include "Optimizer.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <set>

using namespace updraft::python;
using namespace nb::literals;

namespace {

using StateArray = nb::ndarray<nb::numpy>;

class Optimizer {
public:
  Optimizer(const Program &program, const std::vector<GivenParam> &params,
            const std::vector<GivenGroup> &groups, uint32_t threads,
            uint64_t seed, bool statesGiven);

  void step(const nb::list &grads);
  bool bind(const nb::list &newParams, const std::optional<nb::list> &states);

  /// Lets go of parameters and bound states: bind() gives others.
  void forget() {
    for (TensorList *list : {&params, &states}) {
      list->kept.clear();
      list->forget();
    }
  }

  void setHyper(const std::string &name, double value, uint32_t group) {
    Call call(*this);
    check(
        updraft_optimizer_set_hyper(handle.get(), group, name.c_str(), value));
  }
  double hyper(const std::string &name, uint32_t group) {
    Call call(*this);
    double value = 0;
    check(
        updraft_optimizer_get_hyper(handle.get(), group, name.c_str(), &value));
    return value;
  }
  void setInput(const std::string &name, double value) {
    Call call(*this);
    check(updraft_optimizer_set_input(handle.get(), name.c_str(), value));
  }
  void setArrayInput(const std::string &name, size_t index, nb::object array);
  double viewScalar(const std::string &name, size_t index);
  void viewInto(const std::string &name, size_t index, nb::object out);
  std::vector<std::string> stateNames(size_t index);
  StateArray state(const std::string &name, size_t index);
  nb::tuple paramShape(size_t index) const {
    nb::list shape;
    if (index < params.size())
      for (uint32_t i = 0; i < params.data()[index].rank; ++i)
        shape.append(params.data()[index].shape[i]);
    return nb::tuple(shape);
  }

  std::vector<std::pair<std::string, nb::object>> scalarNames();
  std::vector<double> scalars();
  void setScalars(const std::vector<double> &values);

  void save(const std::string &path);
  void load(const std::string &path);

  StepHandle stepHandle() {
    StepHandle result = {handle.get(), {}, &turn};
    for (const auto &[name, place] : scalarPlaces)
      result.scalars.push_back(place);
    return result;
  }

  int traverse(visitproc visit, void *arg) const;
  void clear();

private:
  /// One call from Python at a time: the lists of tensors are shared.
  class Call {
  public:
    explicit Call(Optimizer &optimizer) : optimizer(optimizer) {
      if (optimizer.busy.exchange(true))
        throw std::runtime_error("the optimizer is in use by another thread");
    }
    ~Call() { optimizer.busy = false; }
    Call(const Call &) = delete;

  private:
    Optimizer &optimizer;
  };

  std::string nameOf(size_t index) const {
    return index < names.size() ? "'" + names[index] + "'"
                                : std::to_string(index);
  }
  void findScalars();

  Program program;
  OptimizerHandle handle{nullptr, updraft_optimizer_destroy};
  std::vector<std::string> names;
  TensorList params, states, grads;
  nb::object inputs; ///< (name, index) -> what keeps the memory
  /// Of the model and its one group, then of each parameter.
  std::vector<std::pair<std::string, double *>> scalarPlaces;
  std::vector<size_t> scalarParams;
  std::atomic<bool> busy{false};
  std::mutex turn;
};

Optimizer::Optimizer(const Program &program,
                     const std::vector<GivenParam> &given,
                     const std::vector<GivenGroup> &groups, uint32_t threads,
                     uint64_t seed, bool statesGiven)
    : program(program), params(program.descriptor().param), states(kAnyFormat),
      grads(program.descriptor().param), inputs(nb::dict()) {
  nb::list tensors;
  for (const auto &[name, tensor, group, tags] : given) {
    names.push_back(name);
    tensors.append(tensor);
  }
  params.read(tensors, Access::Write,
              [&](size_t i) { return "parameter " + nameOf(i); });
  std::vector<std::vector<const char *>> tagLists(given.size());
  std::vector<updraft_param> list;
  for (size_t i = 0; i < given.size(); ++i) {
    for (const std::string &tag : std::get<3>(given[i]))
      tagLists[i].push_back(tag.c_str());
    list.push_back({names[i].c_str(), params.data()[i], std::get<2>(given[i]),
                    uint32_t(tagLists[i].size()), tagLists[i].data()});
  }
  std::vector<std::vector<updraft_setting>> settings(groups.size());
  std::vector<updraft_group> groupList;
  for (size_t g = 0; g < groups.size(); ++g) {
    for (const auto &[name, value] : groups[g])
      settings[g].push_back({name.c_str(), value});
    groupList.push_back({settings[g].data(), settings[g].size()});
  }
  updraft_options options = {sizeof options, threads, nullptr, seed,
                             statesGiven ? uint32_t(UPDRAFT_STATES_GIVEN) : 0};
  updraft_optimizer *made = nullptr;
  updraft_status status = UPDRAFT_OK;
  {
    nb::gil_scoped_release release;
    status = updraft_optimizer_create(program.handle.get(), groupList.data(),
                                      groupList.size(), list.data(),
                                      list.size(), &options, &made);
  }
  check(status);
  handle.reset(made);
  findScalars();
}

/// A state of rank 0 looks like a scalar; the program knows which it is.
void Optimizer::findScalars() {
  const updraft_program &all = program.descriptor();
  std::set<std::string> known;
  for (uint64_t i = 0; i < all.scalars.count; ++i)
    known.insert(
        program.text(program.begin<updraft_scalar>(all.scalars)[i].name));
  auto add = [&](size_t index) {
    for (const std::string &name : stateNames(index)) {
      updraft_ndarray place = {};
      if (!known.count(name) ||
          updraft_optimizer_state(handle.get(), name.c_str(), index, &place))
        continue;
      scalarPlaces.push_back({name, static_cast<double *>(place.data)});
      scalarParams.push_back(index);
    }
  };
  add(names.size());
  if (known.size() > scalarPlaces.size())
    for (size_t i = 0; i < names.size(); ++i)
      add(i);
}

//===- Steps --------------------------------------------------------------===//

void Optimizer::step(const nb::list &given) {
  Call call(*this);
  grads.read(given, Access::Read, [&](size_t i) {
    return "the gradient of parameter " + nameOf(i);
  });
  updraft_status status = UPDRAFT_OK;
  {
    nb::gil_scoped_release release;
    status = updraft_optimizer_step(handle.get(), grads.data(), grads.size(),
                                    nullptr);
  }
  grads.kept.clear();
  check(status);
}

/// True if something had moved.
bool Optimizer::bind(const nb::list &newParams,
                     const std::optional<nb::list> &newStates) {
  Call call(*this);
  // Until all is checked, what was bound before must stay alive.
  std::vector<nb::object> before = params.kept, statesBefore = states.kept;
  params.read(newParams, Access::Write,
              [&](size_t i) { return "parameter " + nameOf(i); });
  if (newStates)
    states.read(*newStates, Access::Write,
                [&](size_t i) { return "state " + std::to_string(i); });
  if (!params.isMoved() && (!newStates || !states.isMoved()))
    return false;
  updraft_status status = updraft_optimizer_bind(
      handle.get(), params.data(), params.size(),
      newStates ? states.data() : nullptr, newStates ? states.size() : 0);
  if (status != UPDRAFT_OK) {
    params.kept = std::move(before);
    states.kept = std::move(statesBefore);
    // The next call must not believe that nothing moved.
    params.forget();
    raise(status);
  }
  return true;
}

void Optimizer::setArrayInput(const std::string &name, size_t index,
                              nb::object array) {
  Call call(*this);
  Tensor tensor;
  Reader reader(program.descriptor().param);
  nb::object held = reader.read(array, Access::Read, tensor, [&] {
    return "input '" + name + "' of parameter " + nameOf(index);
  });
  check(updraft_optimizer_set_array_input(handle.get(), name.c_str(), index,
                                          &tensor.array));
  inputs[nb::make_tuple(name, index)] = held;
}

//===- Looking inside -----------------------------------------------------===//

double Optimizer::viewScalar(const std::string &name, size_t index) {
  Call call(*this);
  double value = 0;
  updraft_ndarray out = {&value, UPDRAFT_F64, 0, nullptr, nullptr, 0};
  check(updraft_optimizer_view(handle.get(), name.c_str(), index, &out));
  return value;
}

void Optimizer::viewInto(const std::string &name, size_t index,
                         nb::object out) {
  Call call(*this);
  Tensor tensor;
  Reader reader(program.descriptor().param);
  nb::object held = reader.read(out, Access::Write, tensor,
                                [&] { return "out for '" + name + "'"; });
  check(
      updraft_optimizer_view(handle.get(), name.c_str(), index, &tensor.array));
}

std::vector<std::string> Optimizer::stateNames(size_t index) {
  std::vector<std::string> result;
  size_t count = updraft_optimizer_state_count(handle.get(), index);
  for (size_t i = 0; i < count; ++i)
    result.push_back(updraft_optimizer_state_name(handle.get(), index, i));
  return result;
}

/// In place: it changes with every step. bfloat16 comes as the uint16 that
/// NumPy can make an array of.
StateArray Optimizer::state(const std::string &name, size_t index) {
  Call call(*this);
  updraft_ndarray found = {};
  check(updraft_optimizer_state(handle.get(), name.c_str(), index, &found));
  static const nb::dlpack::dtype kTypes[] = {
      nb::dtype<double>(),
      nb::dtype<float>(),
      nb::dtype<uint16_t>(),
      {uint8_t(nb::dlpack::dtype_code::Float), 16, 1}};
  std::vector<size_t> shape(found.shape, found.shape + found.rank);
  return StateArray(found.data, shape.size(), shape.data(), nb::find(this),
                    nullptr, kTypes[found.dtype]);
}

std::vector<std::pair<std::string, nb::object>> Optimizer::scalarNames() {
  std::vector<std::pair<std::string, nb::object>> result;
  for (size_t i = 0; i < scalarPlaces.size(); ++i)
    result.push_back(
        {scalarPlaces[i].first, scalarParams[i] < names.size()
                                    ? nb::object(nb::int_(scalarParams[i]))
                                    : nb::object(nb::none())});
  return result;
}

std::vector<double> Optimizer::scalars() {
  Call call(*this);
  std::vector<double> result;
  for (const auto &[name, place] : scalarPlaces)
    result.push_back(*place);
  return result;
}

void Optimizer::setScalars(const std::vector<double> &values) {
  Call call(*this);
  if (values.size() != scalarPlaces.size())
    throw nb::value_error("as many scalars as scalar_names() has are needed");
  for (size_t i = 0; i < values.size(); ++i)
    *scalarPlaces[i].second = values[i];
}

void Optimizer::save(const std::string &path) {
  Call call(*this);
  check(updraft_optimizer_save(handle.get(), path.c_str()));
}

void Optimizer::load(const std::string &path) {
  Call call(*this);
  check(updraft_optimizer_load(handle.get(), path.c_str()));
}

//===- Cycles through tensors ---------------------------------------------===//

int Optimizer::traverse(visitproc visit, void *arg) const {
  Py_VISIT(inputs.ptr());
  for (const TensorList *list : {&params, &states, &grads})
    for (const nb::object &object : list->kept)
      Py_VISIT(object.ptr());
  return 0;
}

/// The tensors may go before the optimizer does: nothing may touch them then.
void Optimizer::clear() {
  handle.reset();
  scalarPlaces.clear();
  inputs.reset();
  for (TensorList *list : {&params, &states, &grads})
    list->kept.clear();
}

int traverseOptimizer(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(self));
  if (!nb::inst_ready(self))
    return 0;
  return nb::inst_ptr<Optimizer>(self)->traverse(visit, arg);
}

int clearOptimizer(PyObject *self) {
  nb::inst_ptr<Optimizer>(self)->clear();
  return 0;
}

PyType_Slot slots[] = {
    {Py_tp_traverse, reinterpret_cast<void *>(traverseOptimizer)},
    {Py_tp_clear, reinterpret_cast<void *>(clearOptimizer)},
    {0, nullptr}};

} // namespace

StepHandle updraft::python::stepHandleOf(nb::handle optimizer) {
  return nb::cast<Optimizer &>(optimizer).stepHandle();
}

void updraft::python::defineOptimizer(nb::module_ &module) {
  nb::class_<Optimizer>(module, "Optimizer", nb::type_slots(slots),
                        nb::is_weak_referenceable())
      .def(
          nb::init<const Program &, const std::vector<GivenParam> &,
                   const std::vector<GivenGroup> &, uint32_t, uint64_t, bool>(),
          "program"_a, "params"_a, "groups"_a, "threads"_a = 0, "seed"_a = 0,
          "states_given"_a = false)
      .def("step", &Optimizer::step, "grads"_a)
      .def("bind", &Optimizer::bind, "params"_a, "states"_a.none())
      .def("forget", &Optimizer::forget)
      .def("set_hyper", &Optimizer::setHyper, "name"_a, "value"_a,
           "group"_a = 0)
      .def("get_hyper", &Optimizer::hyper, "name"_a, "group"_a = 0)
      .def("set_input", &Optimizer::setInput, "name"_a, "value"_a)
      .def("set_array_input", &Optimizer::setArrayInput, "name"_a, "index"_a,
           "array"_a)
      .def("view_scalar", &Optimizer::viewScalar, "name"_a, "index"_a)
      .def("view_into", &Optimizer::viewInto, "name"_a, "index"_a, "out"_a)
      .def("state_names", &Optimizer::stateNames, "index"_a)
      .def("state", &Optimizer::state, "name"_a, "index"_a)
      .def("param_shape", &Optimizer::paramShape, "index"_a)
      .def("scalar_names", &Optimizer::scalarNames)
      .def("scalars", &Optimizer::scalars)
      .def("set_scalars", &Optimizer::setScalars, "values"_a)
      .def("save", &Optimizer::save, "path"_a)
      .def("load", &Optimizer::load, "path"_a);
}
