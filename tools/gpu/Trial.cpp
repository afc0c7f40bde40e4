//===- Trial.cpp - The same steps on the host and on a GPU ----------------===//

#include "Trial.h"

#include "Numbers.h"

#include "runtime/Format.h"
#include "runtime/Program.h"

#include <algorithm>
#include <cmath>

namespace updraft::gpu {

using runtime::items;
using runtime::text;

static constexpr double kFirstRate = 0.01, kOtherRate = 0.003;

//===- Tensors ------------------------------------------------------------===//

static size_t countOf(const Shape &shape) {
  size_t count = 1;
  for (int64_t dim : shape)
    count *= size_t(dim);
  return count;
}

Tensor::Tensor(const Shape &shape, uint32_t dtype, size_t offset)
    : shape(shape), dtype(dtype), count(countOf(shape)),
      bytes(count * runtime::bytesOf(dtype)), memory(bytes.size(), offset) {}

void Tensor::makeUp(uint64_t seed, double scale) {
  uint64_t state = seed;
  size_t each = runtime::bytesOf(dtype);
  for (size_t i = 0; i < count; ++i)
    store(bytes.data() + i * each, dtype, scale * makeUpNumber(state));
  memory.write(bytes.data());
}

Array Tensor::array(unsigned device) const {
  Array result;
  // An empty vector has no address.
  static uint8_t nothing[8];
  auto *host = const_cast<uint8_t *>(bytes.data());
  result.data = device ? memory.data() : count ? host : nothing;
  result.dtype = dtype;
  result.shape = shape;
  result.device = device;
  return result;
}

//===- What a program asks for --------------------------------------------===//

/// A number of the hyper's domain, near 0.5 if that is in it.
static double inside(const updraft_hyper &hyper) {
  double low = std::isinf(hyper.low) ? -1 : hyper.low;
  double high = std::isinf(hyper.high) ? std::max(low, 0.0) + 1 : hyper.high;
  double middle = low + (high - low) / 2;
  return hyper.flags & UPDRAFT_HYPER_INT ? std::round(middle) : middle;
}

Group settingsFor(const updraft_program &program) {
  Group group;
  for (const updraft_hyper &hyper :
       items<updraft_hyper>(&program, program.hypers)) {
    if (hyper.flags & UPDRAFT_HYPER_COMPUTED)
      continue;
    if (hyper.flags & UPDRAFT_HYPER_RATE)
      group.push_back({text(&program, hyper.name), kFirstRate});
    else if (hyper.flags & UPDRAFT_HYPER_REQUIRED)
      group.push_back({text(&program, hyper.name), inside(hyper)});
  }
  return group;
}

static bool takes(const Program &program, const std::vector<Shape> &shapes) {
  std::vector<Param> params;
  std::vector<Tensor> tensors;
  for (const Shape &shape : shapes) {
    tensors.emplace_back(shape, program.descriptor().param, 0);
    params.push_back(
        {std::to_string(params.size()), tensors.back().array(0), 0, {}});
  }
  try {
    Optimizer(program, params, {settingsFor(program.descriptor())});
    return true;
  } catch (const Failure &failure) {
    return false;
  }
}

std::vector<Shape> shapesFor(const Program &program, bool small) {
  // Around the edges of a vector, a warp, a block of sums and a chunk.
  std::vector<Shape> lines = {{},    {0},    {1},    {3},    {127},
                              {128}, {4095}, {4096}, {4097}, {16385}};
  std::vector<Shape> matrices = {{1, 1},    {1, 700},  {700, 1}, {65, 513},
                                 {64, 512}, {63, 511}, {300, 8}, {0, 5}};
  std::vector<Shape> deep = {{3, 3, 4, 5}, {2, 65, 129}};
  if (!small) {
    lines.push_back({100003});
    lines.push_back({1 << 20});
    matrices.push_back({2, 9001});
    matrices.push_back({1000, 1000});
    deep.push_back({64, 3, 3, 64});
    lines.insert(lines.end(), 1000, {77});
  }
  std::vector<Shape> all = lines;
  all.insert(all.end(), matrices.begin(), matrices.end());
  std::vector<Shape> flat = all;
  all.insert(all.end(), deep.begin(), deep.end());
  for (const auto &shapes : {all, flat, matrices})
    if (takes(program, shapes))
      return shapes;
  throw std::runtime_error(std::string("the rule takes no tensors: ") +
                           updraft_last_error());
}

//===- Both sides ---------------------------------------------------------===//

Trial::Trial(const Program &program, const std::vector<Shape> &shapes,
             const Device &device)
    : program(program), device(device), present(shapes.size(), 1) {
  const updraft_program &facts = program.descriptor();
  size_t each = runtime::bytesOf(facts.param);
  for (size_t i = 0; i < shapes.size(); ++i) {
    // Every fifth lies as a view of a larger tensor may lie.
    size_t offset = i % 5 == 4 ? each : 0;
    params.emplace_back(shapes[i], facts.param, offset);
    params.back().makeUp(2 * i + 1, 1);
    grads.emplace_back(shapes[i], facts.param, i % 7 == 6 ? each : 0);
    inputs.emplace_back(shapes[i], facts.param, 0);
    inputs.back().makeUp(2 * i + 100001, 1);
  }
  make(host, 0);
  make(gpu, device.number() + 1);
}

void Trial::make(Side &side, unsigned device) {
  std::vector<Param> list;
  for (size_t i = 0; i < params.size(); ++i)
    list.push_back({"p" + std::to_string(i), params[i].array(device), 0, {}});
  Options options;
  options.seed = 7;
  // The host is there for its bits. A second thread would wait for work all the
  // time, which an emulated GPU, on the same processor, needs.
  options.threads = 1;
  side.optimizer = std::make_unique<Optimizer>(
      program, list, std::vector<Group>{settingsFor(program.descriptor())},
      options);
  setInputs(side, device);
}

void Trial::setInputs(Side &side, unsigned device) {
  const updraft_program &facts = program.descriptor();
  for (const auto &scalar : items<updraft_scalar>(&facts, facts.scalars))
    if (scalar.kind == UPDRAFT_SCALAR_INPUT)
      side.optimizer->setInput(text(&facts, scalar.name), 0.75);
  for (const auto &variant : items<updraft_variant>(&facts, facts.variants))
    for (const auto &array : items<updraft_array>(&facts, variant.arrays))
      if (array.role == UPDRAFT_INPUT &&
          &variant == &items<updraft_variant>(&facts, facts.variants)[0])
        for (size_t i = 0; i < params.size(); ++i)
          side.optimizer->setInput(text(&facts, array.name), i,
                                   inputs[i].array(device));
}

void Trial::step(unsigned round) {
  for (size_t i = 0; i < grads.size(); ++i) {
    grads[i].makeUp(1000 * (round + 1) + i, std::pow(10.0, int(round) - 1));
    present[i] = round == 0 || i % 6 != round;
  }
  for (unsigned on : {0u, device.number() + 1}) {
    Side &side = on ? gpu : host;
    side.grads.clear();
    for (size_t i = 0; i < grads.size(); ++i)
      side.grads.push_back(present[i] ? grads[i].array(on).get()
                                      : updraft_ndarray{});
    for (size_t i = 0; i < grads.size(); ++i)
      if (present[i])
        side.grads[i].shape = grads[i].shape.data();
    side.optimizer->step(side.grads.data(), side.grads.size());
  }
}

void Trial::setRate(double value) {
  const updraft_program &facts = program.descriptor();
  for (const auto &hyper : items<updraft_hyper>(&facts, facts.hypers))
    if (hyper.flags & UPDRAFT_HYPER_RATE &&
        !(hyper.flags & UPDRAFT_HYPER_COMPUTED))
      for (Side *side : {&host, &gpu})
        side->optimizer->setHyper(text(&facts, hyper.name), value);
}

void Trial::replay(unsigned times) {
  device.synchronize();
  Graph graph([&](void *stream) {
    check(updraft_optimizer_step(gpu.optimizer->get(), gpu.grads.data(),
                                 gpu.grads.size(), stream));
  });
  for (unsigned i = 0; i < times; ++i) {
    if (i == 1)
      setRate(kOtherRate);
    graph.launch();
    host.optimizer->step(host.grads.data(), host.grads.size());
  }
}

//===- Comparing ----------------------------------------------------------===//

static std::vector<uint8_t> bytesOf(const updraft_ndarray &array) {
  size_t count = 1;
  for (uint32_t axis = 0; axis < array.rank; ++axis)
    count *= size_t(array.shape[axis]);
  std::vector<uint8_t> bytes(count * runtime::bytesOf(array.dtype));
  if (array.device)
    readDevice(bytes.data(), array.data, bytes.size());
  else
    std::copy_n(static_cast<const uint8_t *>(array.data), bytes.size(),
                bytes.data());
  return bytes;
}

static std::optional<std::string>
firstDifference(const std::string &what, const std::vector<uint8_t> &host,
                const std::vector<uint8_t> &gpu, uint32_t dtype) {
  size_t each = runtime::bytesOf(dtype);
  for (size_t at = 0; at < host.size(); at += each)
    if (!isSame(&host[at], &gpu[at], dtype))
      return what + "[" + std::to_string(at / each) + "]: host " +
             textOf(&host[at], dtype) + ", GPU " + textOf(&gpu[at], dtype);
  return std::nullopt;
}

std::optional<std::string> Trial::stateDifference(const std::string &name,
                                                  size_t index) {
  updraft_ndarray ours = host.optimizer->state(name, index);
  return firstDifference(
      "state '" + name + "' of tensor " + std::to_string(index), bytesOf(ours),
      bytesOf(gpu.optimizer->state(name, index)), ours.dtype);
}

std::optional<std::string> Trial::difference() {
  device.synchronize();
  for (size_t i = 0; i < params.size(); ++i) {
    std::vector<uint8_t> bytes(params[i].bytes.size());
    params[i].memory.read(bytes.data());
    if (auto found = firstDifference("tensor " + std::to_string(i),
                                     params[i].bytes, bytes, params[i].dtype))
      return found;
  }
  // One more for those of groups and of the model.
  for (size_t i = 0; i <= params.size(); ++i) {
    updraft_optimizer *optimizer = host.optimizer->get();
    size_t count = updraft_optimizer_state_count(optimizer, i);
    for (size_t k = 0; k < count; ++k)
      if (auto found =
              stateDifference(updraft_optimizer_state_name(optimizer, i, k), i))
        return found;
  }
  return std::nullopt;
}

} // namespace updraft::gpu
