//===- CudaStepTest.cpp - What a step asks of the driver ------------------===//

#include "CudaTrial.h"

namespace {

const std::vector<int64_t> kRagged = {7, 0, 4097, 1, 100003, 127, 4096, 12289};

class CudaStep : public CudaTrial {};

int stepKernels(const updraft_program *program) {
  auto *base = reinterpret_cast<const char *>(program);
  auto *kernels =
      reinterpret_cast<const updraft_kernel *>(base + program->kernels.at);
  int count = 0;
  for (uint64_t k = 0; k < program->kernels.count; ++k)
    count += kernels[k].when == UPDRAFT_AT_STEP && kernels[k].gpu_entry;
  return count;
}

TEST_F(CudaStep, HasTheBitsOfTheHost) {
  for (const updraft_program *program : {fakeAdamw(), fakeClipAdamw()}) {
    Side host(program, kRagged, 0), device(program, kRagged, 1);
    ASSERT_EQ(host.create(), UPDRAFT_OK) << updraft_last_error();
    ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
    expectSame(host, device);
    for (unsigned salt = 2; salt < 6; ++salt) {
      for (Side *side : {&host, &device}) {
        side->setGrads(salt);
        ASSERT_EQ(side->step(), UPDRAFT_OK) << updraft_last_error();
      }
      expectSame(host, device);
    }
  }
}

TEST_F(CudaStep, OnlyLaunchesWhenNothingChanged) {
  std::vector<int64_t> sizes;
  for (int64_t i = 0; i < 1000; ++i)
    sizes.push_back(i % 7 * 37);
  Side device(fakeClipAdamw(), sizes, 1);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  ASSERT_EQ(device.step(), UPDRAFT_OK) << updraft_last_error();
  fakeReset();
  for (int i = 0; i < 10; ++i)
    ASSERT_EQ(device.step(), UPDRAFT_OK) << updraft_last_error();
  int launches = 10 * stepKernels(fakeClipAdamw());
  EXPECT_EQ(fakeCount("cuLaunchKernel"), launches);
  // Entering and leaving, and whether a graph is being captured.
  EXPECT_EQ(fakeCount("cuCtxPushCurrent"), 10);
  EXPECT_EQ(fakeCount("cuCtxPopCurrent"), 10);
  EXPECT_EQ(fakeCount("cuStreamIsCapturing"), 10);
  EXPECT_EQ(fakeCount(nullptr), launches + 30);
}

TEST_F(CudaStep, SendsChangedRowsAtOnce) {
  Side host(fakeAdamw(), kRagged, 0), device(fakeAdamw(), kRagged, 1);
  Side others(fakeAdamw(), kRagged, 1);
  ASSERT_EQ(host.create(), UPDRAFT_OK);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  ASSERT_EQ(device.step(), UPDRAFT_OK) << updraft_last_error();
  ASSERT_EQ(host.step(), UPDRAFT_OK);
  fakeReset();
  // More steps than there are places, each with other gradients.
  for (unsigned i = 0; i < 12; ++i) {
    others.setGrads(2);
    std::swap(device.grads, others.grads);
    ASSERT_EQ(device.step(), UPDRAFT_OK) << updraft_last_error();
    ASSERT_EQ(host.step(), UPDRAFT_OK);
  }
  EXPECT_EQ(fakeCount("cuMemcpy2DAsync"), 12 * 2) << "one a variant";
  EXPECT_EQ(fakeCount("cuMemAllocHost"), 0);
  expectSame(host, device);
  std::swap(device.grads, others.grads);
  std::swap(device.grads, others.grads);
}

TEST_F(CudaStep, LeavesOutWhatHasNoGradient) {
  Side host(fakeClipAdamw(), kRagged, 0), device(fakeClipAdamw(), kRagged, 1);
  ASSERT_EQ(host.create(), UPDRAFT_OK);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  for (unsigned salt = 2; salt < 8; ++salt) {
    for (Side *side : {&host, &device}) {
      side->setGrads(salt);
      std::vector<updraft_ndarray> all = side->grads;
      for (size_t i = 0; i < all.size(); ++i)
        if ((i + salt) % 3 == 0 || salt == 5)
          side->grads[i].data = nullptr;
      ASSERT_EQ(side->step(), UPDRAFT_OK) << updraft_last_error();
      side->grads = all;
    }
    expectSame(host, device);
  }
}

TEST_F(CudaStep, RunsOnTheGivenStream) {
  Side device(fakeAdamw(), kRagged, 1);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  FakeHandle context = nullptr, stream = nullptr, popped = nullptr;
  ASSERT_EQ(cuDevicePrimaryCtxRetain(&context, 0), 0);
  ASSERT_EQ(cuCtxPushCurrent_v2(context), 0);
  ASSERT_EQ(cuStreamCreate(&stream, 1), 0);
  fakeReset();
  ASSERT_EQ(device.step(stream), UPDRAFT_OK) << updraft_last_error();
  FakeHandle current = nullptr;
  ASSERT_EQ(cuCtxGetCurrent(&current), 0);
  EXPECT_EQ(current, context) << "the caller's context stays";
  EXPECT_EQ(fakeLaunches(), 0) << "nothing waits";
  ASSERT_EQ(cuStreamSynchronize(stream), 0);
  ASSERT_GT(fakeLaunches(), 0);
  for (int i = 0; i < fakeLaunches(); ++i)
    EXPECT_EQ(fakeLaunch(i).stream, stream);
  ASSERT_EQ(cuStreamDestroy_v2(stream), 0);
  EXPECT_EQ(cuCtxPopCurrent_v2(&popped), 0);
  EXPECT_EQ(cuDevicePrimaryCtxRelease_v2(0), 0);
  // The optimizer's stream is gone: it waits for the device.
  updraft_ndarray state = {};
  EXPECT_EQ(updraft_optimizer_state(device.optimizer, "m", 0, &state),
            UPDRAFT_OK);
}

TEST_F(CudaStep, FillsTheGpuAndNoMore) {
  Side device(fakeAdamw(), {1 << 20, 5}, 1);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  fakeReset();
  ASSERT_EQ(device.step(), UPDRAFT_OK) << updraft_last_error();
  device.param(0);
  unsigned most = 0;
  for (int i = 0; i < fakeLaunches(); ++i) {
    FakeLaunch launch = fakeLaunch(i);
    EXPECT_EQ(launch.block, 128u);
    EXPECT_LE(launch.grid, (launch.count + 3) / 4);
    most = std::max(most, launch.grid);
  }
  // 257 chunks of 4096 elements, 4 a block; the fake has room for 64 blocks.
  EXPECT_EQ(most, 64u);
}

TEST_F(CudaStep, TwoDevicesAtATime) {
  Side first(fakeAdamw(), kRagged, 1), second(fakeAdamw(), kRagged, 2);
  ASSERT_EQ(first.create(), UPDRAFT_OK) << updraft_last_error();
  ASSERT_EQ(second.create(), UPDRAFT_OK) << updraft_last_error();
  for (int i = 0; i < 3; ++i)
    for (Side *side : {&first, &second})
      ASSERT_EQ(side->step(), UPDRAFT_OK) << updraft_last_error();
  expectSame(first, second);
}

TEST_F(CudaStep, LoadsAProgramOnceForAllOptimizers) {
  Side first(fakeAdamw(), kRagged, 1), second(fakeAdamw(), kRagged, 1);
  updraft_program_release(second.program);
  updraft_program_retain(second.program = first.program);
  ASSERT_EQ(first.create(), UPDRAFT_OK) << updraft_last_error();
  ASSERT_EQ(second.create(), UPDRAFT_OK) << updraft_last_error();
  EXPECT_EQ(fakeCount("cuModuleLoadDataEx"), 1);
  first.drop();
  EXPECT_EQ(fakeCount("cuModuleUnload"), 0);
  second.drop();
  EXPECT_EQ(fakeCount("cuModuleUnload"), 1);
}

} // namespace
