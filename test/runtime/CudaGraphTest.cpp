//===- CudaGraphTest.cpp - Steps in a captured graph ----------------------===//

#include "CudaTrial.h"

namespace {

const std::vector<int64_t> kSizes = {7, 5000, 1, 4097, 0, 12};

/// A stream to capture on, in the device's context.
class CudaGraph : public CudaStreamTrial {
protected:
  void TearDown() override {
    for (FakeHandle graph : graphs)
      EXPECT_EQ(cuGraphExecDestroy(graph), 0);
    CudaStreamTrial::TearDown();
  }

  /// One step as a graph.
  FakeHandle capture(Side &device) {
    FakeHandle graph = nullptr, ready = nullptr;
    EXPECT_EQ(cuStreamBeginCapture_v2(stream, 0), 0);
    EXPECT_EQ(device.step(stream), UPDRAFT_OK) << updraft_last_error();
    EXPECT_EQ(cuStreamEndCapture(stream, &graph), 0);
    EXPECT_EQ(cuGraphInstantiateWithFlags(&ready, graph, 0), 0);
    EXPECT_EQ(cuGraphDestroy(graph), 0);
    graphs.push_back(ready);
    return ready;
  }
  void replay(FakeHandle graph) { EXPECT_EQ(cuGraphLaunch(graph, stream), 0); }
  void wait() { EXPECT_EQ(cuStreamSynchronize(stream), 0); }

  std::vector<FakeHandle> graphs;
};

TEST_F(CudaGraph, ReplaysWithOtherRates) {
  Side host(fakeClipAdamw(), kSizes, 0), device(fakeClipAdamw(), kSizes, 1);
  ASSERT_EQ(host.create(), UPDRAFT_OK);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  ASSERT_EQ(host.step(), UPDRAFT_OK);
  ASSERT_EQ(device.step(stream), UPDRAFT_OK) << updraft_last_error();
  fakeReset();
  FakeHandle graph = capture(device);
  EXPECT_EQ(fakeCount("cuMemcpy2DAsync"), 0);
  EXPECT_EQ(fakeCount("cuMemcpyHtoDAsync"), 0);
  expectSame(host, device); // nothing has run
  for (double lr : {0.01, 0.5, 0.25}) {
    for (uint32_t group : {0u, 1u})
      for (Side *side : {&host, &device})
        ASSERT_EQ(side->setHyper("lr", lr, group), UPDRAFT_OK)
            << updraft_last_error();
    replay(graph);
    ASSERT_EQ(host.step(), UPDRAFT_OK);
    expectSame(host, device);
  }
  EXPECT_EQ(fakeCount("cuMemcpyHtoDAsync"), 3 * 2);
}

TEST_F(CudaGraph, KeepsItsGradientsWhateverStepsDo) {
  Side host(fakeAdamw(), kSizes, 0), device(fakeAdamw(), kSizes, 1);
  Side others(fakeAdamw(), kSizes, 1), third(fakeAdamw(), kSizes, 1);
  ASSERT_EQ(host.create(), UPDRAFT_OK);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  others.setGrads(3);
  third.setGrads(4);
  auto hostStep = [&](unsigned salt) {
    host.setGrads(salt);
    ASSERT_EQ(host.step(), UPDRAFT_OK);
    expectSame(host, device);
  };
  FakeHandle first = capture(device);
  std::swap(device.grads, others.grads);
  FakeHandle second = capture(device);
  replay(first);
  hostStep(2);
  replay(second);
  hostStep(3);
  std::swap(device.grads, third.grads);
  ASSERT_EQ(device.step(stream), UPDRAFT_OK) << updraft_last_error();
  hostStep(4);
  replay(first);
  hostStep(2);
  device.grads[1].data = nullptr;
  ASSERT_EQ(device.step(stream), UPDRAFT_OK) << updraft_last_error();
  wait();
  auto grad = host.grads[1];
  host.grads[1].data = nullptr;
  hostStep(4);
  host.grads[1] = grad;
  replay(second);
  replay(first);
  wait();
  host.setGrads(3);
  ASSERT_EQ(host.step(), UPDRAFT_OK);
  hostStep(2);
}

TEST_F(CudaGraph, FollowsParametersThatMove) {
  Side host(fakeAdamw(), kSizes, 0), device(fakeAdamw(), kSizes, 1);
  Side others(fakeAdamw(), kSizes, 1);
  ASSERT_EQ(host.create(), UPDRAFT_OK);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  FakeHandle graph = capture(device);
  // All of them lie where the others' lie, with the same values.
  std::swap(device.params, others.params);
  for (size_t i = 0; i < kSizes.size(); ++i)
    ASSERT_EQ(
        updraft_optimizer_rebind(device.optimizer, i, &device.params[i].array),
        UPDRAFT_OK)
        << updraft_last_error();
  replay(graph);
  ASSERT_EQ(host.step(), UPDRAFT_OK);
  expectSame(host, device);
}

TEST_F(CudaGraph, TakesNothingButSteps) {
  Side device(fakeAdamw(), kSizes, 1);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  ASSERT_EQ(device.step(stream), UPDRAFT_OK) << updraft_last_error();
  std::string path = ::testing::TempDir() + "cuda_graph.safetensors";
  FakeHandle graph = nullptr;
  ASSERT_EQ(cuStreamBeginCapture_v2(stream, 0), 0);
  std::vector<float> values(kSizes[1]);
  updraft_ndarray out = device.grads[1];
  for (updraft_status status :
       {device.setHyper("lr", 0.125),
        updraft_optimizer_view(device.optimizer, "m", 1, &out),
        updraft_optimizer_save(device.optimizer, path.c_str())}) {
    EXPECT_EQ(status, UPDRAFT_INVALID_ARGUMENT);
    EXPECT_NE(std::string(updraft_last_error()).find("only steps can go"),
              std::string::npos)
        << updraft_last_error();
  }
  ASSERT_EQ(device.step(stream), UPDRAFT_OK) << updraft_last_error();
  ASSERT_EQ(cuStreamEndCapture(stream, &graph), 0);
  EXPECT_EQ(cuGraphDestroy(graph), 0);
  double lr = 0;
  EXPECT_EQ(updraft_optimizer_get_hyper(device.optimizer, 0, "lr", &lr),
            UPDRAFT_OK);
  EXPECT_EQ(lr, 0.01);
}

TEST_F(CudaGraph, NumbersComeBeforeStepsOnOtherStreams) {
  Side host(fakeAdamw(), kSizes, 0), device(fakeAdamw(), kSizes, 1);
  ASSERT_EQ(host.create(), UPDRAFT_OK);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  FakeHandle other = nullptr;
  ASSERT_EQ(cuStreamCreate(&other, 1), 0);
  for (FakeHandle each : {stream, other, stream}) {
    fakeReset();
    double lr = each == other ? 0.5 : 0.25;
    for (Side *side : {&host, &device})
      ASSERT_EQ(side->setHyper("lr", lr), UPDRAFT_OK) << updraft_last_error();
    ASSERT_EQ(device.step(each), UPDRAFT_OK) << updraft_last_error();
    EXPECT_EQ(fakeCount("cuStreamWaitEvent"), 1);
    // Nobody waits for the other stream.
    ASSERT_EQ(cuStreamSynchronize(each), 0);
    ASSERT_EQ(host.step(), UPDRAFT_OK);
    expectSame(host, device);
  }
  for (Side *side : {&host, &device})
    ASSERT_EQ(side->setHyper("lr", 0.125), UPDRAFT_OK);
  FakeHandle graph = nullptr;
  ASSERT_EQ(cuStreamBeginCapture_v2(other, 0), 0);
  ASSERT_EQ(device.step(other), UPDRAFT_OK) << updraft_last_error();
  ASSERT_EQ(cuStreamEndCapture(other, &graph), 0);
  ASSERT_EQ(cuGraphLaunch(graph, other), 0);
  ASSERT_EQ(cuStreamSynchronize(other), 0);
  ASSERT_EQ(host.step(), UPDRAFT_OK);
  expectSame(host, device);
  EXPECT_EQ(cuGraphDestroy(graph), 0);
  ASSERT_EQ(cuStreamDestroy_v2(other), 0);
}

TEST_F(CudaGraph, SendsNumbersOnTheStreamOfTheReplay) {
  Side host(fakeAdamw(), kSizes, 0), device(fakeAdamw(), kSizes, 1);
  ASSERT_EQ(host.create(), UPDRAFT_OK);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  FakeHandle graph = capture(device), other = nullptr;
  ASSERT_EQ(cuStreamCreate(&other, 1), 0);
  ASSERT_EQ(updraft_optimizer_set_stream(device.optimizer, other), UPDRAFT_OK);
  EXPECT_EQ(updraft_optimizer_set_stream(host.optimizer, other),
            UPDRAFT_INVALID_ARGUMENT);
  for (Side *side : {&host, &device})
    ASSERT_EQ(side->setHyper("lr", 0.5), UPDRAFT_OK) << updraft_last_error();
  // Nobody waits for the stream of the capture.
  ASSERT_EQ(cuGraphLaunch(graph, other), 0);
  ASSERT_EQ(cuStreamSynchronize(other), 0);
  ASSERT_EQ(host.step(), UPDRAFT_OK);
  expectSame(host, device);
  ASSERT_EQ(updraft_optimizer_set_stream(device.optimizer, nullptr),
            UPDRAFT_OK);
  ASSERT_EQ(cuStreamDestroy_v2(other), 0);
}

} // namespace
