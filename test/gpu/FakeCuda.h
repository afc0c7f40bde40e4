/*===- FakeCuda.h - A CUDA driver without a GPU --------------------*- C -*-===
 *
 * libcuda-fake.so has the functions of libcuda that the runtime and its tests
 * use. Devices are stretches of host memory that nobody but kernels and copies
 * can touch. Work on a stream waits until somebody synchronises with it. What a
 * program must not do is noted as misuse; any call can be made to fail.
 *
 * Environment: UPDRAFT_FAKE_ARCH (90), UPDRAFT_FAKE_DRIVER (13000),
 * UPDRAFT_FAKE_DEVICES (2), UPDRAFT_FAKE_MEMORY (bytes of a device),
 * UPDRAFT_FAKE_LOG (a file: one line a call, and what was misused),
 * UPDRAFT_FAKE_SHUFFLE (a seed: blocks run in an order of it),
 * UPDRAFT_FAKE_FAIL ("cuInit=999": its first call fails so).
 *
 *===----------------------------------------------------------------------===*/

#ifndef UPDRAFT_TEST_GPU_FAKECUDA_H
#define UPDRAFT_TEST_GPU_FAKECUDA_H

#include "runtime/abi.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*===- Control ------------------------------------------------------------===*/

/* Forgets counts, launches, misuse and what should fail. */
void fakeReset(void);
/* Calls of a function since then ("cuLaunchKernel"); null: of all. */
int fakeCount(const char *function);
/* The nth call (from 1) of a function from now on fails with `result`; null: of
   any function but those that word errors. A pop that fails has popped. */
void fakeFail(const char *function, int nth, int result);
/* The function whose call failed so, else "". */
const char *fakeFired(void);
/* What was misused, one line each; "" if nothing was. */
const char *fakeMisuse(void);
/* Contexts retained, modules, events, and blocks of memory that are alive. */
int fakeLive(void);

typedef struct {
  char entry[64];
  unsigned grid, block;
  uint64_t first, count, round;
  void *stream;
} FakeLaunch;
/* Those of streams and graphs that have run, in their order. */
int fakeLaunches(void);
FakeLaunch fakeLaunch(int index);

/* What runs as an entry of this name, in one thread for the whole grid; several
   in the order in which they were given. */
void fakeKernel(const char *entry, updraft_entry *function);

/*===- The driver's functions that tests call -----------------------------===*/

typedef void *FakeHandle;
int cuInit(unsigned);
int cuDeviceGet(int *, int);
int cuDevicePrimaryCtxRetain(FakeHandle *, int);
int cuDevicePrimaryCtxRelease_v2(int);
int cuCtxCreate_v2(FakeHandle *, unsigned, int);
int cuCtxDestroy_v2(FakeHandle);
int cuCtxGetCurrent(FakeHandle *);
int cuCtxPushCurrent_v2(FakeHandle);
int cuCtxPopCurrent_v2(FakeHandle *);
int cuCtxSynchronize(void);
int cuMemAlloc_v2(uint64_t *, size_t);
int cuMemFree_v2(uint64_t);
int cuMemcpyHtoD_v2(uint64_t, const void *, size_t);
int cuMemcpyDtoH_v2(void *, uint64_t, size_t);
int cuMemcpyHtoDAsync_v2(uint64_t, const void *, size_t, FakeHandle);
int cuMemAllocHost_v2(void **, size_t);
int cuMemFreeHost(void *);
int cuThreadExchangeStreamCaptureMode(int *);
int cuEventCreate(FakeHandle *, unsigned);
int cuEventDestroy_v2(FakeHandle);
int cuEventRecord(FakeHandle, FakeHandle);
int cuEventSynchronize(FakeHandle);
int cuModuleLoadDataEx(FakeHandle *, const void *, unsigned, int *, void **);
int cuModuleUnload(FakeHandle);
int cuModuleGetFunction(FakeHandle *, FakeHandle, const char *);
int cuLaunchKernel(FakeHandle, unsigned, unsigned, unsigned, unsigned, unsigned,
                   unsigned, unsigned, FakeHandle, void **, void **);
int cuStreamCreate(FakeHandle *, unsigned);
int cuStreamDestroy_v2(FakeHandle);
int cuStreamSynchronize(FakeHandle);
int cuStreamBeginCapture_v2(FakeHandle, int);
int cuStreamEndCapture(FakeHandle, FakeHandle *);
int cuGraphInstantiateWithFlags(FakeHandle *, FakeHandle, unsigned long long);
int cuGraphLaunch(FakeHandle, FakeHandle);
int cuGraphExecDestroy(FakeHandle);
int cuGraphDestroy(FakeHandle);

#ifdef __cplusplus
}
#endif

#endif /* UPDRAFT_TEST_GPU_FAKECUDA_H */
