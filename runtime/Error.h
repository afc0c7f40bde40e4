//===- Error.h - How a failure is reported --------------------------------===//
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

/// Copies a struct of the interface called `name`, whose first member is
/// `uint32_t struct_bytes`, to `own`, which holds the defaults. One of an older
/// version is shorter: what it lacks stays as it is. One of a newer version may
/// be longer if all that is not known here is 0.
updraft_status takeStruct(const char *name, const void *given, void *own,
                          size_t bytes, size_t alignment);

template <class Struct>
updraft_status takeStruct(const char *name, const Struct *given, Struct &own) {
  static_assert(offsetof(Struct, struct_bytes) == 0);
  return given ? takeStruct(name, given, &own, sizeof own, alignof(Struct))
               : UPDRAFT_OK;
}

/// The shortest text that reads back as the same number.
std::string numberText(double value);

} // namespace updraft::runtime

#endif // UPDRAFT_RUNTIME_ERROR_H
