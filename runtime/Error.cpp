//===- Error.cpp - The text of the last failure ---------------------------===//
//
// One text a thread. A fixed buffer stands behind the string, so that running
// out of memory can be reported too.
//
//===----------------------------------------------------------------------===//

#include "Error.h"

#include <algorithm>
#include <charconv>
#include <cstdarg>
#include <cstdio>
#include <cstring>

using namespace updraft::runtime;

namespace {
struct LastError {
  std::string text;
  char fixed[256] = "";
  bool useFixed = true;
};
} // namespace

static thread_local LastError lastError;

updraft_status updraft::runtime::failWith(updraft_status status,
                                          std::string_view text) {
  try {
    lastError.text.assign(text);
    lastError.useFixed = false;
  } catch (...) {
    size_t length = std::min(text.size(), sizeof lastError.fixed - 1);
    memcpy(lastError.fixed, text.data(), length);
    lastError.fixed[length] = 0;
    lastError.useFixed = true;
  }
  return status;
}

updraft_status updraft::runtime::fail(updraft_status status, const char *format,
                                      ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (length < 0)
    return failWith(status, format);
  if (size_t(length) < sizeof line)
    return failWith(status, {line, size_t(length)});
  try {
    std::string text(size_t(length) + 1, 0);
    va_start(arguments, format);
    vsnprintf(text.data(), text.size(), format, arguments);
    va_end(arguments);
    return failWith(status, {text.data(), size_t(length)});
  } catch (...) {
    return failWith(status, line);
  }
}

updraft_status updraft::runtime::takeStruct(const char *name, const void *given,
                                            void *own, size_t bytes,
                                            size_t alignment) {
  uint32_t has;
  memcpy(&has, given, sizeof has);
  // Every version's size is a multiple of the alignment, and so cuts no member.
  if (!has || has % alignment)
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s.struct_bytes is %u: set it to sizeof(%s)", name, has, name);
  for (size_t i = bytes; i < has; ++i)
    if (static_cast<const char *>(given)[i])
      return fail(UPDRAFT_INVALID_ARGUMENT,
                  "%s has %u bytes, this library knows %zu, and byte %zu is "
                  "not 0: it was made for a newer version",
                  name, has, bytes, i);
  memcpy(own, given, std::min<size_t>(has, bytes));
  return UPDRAFT_OK;
}

std::string updraft::runtime::numberText(double value) {
  char digits[40];
  auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  return error == std::errc() ? std::string(digits, end) : std::string("?");
}

const char *updraft_last_error(void) {
  return lastError.useFixed ? lastError.fixed : lastError.text.c_str();
}

const char *updraft_status_name(updraft_status status) {
  switch (status) {
  case UPDRAFT_OK:
    return "ok";
  case UPDRAFT_INVALID_ARGUMENT:
    return "invalid argument";
  case UPDRAFT_NOT_FOUND:
    return "not found";
  case UPDRAFT_BAD_PROGRAM:
    return "bad program";
  case UPDRAFT_UNSUPPORTED:
    return "unsupported";
  case UPDRAFT_OUT_OF_MEMORY:
    return "out of memory";
  case UPDRAFT_IO_ERROR:
    return "input or output failed";
  case UPDRAFT_COMPILE_ERROR:
    return "the rule does not compile";
  case UPDRAFT_BUSY:
    return "busy";
  case UPDRAFT_INTERNAL:
    return "internal error";
  case UPDRAFT_DEVICE_ERROR:
    return "device error";
  }
  return "unknown status";
}
