//===- CudaStateTest.cpp - What lives on a device, for people and files ---===//

#include "CudaTrial.h"

#include <cstring>
#include <fstream>
#include <iterator>

namespace {

const std::vector<int64_t> kSizes = {7, 5000, 1, 4097, 0, 12};

class CudaState : public CudaTrial {};

std::string fileOf(const std::string &name) {
  return ::testing::TempDir() + "cuda_" + name + ".safetensors";
}

std::string bytesOf(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(CudaState, FilesAreThoseOfTheHost) {
  Side host(fakeClipAdamw(), kSizes, 0), device(fakeClipAdamw(), kSizes, 1);
  ASSERT_EQ(host.create(), UPDRAFT_OK);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  for (Side *side : {&host, &device}) {
    ASSERT_EQ(side->setHyper("lr", 0.25, 1), UPDRAFT_OK);
    ASSERT_EQ(side->step(), UPDRAFT_OK);
    ASSERT_EQ(
        updraft_optimizer_save(side->optimizer,
                               fileOf(side->place ? "device" : "host").c_str()),
        UPDRAFT_OK)
        << updraft_last_error();
  }
  ASSERT_FALSE(bytesOf(fileOf("host")).empty());
  EXPECT_TRUE(bytesOf(fileOf("host")) == bytesOf(fileOf("device")));
  // To the other side, and on from there.
  for (Side *side : {&host, &device}) {
    ASSERT_EQ(side->setHyper("lr", 0.5, 1), UPDRAFT_OK);
    ASSERT_EQ(side->step(), UPDRAFT_OK);
    ASSERT_EQ(
        updraft_optimizer_load(side->optimizer,
                               fileOf(side->place ? "host" : "device").c_str()),
        UPDRAFT_OK)
        << updraft_last_error();
    double lr = 0;
    ASSERT_EQ(updraft_optimizer_get_hyper(side->optimizer, 1, "lr", &lr),
              UPDRAFT_OK);
    EXPECT_EQ(lr, 0.25);
    ASSERT_EQ(side->step(), UPDRAFT_OK);
  }
  expectSame(host, device);
}

TEST_F(CudaState, ADamagedFileChangesNothing) {
  Side host(fakeAdamw(), kSizes, 0), device(fakeAdamw(), kSizes, 1);
  for (Side *side : {&host, &device}) {
    ASSERT_EQ(side->create(), UPDRAFT_OK) << updraft_last_error();
    ASSERT_EQ(side->step(), UPDRAFT_OK);
  }
  std::string path = fileOf("damaged");
  ASSERT_EQ(updraft_optimizer_save(device.optimizer, path.c_str()), UPDRAFT_OK);
  std::string bytes = bytesOf(path);
  std::ofstream(path, std::ios::binary) << bytes.substr(0, bytes.size() - 9);
  EXPECT_EQ(updraft_optimizer_load(device.optimizer, path.c_str()),
            UPDRAFT_INVALID_ARGUMENT);
  expectSame(host, device);
}

TEST_F(CudaState, ViewsAreThoseOfTheHost) {
  Side host(fakeClipAdamw(), kSizes, 0), device(fakeClipAdamw(), kSizes, 1);
  for (Side *side : {&host, &device}) {
    ASSERT_EQ(side->create(), UPDRAFT_OK) << updraft_last_error();
    ASSERT_EQ(side->step(), UPDRAFT_OK);
  }
  for (int i = 0; i < 2; ++i) {
    for (const char *name : {"m", "direction"})
      for (size_t k : {0, 1, 3})
        EXPECT_TRUE(host.view(name, k) == device.view(name, k)) << name << k;
    EXPECT_EQ(host.number("norm"), device.number("norm"));
    EXPECT_EQ(host.number("power"), device.number("power"));
    EXPECT_GT(device.number("norm"), 0);
    // What a view changes for itself no step sees.
    for (Side *side : {&host, &device}) {
      auto all = side->grads;
      side->grads[1].data = nullptr;
      ASSERT_EQ(side->step(), UPDRAFT_OK);
      side->grads = all;
    }
    expectSame(host, device);
  }
}

TEST_F(CudaState, TakesMemoryOfTheCaller) {
  Side host(fakeAdamw(), kSizes, 0), device(fakeAdamw(), kSizes, 1);
  Side m(fakeAdamw(), kSizes, 1), v(fakeAdamw(), kSizes, 1);
  ASSERT_EQ(host.create(), UPDRAFT_OK);
  updraft_options options = {sizeof options, 0, nullptr, 0,
                             UPDRAFT_STATES_GIVEN};
  updraft_group groups[2] = {};
  updraft_setting lr = {"lr", 0.01};
  groups[0] = {&lr, 1};
  ASSERT_EQ(updraft_optimizer_create(device.program, groups, 2,
                                     device.params.data(), device.params.size(),
                                     &options, &device.optimizer),
            UPDRAFT_OK)
      << updraft_last_error();
  EXPECT_EQ(device.step(), UPDRAFT_INVALID_ARGUMENT);
  std::vector<updraft_ndarray> params, states;
  for (size_t i = 0; i < kSizes.size(); ++i) {
    std::vector<float> zeros(static_cast<size_t>(kSizes[i]));
    params.push_back(device.params[i].array);
    for (Side *side : {&m, &v}) {
      states.push_back(side->params[i].array);
      side->write(states.back().data, zeros);
    }
  }
  ASSERT_EQ(updraft_optimizer_bind(device.optimizer, params.data(),
                                   params.size(), states.data(), states.size()),
            UPDRAFT_OK)
      << updraft_last_error();
  for (int i = 0; i < 3; ++i)
    for (Side *side : {&host, &device})
      ASSERT_EQ(side->step(), UPDRAFT_OK) << updraft_last_error();
  expectSame(host, device);
  updraft_ndarray found = {};
  ASSERT_EQ(updraft_optimizer_state(device.optimizer, "v", 1, &found),
            UPDRAFT_OK);
  EXPECT_EQ(found.data, states[3].data);
}

TEST_F(CudaState, TakesInputs) {
  Side host(fakeInputs(), {6, 5000}, 0, 1),
      device(fakeInputs(), {6, 5000}, 1, 1);
  for (Side *side : {&host, &device}) {
    updraft_setting k = {"k", 3};
    updraft_group group = {&k, 1};
    for (updraft_param &param : side->params)
      param.tag_count = 0;
    side->sizes[1] = 900;
    ASSERT_EQ(updraft_optimizer_create(side->program, &group, 1,
                                       side->params.data(), 2, nullptr,
                                       &side->optimizer),
              UPDRAFT_OK)
        << updraft_last_error();
    EXPECT_EQ(side->step(), UPDRAFT_INVALID_ARGUMENT) << "no loss";
    for (double loss : {0.5, 0.25}) {
      ASSERT_EQ(updraft_optimizer_set_input(side->optimizer, "loss", loss),
                UPDRAFT_OK);
      for (size_t i : {0, 1})
        ASSERT_EQ(updraft_optimizer_set_array_input(side->optimizer, "h", i,
                                                    &side->grads[i]),
                  UPDRAFT_OK)
            << updraft_last_error();
      ASSERT_EQ(side->step(), UPDRAFT_OK) << updraft_last_error();
    }
    double rate = 0;
    EXPECT_EQ(updraft_optimizer_get_hyper(side->optimizer, 0, "rate", &rate),
              UPDRAFT_OK)
        << updraft_last_error();
    EXPECT_EQ(rate, 0.5);
  }
  for (size_t i : {0, 1})
    EXPECT_TRUE(host.param(i) == device.param(i));
}

TEST_F(CudaState, SendsAHyperAsOneSmallCopy) {
  Side device(fakeAdamw(), kSizes, 1);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  ASSERT_EQ(device.step(), UPDRAFT_OK);
  fakeReset();
  // More than there are places.
  for (int i = 1; i <= 100; ++i) {
    ASSERT_EQ(device.setHyper("lr", 1.0 / i), UPDRAFT_OK);
    ASSERT_EQ(device.step(), UPDRAFT_OK);
  }
  EXPECT_EQ(fakeCount("cuMemcpyHtoDAsync"), 100);
  EXPECT_EQ(fakeCount("cuMemcpy2DAsync"), 0);
  EXPECT_EQ(fakeCount("cuCtxSynchronize"), 0);
  EXPECT_EQ(fakeCount("cuMemAllocHost"), 0);
  EXPECT_EQ(device.setHyper("beta1", 0.9999), UPDRAFT_INVALID_ARGUMENT);
  EXPECT_EQ(fakeCount("cuMemcpyHtoDAsync"), 100) << "refused by the host";
}

} // namespace
