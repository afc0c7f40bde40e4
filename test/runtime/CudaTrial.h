//===- CudaTrial.h - An optimizer on the fake driver ------------*- C++ -*-===//
//
// The same tensors on the host and on a device, with an optimizer of the same
// program on each: their bits must agree after every step.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TEST_CUDATRIAL_H
#define UPDRAFT_TEST_CUDATRIAL_H

#include "../gpu/FakeCuda.h"
#include "FakeProgram.h"
#include "runtime/updraft.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

/// Makes the kernels of a program what the fake runs for its entries.
inline void giveKernels(const updraft_program *program) {
  auto *base = reinterpret_cast<const char *>(program);
  auto *kernels =
      reinterpret_cast<const updraft_kernel *>(base + program->kernels.at);
  const char *entry = nullptr;
  for (uint64_t k = 0; k < program->kernels.count; ++k) {
    if (kernels[k].gpu_entry)
      entry = base + kernels[k].gpu_entry;
    fakeKernel(entry, reinterpret_cast<updraft_entry *>(
                          reinterpret_cast<uintptr_t>(base) +
                          uintptr_t(kernels[k].entry)));
  }
}

/// Memory of a device, made in its primary context.
class DeviceArray {
public:
  DeviceArray(size_t bytes, int device = 0) : device(device), bytes(bytes) {
    inContext(
        [&] { EXPECT_EQ(cuMemAlloc_v2(&address, bytes ? bytes : 1), 0); });
  }
  ~DeviceArray() {
    inContext([&] { (void)cuMemFree_v2(address); });
  }
  DeviceArray(const DeviceArray &) = delete;

  void *data() const { return reinterpret_cast<void *>(address); }
  void write(const void *from) {
    if (bytes)
      inContext([&] { EXPECT_EQ(cuMemcpyHtoD_v2(address, from, bytes), 0); });
  }
  void read(void *to) const {
    inContext([&] {
      EXPECT_EQ(cuCtxSynchronize(), 0);
      EXPECT_EQ(cuMemcpyDtoH_v2(to, address, bytes), 0);
    });
  }

  template <class Body> void inContext(Body &&body) const {
    FakeHandle context = nullptr, popped = nullptr;
    ASSERT_EQ(cuDevicePrimaryCtxRetain(&context, device), 0);
    ASSERT_EQ(cuCtxPushCurrent_v2(context), 0);
    body();
    (void)cuCtxPopCurrent_v2(&popped);
    (void)cuDevicePrimaryCtxRelease_v2(device);
  }

private:
  int device;
  size_t bytes;
  uint64_t address = 0;
};

inline float valueOf(size_t tensor, size_t i, unsigned salt) {
  uint32_t x = uint32_t(tensor * 7919 + i * 104729) + salt * 2654435761u;
  x ^= x >> 15;
  x *= 0x2c1b3c6du;
  x ^= x >> 12;
  return float(int32_t(x)) / 2147483648.0f;
}

/// Keeps what the test's device needs, and looks at the fake at the end.
class CudaTrial : public ::testing::Test {
protected:
  void SetUp() override {
    setenv("UPDRAFT_LIBCUDA", UPDRAFT_TEST_LIBCUDA, 1);
    ASSERT_EQ(cuInit(0), 0);
    FakeHandle context = nullptr;
    for (int device : {0, 1})
      ASSERT_EQ(cuDevicePrimaryCtxRetain(&context, device), 0);
    fakeReset();
    alive = fakeLive();
  }
  void TearDown() override {
    EXPECT_STREQ(fakeMisuse(), "");
    EXPECT_EQ(fakeLive(), alive);
    FakeHandle context = nullptr;
    EXPECT_EQ(cuCtxGetCurrent(&context), 0);
    EXPECT_EQ(context, nullptr);
    for (int device : {0, 1})
      EXPECT_EQ(cuDevicePrimaryCtxRelease_v2(device), 0);
  }

  int alive = 0;
};

/// Tensors of rank 1 and an optimizer, on a device or on the host.
class Side {
public:
  Side(const updraft_program *program, std::vector<int64_t> sizes,
       uint32_t place, uint32_t groups = 2);
  /// Takes over one reference.
  Side(updraft_loaded_program *program, std::vector<int64_t> sizes,
       uint32_t place, uint32_t groups = 2);
  ~Side();
  Side(const Side &) = delete;

  /// Gradients of step `salt`, in place.
  void setGrads(unsigned salt);
  /// Fills memory that is of this side.
  void write(void *to, std::vector<float> values);
  updraft_status step(void *stream = nullptr);
  std::vector<float> param(size_t i) const;
  std::vector<float> state(const char *name, size_t i) const;
  std::vector<float> view(const char *name, size_t i);
  double number(const char *view);
  updraft_status setHyper(const char *name, double value, uint32_t group = 0);

  updraft_status create();
  /// Frees the optimizer.
  void drop();

  uint32_t place;
  std::vector<int64_t> sizes;
  std::vector<updraft_param> params;
  std::vector<updraft_ndarray> grads;
  updraft_optimizer *optimizer = nullptr;
  updraft_loaded_program *program = nullptr;

private:
  void *make(const std::vector<float> &values);
  std::vector<float> fetch(const void *data, size_t count) const;

  std::vector<std::unique_ptr<DeviceArray>> onDevice;
  std::vector<std::unique_ptr<std::vector<float>>> onHost;
  uint32_t groupCount;
};

/// That parameters and all states have the same bits on both sides.
void expectSame(Side &host, Side &device);

/// With a stream in the device's context, which is the current one.
class CudaStreamTrial : public CudaTrial {
protected:
  void SetUp() override {
    CudaTrial::SetUp();
    FakeHandle context = nullptr;
    ASSERT_EQ(cuDevicePrimaryCtxRetain(&context, 0), 0);
    ASSERT_EQ(cuCtxPushCurrent_v2(context), 0);
    ASSERT_EQ(cuStreamCreate(&stream, 1), 0);
  }
  void TearDown() override {
    FakeHandle popped = nullptr;
    EXPECT_EQ(cuStreamDestroy_v2(stream), 0);
    EXPECT_EQ(cuCtxPopCurrent_v2(&popped), 0);
    EXPECT_EQ(cuDevicePrimaryCtxRelease_v2(0), 0);
    CudaTrial::TearDown();
  }
  FakeHandle stream = nullptr;
};

#endif // UPDRAFT_TEST_CUDATRIAL_H
