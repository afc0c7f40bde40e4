//===- Program.cpp - Loading a compiled program ---------------------------===//
//
// Three ways in, one result: a constant that is linked in, a flat image, a
// shared object. An image is copied to memory of its own before its checksum is
// computed, so that nobody can change it between the check and its use, and a
// file on a volume without execution rights works as well.
//
//===----------------------------------------------------------------------===//

#include "Program.h"
#include "Error.h"
#include "image.h"

#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <memory>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace updraft::runtime;

updraft_loaded_program::~updraft_loaded_program() {
  if (memory)
    munmap(memory, memoryBytes);
  if (library)
    dlclose(library);
}

static bool checksumFits(const updraft_image_header &header,
                         const char *image) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(image, header.bytes));
  return !memcmp(&canonical, header.checksum, sizeof header.checksum);
}

static updraft_status checkImageHeader(const updraft_image_header &header,
                                       size_t bytes, const char *origin) {
  if (memcmp(header.magic, UPDRAFT_IMAGE_MAGIC, sizeof header.magic))
    return fail(UPDRAFT_BAD_PROGRAM, "%s: is not an image of a program",
                origin);
  if (header.version != UPDRAFT_IMAGE_VERSION)
    return fail(UPDRAFT_BAD_PROGRAM,
                "%s: is an image of version %u, this runtime reads version %u",
                origin, header.version, UPDRAFT_IMAGE_VERSION);
  if (header.reserved)
    return fail(UPDRAFT_BAD_PROGRAM,
                "%s: is damaged: its header has a word that must be 0", origin);
  if (header.bytes != bytes - sizeof header)
    return fail(UPDRAFT_BAD_PROGRAM,
                "%s: is truncated or damaged: it has %zu bytes after the "
                "header, the header says %llu",
                origin, bytes - sizeof header,
                static_cast<unsigned long long>(header.bytes));
  if (header.program % alignof(updraft_program) ||
      header.program > header.bytes ||
      header.bytes - header.program < sizeof(updraft_program))
    return fail(UPDRAFT_BAD_PROGRAM, "%s: is damaged: its program lies outside",
                origin);
  return UPDRAFT_OK;
}

updraft_status updraft::runtime::loadImage(const void *image, size_t bytes,
                                           const char *origin,
                                           updraft_loaded_program &result) {
  updraft_image_header header;
  if (bytes < sizeof header)
    return fail(UPDRAFT_BAD_PROGRAM,
                "%s: is truncated: %zu bytes are less than a header", origin,
                bytes);
  memcpy(&header, image, sizeof header);
  if (updraft_status status = checkImageHeader(header, bytes, origin))
    return status;
  void *memory = mmap(nullptr, header.bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return fail(UPDRAFT_OUT_OF_MEMORY, "%s: no memory for %llu bytes", origin,
                static_cast<unsigned long long>(header.bytes));
  result.memory = memory;
  result.memoryBytes = header.bytes;
  char *start = static_cast<char *>(memory);
  memcpy(start, static_cast<const char *>(image) + sizeof header, header.bytes);
  if (!checksumFits(header, start))
    return fail(UPDRAFT_BAD_PROGRAM,
                "%s: is damaged: its checksum does not match", origin);
  result.program =
      reinterpret_cast<const updraft_program *>(start + header.program);
  Extent extent = {header.bytes - header.program, -int64_t(header.program),
                   int64_t(header.bytes - header.program)};
  if (updraft_status status = validate(result.program, extent, origin))
    return status;
  __builtin___clear_cache(start, start + header.bytes);
  if (mprotect(memory, header.bytes, PROT_READ | PROT_EXEC))
    return fail(UPDRAFT_UNSUPPORTED,
                "%s: this system allows no executable memory: %s", origin,
                strerror(errno));
  return UPDRAFT_OK;
}

namespace {
/// A file's bytes, read once into memory of ours.
struct FileBytes {
  std::unique_ptr<char[]> data;
  size_t size = 0;
};
} // namespace

/// No program is larger; a device or a mistaken path must not fill the memory.
static constexpr off_t kLargestFile = off_t(1) << 30;

static updraft_status readOpenFile(int file, const char *path,
                                   FileBytes &result) {
  struct stat facts;
  if (fstat(file, &facts))
    return fail(UPDRAFT_IO_ERROR, "%s: %s", path, strerror(errno));
  if (!S_ISREG(facts.st_mode) || facts.st_size > kLargestFile)
    return fail(UPDRAFT_BAD_PROGRAM, "%s: is not a file of a program", path);
  result.data.reset(new char[size_t(facts.st_size) + 1]);
  while (result.size < size_t(facts.st_size)) {
    ssize_t got = read(file, result.data.get() + result.size,
                       size_t(facts.st_size) - result.size);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return fail(UPDRAFT_IO_ERROR, "%s: %s", path, strerror(errno));
    if (got == 0)
      break;
    result.size += size_t(got);
  }
  return UPDRAFT_OK;
}

static updraft_status readFile(const char *path, FileBytes &result) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return fail(errno == ENOENT ? UPDRAFT_NOT_FOUND : UPDRAFT_IO_ERROR,
                "%s: %s", path, strerror(errno));
  updraft_status status = readOpenFile(file, path, result);
  close(file);
  return status;
}

static updraft_status openFile(const char *path,
                               updraft_loaded_program &result) {
  FileBytes bytes;
  if (updraft_status status = readFile(path, bytes))
    return status;
  const char *data = bytes.data.get();
  if (bytes.size >= 8 && !memcmp(data, UPDRAFT_IMAGE_MAGIC, 8))
    return loadImage(data, bytes.size, path, result);
  if (bytes.size >= 4 && !memcmp(data, "\177ELF", 4))
    return openLibrary(path, data, bytes.size, result);
  return fail(UPDRAFT_BAD_PROGRAM,
              "%s: is neither an image nor a shared object of a program", path);
}

updraft_status updraft_program_open(const char *path,
                                    updraft_loaded_program **result) {
  return guarded([&] {
    if (!path || !result)
      return fail(UPDRAFT_INVALID_ARGUMENT, "path or result is null");
    auto loaded = std::make_unique<updraft_loaded_program>();
    if (updraft_status status = openFile(path, *loaded))
      return status;
    *result = loaded.release();
    return UPDRAFT_OK;
  });
}

updraft_status updraft_program_from(const updraft_program *constant,
                                    updraft_loaded_program **result) {
  return guarded([&] {
    if (!constant || !result)
      return fail(UPDRAFT_INVALID_ARGUMENT, "program or result is null");
    if (reinterpret_cast<uintptr_t>(constant) % alignof(updraft_program))
      return fail(UPDRAFT_BAD_PROGRAM, "program: is not aligned");
    auto loaded = std::make_unique<updraft_loaded_program>();
    loaded->program = constant;
    // Nothing bounds what is linked in: it says its own size.
    Extent extent = {UINT32_MAX, INT64_MIN, INT64_MAX};
    if (updraft_status status = validate(constant, extent, "program"))
      return status;
    *result = loaded.release();
    return UPDRAFT_OK;
  });
}

updraft_status updraft_program_from_image(const void *image, size_t bytes,
                                          updraft_loaded_program **result) {
  return guarded([&] {
    if (!image || !result)
      return fail(UPDRAFT_INVALID_ARGUMENT, "image or result is null");
    auto loaded = std::make_unique<updraft_loaded_program>();
    if (updraft_status status = loadImage(image, bytes, "image", *loaded))
      return status;
    *result = loaded.release();
    return UPDRAFT_OK;
  });
}

const updraft_program *
updraft_program_descriptor(const updraft_loaded_program *program) {
  return program ? program->program : nullptr;
}

void updraft_program_retain(updraft_loaded_program *program) {
  if (program)
    program->references.fetch_add(1, std::memory_order_relaxed);
}

void updraft_program_release(updraft_loaded_program *program) {
  if (program &&
      program->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
    delete program;
}
