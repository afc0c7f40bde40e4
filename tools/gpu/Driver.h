//===- Driver.h - The CUDA driver for a program of its own ----------------===//
//
// What a user of the runtime does on a GPU beside Updraft: memory, streams,
// events, graphs. Looked up by name, as the runtime does it, so that the
// program starts where there is no driver and can say so.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_TOOLS_GPU_DRIVER_H
#define UPDRAFT_TOOLS_GPU_DRIVER_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

namespace updraft::gpu {

/// There is no driver or no device: a reason to skip, not to fail.
struct NoDevice : std::runtime_error {
  using runtime_error::runtime_error;
};

/// A device with its primary context current on this thread.
class Device {
public:
  explicit Device(unsigned number);
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  /// "NVIDIA H200, compute capability 9.0, driver 13.0".
  std::string describe() const;
  unsigned number() const { return number_; }
  void synchronize() const;
  /// Seconds that the work takes which `enqueue` puts on the default stream.
  double seconds(const std::function<void()> &enqueue) const;

private:
  unsigned number_;
  int handle_ = 0;
  void *context_ = nullptr;
};

/// Device memory. `offset` bytes stand before the data: 0 leaves it aligned.
class Memory {
public:
  explicit Memory(size_t bytes, size_t offset = 0);
  ~Memory();
  Memory(Memory &&other) noexcept;
  Memory &operator=(Memory &&) = delete;

  void *data() const { return reinterpret_cast<void *>(start_ + offset_); }
  size_t bytes() const { return bytes_; }
  void write(const void *host) const;
  void read(void *host) const;
  /// Enqueues a copy of as many bytes as both have, on the default stream.
  void copyFrom(const Memory &other) const;

private:
  uint64_t start_ = 0;
  size_t bytes_, offset_;
};

/// Copies from the device to the host, whoever owns the memory.
void readDevice(void *host, const void *device, size_t bytes);

/// What `enqueue` put on the stream that it was given, to be run again.
class Graph {
public:
  explicit Graph(const std::function<void(void *stream)> &enqueue);
  ~Graph();
  Graph(const Graph &) = delete;
  Graph &operator=(const Graph &) = delete;

  /// Runs it and waits.
  void launch() const;

private:
  void *stream_ = nullptr, *graph_ = nullptr, *ready_ = nullptr;
};

} // namespace updraft::gpu

#endif // UPDRAFT_TOOLS_GPU_DRIVER_H
