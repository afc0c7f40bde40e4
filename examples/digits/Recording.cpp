//===- Recording.cpp - A training run, for replay.c to repeat -------------===//

#include "Recording.h"

#include <filesystem>

namespace digits {

namespace fs = std::filesystem;

Recording::Recording(const std::string &path) : path_(path) {
  bool isDevice = fs::exists(path) && !fs::is_regular_file(path);
  written_ = isDevice ? path : path + ".part";
  file_.open(written_, std::ios::binary);
}

Recording::~Recording() {
  std::error_code ignored;
  if (written_ != path_)
    fs::remove(written_, ignored);
}

void Recording::write(const Tensors &tensors) {
  for (const Tensor &tensor : tensors)
    file_.write(reinterpret_cast<const char *>(tensor.values.data()),
                static_cast<std::streamsize>(4 * tensor.values.size()));
}

Watch Recording::watch() {
  Watch watch;
  watch.start = [this](const Tensors &weights) {
    auto writeCount = [this](size_t count) {
      int64_t value = static_cast<int64_t>(count);
      file_.write(reinterpret_cast<const char *>(&value), sizeof(value));
    };
    writeCount(weights.size());
    for (const Tensor &tensor : weights)
      writeCount(tensor.values.size());
    write(weights);
  };
  watch.step = [this](const Tensors &gradient) {
    file_.put(1);
    write(gradient);
  };
  return watch;
}

bool Recording::finish(const Trained &trained) {
  file_.put(0);
  write(trained.weights);
  write(trained.average);
  file_.close();
  if (!file_.good())
    return false;
  std::error_code code;
  if (written_ != path_)
    fs::rename(written_, path_, code);
  written_ = path_;
  return !code;
}

} // namespace digits
