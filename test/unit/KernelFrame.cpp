//===- KernelFrame.cpp - Runs compiled kernels without the runtime --------===//

#include "KernelFrame.h"

#include "compiler/Dialect/Dialect.h"
#include "compiler/Target/Emit.h"
#include "compiler/Target/ToLlvm.h"
#include "runtime/image.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sys/mman.h>

namespace updraft::test {

std::vector<std::string> runnableTargets() {
  std::string host = findTarget("")->name.str();
  if (host == "x86-64-v4")
    return {"x86-64-v3", "x86-64-v4"};
  return {host};
}

[[noreturn]] static void die(const std::string &message) {
  llvm::errs() << message << '\n';
  abort();
}

std::string planNamed(const std::string &name) {
  std::ifstream file(UPDRAFT_TEST_INPUTS "/" + name + ".mlir");
  if (!file)
    die("there is no plan '" + name + "'");
  return {std::istreambuf_iterator<char>(file), {}};
}

Loaded::Loaded(const std::string &plan, const std::string &target) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  ir::loadPlanDialects(context);
  registerTranslations(context);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(plan, &context);
  if (!module)
    die("the plan does not parse");
  auto file = emitPlan(*module, Form::Image, *findTarget(target));
  if (!file)
    die(llvm::toString(file.takeError()));
  updraft_image_header header;
  memcpy(&header, file->data(), sizeof(header));
  bytes_ = header.bytes;
  memory_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(memory_, file->data() + sizeof(header), bytes_);
  mprotect(memory_, bytes_, PROT_READ | PROT_EXEC);
  program_ = reinterpret_cast<const updraft_program *>(
      static_cast<char *>(memory_) + header.program);
}

Loaded::~Loaded() { munmap(memory_, bytes_); }

Frame::Frame(const Loaded &loaded, std::deque<TestTensor> &tensors,
             unsigned groups)
    : loaded_(loaded), groupCount_(groups) {
  const updraft_program &program = loaded.program();
  const auto *variant = loaded.items<updraft_variant>(program.variants);
  arrays_ = variant->arrays.count;
  rowBytes_ = variant->row_bytes;
  groupSlots_ = program.group_slots;
  model_.resize(program.model_slots);
  groups_.resize(groups * groupSlots_);
  spans_.resize(groups);
  uint64_t partials = 0;
  for (TestTensor &tensor : tensors) {
    addTensor(tensor, shapes_.size(), partials);
    partials += (tensor.size + UPDRAFT_BLOCK - 1) / UPDRAFT_BLOCK;
  }
  frame_.partial_stride = partials;
  frame_.total_stride = tensors.size();
  partials_.assign(program.partial_lists * partials, NAN);
  totals_.assign(program.total_lists * tensors.size(), NAN);
  frame_.model = model_.data();
  frame_.groups = groups_.data();
  frame_.tensors = rows_.data();
  frame_.chunks = chunks_.data();
  frame_.shapes = shapes_.data();
  frame_.spans = spans_.data();
  frame_.partials = partials_.data();
  frame_.totals = totals_.data();
  frame_.group_count = groups;
}

void Frame::addTensor(TestTensor &tensor, uint32_t id, uint64_t firstPartial) {
  size_t at = rows_.size();
  rows_.resize(at + rowBytes_);
  updraft_tensor row = {tensor.size,   0, firstPartial, id, tensor.group,
                        tensor.active, 0};
  memcpy(&rows_[at], &row, sizeof(row));
  for (size_t i = 0; i < tensor.arrays.size(); ++i) {
    void *pointer = tensor.arrays[i].data();
    memcpy(&rows_[at + sizeof(row) + 8 * i], &pointer, 8);
  }
  updraft_shape shape = {};
  shape.rank = tensor.dims.size();
  for (size_t i = 0; i < tensor.dims.size(); ++i)
    shape.dims[i] = tensor.dims[i];
  shapes_.push_back(shape);
  updraft_span &span = spans_[tensor.group];
  if (span.count++ == 0)
    span.first = id;
  for (uint64_t first = 0; first < tensor.size; first += UPDRAFT_CHUNK) {
    uint64_t count = std::min<uint64_t>(UPDRAFT_CHUNK, tensor.size - first);
    chunks_.push_back({first, uint32_t(count), id});
    chunkGroups_.push_back(tensor.group);
  }
}

double &Frame::tensor(unsigned index, unsigned slot) {
  return *reinterpret_cast<double *>(
      &rows_[index * rowBytes_ + sizeof(updraft_tensor) +
             8 * (arrays_ + slot)]);
}

void Frame::runElements(updraft_entry *entry) {
  for (size_t first = 0; first < chunks_.size();) {
    size_t end = first;
    while (end < chunks_.size() && chunkGroups_[end] == chunkGroups_[first])
      ++end;
    entry(&frame_, first, end - first);
    first = end;
  }
}

void Frame::run(uint32_t when) {
  const updraft_program &program = loaded_.program();
  const auto *kernels = loaded_.items<updraft_kernel>(program.kernels);
  for (size_t i = 0; i < program.kernels.count; ++i) {
    if (kernels[i].when != when)
      continue;
    auto *entry = reinterpret_cast<updraft_entry *>(
        const_cast<char *>(loaded_.text(kernels[i].entry)));
    switch (kernels[i].level) {
    case UPDRAFT_MODEL:
      entry(&frame_, 0, 1);
      break;
    case UPDRAFT_GROUP:
      entry(&frame_, 0, groupCount_);
      break;
    case UPDRAFT_TENSOR:
      entry(&frame_, 0, shapes_.size());
      break;
    default:
      runElements(entry);
    }
  }
}

} // namespace updraft::test
