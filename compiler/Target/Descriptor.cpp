//===- Descriptor.cpp - What a program says of itself, as bytes -----------===//

#include "compiler/Target/Descriptor.h"

#include "compiler/Passes/LowerToGpu.h"
#include "compiler/Passes/LowerToLoopsProduct.h"
#include "compiler/Version.h"
#include "runtime/abi.h"

#include "llvm/ADT/StringExtras.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstddef>
#include <cstring>
#include <limits>

namespace updraft {

// The bytes are written on one machine and read on another.
static_assert(sizeof(updraft_list) == 16);
static_assert(sizeof(updraft_hyper) == 56);
static_assert(sizeof(updraft_scalar) == 32);
static_assert(sizeof(updraft_option) == 24);
static_assert(sizeof(updraft_test) == 32);
static_assert(sizeof(updraft_array) == 40);
static_assert(sizeof(updraft_variant) == 56);
static_assert(sizeof(updraft_require) == 24);
static_assert(sizeof(updraft_view) == 24);
static_assert(sizeof(updraft_kernel) == 80);
static_assert(sizeof(updraft_gpu_code) == 24);
static_assert(offsetof(updraft_kernel, entry) == 16);
static_assert(offsetof(updraft_program, options) == 96);
static_assert(sizeof(updraft_program) == 232);
static_assert(sizeof(updraft_tensor) == 40);
static_assert(sizeof(updraft_chunk) == 16);
static_assert(sizeof(updraft_shape) == 120);
static_assert(sizeof(updraft_span) == 16);
static_assert(sizeof(updraft_frame) == 112);

namespace {

/// Reads an optional dictionary; what is missing is empty or 0.
class Facts {
public:
  explicit Facts(mlir::Attribute attribute)
      : dictionary_(
            mlir::dyn_cast_if_present<mlir::DictionaryAttr>(attribute)) {}

  mlir::Attribute get(llvm::StringRef key) const {
    return dictionary_ ? dictionary_.get(key) : mlir::Attribute();
  }
  llvm::StringRef text(llvm::StringRef key) const {
    auto value = mlir::dyn_cast_if_present<mlir::StringAttr>(get(key));
    return value ? value.getValue() : llvm::StringRef();
  }
  double number(llvm::StringRef key, double otherwise = 0) const {
    auto value = mlir::dyn_cast_if_present<mlir::FloatAttr>(get(key));
    return value ? value.getValueAsDouble() : otherwise;
  }
  int64_t integer(llvm::StringRef key) const {
    auto value = mlir::dyn_cast_if_present<mlir::IntegerAttr>(get(key));
    return value ? value.getInt() : 0;
  }
  llvm::ArrayRef<mlir::Attribute> list(llvm::StringRef key) const {
    auto value = mlir::dyn_cast_if_present<mlir::ArrayAttr>(get(key));
    return value ? value.getValue() : llvm::ArrayRef<mlir::Attribute>();
  }

private:
  mlir::DictionaryAttr dictionary_;
};

/// Lays structs and strings behind the program's head, in the order of calls.
class Writer {
public:
  Writer(ir::ProgramOp program, const Target &target,
         llvm::ArrayRef<GpuCode> gpu)
      : program_(program), target_(target), gpu_(gpu), layout_(program),
        facts_(program.getDescribeAttr()) {
    result_.bytes.resize(sizeof(updraft_program));
  }

  Descriptor write();

private:
  updraft_rel text(llvm::StringRef value);
  updraft_rel text(std::optional<llvm::StringRef> value) {
    return value ? text(*value) : 0;
  }
  template <typename Item> updraft_list list(const std::vector<Item> &items);

  updraft_list options();
  updraft_list hypers();
  updraft_list scalars();
  void addScalar(std::vector<updraft_scalar> &scalars, ir::ScalarOp scalar,
                 llvm::StringRef variant);
  updraft_list variants();
  updraft_list tests(ir::VariantOp variant);
  updraft_list arrays(ir::VariantOp variant, updraft_variant &sums);
  updraft_list kernels();
  void addLaunches(std::vector<updraft_kernel> &kernels);
  updraft_list gpuCodes();
  updraft_list views();
  updraft_list requirements();
  void hash(updraft_program &head) const;

  ir::ProgramOp program_;
  const Target &target_;
  llvm::ArrayRef<GpuCode> gpu_;
  Layout layout_;
  Facts facts_;
  Descriptor result_;
  llvm::StringMap<updraft_rel> texts_;
  uint64_t workspace_ = 0;
};

} // namespace

std::string identifierOf(llvm::StringRef name) {
  std::string result;
  for (char c : name)
    result += llvm::isAlnum(c) ? c : '_';
  return result;
}

static uint32_t formatOf(mlir::Type type) {
  return type.isF64()    ? UPDRAFT_F64
         : type.isF32()  ? UPDRAFT_F32
         : type.isBF16() ? UPDRAFT_BF16
                         : UPDRAFT_F16;
}

static updraft_extent extentOf(std::optional<ir::SpaceAttr> space) {
  if (!space)
    return {};
  return {uint16_t(space->getKind()), space->getFolded(),
          uint32_t(space->getBlock())};
}

updraft_rel Writer::text(llvm::StringRef value) {
  if (value.empty())
    return 0;
  auto [found, isNew] = texts_.try_emplace(value, result_.bytes.size());
  if (isNew) {
    result_.bytes.insert(result_.bytes.end(), value.begin(), value.end());
    result_.bytes.push_back(0);
  }
  return found->second;
}

template <typename Item>
updraft_list Writer::list(const std::vector<Item> &items) {
  if (items.empty())
    return {0, 0};
  size_t at = llvm::alignTo(result_.bytes.size(), 8);
  result_.bytes.resize(at + items.size() * sizeof(Item));
  memcpy(&result_.bytes[at], items.data(), items.size() * sizeof(Item));
  return {updraft_rel(at), items.size()};
}

updraft_list Writer::options() {
  std::vector<updraft_option> result;
  for (mlir::Attribute attribute : facts_.list("options")) {
    Facts facts(attribute);
    result.push_back({text(facts.text("name")), text(facts.text("doc")),
                      text(facts.text("value"))});
  }
  return list(result);
}

updraft_list Writer::hypers() {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<updraft_hyper> result;
  for (auto scalar : program_.getBody().getOps<ir::ScalarOp>()) {
    if (scalar.getKind() != ir::ScalarKind::Hyper)
      continue;
    Facts facts(scalar.getDescribeAttr());
    updraft_hyper hyper = {};
    hyper.name = text(scalar.getSymName());
    hyper.doc = text(scalar.getDoc());
    hyper.initial = facts.number("initial");
    hyper.low = facts.number("low", -infinity);
    hyper.high = facts.number("high", infinity);
    hyper.level = uint32_t(scalar.getLevel());
    hyper.slot = layout_.find({}, scalar.getSymName())->index;
    hyper.flags = facts.integer("flags");
    result.push_back(hyper);
  }
  return list(result);
}

void Writer::addScalar(std::vector<updraft_scalar> &scalars,
                       ir::ScalarOp scalar, llvm::StringRef variant) {
  if (scalar.getKind() == ir::ScalarKind::Hyper ||
      scalar.getKind() == ir::ScalarKind::Slot)
    return;
  updraft_scalar entry = {};
  entry.name = text(scalar.getSymName());
  entry.doc = text(scalar.getDoc());
  entry.level = uint32_t(scalar.getLevel());
  entry.slot = layout_.find(variant, scalar.getSymName())->index;
  entry.kind = uint32_t(scalar.getKind());
  entry.variant =
      variant.empty() ? UPDRAFT_NONE : layout_.variantIndex(variant);
  scalars.push_back(entry);
}

updraft_list Writer::scalars() {
  std::vector<updraft_scalar> result;
  for (auto scalar : program_.getBody().getOps<ir::ScalarOp>())
    addScalar(result, scalar, {});
  for (auto variant : program_.getBody().getOps<ir::VariantOp>())
    for (auto scalar : variant.getBody().getOps<ir::ScalarOp>())
      addScalar(result, scalar, variant.getSymName());
  return list(result);
}

updraft_list Writer::tests(ir::VariantOp variant) {
  std::vector<updraft_test> result;
  for (mlir::Attribute attribute : variant.getTests()) {
    Facts facts(attribute);
    updraft_test test = {};
    test.what = facts.integer("what");
    test.index = facts.integer("index");
    test.relation = facts.integer("relation");
    test.value = facts.number("value");
    test.tag = text(facts.text("tag"));
    result.push_back(test);
  }
  return list(result);
}

updraft_list Writer::arrays(ir::VariantOp variant, updraft_variant &sums) {
  std::vector<updraft_array> result;
  for (auto array : variant.getBody().getOps<ir::ArrayOp>()) {
    updraft_array entry = {};
    entry.name = text(array.getSymName());
    entry.doc = text(array.getDoc());
    entry.role = uint32_t(array.getRole());
    entry.format = formatOf(array.getFormat());
    entry.flags = array.getViewed() ? UPDRAFT_ARRAY_VIEW : 0;
    entry.extent = extentOf(array.getSpace());
    if (array.getRole() == ir::Role::State)
      sums.state_bits += array.getFormat().getIntOrFloatBitWidth();
    result.push_back(entry);
  }
  return list(result);
}

updraft_list Writer::variants() {
  std::vector<updraft_variant> result;
  for (auto variant : program_.getBody().getOps<ir::VariantOp>()) {
    llvm::StringRef name = variant.getSymName();
    updraft_variant entry = {};
    entry.name = text(name);
    entry.tests = tests(variant);
    entry.arrays = arrays(variant, entry);
    entry.slots = layout_.tensorSlots(name);
    entry.row_bytes = layout_.rowBytes(name);
    result.push_back(entry);
  }
  return list(result);
}

updraft_list Writer::kernels() {
  std::vector<updraft_kernel> result;
  std::vector<std::string> functions;
  for (auto kernel : program_.getBody().getOps<ir::KernelOp>()) {
    updraft_kernel entry = {};
    entry.name = text(kernel.getSymName());
    entry.why = text(kernel.getWhy());
    entry.when = uint32_t(kernel.getWhen());
    entry.view = kernel.getView().value_or(0);
    entry.level = uint32_t(kernel.getLevel());
    entry.variant = kernel.getVariant()
                        ? layout_.variantIndex(*kernel.getVariant())
                        : UPDRAFT_NONE;
    entry.after =
        kernel.getAfter() ? uint32_t(*kernel.getAfter()) : UPDRAFT_NONE;
    entry.reads_milli = kernel.getReads();
    entry.writes_milli = kernel.getWrites();
    entry.rounds = kernel.getRounds();
    entry.extent = extentOf(kernel.getSpace());
    if (kernel.getLevel() == ir::Level::Matrix)
      workspace_ = loops::workspaceBytes(program_.getCompute());
    result.push_back(entry);
    functions.push_back(kernel.getSymName().str());
  }
  if (!gpu_.empty())
    addLaunches(result);
  updraft_list written = list(result);
  for (size_t i = 0; i < functions.size(); ++i)
    result_.entries.push_back({written.at + i * sizeof(updraft_kernel) +
                                   offsetof(updraft_kernel, entry),
                               functions[i]});
  return written;
}

/// Launches have the kernels in their order.
void Writer::addLaunches(std::vector<updraft_kernel> &kernels) {
  auto kernel = kernels.begin();
  for (const GpuLaunch &launch : gpuLaunches(program_)) {
    kernel->gpu_entry = text(llvm::StringRef(launch.entry));
    kernel->gpu_threads = launch.threads;
    kernel->gpu_items = launch.items;
    kernel += std::ptrdiff_t(launch.kernels.size());
  }
}

updraft_list Writer::gpuCodes() {
  std::vector<updraft_gpu_code> result;
  for (const GpuCode &code : gpu_) {
    if (code.cubin.empty()) {
      result.push_back({code.arch, UPDRAFT_PTX, text(llvm::StringRef(code.ptx)),
                        code.ptx.size() + 1});
      continue;
    }
    // Words: the driver reads an ELF file of 64 bits in place.
    std::vector<uint64_t> words((code.cubin.size() + 7) / 8);
    memcpy(words.data(), code.cubin.data(), code.cubin.size());
    result.push_back(
        {code.arch, UPDRAFT_CUBIN, list(words).at, code.cubin.size()});
  }
  return list(result);
}

updraft_list Writer::views() {
  std::vector<updraft_view> result;
  for (mlir::Attribute attribute : facts_.list("views")) {
    Facts facts(attribute);
    result.push_back({text(facts.text("name")), text(facts.text("doc")),
                      uint32_t(facts.integer("level")),
                      uint32_t(facts.integer("index"))});
  }
  return list(result);
}

updraft_list Writer::requirements() {
  std::vector<updraft_require> result;
  for (mlir::Attribute attribute : facts_.list("requires")) {
    Facts facts(attribute);
    llvm::StringRef variant = facts.text("variant");
    auto place = layout_.find(variant, facts.text("scalar"));
    if (!place)
      continue;
    updraft_require entry = {};
    entry.message = text(facts.text("message"));
    entry.level = uint32_t(place->level);
    entry.slot = place->index;
    entry.variant =
        variant.empty() ? UPDRAFT_NONE : layout_.variantIndex(variant);
    result.push_back(entry);
  }
  return list(result);
}

/// Of everything that decides what the program computes and how.
void Writer::hash(updraft_program &head) const {
  std::string all = facts_.text("rule").str();
  for (mlir::Attribute attribute : facts_.list("options")) {
    Facts facts(attribute);
    all += ("\n" + facts.text("name") + "=" + facts.text("value")).str();
  }
  all += ("\n" + target_.name + "\n" + kVersion).str();
  all += char('0' + head.param);
  for (const GpuCode &code : gpu_)
    all += (code.cubin.empty() ? "\nsm_" : "\ncubin of sm_") +
           std::to_string(code.arch);
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(all.data(), all.size()));
  memcpy(head.hash, canonical.digest, sizeof(head.hash));
}

Descriptor Writer::write() {
  result_.symbol = "updraft_program_" + identifierOf(program_.getSymName());
  updraft_program head = {};
  memcpy(head.magic, UPDRAFT_MAGIC, sizeof(head.magic));
  head.abi = UPDRAFT_ABI;
  head.header_bytes = sizeof(updraft_program);
  head.name = text(program_.getSymName());
  head.doc = text(facts_.text("doc"));
  head.rule = text(facts_.text("rule"));
  head.target_name = text(target_.name);
  head.target = target_.abi;
  head.param = formatOf(program_.getCompute());
  for (auto variant : program_.getBody().getOps<ir::VariantOp>())
    for (auto array : variant.getBody().getOps<ir::ArrayOp>())
      if (array.getRole() == ir::Role::Param)
        head.param = formatOf(array.getFormat());
  head.model_slots = layout_.slots(ir::Level::Model);
  head.group_slots = layout_.slots(ir::Level::Group);
  head.partial_lists = layout_.partialLists();
  head.total_lists = layout_.totalLists();
  head.options = options();
  head.hypers = hypers();
  head.scalars = scalars();
  head.variants = variants();
  head.kernels = kernels();
  head.views = views();
  head.requires_ = requirements();
  head.gpu = gpuCodes();
  head.workspace = workspace_;
  hash(head);
  result_.bytes.resize(llvm::alignTo(result_.bytes.size(), 8));
  head.bytes = result_.bytes.size();
  memcpy(result_.bytes.data(), &head, sizeof(head));
  return std::move(result_);
}

Descriptor describe(ir::ProgramOp program, const Target &target,
                    llvm::ArrayRef<GpuCode> gpu) {
  return Writer(program, target, gpu).write();
}

} // namespace updraft
