//===- CudaProgramsTest.cpp - Compiled rules on the fake driver -----------===//
//
// One artefact for both machines: its PTX runs in the emulator, and the bits
// are those of its code for the processor.
//
//===----------------------------------------------------------------------===//

#include "CudaTrial.h"
#include "compiler/updraftc.h"

namespace {

constexpr char kClipped[] =
    "keras/ema(0.999) | clip_by_global_norm(1.0) | torch/adamw";

class CudaPrograms : public CudaStreamTrial {
protected:
  updraft_loaded_program *compile(const char *pipe,
                                  const char *target = "sm_90") {
    updraft_compile_options options = {};
    options.struct_bytes = sizeof options;
    options.param = UPDRAFT_F32;
    options.target = target;
    options.cache_folder = "";
    updraft_loaded_program *program = nullptr;
    EXPECT_EQ(updraft_compile(pipe, &options, &program), UPDRAFT_OK)
        << updraft_last_error();
    return program;
  }
};

std::vector<int64_t> thousand() {
  std::vector<int64_t> sizes;
  for (int64_t i = 0; i < 1000; ++i)
    sizes.push_back(i * 7919 % 137);
  sizes[500] = 9001;
  return sizes;
}

TEST_F(CudaPrograms, AStepOfAThousandTensorsIsFiveLaunches) {
  updraft_loaded_program *program = compile(kClipped);
  ASSERT_NE(program, nullptr);
  updraft_program_retain(program);
  Side host(program, thousand(), 0), device(program, thousand(), 1);
  for (Side *side : {&host, &device}) {
    ASSERT_EQ(side->create(), UPDRAFT_OK) << updraft_last_error();
    ASSERT_EQ(side->step(), UPDRAFT_OK) << updraft_last_error();
  }
  expectSame(host, device);
  fakeReset();
  ASSERT_EQ(device.step(), UPDRAFT_OK) << updraft_last_error();
  EXPECT_EQ(fakeCount("cuLaunchKernel"), 5);
  // Into the context, out of it, and whether a graph is captured.
  EXPECT_EQ(fakeCount(nullptr), 5 + 3);
  ASSERT_EQ(host.step(), UPDRAFT_OK);
  expectSame(host, device);
}

TEST_F(CudaPrograms, AGraphIsReplayedWithOtherRates) {
  updraft_loaded_program *program = compile(kClipped);
  ASSERT_NE(program, nullptr);
  updraft_program_retain(program);
  const std::vector<int64_t> sizes = {0, 1, 127, 4097, 100003};
  Side host(program, sizes, 0), device(program, sizes, 1);
  for (Side *side : {&host, &device})
    ASSERT_EQ(side->create(), UPDRAFT_OK) << updraft_last_error();
  ASSERT_EQ(host.step(), UPDRAFT_OK);
  ASSERT_EQ(device.step(stream), UPDRAFT_OK) << updraft_last_error();
  FakeHandle graph = nullptr, ready = nullptr;
  ASSERT_EQ(cuStreamBeginCapture_v2(stream, 0), 0);
  ASSERT_EQ(device.step(stream), UPDRAFT_OK) << updraft_last_error();
  ASSERT_EQ(cuStreamEndCapture(stream, &graph), 0);
  ASSERT_EQ(cuGraphInstantiateWithFlags(&ready, graph, 0), 0);
  for (double lr : {0.5, 0.25}) {
    for (Side *side : {&host, &device})
      ASSERT_EQ(side->setHyper("lr", lr), UPDRAFT_OK) << updraft_last_error();
    ASSERT_EQ(cuGraphLaunch(ready, stream), 0);
    ASSERT_EQ(host.step(), UPDRAFT_OK);
    expectSame(host, device);
  }
  EXPECT_EQ(cuGraphExecDestroy(ready), 0);
  EXPECT_EQ(cuGraphDestroy(graph), 0);
}

TEST_F(CudaPrograms, ThreeGroupsInOneLaunch) {
  for (const char *pipe : {"clip_by_norm(0.5) | torch/sgd",
                           "clip_by_global_norm(0.1) | torch/adamw"}) {
    SCOPED_TRACE(pipe);
    updraft_loaded_program *program = compile(pipe);
    ASSERT_NE(program, nullptr);
    updraft_program_retain(program);
    const std::vector<int64_t> sizes = {5000, 1, 130, 4096, 0, 12};
    Side host(program, sizes, 0, 3), device(program, sizes, 1, 3);
    for (Side *side : {&host, &device})
      ASSERT_EQ(side->create(), UPDRAFT_OK) << updraft_last_error();
    for (unsigned salt = 3; salt < 6; ++salt) {
      for (Side *side : {&host, &device}) {
        side->setGrads(salt);
        ASSERT_EQ(side->step(), UPDRAFT_OK) << updraft_last_error();
      }
      expectSame(host, device);
    }
  }
}

TEST_F(CudaPrograms, AProgramForTheProcessorAloneSaysSo) {
  Side device(compile("torch/adamw", nullptr), {4}, 1);
  EXPECT_EQ(device.create(), UPDRAFT_UNSUPPORTED);
  EXPECT_NE(std::string(updraft_last_error()).find("was compiled for no GPU"),
            std::string::npos)
      << updraft_last_error();
}

} // namespace
