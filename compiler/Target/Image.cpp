//===- Image.cpp - An object as flat, position independent bytes ----------===//

#include "compiler/Target/Image.h"

#include "compiler/Target/Relocation.h"
#include "runtime/image.h"

#include "llvm/Object/ELFObjectFile.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstddef>
#include <cstring>
#include <map>

namespace updraft {

namespace object = llvm::object;
using llvm::Error;
using llvm::Expected;

static_assert(sizeof(updraft_image_header) == 48);
static_assert(offsetof(updraft_image_header, checksum) == 32);

template <typename... Values>
static Error fail(const char *format, Values... values) {
  return llvm::createStringError(std::errc::invalid_argument, format,
                                 values...);
}

namespace {

class Flattener {
public:
  explicit Flattener(const object::ELF64LEObjectFile &file) : file_(file) {}

  Error layOut();
  Error relocate();
  Expected<uint64_t> addressOf(const object::SymbolRef &symbol) const;
  Expected<uint64_t> addressOf(llvm::StringRef name) const;

  std::vector<uint8_t> bytes;

private:
  Error relocateSection(const object::SectionRef &relocations, uint64_t base);

  const object::ELF64LEObjectFile &file_;
  std::map<uint64_t, uint64_t> starts_; ///< by section number
};

} // namespace

Error Flattener::layOut() {
  for (const object::SectionRef &section : file_.sections()) {
    object::ELFSectionRef elf(section);
    if (!(elf.getFlags() & llvm::ELF::SHF_ALLOC) || section.getSize() == 0)
      continue;
    Expected<llvm::StringRef> name = section.getName();
    if (!name)
      return name.takeError();
    if (elf.getFlags() & (llvm::ELF::SHF_WRITE | llvm::ELF::SHF_TLS))
      return fail("the object has a writable section '%s'",
                  name->str().c_str());
    Expected<llvm::StringRef> contents = section.getContents();
    if (!contents)
      return contents.takeError();
    uint64_t start =
        llvm::alignTo(bytes.size(), section.getAlignment().value());
    starts_[section.getIndex()] = start;
    bytes.resize(start);
    bytes.insert(bytes.end(), contents->begin(), contents->end());
  }
  // So that 8 bytes may be patched wherever a relocation begins.
  bytes.resize(bytes.size() + 8);
  return Error::success();
}

Expected<uint64_t> Flattener::addressOf(const object::SymbolRef &symbol) const {
  Expected<llvm::StringRef> name = symbol.getName();
  if (!name)
    return name.takeError();
  Expected<object::section_iterator> section = symbol.getSection();
  if (!section)
    return section.takeError();
  if (*section == file_.section_end())
    return fail("the object needs the symbol '%s', which it does not define",
                name->str().c_str());
  auto start = starts_.find((*section)->getIndex());
  if (start == starts_.end())
    return fail("the symbol '%s' lies in no loaded section",
                name->str().c_str());
  Expected<uint64_t> value = symbol.getValue();
  if (!value)
    return value.takeError();
  return start->second + *value;
}

Expected<uint64_t> Flattener::addressOf(llvm::StringRef wanted) const {
  for (const object::SymbolRef &symbol : file_.symbols()) {
    Expected<llvm::StringRef> name = symbol.getName();
    if (!name)
      return name.takeError();
    if (*name == wanted)
      return addressOf(symbol);
  }
  return fail("the object does not define '%s'", wanted.str().c_str());
}

Error Flattener::relocateSection(const object::SectionRef &relocations,
                                 uint64_t base) {
  auto apply =
      file_.getArch() == llvm::Triple::aarch64 ? applyAArch64 : applyX86;
  for (const object::RelocationRef &reference : relocations.relocations()) {
    Expected<uint64_t> symbol = addressOf(*reference.getSymbol());
    if (!symbol)
      return symbol.takeError();
    Expected<int64_t> addend = object::ELFRelocationRef(reference).getAddend();
    if (!addend)
      return addend.takeError();
    uint64_t place = base + reference.getOffset();
    if (place + 8 > bytes.size())
      return fail("a relocation lies outside of its section");
    Relocation relocation{uint32_t(reference.getType()), place,
                          int64_t(*symbol) + *addend, &bytes[place]};
    if (!apply(relocation))
      return fail("cannot apply relocation type %u",
                  unsigned(reference.getType()));
  }
  return Error::success();
}

Error Flattener::relocate() {
  for (const object::SectionRef &section : file_.sections()) {
    Expected<object::section_iterator> target = section.getRelocatedSection();
    if (!target)
      return target.takeError();
    if (*target == file_.section_end())
      continue;
    auto start = starts_.find((*target)->getIndex());
    if (start == starts_.end())
      continue;
    if (Error error = relocateSection(section, start->second))
      return error;
  }
  return Error::success();
}

Expected<Image> flatten(llvm::StringRef text, llvm::StringRef symbol) {
  auto file =
      object::ELF64LEObjectFile::create(llvm::MemoryBufferRef(text, "object"));
  if (!file)
    return file.takeError();
  Flattener flattener(*file);
  if (Error error = flattener.layOut())
    return std::move(error);
  if (Error error = flattener.relocate())
    return std::move(error);
  Expected<uint64_t> program = flattener.addressOf(symbol);
  if (!program)
    return program.takeError();
  flattener.bytes.resize(llvm::alignTo(flattener.bytes.size(), 64));
  return Image{std::move(flattener.bytes), *program};
}

std::vector<uint8_t> fileOf(const Image &image) {
  updraft_image_header header = {};
  memcpy(header.magic, UPDRAFT_IMAGE_MAGIC, sizeof(header.magic));
  header.version = UPDRAFT_IMAGE_VERSION;
  header.bytes = image.bytes.size();
  header.program = image.program;
  XXH128_canonical_t checksum;
  XXH128_canonicalFromHash(
      &checksum, XXH3_128bits(image.bytes.data(), image.bytes.size()));
  memcpy(header.checksum, checksum.digest, sizeof(header.checksum));
  std::vector<uint8_t> result(sizeof(header) + image.bytes.size());
  memcpy(result.data(), &header, sizeof(header));
  memcpy(result.data() + sizeof(header), image.bytes.data(),
         image.bytes.size());
  return result;
}

} // namespace updraft
