//===- CudaModule.h - A program's code on one GPU -------------------------===//
//
// The device's primary context, which other libraries of the process use too,
// and in it the program's module. Loaded once for all optimizers of a program
// on a device.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_RUNTIME_CUDAMODULE_H
#define UPDRAFT_RUNTIME_CUDAMODULE_H

#include "CudaDriver.h"
#include "Program.h"

#include <memory>

namespace updraft::runtime {

class CudaModule {
public:
  /// The program's module on device `ordinal`.
  static updraft_status open(updraft_loaded_program &program, uint32_t ordinal,
                             std::shared_ptr<CudaModule> &result);
  CudaModule() = default;
  ~CudaModule();
  CudaModule(const CudaModule &) = delete;
  CudaModule &operator=(const CudaModule &) = delete;

  const CudaDriver &driver() const { return *cuda; }
  int ordinal() const { return number; }
  int processors() const { return multiprocessors; }

  /// UPDRAFT_OK, or the text of a failed call: "rule: what on device 0: ...".
  updraft_status check(CudaResult result, const std::string &what) const;

  /// An entry, ready to be launched, and how many blocks of so many threads the
  /// device holds at a time.
  updraft_status entry(const char *name, uint32_t threads, CudaHandle &function,
                       uint32_t &blocks) const;

  CudaHandle context() const { return primary; }

private:
  updraft_status start(const updraft_program *program, uint32_t ordinal);
  updraft_status describe();
  updraft_status load(const updraft_program *program);
  updraft_status loadCode(const updraft_program *program,
                          const updraft_gpu_code &code);
  std::string deviceText() const;

  const CudaDriver *cuda = nullptr;
  std::string rule;
  int number = 0, device = 0, multiprocessors = 0;
  int arch = 0; ///< 90: compute capability 9.0
  std::string name;
  CudaHandle primary = nullptr, module = nullptr;
};

/// The device's context is the thread's own for as long as this lives; the
/// caller's comes back.
class CudaEntered {
public:
  explicit CudaEntered(const CudaModule *module) : module(module) {}
  ~CudaEntered() {
    CudaHandle popped = nullptr;
    if (entered)
      (void)module->driver().pop(&popped);
  }
  CudaEntered(const CudaEntered &) = delete;
  CudaEntered &operator=(const CudaEntered &) = delete;

  /// Without a module there is nothing to do.
  updraft_status enter() {
    if (!module)
      return UPDRAFT_OK;
    updraft_status status = module->check(
        module->driver().push(module->context()), "entering the context");
    entered = status == UPDRAFT_OK;
    return status;
  }

private:
  const CudaModule *module;
  bool entered = false;
};

} // namespace updraft::runtime

#endif // UPDRAFT_RUNTIME_CUDAMODULE_H
