//===- Validate.cpp - Whether a program can be trusted --------------------===//
//
// A program comes from a file that may be damaged, truncated or of another
// version. Every distance, count and index is checked here, once; afterwards
// the runtime follows them freely. What the checks cannot know is what the
// machine code does: the image's checksum stands for that.
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Format.h"
#include "Program.h"

#include <cstring>

using namespace updraft::runtime;

namespace {

/// No sensible program comes near; a damaged count must not ask for gigabytes.
constexpr uint32_t kMostSlots = 1u << 20;
constexpr uint64_t kMostWorkspace = uint64_t(1) << 26;
/// Of a GPU's block.
constexpr uint32_t kMostThreads = 1024;
/// Two digits of a compute capability's major, one of its minor.
constexpr uint32_t kMostArch = 999;

class Validator {
public:
  Validator(const updraft_program *program, Extent extent, const char *origin)
      : program(program), extent(extent), origin(origin) {}

  updraft_status run();

private:
  bool wrong(const char *what) {
    problem = what;
    return false;
  }
  bool string(updraft_rel rel, bool needed);
  template <class T> bool list(updraft_list list);
  bool slot(uint32_t level, uint32_t slot, uint32_t variant);
  bool head();
  bool hypers();
  bool scalars();
  bool variants();
  bool variant(const updraft_variant &variant);
  bool kernels();
  bool gpuCodes();
  bool gpuLaunches();
  bool viewsAndRequires();
  updraft_status processor();

  const updraft_program *program;
  Extent extent;
  const char *origin;
  const char *problem = "";
};

bool Validator::string(updraft_rel rel, bool needed) {
  if (!rel)
    return !needed || wrong("a name is missing");
  if (rel < 0 || uint64_t(rel) >= program->bytes ||
      !memchr(at<char>(program, rel), 0, program->bytes - uint64_t(rel)))
    return wrong("a string lies outside");
  return true;
}

template <class T> bool Validator::list(updraft_list list) {
  if (!list.count)
    return true;
  if (list.at <= 0 || uint64_t(list.at) > program->bytes ||
      list.at % int64_t(alignof(T)) ||
      list.count > (program->bytes - uint64_t(list.at)) / sizeof(T))
    return wrong("a list lies outside");
  return true;
}

bool Validator::slot(uint32_t level, uint32_t slot, uint32_t variant) {
  auto all = items<updraft_variant>(program, program->variants);
  uint32_t limit = 0;
  if (level == UPDRAFT_MODEL)
    limit = program->model_slots;
  else if (level == UPDRAFT_GROUP)
    limit = program->group_slots;
  else if (level == UPDRAFT_TENSOR && variant < all.size())
    limit = all[variant].slots;
  return slot < limit || wrong("a slot is outside its row");
}

bool Validator::head() {
  if (program->param > UPDRAFT_F16)
    return wrong("the parameters' format is unknown");
  if (program->model_slots > kMostSlots || program->group_slots > kMostSlots ||
      program->partial_lists > kMostSlots ||
      program->total_lists > kMostSlots ||
      program->workspace > kMostWorkspace || program->workspace % 64)
    return wrong("a size is absurd");
  if (!string(program->name, true) || !string(program->doc, false) ||
      !string(program->rule, false) || !string(program->target_name, false))
    return false;
  if (!list<updraft_option>(program->options))
    return false;
  for (const updraft_option &option :
       items<updraft_option>(program, program->options))
    if (!string(option.name, true) || !string(option.doc, false) ||
        !string(option.value, false))
      return false;
  return true;
}

bool Validator::hypers() {
  if (!list<updraft_hyper>(program->hypers))
    return false;
  for (const updraft_hyper &hyper :
       items<updraft_hyper>(program, program->hypers)) {
    if (!string(hyper.name, true) || !string(hyper.doc, false))
      return false;
    if (hyper.level > UPDRAFT_GROUP)
      return wrong("a hyper has an unknown level");
    if (!slot(hyper.level, hyper.slot, UPDRAFT_NONE))
      return false;
  }
  return true;
}

bool Validator::scalars() {
  if (!list<updraft_scalar>(program->scalars))
    return false;
  for (const updraft_scalar &scalar :
       items<updraft_scalar>(program, program->scalars)) {
    if (!string(scalar.name, true) || !string(scalar.doc, false))
      return false;
    if (scalar.kind > UPDRAFT_SCALAR_VIEW)
      return wrong("a scalar is of an unknown kind");
    if (!slot(scalar.level, scalar.slot, scalar.variant))
      return false;
  }
  return true;
}

bool Validator::variants() {
  if (!list<updraft_variant>(program->variants))
    return false;
  for (const updraft_variant &each :
       items<updraft_variant>(program, program->variants))
    if (!variant(each))
      return false;
  return true;
}

static bool isExtent(const updraft_extent &extent) {
  return extent.space <= UPDRAFT_SQUARE_TILES && extent.folded <= 1 &&
         (extent.space == UPDRAFT_BLOCKS ? extent.block && !extent.folded
                                         : !extent.block);
}

/// Whether the array's extent is one of its role.
static bool extentOf(const updraft_array &array) {
  uint32_t space = array.extent.space;
  if (!isExtent(array.extent))
    return false;
  switch (array.role) {
  case UPDRAFT_STATE:
  case UPDRAFT_VIEW:
    return space <= UPDRAFT_BLOCKS;
  case UPDRAFT_SCRATCH:
    return space != UPDRAFT_BANDS && space <= UPDRAFT_SQUARES &&
           (space != UPDRAFT_ELEMENTS || !array.extent.folded);
  default:
    return space == UPDRAFT_ELEMENTS && !array.extent.folded;
  }
}

/// Whether the kernel's extent is one of its level.
static bool extentOf(const updraft_kernel &kernel) {
  uint32_t space = kernel.extent.space;
  if (!isExtent(kernel.extent))
    return false;
  if (kernel.level == UPDRAFT_AXIS)
    return space >= UPDRAFT_ROWS && space <= UPDRAFT_BLOCKS;
  if (kernel.level == UPDRAFT_MATRIX)
    return space == UPDRAFT_TILES || space == UPDRAFT_SQUARE_TILES;
  if (kernel.level == UPDRAFT_ELEMENT &&
      (space == UPDRAFT_BANDS || space == UPDRAFT_BLOCKS))
    return true;
  return space == UPDRAFT_ELEMENTS && !kernel.extent.folded;
}

bool Validator::variant(const updraft_variant &variant) {
  if (!string(variant.name, false) || !list<updraft_test>(variant.tests) ||
      !list<updraft_array>(variant.arrays))
    return false;
  for (const updraft_test &test : items<updraft_test>(program, variant.tests)) {
    if (test.what > UPDRAFT_TEST_TAG || test.relation > UPDRAFT_GE)
      return wrong("a variant's test is unknown");
    if (!string(test.tag, test.what == UPDRAFT_TEST_TAG))
      return false;
  }
  auto arrays = items<updraft_array>(program, variant.arrays);
  if (arrays.size() < 2 || arrays[0].role != UPDRAFT_PARAM ||
      arrays[1].role != UPDRAFT_GRAD || arrays[0].format != program->param ||
      arrays[1].format != program->param)
    return wrong("a variant does not begin with p and g");
  for (size_t i = 0; i < arrays.size(); ++i) {
    if (!string(arrays[i].name, true) || !string(arrays[i].doc, false))
      return false;
    if (arrays[i].role > UPDRAFT_SCRATCH || arrays[i].format > UPDRAFT_F16 ||
        (i > 1 && arrays[i].role < UPDRAFT_STATE))
      return wrong("an array is of an unknown kind");
    if (!extentOf(arrays[i]))
      return wrong("an array has an extent that it cannot have");
  }
  if (variant.slots > kMostSlots || arrays.size() > kMostSlots)
    return wrong("a size is absurd");
  uint64_t least =
      sizeof(updraft_tensor) + 8 * (arrays.size() + uint64_t(variant.slots));
  if (variant.row_bytes % 8 || variant.row_bytes < least ||
      variant.row_bytes > least + 4096)
    return wrong("a variant's row has the wrong size");
  return true;
}

bool Validator::kernels() {
  if (!list<updraft_kernel>(program->kernels))
    return false;
  for (const updraft_kernel &kernel :
       items<updraft_kernel>(program, program->kernels)) {
    if (!string(kernel.name, true) || !string(kernel.why, false) ||
        !string(kernel.gpu_entry, false))
      return false;
    if (kernel.when > UPDRAFT_AT_VIEW || kernel.level > UPDRAFT_MATRIX)
      return wrong("a kernel is of an unknown kind");
    if (!extentOf(kernel))
      return wrong("a kernel has an extent that it cannot have");
    bool perTensor = kernel.level >= UPDRAFT_TENSOR;
    if (perTensor ? kernel.variant >= program->variants.count
                  : kernel.variant != UPDRAFT_NONE)
      return wrong("a kernel's variant does not exist");
    if (kernel.after > UPDRAFT_TENSOR && kernel.after != UPDRAFT_NONE)
      return wrong("a kernel waits for something unknown");
    if (!kernel.entry || kernel.entry < extent.codeBegin ||
        kernel.entry >= extent.codeEnd)
      return wrong("a kernel's code lies outside");
  }
  return true;
}

bool Validator::gpuCodes() {
  if (!list<updraft_gpu_code>(program->gpu))
    return false;
  for (const updraft_gpu_code &gpu :
       items<updraft_gpu_code>(program, program->gpu)) {
    if (gpu.form > UPDRAFT_CUBIN || gpu.arch < 10 || gpu.arch > kMostArch)
      return wrong("code for a GPU is of an unknown kind");
    if (gpu.code <= 0 || uint64_t(gpu.code) >= program->bytes || !gpu.bytes ||
        gpu.bytes > program->bytes - uint64_t(gpu.code))
      return wrong("code for a GPU lies outside");
    if (gpu.form == UPDRAFT_PTX &&
        at<char>(program, gpu.code)[gpu.bytes - 1] != 0)
      return wrong("the PTX does not end");
  }
  return gpuLaunches();
}

/// Of a program with GPU code. What has no entry of its own runs within the
/// launch of the kernel before it, so only model and group kernels may.
bool Validator::gpuLaunches() {
  if (!program->gpu.count)
    return true;
  bool isFirst = true;
  for (const updraft_kernel &kernel :
       items<updraft_kernel>(program, program->kernels)) {
    if (!kernel.gpu_entry && (isFirst || kernel.level > UPDRAFT_GROUP))
      return wrong("a kernel has no code for a GPU");
    if (kernel.gpu_entry &&
        (!kernel.gpu_threads || kernel.gpu_threads > kMostThreads ||
         !kernel.gpu_items || kernel.gpu_items > UPDRAFT_BLOCK))
      return wrong("a kernel has an absurd launch");
    isFirst = false;
  }
  return true;
}

bool Validator::viewsAndRequires() {
  if (!list<updraft_view>(program->views) ||
      !list<updraft_require>(program->requires_))
    return false;
  for (const updraft_view &view : items<updraft_view>(program, program->views))
    if (!string(view.name, true) || !string(view.doc, false))
      return false;
    else if (view.level > UPDRAFT_ELEMENT)
      return wrong("a view has an unknown level");
  for (const updraft_require &require :
       items<updraft_require>(program, program->requires_))
    if (!string(require.message, false) ||
        !slot(require.level, require.slot, require.variant))
      return false;
  return true;
}

#if defined(__x86_64__)
bool runs(uint32_t target) {
  bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
            __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
            __builtin_cpu_supports("f16c") && __builtin_cpu_supports("lzcnt");
  bool v4 = v3 && __builtin_cpu_supports("avx512f") &&
            __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512cd") &&
            __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl");
  return target == UPDRAFT_X86_64_V3 ? v3 : target == UPDRAFT_X86_64_V4 && v4;
}
#elif defined(__aarch64__)
bool runs(uint32_t target) { return target == UPDRAFT_AARCH64; }
#else
bool runs(uint32_t) { return false; }
#endif

updraft_status Validator::processor() {
  static const char *const names[] = {"?", "x86-64-v3", "x86-64-v4", "aarch64"};
  if (program->target < UPDRAFT_X86_64_V3 || program->target > UPDRAFT_AARCH64)
    return fail(UPDRAFT_BAD_PROGRAM, "%s: is for an unknown processor", origin);
  if (runs(program->target))
    return UPDRAFT_OK;
  return fail(UPDRAFT_UNSUPPORTED,
              "%s: is compiled for %s, which this processor cannot run", origin,
              names[program->target]);
}

updraft_status Validator::run() {
  if (extent.bytes < sizeof(updraft_program) ||
      memcmp(program->magic, UPDRAFT_MAGIC, sizeof program->magic))
    return fail(UPDRAFT_BAD_PROGRAM, "%s: is not a compiled program", origin);
  if (program->abi != UPDRAFT_ABI ||
      program->header_bytes != sizeof(updraft_program))
    return fail(UPDRAFT_BAD_PROGRAM,
                "%s: was compiled for version %u of the interface, this "
                "runtime has version %u",
                origin, program->abi, UPDRAFT_ABI);
  if (program->bytes < sizeof(updraft_program) || program->bytes > extent.bytes)
    return fail(UPDRAFT_BAD_PROGRAM,
                "%s: is truncated: the program needs %llu bytes", origin,
                static_cast<unsigned long long>(program->bytes));
  // Variants come first: slots of tensor level are looked up in them.
  if (!head() || !variants() || !hypers() || !scalars() || !kernels() ||
      !gpuCodes() || !viewsAndRequires())
    return fail(UPDRAFT_BAD_PROGRAM, "%s: is damaged: %s", origin, problem);
  return processor();
}

} // namespace

updraft_status updraft::runtime::validate(const updraft_program *program,
                                          Extent extent, const char *origin) {
  return Validator(program, extent, origin).run();
}
