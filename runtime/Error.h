//===- Error.h - How a failure is reported
//---------------------------------===//
//
// Every internal function returns a status and leaves the text of the failure
// for updraft_last_error(). guarded() is the one place where exceptions of the
// standard library end: none crosses the C interface.
//
//===----------------------------------------------------------------------===//

#ifndef UPDRAFT_RUNTIME_ERROR_H
#define UPDRAFT_RUNTIME_ERROR_H

#include "updraft.h"

#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

namespace updraft::runtime {

/// Keeps the text for updraft_last_error() and returns `status`.
updraft_status fail(updraft_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/// Like fail, for a text of any length, such as a compiler's diagnostics.
updraft_status failWith(updraft_status status, std::string_view text);

/// Runs `body`, which returns a status, and turns exceptions into statuses.
template <class Body> updraft_status guarded(Body &&body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return fail(UPDRAFT_OUT_OF_MEMORY, "out of memory");
  } catch (const std::length_error &) {
    return fail(UPDRAFT_OUT_OF_MEMORY, "out of memory");
  } catch (...) {
    return fail(UPDRAFT_INTERNAL, "internal error: an unexpected exception");
  }
}

/// The shortest text that reads back as the same number.
std::string numberText(double value);

} // namespace updraft::runtime

#endif // UPDRAFT_RUNTIME_ERROR_H
