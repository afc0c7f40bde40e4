//===- updraft.hpp - The C interface with C++ lifetimes -------------------===//
//
// A thin layer over updraft.h: owning handles, exceptions with the error text,
// spans of numbers instead of descriptors. Header only, C++17.
//
//   updraft::Program program = updraft::Program::open("adamw.img");
//   updraft::Optimizer optimizer(program, {updraft::param("w", w, {64, 10})},
//                                {{{"lr", 1e-3}}});
//   optimizer.step({updraft::array(g, {64, 10})});
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_UPDRAFT_HPP
#define UPDRAFT_UPDRAFT_HPP

#include "updraft.h"

#include <cstring>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace updraft {
/// A name of its own for the linker: other parts have types of these names.
inline namespace api {

/// A failed call: what() is the text of updraft_last_error().
class Failure : public std::runtime_error {
public:
  explicit Failure(updraft_status status)
      : std::runtime_error(updraft_last_error()), code(status) {}
  updraft_status status() const { return code; }

private:
  updraft_status code;
};

inline void check(updraft_status status) {
  if (status != UPDRAFT_OK)
    throw Failure(status);
}

template <class T> struct FormatOf;
template <> struct FormatOf<double> {
  static constexpr uint32_t value = UPDRAFT_F64;
};
template <> struct FormatOf<float> {
  static constexpr uint32_t value = UPDRAFT_F32;
};

/// A contiguous tensor in the caller's memory, with a shape of its own.
struct Array {
  void *data = nullptr;
  uint32_t dtype = UPDRAFT_F32;
  std::vector<int64_t> shape;
  uint32_t device = 0; ///< 0: host memory; 1 + n: memory of CUDA device n

  /// Valid while this array lives and is not changed.
  updraft_ndarray get() const {
    return {data, dtype, uint32_t(shape.size()), shape.data(), nullptr, device};
  }
};

template <class T> Array array(T *data, std::vector<int64_t> shape) {
  return {data, FormatOf<T>::value, std::move(shape), 0};
}

/// For a parameter that has no gradient in a call.
inline Array absent() { return {}; }

struct Param {
  std::string name;
  Array array;
  uint32_t group = 0;
  std::vector<std::string> tags;
};

template <class T>
Param param(std::string name, T *data, std::vector<int64_t> shape,
            uint32_t group = 0, std::vector<std::string> tags = {}) {
  return {std::move(name), updraft::array(data, std::move(shape)), group,
          std::move(tags)};
}

/// Hypers of one parameter group.
using Group = std::vector<std::pair<std::string, double>>;

struct Options {
  uint32_t threads = 0; ///< 0: as many as processors
  const updraft_executor *executor = nullptr;
  uint64_t seed = 0;
};

/// A compiled rule. Copies share it.
class Program {
public:
  static Program open(const std::string &path) {
    updraft_loaded_program *handle = nullptr;
    check(updraft_program_open(path.c_str(), &handle));
    return Program(handle);
  }
  /// A program that is linked in: from(updraft_program_adamw).
  static Program from(const updraft_program &constant) {
    updraft_loaded_program *handle = nullptr;
    check(updraft_program_from(&constant, &handle));
    return Program(handle);
  }
  static Program fromImage(const void *image, size_t bytes) {
    updraft_loaded_program *handle = nullptr;
    check(updraft_program_from_image(image, bytes, &handle));
    return Program(handle);
  }
  /// Takes over one reference.
  explicit Program(updraft_loaded_program *handle)
      : handle(handle, updraft_program_release) {}

  updraft_loaded_program *get() const { return handle.get(); }
  const updraft_program &descriptor() const {
    return *updraft_program_descriptor(get());
  }
  std::string name() const { return text(descriptor().name); }
  /// The flat rule.
  std::string rule() const { return text(descriptor().rule); }

private:
  std::string text(updraft_rel rel) const {
    return rel ? reinterpret_cast<const char *>(&descriptor()) + rel : "";
  }

  std::shared_ptr<updraft_loaded_program> handle;
};

/// A program together with tensors. Moves, does not copy.
class Optimizer {
public:
  Optimizer(const Program &program, const std::vector<Param> &params,
            const std::vector<Group> &groups = {}, const Options &options = {})
      : handle(nullptr, updraft_optimizer_destroy) {
    std::vector<std::vector<const char *>> tags(params.size());
    std::vector<updraft_param> list;
    for (size_t i = 0; i < params.size(); ++i) {
      for (const std::string &tag : params[i].tags)
        tags[i].push_back(tag.c_str());
      list.push_back({params[i].name.c_str(), params[i].array.get(),
                      params[i].group, uint32_t(tags[i].size()),
                      tags[i].data()});
    }
    create(program, list, groups, options);
  }

  updraft_optimizer *get() const { return handle.get(); }

  void step(const std::vector<Array> &grads) {
    pointers.clear();
    for (const Array &grad : grads)
      pointers.push_back(grad.get());
    check(updraft_optimizer_step(get(), pointers.data(), pointers.size(),
                                 nullptr));
  }
  /// Without any allocation. `stream`: of a device.
  void step(const updraft_ndarray *grads, size_t count,
            void *stream = nullptr) {
    check(updraft_optimizer_step(get(), grads, count, stream));
  }
  /// Where numbers of hypers and inputs go, on a device.
  void setStream(void *stream) {
    check(updraft_optimizer_set_stream(get(), stream));
  }

  /// "lr" sets the rates "first.lr" and "second.lr" of a routed rule.
  void setHyper(const std::string &name, double value, uint32_t group = 0) {
    check(updraft_optimizer_set_hyper(get(), group, name.c_str(), value));
  }
  double hyper(const std::string &name, uint32_t group = 0) const {
    double value = 0;
    check(updraft_optimizer_get_hyper(get(), group, name.c_str(), &value));
    return value;
  }
  void setInput(const std::string &name, double value) {
    check(updraft_optimizer_set_input(get(), name.c_str(), value));
  }
  void setInput(const std::string &name, size_t index, const Array &array) {
    updraft_ndarray given = array.get();
    check(
        updraft_optimizer_set_array_input(get(), name.c_str(), index, &given));
  }
  void rebind(size_t index, const Array &array) {
    updraft_ndarray given = array.get();
    check(updraft_optimizer_rebind(get(), index, &given));
  }

  /// Shape and dtype of a view's output.
  updraft_ndarray viewShape(const std::string &name, size_t index = 0) const {
    updraft_ndarray shape = {};
    check(updraft_optimizer_view_shape(get(), name.c_str(), index, &shape));
    return shape;
  }
  /// A view of element or axis level, into `out`.
  void view(const std::string &name, size_t index, const Array &out) const {
    updraft_ndarray given = out.get();
    check(updraft_optimizer_view(get(), name.c_str(), index, &given));
  }
  /// A view of a coarser level.
  double view(const std::string &name, size_t index = 0) const {
    double value = 0;
    updraft_ndarray out = {&value, UPDRAFT_F64, 0, nullptr, nullptr, 0};
    check(updraft_optimizer_view(get(), name.c_str(), index, &out));
    return value;
  }
  /// A state in place.
  updraft_ndarray state(const std::string &name, size_t index = 0) {
    updraft_ndarray state = {};
    check(updraft_optimizer_state(get(), name.c_str(), index, &state));
    return state;
  }

  void save(const std::string &path) const {
    check(updraft_optimizer_save(get(), path.c_str()));
  }
  void load(const std::string &path) {
    check(updraft_optimizer_load(get(), path.c_str()));
  }

private:
  void create(const Program &program, const std::vector<updraft_param> &params,
              const std::vector<Group> &groups, const Options &options) {
    std::vector<std::vector<updraft_setting>> settings(groups.size());
    std::vector<updraft_group> list;
    for (size_t g = 0; g < groups.size(); ++g) {
      for (const auto &setting : groups[g])
        settings[g].push_back({setting.first.c_str(), setting.second});
      list.push_back({settings[g].data(), settings[g].size()});
    }
    updraft_options given = {sizeof(updraft_options), options.threads,
                             options.executor, options.seed, 0};
    updraft_optimizer *made = nullptr;
    check(updraft_optimizer_create(program.get(), list.data(), list.size(),
                                   params.data(), params.size(), &given,
                                   &made));
    handle.reset(made);
  }

  std::unique_ptr<updraft_optimizer, void (*)(updraft_optimizer *)> handle;
  std::vector<updraft_ndarray> pointers;
};

} // namespace api
} // namespace updraft

#endif // UPDRAFT_UPDRAFT_HPP
