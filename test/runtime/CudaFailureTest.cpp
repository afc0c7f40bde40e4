//===- CudaFailureTest.cpp - Every call of the driver fails once ----------===//
//
// Each call of the interface is repeated; the first time the first call of the
// driver in it fails, the second time the second, and so on to the end.
//
//===----------------------------------------------------------------------===//

#include "CudaTrial.h"

#include <cstring>
#include <functional>

namespace {

const std::vector<int64_t> kSizes = {7, 5000, 0, 12};
constexpr int kFailure = 719;

class CudaFailure : public CudaTrial {
protected:
  void SetUp() override {
    CudaTrial::SetUp();
    // A driver that does not start is asked no more: CudaBadInputTest.cpp.
    Side device(fakeAdamw(), {1}, 1);
    ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  }
  /// `body` makes one call; `after` looks at what a failed one has left, `undo`
  /// takes back one that succeeded in spite of a failure.
  void failInTurn(
      const std::function<updraft_status()> &body,
      const std::function<void()> &after,
      const std::function<void()> &undo = [] {}) {
    int failures = 0;
    for (int nth = 1; nth < 1000; ++nth) {
      fakeFail(nullptr, nth, kFailure);
      updraft_status status = body();
      std::string fired = fakeFired(), error = updraft_last_error();
      fakeFail(nullptr, 0, 0);
      if (fired.empty()) {
        EXPECT_EQ(status, UPDRAFT_OK) << error;
        EXPECT_GT(failures, 0);
        return;
      }
      // What a pop says is old news, and the context is popped.
      if (fired == "cuCtxPopCurrent" && status == UPDRAFT_OK) {
        undo();
        continue;
      }
      ++failures;
      SCOPED_TRACE("call " + std::to_string(nth) + ": " + fired);
      EXPECT_EQ(status, UPDRAFT_DEVICE_ERROR) << error;
      for (const char *part : {"adamw: ", " on device 0: ", "FAKE_719 (719)"})
        EXPECT_NE(error.find(part), std::string::npos) << error;
      after();
      ASSERT_STREQ(fakeMisuse(), "");
    }
    FAIL() << "it fails for ever";
  }
};

TEST_F(CudaFailure, Creation) {
  Side device(fakeAdamw(), kSizes, 1);
  std::vector<float> before = device.param(1);
  int alive = fakeLive();
  failInTurn([&] { return device.create(); },
             [&] {
               EXPECT_EQ(device.optimizer, nullptr);
               EXPECT_EQ(fakeLive(), alive) << "something is left";
             },
             [&] { device.drop(); });
  EXPECT_TRUE(device.param(1) == before);
  device.drop();
  EXPECT_EQ(fakeLive(), alive);
}

TEST_F(CudaFailure, Step) {
  Side host(fakeAdamw(), kSizes, 0), device(fakeAdamw(), kSizes, 1);
  ASSERT_EQ(host.create(), UPDRAFT_OK);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  std::vector<float> before = device.param(1);
  bool wasPart = false;
  auto renew = [&] {
    device.drop();
    ASSERT_EQ(device.create(), UPDRAFT_OK);
    for (size_t i = 0; i < kSizes.size(); ++i)
      device.write(device.params[i].array.data, host.param(i));
  };
  failInTurn([&] { return device.step(); },
             [&] {
               std::string error = updraft_last_error();
               bool isPart =
                   error.find("not those of a whole step") != std::string::npos;
               EXPECT_TRUE(isPart || device.param(1) == before);
               wasPart |= isPart;
               renew();
             },
             renew);
  EXPECT_TRUE(wasPart);
  ASSERT_EQ(host.step(), UPDRAFT_OK);
  expectSame(host, device);
}

TEST_F(CudaFailure, StepWithOtherGradients) {
  Side host(fakeAdamw(), kSizes, 0), device(fakeAdamw(), kSizes, 1);
  Side others(fakeAdamw(), kSizes, 1);
  ASSERT_EQ(host.create(), UPDRAFT_OK);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  // Only what comes before the launches.
  for (const char *call :
       {"cuCtxPushCurrent", "cuPointerGetAttributes", "cuStreamIsCapturing",
        "cuMemcpy2DAsync", "cuEventRecord", "cuLaunchKernel"}) {
    SCOPED_TRACE(call);
    std::swap(device.grads, others.grads);
    fakeFail(call, 1, kFailure);
    EXPECT_NE(device.step(), UPDRAFT_OK);
    EXPECT_STREQ(fakeFired(), call);
    fakeFail(nullptr, 0, 0);
    expectSame(host, device);
    ASSERT_EQ(device.step(), UPDRAFT_OK) << updraft_last_error();
    ASSERT_EQ(host.step(), UPDRAFT_OK);
    expectSame(host, device);
  }
}

TEST_F(CudaFailure, SetHyper) {
  Side host(fakeAdamw(), kSizes, 0), device(fakeAdamw(), kSizes, 1);
  ASSERT_EQ(host.create(), UPDRAFT_OK);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  failInTurn([&] { return device.setHyper("lr", 0.5); },
             [&] {
               double lr = 0;
               EXPECT_EQ(
                   updraft_optimizer_get_hyper(device.optimizer, 0, "lr", &lr),
                   UPDRAFT_OK);
               EXPECT_EQ(lr, 0.01);
               for (Side *side : {&host, &device})
                 ASSERT_EQ(side->step(), UPDRAFT_OK) << updraft_last_error();
               expectSame(host, device);
             },
             [&] { ASSERT_EQ(device.setHyper("lr", 0.01), UPDRAFT_OK); });
  for (Side *side : {&host, &device}) {
    ASSERT_EQ(side->setHyper("lr", 0.5), UPDRAFT_OK);
    ASSERT_EQ(side->step(), UPDRAFT_OK) << updraft_last_error();
  }
  expectSame(host, device);
}

TEST_F(CudaFailure, SaveAndLoad) {
  Side host(fakeAdamw(), kSizes, 0), device(fakeAdamw(), kSizes, 1);
  for (Side *side : {&host, &device}) {
    ASSERT_EQ(side->create(), UPDRAFT_OK) << updraft_last_error();
    ASSERT_EQ(side->step(), UPDRAFT_OK);
  }
  std::string path = ::testing::TempDir() + "cuda_failure.safetensors";
  failInTurn(
      [&] {
        remove(path.c_str());
        return updraft_optimizer_save(device.optimizer, path.c_str());
      },
      [&] { EXPECT_NE(remove(path.c_str()), 0) << "there is a file"; });
  for (Side *side : {&host, &device})
    ASSERT_EQ(side->step(), UPDRAFT_OK);
  std::string parts, own = path + ".host";
  ASSERT_EQ(updraft_optimizer_save(host.optimizer, own.c_str()), UPDRAFT_OK);
  auto reload = [&] {
    ASSERT_EQ(updraft_optimizer_load(device.optimizer, own.c_str()),
              UPDRAFT_OK);
  };
  failInTurn(
      [&] { return updraft_optimizer_load(device.optimizer, path.c_str()); },
      [&] {
        // One that has changed something says so.
        if (!strstr(updraft_last_error(), "load again"))
          expectSame(host, device);
        else
          parts += "some";
        reload();
      },
      reload);
  EXPECT_FALSE(parts.empty());
  ASSERT_EQ(updraft_optimizer_load(host.optimizer, path.c_str()), UPDRAFT_OK);
  for (size_t i = 0; i < kSizes.size(); ++i)
    EXPECT_TRUE(host.state("m", i) == device.state("m", i));
}

TEST_F(CudaFailure, View) {
  Side host(fakeAdamw(), kSizes, 0), device(fakeAdamw(), kSizes, 1);
  for (Side *side : {&host, &device}) {
    ASSERT_EQ(side->create(), UPDRAFT_OK) << updraft_last_error();
    ASSERT_EQ(side->step(), UPDRAFT_OK);
  }
  DeviceArray out(size_t(kSizes[1]) * sizeof(float));
  updraft_ndarray array = device.params[1].array;
  array.data = out.data();
  failInTurn(
      [&] {
        return updraft_optimizer_view(device.optimizer, "direction", 1, &array);
      },
      [&] {
        for (Side *side : {&host, &device})
          ASSERT_EQ(side->step(), UPDRAFT_OK) << updraft_last_error();
        expectSame(host, device);
      });
  std::vector<float> shown(static_cast<size_t>(kSizes[1]));
  out.read(shown.data());
  EXPECT_TRUE(shown == host.view("direction", 1));
}

TEST_F(CudaFailure, Destruction) {
  Side device(fakeAdamw(), kSizes, 1);
  for (int nth = 1; nth < 1000; ++nth) {
    ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
    ASSERT_EQ(device.step(), UPDRAFT_OK);
    fakeFail(nullptr, nth, kFailure);
    device.drop();
    std::string fired = fakeFired();
    fakeFail(nullptr, 0, 0);
    if (!fired.empty())
      continue;
    EXPECT_GT(nth, 5);
    break;
  }
  // What the driver would not free it keeps.
  EXPECT_STREQ(fakeMisuse(), "");
  alive = fakeLive() - int(2 * kSizes.size());
}

} // namespace
