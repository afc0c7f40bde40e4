//===- Values.cpp - Numbers that optimizers get wrong ---------------------===//

#include "Values.h"

#include <cmath>

using namespace updraft;
using namespace updraft::fuzz;

/// One of a few numbers, inside the domain; else the default.
double fuzz::numberFor(Choices &choices, const Hyper &hyper) {
  static const double numbers[] = {1, 2, 0.5, 0.1, 3, 1e-3, 0, -1, 1e30};
  double value = choices.of(numbers);
  const Domain &domain = hyper.domain;
  bool isInside =
      (domain.lowOpen ? value > domain.low : value >= domain.low) &&
      (domain.highOpen ? value < domain.high : value <= domain.high) &&
      (!hyper.isInt || value == std::floor(value));
  return isInside ? value : hyper.initial.value_or(1);
}

/// A number in one of the moods that an optimizer gets wrong.
double fuzz::makeUp(Random &random, Format format, unsigned mood) {
  static const double specials[] = {
      0.0,      -0.0,      INFINITY, -INFINITY,      NAN,   0x1p-149, -0x1p-149,
      0x1p-126, 0x1p-1074, 0x1p-24,  0x1.fffffep127, 65504, 0x1p-133, 1,
      -1,       0.5,       1e30,     -1e30,          88.8,  -104};
  double value = random.uniform() + random.uniform();
  uint64_t bits = random.bits();
  if (mood == 1 && bits % 4 == 0)
    return specials[bits / 4 % std::size(specials)];
  if (mood == 2)
    return value * (format == Format::F64   ? 0x1p-1060
                    : format == Format::F16 ? 0x1p-20
                                            : 0x1p-135);
  if (mood == 3)
    return value * std::ldexp(1, int(bits % 250) - 125);
  if (mood == 4)
    return std::copysign(0.0, value);
  return value;
}
