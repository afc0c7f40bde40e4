//===- CudaProbe.cpp - One optimizer in a process of its own --------------===//
//
// What a driver is like is known once a process: for tests of drivers that are
// missing, old or full. Prints the error, or "ok".
//
//===----------------------------------------------------------------------===//

#include "FakeProgram.h"
#include "runtime/updraft.h"

#include <cstdio>

int main() {
  int64_t size = 4;
  updraft_param param = {};
  // Nobody gets so far as to look at it.
  param.array = {&size, UPDRAFT_F32, 1, &size, nullptr, 1};
  updraft_loaded_program *program = nullptr;
  updraft_optimizer *optimizer = nullptr;
  updraft_status status = updraft_program_from(fakeAdamw(), &program);
  if (!status)
    status = updraft_optimizer_create(program, nullptr, 0, &param, 1, nullptr,
                                      &optimizer);
  printf("%s: %s\n", updraft_status_name(status),
         status ? updraft_last_error() : "ok");
  updraft_optimizer_destroy(optimizer);
  updraft_program_release(program);
  return 0;
}
