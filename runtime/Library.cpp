//===- Library.cpp - A program in a shared object -------------------------===//
//
// The dynamic loader can look a symbol up but not list them, and it maps a
// truncated file without complaint and dies later. So the file's tables are
// read first: they give the program's symbol and show that all segments are
// there.
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Program.h"

#include <climits>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>

using namespace updraft::runtime;

static constexpr std::string_view kPrefix = "updraft_program_";

namespace {

/// The tables of an ELF file, every access within its bytes.
class Elf {
public:
  Elf(const void *file, size_t bytes)
      : file(static_cast<const char *>(file)), bytes(bytes) {}

  /// The i-th T of a table at `offset`; false if it lies outside.
  template <class T> bool read(uint64_t offset, uint64_t i, T &result) const {
    if (offset > bytes || i > (bytes - offset) / sizeof(T) ||
        bytes - offset - i * sizeof(T) < sizeof(T))
      return false;
    memcpy(&result, file + offset + i * sizeof(T), sizeof(T));
    return true;
  }

  bool header(Elf64_Ehdr &header) const {
    return read(0, 0, header) && header.e_ident[EI_CLASS] == ELFCLASS64 &&
           header.e_ident[EI_DATA] == ELFDATA2LSB;
  }

  bool isWhole(const Elf64_Ehdr &header) const {
    for (unsigned i = 0; i < header.e_phnum; ++i) {
      Elf64_Phdr segment;
      if (!read(header.e_phoff, i, segment) || segment.p_offset > bytes ||
          segment.p_filesz > bytes - segment.p_offset)
        return false;
    }
    // The section headers stand last: with them the file is whole.
    Elf64_Shdr last;
    return header.e_phnum && header.e_shnum &&
           read(header.e_shoff, header.e_shnum - 1u, last);
  }

  /// The string at `offset` of the string section `section`; "" if outside.
  std::string_view string(const Elf64_Shdr &section, uint64_t offset) const {
    if (section.sh_offset > bytes ||
        section.sh_size > bytes - section.sh_offset ||
        offset >= section.sh_size)
      return {};
    const char *start = file + section.sh_offset + offset;
    size_t room = section.sh_size - offset;
    const void *end = memchr(start, 0, room);
    return end ? std::string_view(
                     start, size_t(static_cast<const char *>(end) - start))
               : std::string_view();
  }

  /// How many programs are exported; the last one's name and address.
  size_t programs(const Elf64_Ehdr &header, std::string &name,
                  uint64_t &address) const;

  /// The bytes from `address` to the end of its segment.
  uint64_t room(const Elf64_Ehdr &header, uint64_t address) const {
    for (unsigned i = 0; i < header.e_phnum; ++i) {
      Elf64_Phdr segment;
      if (read(header.e_phoff, i, segment) && segment.p_type == PT_LOAD &&
          address >= segment.p_vaddr &&
          address - segment.p_vaddr < segment.p_filesz)
        return segment.p_filesz - (address - segment.p_vaddr);
    }
    return 0;
  }

private:
  const char *file;
  size_t bytes;
};

size_t Elf::programs(const Elf64_Ehdr &header, std::string &name,
                     uint64_t &address) const {
  size_t count = 0;
  for (unsigned s = 0; s < header.e_shnum; ++s) {
    Elf64_Shdr section, strings;
    if (!read(header.e_shoff, s, section) || section.sh_type != SHT_DYNSYM ||
        !read(header.e_shoff, section.sh_link, strings))
      continue;
    for (uint64_t i = 0; i < section.sh_size / sizeof(Elf64_Sym); ++i) {
      Elf64_Sym symbol;
      if (!read(section.sh_offset, i, symbol))
        break;
      std::string_view each = string(strings, symbol.st_name);
      if (symbol.st_shndx == SHN_UNDEF || !each.starts_with(kPrefix))
        continue;
      name = each;
      address = symbol.st_value;
      ++count;
    }
  }
  return count;
}

} // namespace

static updraft_status findSymbol(const char *path, const void *file,
                                 size_t bytes, std::string &name,
                                 uint64_t &room) {
  Elf elf(file, bytes);
  Elf64_Ehdr header;
  if (!elf.header(header))
    return fail(UPDRAFT_BAD_PROGRAM, "%s: is not a 64-bit shared object", path);
  if (header.e_type != ET_DYN)
    return fail(UPDRAFT_BAD_PROGRAM,
                "%s: is an object file, not a shared object: link it into the "
                "program or emit an image",
                path);
  if (!elf.isWhole(header))
    return fail(UPDRAFT_BAD_PROGRAM, "%s: is truncated or damaged", path);
  uint64_t address = 0;
  size_t count = elf.programs(header, name, address);
  if (count != 1)
    return fail(UPDRAFT_BAD_PROGRAM,
                "%s: exports %zu symbols updraft_program_*, one is needed",
                path, count);
  room = elf.room(header, address);
  return UPDRAFT_OK;
}

/// Every kernel must be in the object that holds the program.
static bool kernelsAreIn(const updraft_program *program) {
  Dl_info own, other;
  if (!dladdr(program, &own))
    return false;
  for (const updraft_kernel &kernel :
       items<updraft_kernel>(program, program->kernels))
    if (!dladdr(at<char>(program, kernel.entry), &other) ||
        other.dli_fbase != own.dli_fbase)
      return false;
  return true;
}

updraft_status updraft::runtime::openLibrary(const char *path, const void *file,
                                             size_t bytes,
                                             updraft_loaded_program &result) {
  std::string name;
  uint64_t room = 0;
  if (updraft_status status = findSymbol(path, file, bytes, name, room))
    return status;
  // A name without a slash would be searched for in the system's folders.
  char whole[PATH_MAX];
  if (!realpath(path, whole))
    return fail(UPDRAFT_IO_ERROR, "%s: cannot be resolved", path);
  result.library = dlopen(whole, RTLD_NOW | RTLD_LOCAL);
  if (!result.library)
    return fail(UPDRAFT_UNSUPPORTED, "%s: cannot be loaded: %s", path,
                dlerror());
  result.program =
      static_cast<const updraft_program *>(dlsym(result.library, name.c_str()));
  if (!result.program)
    return fail(UPDRAFT_BAD_PROGRAM, "%s: has no '%s'", path, name.c_str());
  Extent extent = {room, INT64_MIN, INT64_MAX};
  if (updraft_status status = validate(result.program, extent, path))
    return status;
  if (!kernelsAreIn(result.program))
    return fail(UPDRAFT_BAD_PROGRAM,
                "%s: is damaged: a kernel's code lies outside", path);
  return UPDRAFT_OK;
}
