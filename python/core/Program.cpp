//===- Program.cpp - A compiled rule, for Python --------------------------===//

#include "Program.h"
#include "Tensor.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

using namespace updraft::python;
using namespace nb::literals;

static PyObject *compileError = nullptr;

void updraft::python::raise(updraft_status status) {
  PyObject *type = PyExc_RuntimeError;
  switch (status) {
  case UPDRAFT_INVALID_ARGUMENT:
  case UPDRAFT_BAD_PROGRAM:
    type = PyExc_ValueError;
    break;
  case UPDRAFT_NOT_FOUND:
    type = PyExc_LookupError;
    break;
  case UPDRAFT_UNSUPPORTED:
    type = PyExc_NotImplementedError;
    break;
  case UPDRAFT_OUT_OF_MEMORY:
    type = PyExc_MemoryError;
    break;
  case UPDRAFT_IO_ERROR:
    type = PyExc_OSError;
    break;
  case UPDRAFT_COMPILE_ERROR:
    type = compileError;
    break;
  default:
    break;
  }
  PyErr_SetString(type, updraft_last_error());
  throw nb::python_error();
}

static Program owned(updraft_loaded_program *program) {
  return {ProgramHandle(program, updraft_program_release)};
}

/// What is compiled: "pipe", "path" or "source".
static Program compile(const std::string &kind, const std::string &text,
                       const std::string &name, const std::string &dtype,
                       const std::vector<std::string> &settings,
                       const std::optional<std::string> &target,
                       const std::optional<std::string> &cache,
                       const std::string &library) {
  std::vector<const char *> list;
  for (const std::string &setting : settings)
    list.push_back(setting.c_str());
  updraft_compile_options options = {};
  options.struct_bytes = sizeof options;
  options.param = formatOf(dtype);
  options.target = target ? target->c_str() : nullptr;
  options.settings = list.data();
  options.setting_count = list.size();
  options.cache_folder = cache ? cache->c_str() : nullptr;
  options.library_folder = library.empty() ? nullptr : library.c_str();
  updraft_loaded_program *program = nullptr;
  updraft_status status = UPDRAFT_OK;
  {
    nb::gil_scoped_release release;
    if (kind == "pipe")
      status = updraft_compile(text.c_str(), &options, &program);
    else if (kind == "path")
      status = updraft_compile_file(text.c_str(), &options, &program);
    else
      status = updraft_compile_source(text.c_str(), name.c_str(), &options,
                                      &program);
  }
  check(status);
  return owned(program);
}

static Program open(const std::string &path) {
  updraft_loaded_program *program = nullptr;
  check(updraft_program_open(path.c_str(), &program));
  return owned(program);
}

static std::string explain(const Program &program) {
  std::string text;
  updraft_status status = UPDRAFT_OK;
  {
    nb::gil_scoped_release release;
    status = updraft_explain(
        program.handle.get(),
        [](void *context, const char *said) {
          *static_cast<std::string *>(context) = said;
        },
        &text);
  }
  check(status);
  return text;
}

static const char *levelName(uint32_t level) {
  static const char *const names[] = {"model", "group", "tensor", "axis",
                                      "element"};
  return level <= UPDRAFT_ELEMENT ? names[level] : "";
}

//===- The description ----------------------------------------------------===//

template <class T, class Describe>
static nb::list listOf(const Program &program, updraft_list list,
                       Describe &&describe) {
  nb::list result;
  for (uint64_t i = 0; i < list.count; ++i)
    result.append(describe(program.begin<T>(list)[i]));
  return result;
}

static nb::dict describeHyper(const Program &program,
                              const updraft_hyper &hyper) {
  nb::dict result;
  result["name"] = program.text(hyper.name);
  result["doc"] = program.text(hyper.doc);
  result["default"] = hyper.flags & UPDRAFT_HYPER_REQUIRED
                          ? nb::object(nb::none())
                          : nb::object(nb::float_(hyper.initial));
  result["low"] = hyper.low;
  result["high"] = hyper.high;
  result["low_open"] = bool(hyper.flags & UPDRAFT_HYPER_LOW_OPEN);
  result["high_open"] = bool(hyper.flags & UPDRAFT_HYPER_HIGH_OPEN);
  result["level"] = levelName(hyper.level);
  result["is_rate"] = bool(hyper.flags & UPDRAFT_HYPER_RATE);
  result["is_computed"] = bool(hyper.flags & UPDRAFT_HYPER_COMPUTED);
  result["is_int"] = bool(hyper.flags & UPDRAFT_HYPER_INT);
  return result;
}

static nb::dict describeScalar(const Program &program,
                               const updraft_scalar &scalar) {
  static const char *const kinds[] = {"state", "counter", "input", "view"};
  nb::dict result;
  result["name"] = program.text(scalar.name);
  result["doc"] = program.text(scalar.doc);
  result["level"] = levelName(scalar.level);
  result["kind"] = kinds[scalar.kind];
  return result;
}

/// "rank(p) >= 2": a test as the rule says it.
static std::string testText(const Program &program, const updraft_test &test) {
  static const char *const relations[] = {"==", "!=", "<", "<=", ">", ">="};
  if (test.what == UPDRAFT_TEST_TAG)
    return std::string(test.relation == UPDRAFT_NE ? "!" : "") + "tag(\"" +
           program.text(test.tag) + "\")";
  std::string what = test.what == UPDRAFT_TEST_RANK ? "rank(p)" : "size(p)";
  if (test.what == UPDRAFT_TEST_DIM)
    what = "dim(p, " + std::to_string(test.index) + ")";
  char value[32];
  snprintf(value, sizeof value, "%g", test.value);
  return what + " " + relations[test.relation] + " " + value;
}

static nb::dict describeVariant(const Program &program,
                                const updraft_variant &variant) {
  static const char *const roles[] = {"param", "grad", "state", "input",
                                      "view"};
  nb::dict result;
  result["name"] = program.text(variant.name);
  result["state_bytes"] = variant.state_bits / 8.0;
  result["tests"] =
      listOf<updraft_test>(program, variant.tests, [&](const auto &test) {
        return testText(program, test);
      });
  result["arrays"] = listOf<updraft_array>(
      program, variant.arrays, [&](const updraft_array &array) {
        nb::dict one;
        one["name"] = program.text(array.name);
        one["doc"] = program.text(array.doc);
        one["role"] = roles[array.role];
        one["dtype"] = dtypeName(array.format);
        return one;
      });
  return result;
}

static nb::dict describeKernel(const Program &program,
                               const updraft_kernel &kernel) {
  static const char *const times[] = {"init", "check", "step", "view"};
  nb::dict result;
  result["name"] = program.text(kernel.name);
  result["why"] = program.text(kernel.why);
  result["when"] = times[kernel.when];
  result["level"] = levelName(kernel.level);
  result["after"] = levelName(kernel.after);
  result["variant"] = kernel.variant == UPDRAFT_NONE
                          ? nb::object(nb::none())
                          : nb::object(nb::int_(kernel.variant));
  result["reads"] = kernel.reads_milli / 1000.0;
  result["writes"] = kernel.writes_milli / 1000.0;
  return result;
}

static nb::dict describe(const Program &program) {
  const updraft_program &all = program.descriptor();
  nb::dict result;
  result["name"] = program.text(all.name);
  result["doc"] = program.text(all.doc);
  result["rule"] = program.text(all.rule);
  result["target"] = program.text(all.target_name);
  result["dtype"] = dtypeName(all.param);
  result["hash"] =
      nb::bytes(reinterpret_cast<const char *>(all.hash), sizeof all.hash);
  result["options"] = listOf<updraft_option>(
      program, all.options, [&](const updraft_option &option) {
        return nb::make_tuple(program.text(option.name),
                              program.text(option.value));
      });
  result["hypers"] = listOf<updraft_hyper>(
      program, all.hypers,
      [&](const updraft_hyper &each) { return describeHyper(program, each); });
  result["scalars"] = listOf<updraft_scalar>(
      program, all.scalars, [&](const updraft_scalar &each) {
        return describeScalar(program, each);
      });
  result["variants"] = listOf<updraft_variant>(
      program, all.variants, [&](const updraft_variant &each) {
        return describeVariant(program, each);
      });
  result["kernels"] = listOf<updraft_kernel>(
      program, all.kernels, [&](const updraft_kernel &each) {
        return describeKernel(program, each);
      });
  result["views"] =
      listOf<updraft_view>(program, all.views, [&](const updraft_view &view) {
        return nb::make_tuple(program.text(view.name), levelName(view.level));
      });
  return result;
}

void updraft::python::defineProgram(nb::module_ &module) {
  compileError =
      PyErr_NewExceptionWithDoc("updraft.CompileError",
                                "The rule is wrong: the text is what updraftc "
                                "says, with the place and a caret.",
                                PyExc_ValueError, nullptr);
  module.attr("CompileError") = nb::borrow(compileError);
  nb::class_<Program>(module, "Program")
      .def("describe", describe)
      .def("explain", explain);
  module.def("compile", compile, "kind"_a, "text"_a, "name"_a, "dtype"_a,
             "settings"_a, "target"_a.none(), "cache"_a.none(), "library"_a);
  module.def("open", open, "path"_a);
  module.def("compile_counts", [] {
    updraft_compile_counts counts = updraft_get_compile_counts();
    return nb::make_tuple(counts.compiled, counts.cached);
  });
}
