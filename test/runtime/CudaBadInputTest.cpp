//===- CudaBadInputTest.cpp - Tensors and drivers that cannot be used -----===//

#include "CudaTrial.h"

#include <cstring>

namespace {

const std::vector<int64_t> kSizes = {8, 5000};

class CudaBadInput : public CudaTrial {
protected:
  void expectError(updraft_status status, const std::string &text) {
    EXPECT_EQ(status, UPDRAFT_INVALID_ARGUMENT);
    EXPECT_NE(std::string(updraft_last_error()).find(text), std::string::npos)
        << updraft_last_error();
  }
};

TEST_F(CudaBadInput, TensorsInDifferentPlaces) {
  Side device(fakeAdamw(), kSizes, 1), other(fakeAdamw(), kSizes, 2);
  Side host(fakeAdamw(), kSizes, 0);
  updraft_ndarray good = device.params[1].array;
  device.params[1].array = other.params[1].array;
  expectError(device.create(), "adamw: parameter '1' is on CUDA device 1, the "
                               "optimizer is on CUDA device 0");
  device.params[1].array = host.params[1].array;
  expectError(device.create(), "adamw: parameter '1' is in host memory, the "
                               "optimizer is on CUDA device 0");
  device.params[1].array = good;
  device.params[1].array.device = 7;
  expectError(device.create(), "parameter '1' is on CUDA device 6");
  device.params[0].array.device = 7;
  expectError(device.create(), "adamw: there is no CUDA device 6: there are 2");
  device.params[0].array.device = 1;
  device.params[1].array = good;
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  ASSERT_EQ(device.step(), UPDRAFT_OK);
  std::vector<float> before = device.param(0);
  std::vector<updraft_ndarray> grads = device.grads;
  device.grads[1] = other.grads[1];
  expectError(device.step(), "the gradient of '1' is on CUDA device 1");
  device.grads[1] = host.grads[1];
  expectError(device.step(), "the gradient of '1' is in host memory");
  EXPECT_TRUE(device.param(0) == before);
  ASSERT_EQ(host.create(), UPDRAFT_OK);
  std::swap(host.grads[1], grads[1]);
  expectError(host.step(), "the gradient of '1' is on CUDA device 0, the "
                           "optimizer is in host memory");
}

TEST_F(CudaBadInput, AddressesThatAreNotOfTheDevice) {
  Side device(fakeAdamw(), kSizes, 1), other(fakeAdamw(), kSizes, 2);
  updraft_ndarray good = device.params[1].array;
  std::vector<float> values(5000);
  device.params[1].array.data = values.data();
  expectError(device.create(), "parameter '1' is said to be on CUDA device 0, "
                               "but its address is not memory of a device");
  device.params[1].array.data = other.params[1].array.data;
  expectError(device.create(), "parameter '1' is said to be on CUDA device 0, "
                               "but its memory is on device 1");
  device.params[1].array.data = static_cast<float *>(good.data) + 1;
  expectError(device.create(), "but where it ends is not memory of a device");
  device.params[1].array = good;
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  std::vector<float> before = device.param(0);
  updraft_ndarray grad = device.grads[1];
  device.grads[1].data = values.data();
  expectError(device.step(), "the gradient of '1' is said to be on CUDA");
  device.grads[1].data = good.data;
  expectError(device.step(), "the gradient of '1' overlaps parameter '1'");
  expectError(
      updraft_optimizer_rebind(device.optimizer, 1, &other.params[1].array),
      "the new memory of '1' is on CUDA device 1");
  EXPECT_TRUE(device.param(0) == before);
  device.grads[1] = grad;
  ASSERT_EQ(device.step(), UPDRAFT_OK) << updraft_last_error();
}

TEST_F(CudaBadInput, MemoryOfAContextThatIsGone) {
  Side device(fakeAdamw(), kSizes, 1);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  FakeHandle context = nullptr;
  uint64_t address = 0;
  ASSERT_EQ(cuCtxCreate_v2(&context, 0, 0), 0);
  ASSERT_EQ(cuMemAlloc_v2(&address, 20000), 0);
  ASSERT_EQ(cuCtxDestroy_v2(context), 0);
  device.grads[1].data = reinterpret_cast<void *>(address);
  expectError(device.step(), "its address is not memory of a device, or no "
                             "more");
}

TEST_F(CudaBadInput, AddressesThatAreNotAligned) {
  // To the element they must be; to what a GPU reads at once they need not.
  Side host(fakeAdamw(), kSizes, 0), device(fakeAdamw(), kSizes, 1);
  DeviceArray p(20004), g(20004);
  device.params[1].array.data = static_cast<char *>(p.data()) + 2;
  expectError(device.create(), "parameter '1' is not aligned");
  for (auto [place, from, all] :
       {std::tuple{&device.params[1].array.data, host.params[1].array.data, &p},
        std::tuple{&device.grads[1].data, host.grads[1].data, &g}}) {
    *place = static_cast<char *>(all->data()) + 4;
    auto *values = static_cast<float *>(from);
    device.write(*place, {values, values + 5000});
  }
  ASSERT_EQ(host.create(), UPDRAFT_OK);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  for (Side *side : {&host, &device})
    ASSERT_EQ(side->step(), UPDRAFT_OK) << updraft_last_error();
  expectSame(host, device);
}

TEST_F(CudaBadInput, Views) {
  Side device(fakeAdamw(), kSizes, 1), host(fakeAdamw(), kSizes, 0);
  ASSERT_EQ(device.create(), UPDRAFT_OK) << updraft_last_error();
  updraft_ndarray out = host.params[1].array;
  expectError(updraft_optimizer_view(device.optimizer, "m", 1, &out),
              "the output for view 'm' is in host memory");
  double value = 0;
  out = {&value, UPDRAFT_F64, 0, nullptr, nullptr, 1};
  expectError(updraft_optimizer_view(device.optimizer, "norm", 0, &out),
              "dtype f64 in host memory");
}

/// What the probe says where the fake is as `environment` asks.
std::string probe(const std::string &environment) {
  std::string command = environment + " " + UPDRAFT_TEST_PROBE, text;
  FILE *pipe = popen(command.c_str(), "r");
  char line[2000];
  while (pipe && fgets(line, sizeof line, pipe))
    text += line;
  EXPECT_EQ(pclose(pipe), 0);
  return text;
}

TEST(CudaDriver, IsMissingOldOrFull) {
  setenv("UPDRAFT_LIBCUDA", UPDRAFT_TEST_LIBCUDA, 1);
  struct {
    const char *environment, *text;
  } cases[] = {
      {"UPDRAFT_LIBCUDA=/nowhere/libcuda.so.1",
       "unsupported: adamw: there is no NVIDIA driver: /nowhere/libcuda.so.1"},
      {"UPDRAFT_LIBCUDA=libm.so.6",
       "unsupported: adamw: the NVIDIA driver is too old: libm.so.6 has no "
       "cuInit"},
      {"UPDRAFT_FAKE_DRIVER=11030",
       "unsupported: adamw: the NVIDIA driver is too old: it has CUDA 11.3, "
       "11.4 is needed"},
      {"UPDRAFT_FAKE_DRIVER=11060",
       "unsupported: adamw: loading the PTX for sm_75 (newer than this "
       "driver, which has CUDA 11.6) on device 0: "},
      {"UPDRAFT_FAKE_FAIL=cuInit=100",
       "unsupported: adamw: starting the CUDA driver: "},
      {"UPDRAFT_FAKE_DEVICES=0",
       "invalid argument: adamw: there is no CUDA device 0: there are 0"},
      {"UPDRAFT_FAKE_ARCH=70",
       "unsupported: adamw: has no code for device 0 (Fake GPU, compute "
       "capability 7.0): it was compiled for sm_75"},
      {"UPDRAFT_FAKE_ARCH=90",
       "invalid argument: adamw: parameter '0' is said to be on CUDA device 0, "
       "but its address is not memory of a device"},
  };
  for (auto &each : cases) {
    std::string text = probe(each.environment);
    EXPECT_EQ(text.substr(0, strlen(each.text)), each.text);
  }
}

/// Loads a program with these codes; what is tried is made to fail.
std::string codeTaken(std::vector<updraft_gpu_code> codes) {
  updraft_program *program = fakeAxis();
  char *base = reinterpret_cast<char *>(program);
  updraft_gpu_code own = {};
  memcpy(&own, base + program->gpu.at, sizeof own);
  // There is room behind it.
  program->gpu = {int64_t(program->bytes + 7) / 8 * 8, codes.size()};
  program->bytes = uint64_t(program->gpu.at) + codes.size() * sizeof own;
  for (size_t i = 0; i < codes.size(); ++i) {
    codes[i].code = own.code;
    codes[i].bytes = own.bytes;
    memcpy(base + program->gpu.at + i * sizeof own, &codes[i], sizeof own);
  }
  fakeFail("cuModuleLoadDataEx", 1, 719);
  Side device(program, {4}, 1);
  EXPECT_NE(device.create(), UPDRAFT_OK);
  fakeFail(nullptr, 0, 0);
  free(program);
  return updraft_last_error();
}

TEST_F(CudaBadInput, TheCodeThatFitsBestIsTaken) {
  auto code = [](uint32_t arch, uint32_t form) {
    return updraft_gpu_code{arch, form, 0, 0};
  };
  updraft_gpu_code old = code(75, UPDRAFT_PTX), same = code(90, UPDRAFT_PTX),
                   later = code(100, UPDRAFT_PTX),
                   other = code(89, UPDRAFT_CUBIN),
                   own = code(90, UPDRAFT_CUBIN);
  struct {
    std::vector<updraft_gpu_code> codes;
    const char *text;
  } cases[] = {
      {{old, same, later, other}, "axis: loading the PTX for sm_90 on device"},
      {{old, own, same}, "axis: loading the cubin for sm_90 on device 0"},
      {{later, old, other}, "axis: loading the PTX for sm_75 on device 0"},
      {{other, later}, "it was compiled for sm_89, sm_100"},
  };
  for (auto &each : cases) {
    std::string error = codeTaken(each.codes);
    EXPECT_NE(error.find(each.text), std::string::npos) << error;
  }
}

TEST_F(CudaBadInput, ADeviceThatIsFull) {
  Side device(fakeAdamw(), kSizes, 1);
  fakeFail("cuMemAlloc", 1, 2);
  EXPECT_EQ(device.create(), UPDRAFT_OUT_OF_MEMORY);
  EXPECT_NE(strstr(updraft_last_error(), "adamw: allocating "), nullptr);
  EXPECT_NE(strstr(updraft_last_error(),
                   "bytes for states on device 0: CUDA_ERROR_OUT_OF_MEMORY "
                   "(2): out of memory"),
            nullptr)
      << updraft_last_error();
}

} // namespace
