//===- FakeCudaTest.cpp - What the fake driver does not let pass ----------===//

#include "FakeCuda.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace {

constexpr size_t kBytes = 4096;

/// p[i] = 1 for the one thread of the launch; parameters as of every kernel.
constexpr char kPtx[] = R"(.version 8.0
.target sm_75
.address_size 64
.visible .entry one(.param .u64 p, .param .u64 first, .param .u64 count,
                    .param .u64 round)
{
  .reg .b64 %rd<3>;
  .reg .b32 %r<2>;
  ld.param.u64 %rd1, [p];
  cvta.to.global.u64 %rd2, %rd1;
  mov.u32 %r1, 1;
  st.global.u32 [%rd2], %r1;
  ret;
}
)";

class FakeCuda : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_EQ(cuInit(0), 0);
    FakeHandle context = nullptr;
    ASSERT_EQ(cuDevicePrimaryCtxRetain(&context, 0), 0);
    ASSERT_EQ(cuCtxPushCurrent_v2(context), 0);
    ASSERT_EQ(cuMemAlloc_v2(&device, kBytes), 0);
    void *memory = nullptr;
    ASSERT_EQ(cuMemAllocHost_v2(&memory, kBytes), 0);
    pinned = static_cast<char *>(memory);
    memset(pinned, 1, kBytes);
    ASSERT_EQ(cuStreamCreate(&stream, 1), 0);
    fakeReset();
  }
  void TearDown() override {
    FakeHandle popped = nullptr;
    EXPECT_EQ(cuStreamDestroy_v2(stream), 0);
    EXPECT_EQ(cuMemFree_v2(device), 0);
    EXPECT_EQ(cuMemFreeHost(pinned), 0);
    EXPECT_EQ(cuCtxPopCurrent_v2(&popped), 0);
    EXPECT_EQ(cuDevicePrimaryCtxRelease_v2(0), 0);
  }

  int send(size_t bytes = kBytes, uint64_t offset = 0) {
    return cuMemcpyHtoDAsync_v2(device + offset, pinned, bytes, stream);
  }
  /// The first byte on the device, as it is now.
  char byteNow() {
    char byte = 0;
    EXPECT_EQ(cuMemcpyDtoH_v2(&byte, device, 1), 0);
    return byte;
  }
  int launch(FakeHandle module, uint64_t address) {
    FakeHandle function = nullptr;
    EXPECT_EQ(cuModuleGetFunction(&function, module, "one"), 0);
    uint64_t values[4] = {address, 0, 1, 0};
    void *parameters[] = {values, values + 1, values + 2, values + 3};
    return cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, stream, parameters,
                          nullptr);
  }
  void expectMisuse(const std::string &text) {
    EXPECT_NE(std::string(fakeMisuse()).find(text), std::string::npos)
        << fakeMisuse();
    fakeReset();
  }

  uint64_t device = 0;
  char *pinned = nullptr;
  FakeHandle stream = nullptr;
};

TEST_F(FakeCuda, KeepsWorkBackUntilSomebodyWaits) {
  char before = byteNow();
  ASSERT_EQ(send(), 0);
  EXPECT_EQ(byteNow(), before) << "the default stream waits for no other";
  ASSERT_EQ(cuStreamSynchronize(stream), 0);
  EXPECT_EQ(byteNow(), 1);
  EXPECT_STREQ(fakeMisuse(), "");
}

TEST_F(FakeCuda, SeesSourcesThatChangeTooEarly) {
  FakeHandle event = nullptr;
  ASSERT_EQ(cuEventCreate(&event, 2), 0);
  ASSERT_EQ(send(), 0);
  ASSERT_EQ(cuEventRecord(event, stream), 0);
  ASSERT_EQ(cuEventSynchronize(event), 0);
  pinned[7] = 2;
  ASSERT_EQ(send(), 0);
  EXPECT_STREQ(fakeMisuse(), "");
  pinned[7] = 3;
  ASSERT_EQ(cuStreamSynchronize(stream), 0);
  expectMisuse("what cuMemcpyHtoDAsync reads has changed since");
  std::string local(64, 0);
  ASSERT_EQ(cuMemcpyHtoDAsync_v2(device, local.data(), 64, stream), 0);
  expectMisuse("from memory that is not pinned");
  EXPECT_EQ(cuEventDestroy_v2(event), 0);
}

TEST_F(FakeCuda, KnowsItsMemory) {
  EXPECT_NE(send(kBytes, 1), 0);
  expectMisuse("outside of any allocation");
  uint64_t other = 0;
  ASSERT_EQ(cuMemAlloc_v2(&other, 64), 0);
  ASSERT_EQ(cuMemFree_v2(other), 0);
  EXPECT_NE(cuMemcpyHtoD_v2(other, pinned, 64), 0);
  expectMisuse("outside of any allocation");
  EXPECT_NE(cuMemFree_v2(other), 0);
  expectMisuse("what is freed is no allocation");
  uint64_t all = 0;
  EXPECT_EQ(cuMemAlloc_v2(&all, size_t(1) << 40), 2);
  EXPECT_DEATH((void)*reinterpret_cast<volatile char *>(device), "");
}

TEST_F(FakeCuda, RunsPtxInItsMemoryOnly) {
  FakeHandle module = nullptr;
  ASSERT_EQ(cuModuleLoadDataEx(&module, kPtx, 0, nullptr, nullptr), 0);
  ASSERT_EQ(launch(module, device), 0);
  EXPECT_EQ(fakeLaunches(), 0);
  ASSERT_EQ(cuStreamSynchronize(stream), 0);
  EXPECT_EQ(byteNow(), 1);
  ASSERT_EQ(fakeLaunches(), 1);
  EXPECT_STREQ(fakeLaunch(0).entry, "one");
  EXPECT_EQ(fakeLaunch(0).count, 1u);
  EXPECT_EQ(cuModuleUnload(module), 0);
  EXPECT_STREQ(fakeMisuse(), "");
}

TEST_F(FakeCuda, EndsAContextWhoseKernelGoesAstray) {
  FakeHandle context = nullptr, module = nullptr;
  ASSERT_EQ(cuCtxCreate_v2(&context, 0, 0), 0);
  FakeHandle own = stream;
  ASSERT_EQ(cuStreamCreate(&stream, 1), 0);
  ASSERT_EQ(cuModuleLoadDataEx(&module, kPtx, 0, nullptr, nullptr), 0);
  ASSERT_EQ(launch(module, device + (1 << 20)), 0);
  EXPECT_EQ(cuStreamSynchronize(stream), 700);
  expectMisuse("one");
  EXPECT_EQ(cuCtxSynchronize(), 700) << "from now on all fails";
  ASSERT_EQ(cuCtxDestroy_v2(context), 0);
  stream = own;
}

TEST_F(FakeCuda, WantsAContext) {
  FakeHandle context = nullptr;
  ASSERT_EQ(cuCtxPopCurrent_v2(&context), 0);
  uint64_t address = 0;
  EXPECT_EQ(cuMemAlloc_v2(&address, 64), 201);
  expectMisuse("cuMemAlloc without a current context");
  ASSERT_EQ(cuCtxPushCurrent_v2(context), 0);
}

TEST_F(FakeCuda, ForbidsWhatInterferesWithACapture) {
  FakeHandle graph = nullptr;
  uint64_t address = 0;
  void *memory = nullptr;
  ASSERT_EQ(cuStreamBeginCapture_v2(stream, 0), 0);
  EXPECT_EQ(cuMemAlloc_v2(&address, 64), 900);
  expectMisuse("cuMemAlloc while a graph is captured");
  EXPECT_EQ(cuCtxSynchronize(), 900);
  expectMisuse("cuCtxSynchronize while a graph is captured");
  EXPECT_EQ(cuMemcpyHtoDAsync_v2(device, pinned, 64, nullptr), 906);
  expectMisuse("on the default stream");
  int mode = 2;
  ASSERT_EQ(cuThreadExchangeStreamCaptureMode(&mode), 0);
  EXPECT_EQ(cuMemAllocHost_v2(&memory, 64), 0);
  ASSERT_EQ(cuThreadExchangeStreamCaptureMode(&mode), 0);
  ASSERT_EQ(send(), 0);
  ASSERT_EQ(cuStreamEndCapture(stream, &graph), 0);
  EXPECT_STREQ(fakeMisuse(), "");
  // A graph reads its sources at every replay.
  pinned[7] = 9;
  ASSERT_EQ(cuGraphLaunch(graph, stream), 0);
  ASSERT_EQ(cuStreamSynchronize(stream), 0);
  expectMisuse("has changed since");
  EXPECT_EQ(cuGraphDestroy(graph), 0);
  EXPECT_EQ(cuMemFreeHost(memory), 0);
}

TEST_F(FakeCuda, FailsWhenAsked) {
  uint64_t address = 0;
  fakeFail("cuMemAlloc", 2, 719);
  ASSERT_EQ(cuMemAlloc_v2(&address, 64), 0);
  EXPECT_EQ(cuMemFree_v2(address), 0);
  EXPECT_STREQ(fakeFired(), "");
  EXPECT_EQ(cuMemAlloc_v2(&address, 64), 719);
  EXPECT_STREQ(fakeFired(), "cuMemAlloc");
  ASSERT_EQ(cuMemAlloc_v2(&address, 64), 0) << "once";
  EXPECT_EQ(cuMemFree_v2(address), 0);
  EXPECT_EQ(fakeCount("cuMemAlloc"), 3);
}

} // namespace
