//===- Tensor.cpp - A named array of numbers in memory --------------------===//

#include "Tensor.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringSwitch.h"

#include <charconv>
#include <cmath>
#include <cstring>

using namespace updraft;
using namespace updraft::run;

unsigned run::bytesOf(Format format) {
  switch (format) {
  case Format::F64:
    return 8;
  case Format::F32:
    return 4;
  case Format::BF16:
  case Format::F16:
    return 2;
  }
  return 0;
}

llvm::StringRef run::nameOf(Format format) {
  switch (format) {
  case Format::F64:
    return "F64";
  case Format::F32:
    return "F32";
  case Format::BF16:
    return "BF16";
  case Format::F16:
    return "F16";
  }
  return "";
}

std::optional<Format> run::formatNamed(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<Format>>(name.upper())
      .Case("F64", Format::F64)
      .Case("F32", Format::F32)
      .Case("BF16", Format::BF16)
      .Case("F16", Format::F16)
      .Default(std::nullopt);
}

static const llvm::fltSemantics &semanticsOf(Format format) {
  switch (format) {
  case Format::F64:
    return llvm::APFloat::IEEEdouble();
  case Format::F32:
    return llvm::APFloat::IEEEsingle();
  case Format::BF16:
    return llvm::APFloat::BFloat();
  case Format::F16:
    return llvm::APFloat::IEEEhalf();
  }
  return llvm::APFloat::IEEEdouble();
}

Tensor::Tensor(std::string name, Format format, std::vector<int64_t> shape)
    : name(std::move(name)), format(format), shape(std::move(shape)) {
  bytes.resize(size() * bytesOf(format));
}

uint64_t Tensor::size() const {
  uint64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

/// The bits of one number, in the low part.
static uint64_t bitsAt(const Tensor &tensor, uint64_t index) {
  unsigned width = bytesOf(tensor.format);
  uint64_t bits = 0;
  std::memcpy(&bits, tensor.bytes.data() + index * width, width);
  return bits;
}

double Tensor::at(uint64_t index) const {
  uint64_t bits = bitsAt(*this, index);
  // APFloat would do for all; these two are most of what is read.
  if (format == Format::F64) {
    double value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  if (format == Format::F32) {
    uint32_t low = bits;
    float value;
    std::memcpy(&value, &low, sizeof value);
    return value;
  }
  llvm::APFloat value(semanticsOf(format), llvm::APInt(16, bits));
  bool loses;
  value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven,
                &loses);
  return value.convertToDouble();
}

void Tensor::set(uint64_t index, double value) {
  if (format == Format::F64) {
    std::memcpy(bytes.data() + index * sizeof value, &value, sizeof value);
    return;
  }
  if (format == Format::F32) {
    float narrow = value;
    std::memcpy(bytes.data() + index * sizeof narrow, &narrow, sizeof narrow);
    return;
  }
  llvm::APFloat rounded(value);
  bool loses;
  rounded.convert(semanticsOf(format), llvm::APFloat::rmNearestTiesToEven,
                  &loses);
  uint64_t bits = rounded.bitcastToAPInt().getZExtValue();
  unsigned width = bytesOf(format);
  std::memcpy(bytes.data() + index * width, &bits, width);
}

bool Tensor::sameAt(uint64_t index, const Tensor &other) const {
  if (format == other.format && bitsAt(*this, index) == bitsAt(other, index))
    return true;
  return std::isnan(at(index)) && std::isnan(other.at(index));
}

const Tensor *run::find(const Tensors &tensors, llvm::StringRef name) {
  for (const Tensor &tensor : tensors)
    if (tensor.name == name)
      return &tensor;
  return nullptr;
}

std::string run::shapeText(const std::vector<int64_t> &shape) {
  std::string text = "[";
  for (size_t axis = 0; axis < shape.size(); ++axis)
    text += (axis ? ", " : "") + std::to_string(shape[axis]);
  return text + "]";
}

std::string run::numberText(double value) {
  if (std::isnan(value))
    return "nan";
  char text[32];
  auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return std::string(text, end);
}

llvm::Expected<double> run::readDouble(llvm::StringRef text) {
  llvm::APFloat number(llvm::APFloat::IEEEdouble());
  auto status =
      number.convertFromString(text, llvm::APFloat::rmNearestTiesToEven);
  if (!status) {
    llvm::consumeError(status.takeError());
    return llvm::createStringError("is no number");
  }
  bool vanishes = (*status & llvm::APFloat::opUnderflow) && number.isZero();
  if (vanishes || (*status & llvm::APFloat::opOverflow))
    return llvm::createStringError("does not fit F64");
  return number.convertToDouble();
}
