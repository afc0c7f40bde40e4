//===- CudaTrial.cpp - An optimizer on the fake driver --------------------===//

#include "CudaTrial.h"

#include <cstring>

static updraft_loaded_program *load(const updraft_program *constant) {
  updraft_loaded_program *program = nullptr;
  giveKernels(constant);
  EXPECT_EQ(updraft_program_from(constant, &program), UPDRAFT_OK);
  return program;
}

Side::Side(const updraft_program *constant, std::vector<int64_t> sizes,
           uint32_t place, uint32_t groups)
    : Side(load(constant), std::move(sizes), place, groups) {}

Side::Side(updraft_loaded_program *program, std::vector<int64_t> given,
           uint32_t place, uint32_t groups)
    : place(place), sizes(std::move(given)), program(program),
      groupCount(groups) {
  static const char *const tags[] = {"no_decay"};
  for (size_t i = 0; i < sizes.size(); ++i) {
    std::vector<float> values(static_cast<size_t>(sizes[i]));
    for (size_t k = 0; k < values.size(); ++k)
      values[k] = valueOf(i, k, 1);
    updraft_param param = {};
    param.array = {make(values), UPDRAFT_F32, 1, &sizes[i], nullptr, place};
    param.group = uint32_t(i % groups);
    param.tag_count = i % 3 == 0;
    param.tags = tags;
    params.push_back(param);
    grads.push_back(param.array);
    grads.back().data = make(values);
  }
  setGrads(2);
}

Side::~Side() {
  drop();
  updraft_program_release(program);
}

void Side::drop() {
  updraft_optimizer_destroy(optimizer);
  optimizer = nullptr;
}

updraft_status Side::create() {
  std::vector<updraft_setting> settings = {{"lr", 0.01}};
  std::vector<updraft_group> groups(groupCount);
  groups[0] = {settings.data(), settings.size()};
  return updraft_optimizer_create(program, groups.data(), groups.size(),
                                  params.data(), params.size(), nullptr,
                                  &optimizer);
}

void *Side::make(const std::vector<float> &values) {
  if (!place) {
    onHost.push_back(std::make_unique<std::vector<float>>(values));
    onHost.back()->reserve(1);
    return onHost.back()->data();
  }
  onDevice.push_back(std::make_unique<DeviceArray>(
      values.size() * sizeof(float), int(place - 1)));
  onDevice.back()->write(values.data());
  return onDevice.back()->data();
}

static void copy(uint32_t place, void *host, void *device, size_t bytes,
                 bool toDevice) {
  FakeHandle context = nullptr, popped = nullptr;
  (void)cuDevicePrimaryCtxRetain(&context, int(place - 1));
  (void)cuCtxPushCurrent_v2(context);
  EXPECT_EQ(cuCtxSynchronize(), 0);
  uint64_t address = reinterpret_cast<uint64_t>(device);
  EXPECT_EQ(toDevice ? cuMemcpyHtoD_v2(address, host, bytes)
                     : cuMemcpyDtoH_v2(host, address, bytes),
            0);
  (void)cuCtxPopCurrent_v2(&popped);
  (void)cuDevicePrimaryCtxRelease_v2(int(place - 1));
}

std::vector<float> Side::fetch(const void *data, size_t count) const {
  std::vector<float> result(count);
  if (!place && count)
    memcpy(result.data(), data, count * sizeof(float));
  else if (count)
    copy(place, result.data(), const_cast<void *>(data), count * sizeof(float),
         false);
  return result;
}

void Side::setGrads(unsigned salt) {
  for (size_t i = 0; i < sizes.size(); ++i) {
    std::vector<float> values(static_cast<size_t>(sizes[i]));
    for (size_t k = 0; k < values.size(); ++k)
      values[k] = valueOf(i, k, salt);
    if (grads[i].data)
      write(grads[i].data, std::move(values));
  }
}

void Side::write(void *to, std::vector<float> values) {
  size_t bytes = values.size() * sizeof(float);
  if (place && bytes)
    copy(place, values.data(), to, bytes, true);
  else if (bytes)
    memcpy(to, values.data(), bytes);
}

updraft_status Side::step(void *stream) {
  return updraft_optimizer_step(optimizer, grads.data(), grads.size(), stream);
}

std::vector<float> Side::param(size_t i) const {
  return fetch(params[i].array.data, size_t(sizes[i]));
}

std::vector<float> Side::state(const char *name, size_t i) const {
  updraft_ndarray found = {};
  EXPECT_EQ(updraft_optimizer_state(optimizer, name, i, &found), UPDRAFT_OK);
  EXPECT_EQ(found.device, place);
  if (found.dtype == UPDRAFT_F64) {
    double value = 0;
    if (place)
      copy(place, &value, found.data, sizeof value, false);
    else
      memcpy(&value, found.data, sizeof value);
    return {float(value)};
  }
  return fetch(found.data, size_t(sizes[i]));
}

std::vector<float> Side::view(const char *name, size_t i) {
  std::vector<float> values(static_cast<size_t>(sizes[i]));
  updraft_ndarray out = params[i].array;
  out.data = make(values);
  EXPECT_EQ(updraft_optimizer_view(optimizer, name, i, &out), UPDRAFT_OK)
      << updraft_last_error();
  return fetch(out.data, values.size());
}

double Side::number(const char *view) {
  double value = 0;
  updraft_ndarray out = {&value, UPDRAFT_F64, 0, nullptr, nullptr, 0};
  EXPECT_EQ(updraft_optimizer_view(optimizer, view, 0, &out), UPDRAFT_OK)
      << updraft_last_error();
  return value;
}

updraft_status Side::setHyper(const char *name, double value, uint32_t group) {
  return updraft_optimizer_set_hyper(optimizer, group, name, value);
}

void expectSame(Side &host, Side &device) {
  for (size_t i = 0; i < host.sizes.size(); ++i) {
    EXPECT_TRUE(host.param(i) == device.param(i)) << "parameter " << i;
    size_t count = updraft_optimizer_state_count(host.optimizer, i);
    for (size_t k = 0; k < count; ++k) {
      const char *name = updraft_optimizer_state_name(host.optimizer, i, k);
      EXPECT_TRUE(host.state(name, i) == device.state(name, i))
          << name << " of " << i;
    }
  }
}
