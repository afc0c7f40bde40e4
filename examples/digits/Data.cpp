//===- Data.cpp - The handwritten digits, read and split ------------------===//

#include "Data.h"

#include <fstream>
#include <numeric>
#include <sstream>
#include <utility>

namespace digits {

/// SplitMix64 (Steele, Lea & Flood 2014).
uint64_t Random::next() {
  uint64_t z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

float Random::uniform(float low, float high) {
  return low + (high - low) * (static_cast<float>(next() >> 40) * 0x1p-24f);
}

std::vector<size_t> Random::permutation(size_t count) {
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t(0));
  for (size_t i = count; i > 1; --i)
    std::swap(order[i - 1], order[next() % i]);
  return order;
}

/// The next number of a line, or -1.
static int readNumber(std::istringstream &line) {
  int number = -1;
  line >> number;
  line.ignore(1, ',');
  return number;
}

static bool readImage(const std::string &text, Images &images) {
  std::istringstream line(text);
  for (size_t i = 0; i < kPixels; ++i) {
    int pixel = readNumber(line);
    if (pixel < 0 || pixel > 16)
      return false;
    images.pixels.push_back(static_cast<float>(pixel) / 16);
  }
  int label = readNumber(line);
  images.labels.push_back(label);
  return label >= 0 && label < static_cast<int>(kClasses);
}

bool readImages(const std::string &path, Images &images, std::string &error) {
  std::ifstream file(path);
  if (!file) {
    error = "cannot read '" + path + "'";
    return false;
  }
  std::string line;
  for (size_t number = 1; std::getline(file, line); ++number)
    if (!readImage(line, images)) {
      error = path + ":" + std::to_string(number) +
              ": expected 64 pixels from 0 to 16 and a digit";
      return false;
    }
  return true;
}

Split splitImages(const Images &all, uint64_t seed) {
  std::vector<size_t> order = Random(seed).permutation(all.count());
  Split split;
  for (size_t i = 0; i < order.size(); ++i) {
    Images &part = i < order.size() / 5 ? split.test : split.train;
    const float *image = all.image(order[i]);
    part.pixels.insert(part.pixels.end(), image, image + kPixels);
    part.labels.push_back(all.labels[order[i]]);
  }
  return split;
}

} // namespace digits
