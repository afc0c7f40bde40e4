//===- Numbers.h - Bits of every format -----------------------------------===//

#ifndef UPDRAFT_TOOLS_GPU_NUMBERS_H
#define UPDRAFT_TOOLS_GPU_NUMBERS_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace updraft::gpu {

/// The next of a sequence of made up numbers, and what comes after it.
double makeUpNumber(uint64_t &state);

/// Rounded to the format; what does not fit becomes an infinity.
void store(void *place, uint32_t dtype, double value);

/// Whether two numbers have the same bits; any two NaN have.
bool isSame(const void *left, const void *right, uint32_t dtype);

/// "0x3f800000 (1)".
std::string textOf(const void *place, uint32_t dtype);

} // namespace updraft::gpu

#endif // UPDRAFT_TOOLS_GPU_NUMBERS_H
