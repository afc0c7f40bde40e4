//===- Recording.h - A training run, for replay.c to repeat ---------------===//
//
// The file holds, in this machine's byte order: the number of tensors and their
// sizes as int64; the weights at the start; for each step the byte 1 and the
// gradients; the byte 0; the weights and the averages at the end.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_EXAMPLES_DIGITS_RECORDING_H
#define UPDRAFT_EXAMPLES_DIGITS_RECORDING_H

#include "Training.h"

#include <fstream>
#include <string>

namespace digits {

class Recording {
public:
  /// The file appears at the end, whole; until then it stands beside `path`. A
  /// device is written in place.
  explicit Recording(const std::string &path);
  ~Recording();

  /// Writes the start and every step of the training that it watches.
  Watch watch();
  /// Writes the end; false if anything could not be written.
  bool finish(const Trained &trained);

private:
  void write(const Tensors &tensors);

  std::string path_, written_;
  std::ofstream file_;
};

} // namespace digits

#endif // UPDRAFT_EXAMPLES_DIGITS_RECORDING_H
