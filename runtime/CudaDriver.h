//===- CudaDriver.h - The functions of libcuda that are used --------------===//
//
// Declared here and looked up when the first tensor on a GPU is met, so that
// nothing of CUDA is needed to build the runtime or to run on a CPU. Handles
// are addresses that only the driver reads.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_RUNTIME_CUDADRIVER_H
#define UPDRAFT_RUNTIME_CUDADRIVER_H

#include "Error.h"

#include <cstddef>
#include <cstdint>

namespace updraft::runtime {

using CudaResult = int;
using CudaHandle = void *; ///< a context, module, function, stream or event
using CudaAddress = uint64_t;

/// The values of the driver's enumerations that are used.
enum : int {
  kCudaOutOfMemory = 2,
  kCudaNoDevice = 100,
  kCudaInvalidDevice = 101,
  kCudaNoBinaryForGpu = 209,
  kCudaInvalidPtx = 218,
  kCudaUnsupportedPtxVersion = 222,
  kCudaJitCompilerNotFound = 221,

  kCudaMultiprocessors = 16, ///< CUdevice_attribute
  kCudaMajor = 75,
  kCudaMinor = 76,

  kCudaHostMemory = 1, ///< CUmemorytype
  kCudaDeviceMemory = 2,

  kCudaPointerMemoryType = 2, ///< CUpointer_attribute
  kCudaPointerIsManaged = 8,
  kCudaPointerDevice = 9,
  kCudaPointerRangeStart = 11,
  kCudaPointerRangeBytes = 12,

  kCudaJitErrorLog = 5, ///< CUjit_option
  kCudaJitErrorLogBytes = 6,

  kCudaEventNoTiming = 2,
  kCudaCaptureRelaxed = 2,
};

/// CUDA_MEMCPY2D.
struct CudaCopy2D {
  size_t fromX, fromY;
  unsigned fromType;
  const void *fromHost;
  CudaAddress fromDevice;
  void *fromArray;
  size_t fromPitch;
  size_t toX, toY;
  unsigned toType;
  void *toHost;
  CudaAddress toDevice;
  void *toArray;
  size_t toPitch;
  size_t bytes, rows;
};

// clang-format off
/// Member, symbol, parameters.
#define UPDRAFT_CUDA_FUNCTIONS(F)                                              \
  F(init, "cuInit", (unsigned))                                                \
  F(driverVersion, "cuDriverGetVersion", (int *))                              \
  F(errorName, "cuGetErrorName", (CudaResult, const char **))                  \
  F(errorText, "cuGetErrorString", (CudaResult, const char **))                \
  F(deviceCount, "cuDeviceGetCount", (int *))                                  \
  F(deviceGet, "cuDeviceGet", (int *, int))                                    \
  F(deviceName, "cuDeviceGetName", (char *, int, int))                         \
  F(deviceAttribute, "cuDeviceGetAttribute", (int *, int, int))                \
  F(primaryRetain, "cuDevicePrimaryCtxRetain", (CudaHandle *, int))            \
  F(primaryRelease, "cuDevicePrimaryCtxRelease_v2", (int))                     \
  F(push, "cuCtxPushCurrent_v2", (CudaHandle))                                 \
  F(pop, "cuCtxPopCurrent_v2", (CudaHandle *))                                 \
  F(synchronize, "cuCtxSynchronize", ())                                       \
  F(moduleLoad, "cuModuleLoadDataEx",                                          \
    (CudaHandle *, const void *, unsigned, int *, void **))                    \
  F(moduleUnload, "cuModuleUnload", (CudaHandle))                              \
  F(function, "cuModuleGetFunction",                                           \
    (CudaHandle *, CudaHandle, const char *))                                  \
  F(occupancy, "cuOccupancyMaxActiveBlocksPerMultiprocessor",                  \
    (int *, CudaHandle, int, size_t))                                          \
  F(allocate, "cuMemAlloc_v2", (CudaAddress *, size_t))                        \
  F(free, "cuMemFree_v2", (CudaAddress))                                       \
  F(allocateHost, "cuMemAllocHost_v2", (void **, size_t))                      \
  F(freeHost, "cuMemFreeHost", (void *))                                       \
  F(fill, "cuMemsetD8_v2", (CudaAddress, unsigned char, size_t))               \
  F(copyTo, "cuMemcpyHtoD_v2", (CudaAddress, const void *, size_t))            \
  F(copyFrom, "cuMemcpyDtoH_v2", (void *, CudaAddress, size_t))                \
  F(copyToAsync, "cuMemcpyHtoDAsync_v2",                                       \
    (CudaAddress, const void *, size_t, CudaHandle))                           \
  F(copyRowsAsync, "cuMemcpy2DAsync_v2", (const CudaCopy2D *, CudaHandle))     \
  F(capturing, "cuStreamIsCapturing", (CudaHandle, int *))                     \
  F(captureMode, "cuThreadExchangeStreamCaptureMode", (int *))                 \
  F(eventCreate, "cuEventCreate", (CudaHandle *, unsigned))                    \
  F(eventDestroy, "cuEventDestroy_v2", (CudaHandle))                           \
  F(eventRecord, "cuEventRecord", (CudaHandle, CudaHandle))                    \
  F(eventWait, "cuEventSynchronize", (CudaHandle))                             \
  F(streamWait, "cuStreamWaitEvent", (CudaHandle, CudaHandle, unsigned))       \
  F(launch, "cuLaunchKernel",                                                  \
    (CudaHandle, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,   \
     unsigned, CudaHandle, void **, void **))                                  \
  F(pointerAttributes, "cuPointerGetAttributes",                               \
    (unsigned, int *, void **, CudaAddress))
// clang-format on

struct CudaDriver {
#define UPDRAFT_MEMBER(member, symbol, parameters)                             \
  CudaResult(*member) parameters = nullptr;
  UPDRAFT_CUDA_FUNCTIONS(UPDRAFT_MEMBER)
#undef UPDRAFT_MEMBER
  /// cuFuncLoad, of CUDA 12.4 and newer: loads what is loaded lazily.
  CudaResult (*functionLoad)(CudaHandle) = nullptr;
  int version = 0; ///< 13000: CUDA 13.0
};

/// The driver of this process; loaded by the first call, from libcuda.so.1 or
/// from the file that UPDRAFT_LIBCUDA names. `rule` is for the text.
updraft_status cudaDriver(const char *rule, const CudaDriver *&result);

/// A failed call as a status: "rule: what: CUDA_ERROR_...: the driver's text".
updraft_status cudaFailed(const CudaDriver &driver, CudaResult result,
                          const char *rule, const std::string &what);

} // namespace updraft::runtime

#endif // UPDRAFT_RUNTIME_CUDADRIVER_H
