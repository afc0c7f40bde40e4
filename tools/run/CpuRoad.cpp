//===- CpuRoad.cpp - Running the compiled program -------------------------===//
//
// Uses nothing but the C interfaces, as any program outside would.
//
//===----------------------------------------------------------------------===//

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

static updraft_ndarray asArray(const Tensor &tensor) {
  updraft_ndarray array{};
  // A tensor of no elements has no bytes and yet is there.
  static uint64_t nothing;
  array.data = tensor.bytes.empty()
                   ? static_cast<void *>(&nothing)
                   : const_cast<uint8_t *>(tensor.bytes.data());
  array.dtype = uint32_t(tensor.format);
  array.rank = tensor.shape.size();
  array.shape = tensor.shape.data();
  return array;
}

namespace {
/// Owns a program and its optimizer.
class CpuRoad : public Road {
public:
  explicit CpuRoad(const Tensors &params) : params(params) {}
  ~CpuRoad() override;

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
  std::vector<unsigned> groupOf;
  /// The library reads array inputs where they are.
  std::map<std::pair<std::string, size_t>, Tensor> arrayInputs;
  updraft_loaded_program *program = nullptr;
  const updraft_program *descriptor = nullptr;
  updraft_optimizer *optimizer = nullptr;
};
} // namespace

CpuRoad::~CpuRoad() {
  if (optimizer)
    updraft_optimizer_destroy(optimizer);
  if (program)
    updraft_program_release(program);
}

template <typename T>
llvm::ArrayRef<T> CpuRoad::listOf(updraft_list list) const {
  auto *base = reinterpret_cast<const char *>(descriptor);
  return {reinterpret_cast<const T *>(base + list.at), list.count};
}

const char *CpuRoad::textAt(updraft_rel at) const {
  return at ? reinterpret_cast<const char *>(descriptor) + at : "";
}

//===- Creation -----------------------------------------------------------===//

llvm::Error CpuRoad::compile(const Setup &setup) {
  std::vector<std::string> texts;
  for (const Setting &setting : setup.request.settings)
    texts.push_back(setting.name + "=" + setting.value);
  std::vector<const char *> settings;
  for (const std::string &text : texts)
    settings.push_back(text.c_str());
  updraft_compile_options options{};
  options.struct_bytes = sizeof options;
  options.param = uint32_t(setup.request.param);
  options.target = setup.target.empty() ? nullptr : setup.target.c_str();
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

llvm::Error CpuRoad::createOptimizer(const Setup &setup) {
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
    described.push_back({params[index].name.c_str(), asArray(params[index]),
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

llvm::Error CpuRoad::create(const Setup &setup) {
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

llvm::Error CpuRoad::setInputs(const StepInputs &inputs) {
  for (const StepInputs::Scalar &scalar : inputs.scalars)
    if (llvm::Error error = asError(updraft_optimizer_set_input(
            optimizer, scalar.name.c_str(), scalar.value)))
      return error;
  for (const StepInputs::Array &array : inputs.arrays) {
    Tensor &kept = arrayInputs[{array.name, array.param}];
    kept = array.values;
    updraft_ndarray described = asArray(kept);
    if (llvm::Error error = asError(updraft_optimizer_set_array_input(
            optimizer, array.name.c_str(), array.param, &described)))
      return error;
  }
  return llvm::Error::success();
}

llvm::Error CpuRoad::step(const Tensors &grads) {
  std::vector<updraft_ndarray> arrays;
  for (size_t index = 0; index < params.size(); ++index) {
    const Tensor &grad = grads[index];
    updraft_ndarray array = asArray(isAbsent(grad) ? params[index] : grad);
    if (isAbsent(grad))
      array.data = nullptr;
    arrays.push_back(array);
  }
  return asError(
      updraft_optimizer_step(optimizer, arrays.data(), arrays.size(), nullptr));
}

llvm::Error CpuRoad::setHyper(unsigned group, llvm::StringRef name,
                              double value) {
  return asError(
      updraft_optimizer_set_hyper(optimizer, group, name.str().c_str(), value));
}

llvm::Error CpuRoad::setInput(llvm::StringRef name, double value) {
  return asError(
      updraft_optimizer_set_input(optimizer, name.str().c_str(), value));
}

llvm::Error CpuRoad::setInput(llvm::StringRef name, size_t param,
                              const Tensor &values) {
  updraft_ndarray array = asArray(values);
  return asError(updraft_optimizer_set_array_input(
      optimizer, name.str().c_str(), param, &array));
}

//===- What came out ------------------------------------------------------===//

const updraft_scalar *CpuRoad::scalarNamed(llvm::StringRef name) const {
  for (const updraft_scalar &scalar :
       listOf<updraft_scalar>(descriptor->scalars))
    if (name == textAt(scalar.name))
      return &scalar;
  return nullptr;
}

std::string CpuRoad::owner(updraft_level level, size_t param) const {
  if (level == UPDRAFT_MODEL)
    return "model";
  if (level == UPDRAFT_GROUP)
    return "group" + std::to_string(groupOf[param]);
  return params[param].name;
}

/// A copy of what the library shows in place.
static Tensor copyOf(std::string name, const updraft_ndarray &array) {
  Tensor tensor(std::move(name), Format(array.dtype),
                {array.shape, array.shape + array.rank});
  auto *data = static_cast<const uint8_t *>(array.data);
  tensor.bytes.assign(data, data + tensor.bytes.size());
  return tensor;
}

llvm::Error CpuRoad::appendState(size_t param, const char *name,
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
  tensors.push_back(copyOf(std::move(full), array));
  return llvm::Error::success();
}

/// The scalar states of a level, each once. Counters are the runtime's own.
llvm::Error CpuRoad::appendShared(updraft_level level, Tensors &tensors) {
  for (size_t param = 0; param < params.size(); ++param)
    for (const updraft_scalar &scalar :
         listOf<updraft_scalar>(descriptor->scalars))
      if (scalar.level == level && scalar.kind == UPDRAFT_SCALAR_STATE)
        if (llvm::Error error =
                appendState(param, textAt(scalar.name), tensors))
          return error;
  return llvm::Error::success();
}

llvm::Expected<Tensors> CpuRoad::snapshot() {
  Tensors tensors;
  for (size_t param = 0; param < params.size(); ++param) {
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

llvm::Expected<Tensors> CpuRoad::view(llvm::StringRef name) {
  updraft_level level = UPDRAFT_ELEMENT;
  std::string full = name.str();
  for (const updraft_view &view : listOf<updraft_view>(descriptor->views))
    if (textAt(view.name) == name)
      level = updraft_level(view.level);
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
    updraft_ndarray array = asArray(tensor);
    if (llvm::Error error = asError(
            updraft_optimizer_view(optimizer, full.c_str(), param, &array)))
      return error;
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

llvm::Expected<std::unique_ptr<Road>> run::makeCpu(const Setup &setup,
                                                   const Tensors &params) {
  auto road = std::make_unique<CpuRoad>(params);
  if (llvm::Error error = road->create(setup))
    return error;
  return road;
}
