//===- CompiledRoad.cpp - Running the compiled program --------------------===//
//
// Uses nothing but the C interfaces, as any program outside would.
//
//===----------------------------------------------------------------------===//

#include "Memory.h"
#include "Road.h"
#include "compiler/updraftc.h"

#include <map>

using namespace updraft;
using namespace updraft::run;

static_assert(int(Format::F64) == UPDRAFT_F64 &&
              int(Format::F32) == UPDRAFT_F32 &&
              int(Format::BF16) == UPDRAFT_BF16 &&
              int(Format::F16) == UPDRAFT_F16);

static constexpr char kInternal[] = "internal error: ";

/// What the library has to say; a bug where it says so.
static llvm::Error asError(updraft_status status) {
  if (status == UPDRAFT_OK)
    return llvm::Error::success();
  std::string text = updraft_last_error();
  if (text.empty())
    text = updraft_status_name(status);
  // The front end has passed the rule: what the compiler says now is a bug.
  // Where it is shown it is called one.
  if (llvm::StringRef(text).starts_with(kInternal))
    text.erase(0, sizeof kInternal - 1);
  if (status == UPDRAFT_INTERNAL || status == UPDRAFT_COMPILE_ERROR)
    return llvm::make_error<BugError>(std::move(text));
  return llvm::createStringError(text);
}

namespace {
/// Owns a program and its optimizer.
class CompiledRoad : public Road {
public:
  CompiledRoad(const Tensors &params, std::unique_ptr<Memory> memory)
      : params(params), memory(std::move(memory)) {}
  ~CompiledRoad() override;

  llvm::Error create(const Setup &setup);
  llvm::Error setInputs(const StepInputs &inputs) override;
  llvm::Error step(const Tensors &grads) override;
  llvm::Error setHyper(unsigned group, llvm::StringRef name,
                       double value) override;
  llvm::Error setInput(llvm::StringRef name, double value) override;
  llvm::Error setInput(llvm::StringRef name, size_t param,
                       const Tensor &values) override;
  llvm::Expected<Tensors> snapshot() override;
  llvm::Expected<Tensors> view(llvm::StringRef name) override;

private:
  llvm::Error compile(const Setup &setup);
  llvm::Error createOptimizer(const Setup &setup);
  llvm::Error appendState(size_t param, const char *name, Tensors &tensors);
  llvm::Error appendShared(updraft_level level, Tensors &tensors);
  std::string owner(updraft_level level, size_t param) const;
  const updraft_scalar *scalarNamed(llvm::StringRef name) const;
  template <typename T> llvm::ArrayRef<T> listOf(updraft_list list) const;
  const char *textAt(updraft_rel at) const;

  Tensors params;
  std::unique_ptr<Memory> memory;
  std::vector<updraft_ndarray> places; ///< of the parameters
  std::vector<unsigned> groupOf;
  /// The library reads array inputs where they are.
  std::map<std::pair<std::string, size_t>, Tensor> arrayInputs;
  updraft_loaded_program *program = nullptr;
  const updraft_program *descriptor = nullptr;
  updraft_optimizer *optimizer = nullptr;
};
} // namespace

CompiledRoad::~CompiledRoad() {
  if (optimizer)
    updraft_optimizer_destroy(optimizer);
  if (program)
    updraft_program_release(program);
}

template <typename T>
llvm::ArrayRef<T> CompiledRoad::listOf(updraft_list list) const {
  auto *base = reinterpret_cast<const char *>(descriptor);
  return {reinterpret_cast<const T *>(base + list.at), list.count};
}

const char *CompiledRoad::textAt(updraft_rel at) const {
  return at ? reinterpret_cast<const char *>(descriptor) + at : "";
}

//===- Creation -----------------------------------------------------------===//

llvm::Error CompiledRoad::compile(const Setup &setup) {
  std::vector<std::string> texts;
  for (const Setting &setting : setup.request.settings)
    texts.push_back(setting.name + "=" + setting.value);
  std::vector<const char *> settings;
  for (const std::string &text : texts)
    settings.push_back(text.c_str());
  updraft_compile_options options{};
  options.struct_bytes = sizeof options;
  options.param = uint32_t(setup.request.param);
  std::string target = setup.target.empty() ? memory->target() : setup.target;
  options.target = target.empty() ? nullptr : target.c_str();
  options.settings = settings.data();
  options.setting_count = settings.size();
  // No cache: what runs is what this compiler makes of the rule now.
  options.cache_folder = "";
  options.library_folder =
      setup.library.empty() ? nullptr : setup.library.c_str();
  const Request &request = setup.request;
  const char *text = request.text.c_str();
  updraft_status status = UPDRAFT_INTERNAL;
  switch (request.kind) {
  case Request::Kind::Pipe:
    status = updraft_compile(text, &options, &program);
    break;
  case Request::Kind::Source:
    status = updraft_compile_source(text, request.sourceName.c_str(), &options,
                                    &program);
    break;
  case Request::Kind::Name:
    status = updraft_compile_file(text, &options, &program);
    break;
  }
  if (status == UPDRAFT_UNSUPPORTED && options.target)
    return llvm::make_error<UsageError>(updraft_last_error());
  return asError(status);
}

llvm::Error CompiledRoad::createOptimizer(const Setup &setup) {
  std::vector<std::vector<updraft_setting>> hypers(setup.groups.size());
  std::vector<updraft_group> groups;
  for (size_t group = 0; group < hypers.size(); ++group) {
    for (const HyperValue &hyper : setup.groups[group])
      hypers[group].push_back({hyper.name.c_str(), hyper.value});
    groups.push_back({hypers[group].data(), hypers[group].size()});
  }
  std::vector<std::vector<const char *>> tags(params.size());
  std::vector<updraft_param> described;
  for (size_t index = 0; index < params.size(); ++index) {
    for (const std::string &tag : setup.tagsOf[index])
      tags[index].push_back(tag.c_str());
    llvm::Expected<updraft_ndarray> array =
        memory->put("param " + std::to_string(index), params[index]);
    if (!array)
      return array.takeError();
    places.push_back(*array);
    described.push_back({params[index].name.c_str(), *array,
                         setup.groupOf[index], uint32_t(tags[index].size()),
                         tags[index].data()});
  }
  updraft_options options{};
  options.struct_bytes = sizeof options;
  options.threads = setup.threads;
  options.seed = setup.seed;
  return asError(updraft_optimizer_create(program, groups.data(), groups.size(),
                                          described.data(), described.size(),
                                          &options, &optimizer));
}

llvm::Error CompiledRoad::create(const Setup &setup) {
  groupOf = setup.groupOf;
  if (llvm::Error error = compile(setup))
    return error;
  descriptor = updraft_program_descriptor(program);
  if (llvm::Error error = createOptimizer(setup))
    return error;
  for (const HyperValue &input : setup.inputs)
    if (llvm::Error error = setInput(input.name, input.value))
      return error;
  return llvm::Error::success();
}

llvm::Error CompiledRoad::setInputs(const StepInputs &inputs) {
  for (const StepInputs::Scalar &scalar : inputs.scalars)
    if (llvm::Error error = asError(updraft_optimizer_set_input(
            optimizer, scalar.name.c_str(), scalar.value)))
      return error;
  for (const StepInputs::Array &array : inputs.arrays) {
    Tensor &kept = arrayInputs[{array.name, array.param}];
    kept = array.values;
    if (llvm::Error error = setInput(array.name, array.param, kept))
      return error;
  }
  return llvm::Error::success();
}

llvm::Error CompiledRoad::step(const Tensors &grads) {
  std::vector<updraft_ndarray> arrays;
  for (size_t index = 0; index < params.size(); ++index) {
    const Tensor &grad = grads[index];
    arrays.push_back(places[index]);
    if (isAbsent(grad)) {
      arrays.back().data = nullptr;
      continue;
    }
    llvm::Expected<updraft_ndarray> array =
        memory->put("grad " + std::to_string(index), grad);
    if (!array)
      return array.takeError();
    arrays.back() = *array;
  }
  if (llvm::Error error = asError(updraft_optimizer_step(
          optimizer, arrays.data(), arrays.size(), nullptr)))
    return error;
  return memory->finish();
}

llvm::Error CompiledRoad::setHyper(unsigned group, llvm::StringRef name,
                                   double value) {
  return asError(
      updraft_optimizer_set_hyper(optimizer, group, name.str().c_str(), value));
}

llvm::Error CompiledRoad::setInput(llvm::StringRef name, double value) {
  return asError(
      updraft_optimizer_set_input(optimizer, name.str().c_str(), value));
}

llvm::Error CompiledRoad::setInput(llvm::StringRef name, size_t param,
                                   const Tensor &values) {
  llvm::Expected<updraft_ndarray> array =
      memory->put("input " + name.str() + std::to_string(param), values);
  if (!array)
    return array.takeError();
  return asError(updraft_optimizer_set_array_input(
      optimizer, name.str().c_str(), param, &*array));
}

//===- What came out ------------------------------------------------------===//

const updraft_scalar *CompiledRoad::scalarNamed(llvm::StringRef name) const {
  for (const updraft_scalar &scalar :
       listOf<updraft_scalar>(descriptor->scalars))
    if (name == textAt(scalar.name))
      return &scalar;
  return nullptr;
}

std::string CompiledRoad::owner(updraft_level level, size_t param) const {
  if (level == UPDRAFT_MODEL)
    return "model";
  if (level == UPDRAFT_GROUP)
    return "group" + std::to_string(groupOf[param]);
  return params[param].name;
}

llvm::Error CompiledRoad::appendState(size_t param, const char *name,
                                      Tensors &tensors) {
  const updraft_scalar *scalar = scalarNamed(name);
  updraft_level level = scalar ? updraft_level(scalar->level) : UPDRAFT_ELEMENT;
  std::string full = owner(level, param) + "." + name;
  if (level <= UPDRAFT_GROUP && find(tensors, full))
    return llvm::Error::success();
  updraft_ndarray array{};
  if (llvm::Error error =
          asError(updraft_optimizer_state(optimizer, name, param, &array)))
    return error;
  Tensor copy(std::move(full), Format(array.dtype),
              {array.shape, array.shape + array.rank});
  if (llvm::Error error = memory->get(array, copy))
    return error;
  tensors.push_back(std::move(copy));
  return llvm::Error::success();
}

/// The scalar states of a level, each once. Counters are the runtime's own.
llvm::Error CompiledRoad::appendShared(updraft_level level, Tensors &tensors) {
  for (size_t param = 0; param < params.size(); ++param)
    for (const updraft_scalar &scalar :
         listOf<updraft_scalar>(descriptor->scalars))
      if (scalar.level == level && scalar.kind == UPDRAFT_SCALAR_STATE)
        if (llvm::Error error =
                appendState(param, textAt(scalar.name), tensors))
          return error;
  return llvm::Error::success();
}

llvm::Expected<Tensors> CompiledRoad::snapshot() {
  Tensors tensors;
  for (size_t param = 0; param < params.size(); ++param) {
    if (llvm::Error error = memory->get(places[param], params[param]))
      return error;
    tensors.push_back(params[param]);
    size_t count = updraft_optimizer_state_count(optimizer, param);
    for (size_t state = 0; state < count; ++state) {
      const char *name = updraft_optimizer_state_name(optimizer, param, state);
      const updraft_scalar *scalar = scalarNamed(name);
      if (scalar && (scalar->level <= UPDRAFT_GROUP ||
                     scalar->kind != UPDRAFT_SCALAR_STATE))
        continue;
      if (llvm::Error error = appendState(param, name, tensors))
        return error;
    }
  }
  for (updraft_level level : {UPDRAFT_GROUP, UPDRAFT_MODEL})
    if (llvm::Error error = appendShared(level, tensors))
      return error;
  return tensors;
}

llvm::Expected<Tensors> CompiledRoad::view(llvm::StringRef name) {
  updraft_level level = UPDRAFT_ELEMENT;
  std::string full = name.str();
  for (const updraft_view &view : listOf<updraft_view>(descriptor->views))
    if (textAt(view.name) == name)
      level = updraft_level(view.level);
  // What is one number is always asked for in host memory.
  std::unique_ptr<Memory> host = makeHostMemory();
  Memory &place = level <= UPDRAFT_TENSOR ? *host : *memory;
  Tensors tensors;
  for (size_t param = 0; param < params.size(); ++param) {
    updraft_ndarray shape{};
    updraft_status status =
        updraft_optimizer_view_shape(optimizer, full.c_str(), param, &shape);
    // The state that it shows may not exist for this parameter.
    if (status == UPDRAFT_NOT_FOUND)
      continue;
    if (llvm::Error error = asError(status))
      return error;
    Tensor tensor(owner(level, param) + "." + full, Format(shape.dtype),
                  {shape.shape, shape.shape + shape.rank});
    if (find(tensors, tensor.name))
      continue;
    llvm::Expected<updraft_ndarray> array = place.put("view", tensor);
    if (!array)
      return array.takeError();
    if (llvm::Error error = asError(
            updraft_optimizer_view(optimizer, full.c_str(), param, &*array)))
      return error;
    if (llvm::Error error = place.get(*array, tensor))
      return error;
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

llvm::Expected<std::unique_ptr<Road>>
run::makeCompiled(const Setup &setup, const Tensors &params, bool onGpu) {
  std::unique_ptr<Memory> memory = makeHostMemory();
  if (onGpu) {
    auto cuda = makeCudaMemory();
    if (!cuda)
      return cuda.takeError();
    memory = std::move(*cuda);
  }
  auto road = std::make_unique<CompiledRoad>(params, std::move(memory));
  if (llvm::Error error = road->create(setup))
    return error;
  return road;
}
