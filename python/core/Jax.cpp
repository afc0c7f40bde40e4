//===- Jax.cpp - A step as a custom call of XLA ---------------------------===//
//
// The call's operands are counters, numbers, parameters, states and gradients;
// its results parameters, states and numbers, the first two in the memory of
// the operands. XLA's threads run it without Python. What to run is registered
// under a key that says it whole, and stays registered: a compiled computation
// may come back at any time.
//
//===----------------------------------------------------------------------===//

#include "Optimizer.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

using namespace updraft::python;
using namespace nb::literals;

#ifdef UPDRAFT_HAS_XLA

#include "xla/ffi/api/ffi.h"

#include <cstring>
#include <map>

namespace ffi = xla::ffi;

namespace {

struct Registered {
  StepHandle step;
  std::vector<size_t> ints, floats; ///< places among the scalars
  std::string rate;                 ///< the hyper that floats[0] is; may be ""
  std::vector<uint32_t> present;    ///< parameters that have a gradient
  size_t paramCount;
};

std::mutex registryLock;
/// Never destroyed: XLA's threads may outlive static objects.
std::map<std::string, Registered, std::less<>> &registry() {
  static auto *all = new std::map<std::string, Registered, std::less<>>;
  return *all;
}

/// Something that is not null, for arrays without elements.
char nothing[8];

struct BadCall {
  std::string text;
};

void need(bool holds, const char *what) {
  if (!holds)
    throw BadCall{std::string("updraft: the custom call ") + what};
}

uint32_t formatOf(ffi::DataType type) {
  switch (type) {
  case ffi::DataType::F64:
    return UPDRAFT_F64;
  case ffi::DataType::F32:
    return UPDRAFT_F32;
  case ffi::DataType::BF16:
    return UPDRAFT_BF16;
  case ffi::DataType::F16:
    return UPDRAFT_F16;
  default:
    throw BadCall{"updraft: the custom call has an array of unfit dtype"};
  }
}

/// One execution of the call.
class Call {
public:
  Call(ffi::RemainingArgs args, ffi::RemainingRets results)
      : args(args), results(results) {}

  void run(const Registered &registered);

private:
  ffi::AnyBuffer operand(size_t index) const {
    auto buffer = args.get<ffi::AnyBuffer>(index);
    need(buffer.has_value(), "lacks an operand");
    return *buffer;
  }
  ffi::AnyBuffer result(size_t index) const {
    auto buffer = results.get<ffi::AnyBuffer>(index);
    need(buffer.has_value(), "lacks a result");
    return **buffer;
  }
  /// Operand 2 + index in the memory of result `index`.
  updraft_ndarray inPlace(size_t index) const;
  static updraft_ndarray describe(const ffi::AnyBuffer &buffer);
  void bind(const Registered &registered, size_t params);
  void readScalars(const Registered &registered);
  void writeScalars(const Registered &registered, size_t place) const;

  ffi::RemainingArgs args;
  ffi::RemainingRets results;
};

updraft_ndarray Call::describe(const ffi::AnyBuffer &buffer) {
  auto shape = buffer.dimensions();
  void *data = buffer.untyped_data();
  return {data ? data : nothing,
          formatOf(buffer.element_type()),
          uint32_t(shape.size()),
          shape.begin(),
          nullptr,
          0};
}

/// XLA has copied the operand there where nobody donated it; if it has not
/// understood that they are one, this does.
updraft_ndarray Call::inPlace(size_t index) const {
  ffi::AnyBuffer given = operand(2 + index), place = result(index);
  if (given.untyped_data() != place.untyped_data())
    memcpy(place.untyped_data(), given.untyped_data(), given.size_bytes());
  return describe(place);
}

void Call::bind(const Registered &registered, size_t params) {
  size_t states = results.size() - 1 - params;
  std::vector<updraft_ndarray> arrays;
  for (size_t i = 0; i < params + states; ++i)
    arrays.push_back(inPlace(i));
  if (updraft_optimizer_bind(registered.step.optimizer, arrays.data(), params,
                             arrays.data() + params, states))
    throw BadCall{updraft_last_error()};
}

double numberAt(const ffi::AnyBuffer &buffer, size_t index) {
  return buffer.element_type() == ffi::DataType::F64
             ? static_cast<const double *>(buffer.untyped_data())[index]
             : double(static_cast<const float *>(buffer.untyped_data())[index]);
}

void Call::readScalars(const Registered &registered) {
  ffi::AnyBuffer ints = operand(0), floats = operand(1);
  need(ints.element_type() == ffi::DataType::S32 &&
           ints.element_count() >= registered.ints.size() &&
           floats.element_count() == 1 + registered.floats.size(),
       "has the wrong numbers");
  const auto *counts = static_cast<const int32_t *>(ints.untyped_data());
  const StepHandle &step = registered.step;
  if (!registered.rate.empty() &&
      updraft_optimizer_set_hyper(step.optimizer, 0, registered.rate.c_str(),
                                  numberAt(floats, 0)))
    throw BadCall{updraft_last_error()};
  for (size_t i = 0; i < registered.ints.size(); ++i)
    *step.scalars[registered.ints[i]] = counts[i];
  for (size_t i = 0; i < registered.floats.size(); ++i)
    *step.scalars[registered.floats[i]] = numberAt(floats, 1 + i);
}

void Call::writeScalars(const Registered &registered, size_t place) const {
  ffi::AnyBuffer out = result(place);
  for (size_t i = 0; i <= registered.floats.size(); ++i) {
    double value = i ? *registered.step.scalars[registered.floats[i - 1]] : 0;
    if (out.element_type() == ffi::DataType::F64)
      static_cast<double *>(out.untyped_data())[i] = value;
    else
      static_cast<float *>(out.untyped_data())[i] = float(value);
  }
}

void Call::run(const Registered &registered) {
  size_t params = registered.paramCount;
  need(results.size() > params, "has too few results");
  size_t held = results.size() - 1;
  need(args.size() == 2 + held + registered.present.size(),
       "has the wrong number of operands");
  std::lock_guard<std::mutex> turn(*registered.step.turn);
  bind(registered, params);
  readScalars(registered);
  std::vector<updraft_ndarray> grads(params);
  for (size_t i = 0; i < registered.present.size(); ++i)
    grads[registered.present[i]] = describe(operand(2 + held + i));
  if (updraft_optimizer_step(registered.step.optimizer, grads.data(), params,
                             nullptr))
    throw BadCall{updraft_last_error()};
  writeScalars(registered, held);
}

ffi::Error step(ffi::RemainingArgs args, ffi::RemainingRets results,
                std::string_view key) {
  const Registered *registered = nullptr;
  {
    std::lock_guard<std::mutex> lock(registryLock);
    auto found = registry().find(key);
    if (found != registry().end())
      registered = &found->second;
  }
  if (!registered)
    return ffi::Error(ffi::ErrorCode::kFailedPrecondition,
                      "updraft: this process has not made the optimizer that "
                      "the computation steps");
  try {
    Call(args, results).run(*registered);
  } catch (const BadCall &bad) {
    return ffi::Error(ffi::ErrorCode::kInvalidArgument, bad.text);
  } catch (const std::exception &error) {
    return ffi::Error(ffi::ErrorCode::kInternal, error.what());
  }
  return ffi::Error::Success();
}

XLA_FFI_DEFINE_HANDLER(
    handler, step,
    ffi::Ffi::Bind().RemainingArgs().RemainingRets().Attr<std::string_view>(
        "key"));

void add(const std::string &key, nb::handle optimizer,
         const std::vector<size_t> &ints, const std::vector<size_t> &floats,
         const std::string &rate, const std::vector<uint32_t> &present,
         size_t paramCount) {
  Registered registered = {
      stepHandleOf(optimizer), ints, floats, rate, present, paramCount};
  for (const std::vector<size_t> *places : {&ints, &floats})
    for (size_t place : *places)
      if (place >= registered.step.scalars.size())
        throw nb::value_error("a place is beyond the scalars");
  for (uint32_t index : present)
    if (index >= paramCount)
      throw nb::value_error("a gradient is beyond the parameters");
  std::lock_guard<std::mutex> lock(registryLock);
  registry().try_emplace(key, std::move(registered));
}

} // namespace

void updraft::python::defineJax(nb::module_ &module) {
  module.def("jax_handler", [] {
    return nb::capsule(reinterpret_cast<void *>(handler),
                       "xla._CUSTOM_CALL_TARGET");
  });
  module.def("jax_register", add, "key"_a, "optimizer"_a, "ints"_a, "floats"_a,
             "rate"_a, "present"_a, "params"_a);
}

#else

void updraft::python::defineJax(nb::module_ &) {}

#endif
