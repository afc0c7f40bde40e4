//===- CudaAlignmentTest.cpp - Compiled rules on tensors anywhere ---------===//
//
// Tensors start at any element: where 16 bytes cannot be read at once, a kernel
// takes a slower road to the same bits.
//
//===----------------------------------------------------------------------===//

#include "CudaTrial.h"
#include "compiler/updraftc.h"

namespace {

class CudaAlignment : public CudaTrial,
                      public ::testing::WithParamInterface<const char *> {};

updraft_loaded_program *compile(const char *pipe) {
  updraft_compile_options options = {};
  options.struct_bytes = sizeof options;
  options.param = UPDRAFT_F32;
  options.target = "sm_90";
  options.cache_folder = "";
  updraft_loaded_program *program = nullptr;
  EXPECT_EQ(updraft_compile(pipe, &options, &program), UPDRAFT_OK)
      << updraft_last_error();
  return program;
}

TEST_P(CudaAlignment, StartsAtAnyElement) {
  updraft_loaded_program *program = compile(GetParam());
  ASSERT_NE(program, nullptr);
  updraft_program_retain(program);
  // All pairs of places of a parameter and its gradient.
  std::vector<int64_t> sizes;
  for (int64_t i = 0; i < 16; ++i)
    sizes.push_back(i % 3 == 0 ? 4097 + i : 1 + 37 * i);
  Side host(program, sizes, 0), device(program, sizes, 1);
  std::vector<std::unique_ptr<DeviceArray>> moved;
  for (size_t i = 0; i < sizes.size(); ++i) {
    auto move = [&](void *&place, const void *from, size_t offset) {
      auto *values = static_cast<const float *>(from);
      moved.push_back(std::make_unique<DeviceArray>(4 * (sizes[i] + 4)));
      place = static_cast<char *>(moved.back()->data()) + 4 * offset;
      device.write(place, {values, values + sizes[i]});
    };
    move(device.params[i].array.data, host.params[i].array.data, i % 4);
    move(device.grads[i].data, host.grads[i].data, i / 4);
  }
  for (Side *side : {&host, &device})
    ASSERT_EQ(side->create(), UPDRAFT_OK) << updraft_last_error();
  for (int step = 0; step < 2; ++step) {
    for (Side *side : {&host, &device})
      ASSERT_EQ(side->step(), UPDRAFT_OK) << updraft_last_error();
    expectSame(host, device);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rules, CudaAlignment,
    ::testing::Values("torch/adamw", "clip_by_norm(1) | paper/lion",
                      "ema | clip_by_global_norm | torch/sgd(0.1, 0.9)"));

} // namespace
