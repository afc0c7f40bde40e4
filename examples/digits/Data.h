//===- Data.h - The handwritten digits, read and split --------------------===//
//
// 1,797 images of 8x8 pixels, each with the digit that it shows. README.md says
// where they come from.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_EXAMPLES_DIGITS_DATA_H
#define UPDRAFT_EXAMPLES_DIGITS_DATA_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace digits {

constexpr size_t kPixels = 64;
constexpr size_t kClasses = 10;

/// A small generator of its own, so that a seed means the same everywhere.
class Random {
public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next();
  /// Uniform in [low, high).
  float uniform(float low, float high);
  /// The numbers 0 ... count - 1 in random order.
  std::vector<size_t> permutation(size_t count);

private:
  uint64_t state_;
};

/// Images and their labels. Pixels lie in [0, 1].
struct Images {
  std::vector<float> pixels; ///< kPixels an image
  std::vector<int> labels;

  size_t count() const { return labels.size(); }
  const float *image(size_t index) const {
    return pixels.data() + kPixels * index;
  }
};

struct Split {
  Images train, test;
};

/// Reads lines of 64 pixels (0 to 16) and a label. False, with a sentence in
/// `error`, if the file is not such.
bool readImages(const std::string &path, Images &images, std::string &error);

/// Puts a random fifth aside for testing.
Split splitImages(const Images &all, uint64_t seed);

} // namespace digits

#endif // UPDRAFT_EXAMPLES_DIGITS_DATA_H
