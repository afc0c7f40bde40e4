//===- KernelFrame.cpp - Runs compiled kernels without the runtime --------===//

#include "KernelFrame.h"

#include "compiler/Dialect/Dialect.h"
#include "compiler/Target/Emit.h"
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
    : loaded_(loaded), groupCount_(groups), tensors_(tensors) {
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
  shapes_.push_back(shapeOf(tensor.dims));
  updraft_span &span = spans_[tensor.group];
  if (span.count++ == 0)
    span.first = id;
}

double &Frame::tensor(unsigned index, unsigned slot) {
  return *reinterpret_cast<double *>(
      &rows_[index * rowBytes_ + sizeof(updraft_tensor) +
             8 * (arrays_ + slot)]);
}

updraft_shape shapeOf(const std::vector<uint64_t> &dims) {
  updraft_shape shape = {};
  shape.rank = dims.size();
  std::copy(dims.begin(), dims.end(), shape.dims);
  if (shape.rank < 2)
    return shape;
  shape.batch[0] = shape.batch[1] = shape.cols[1] = 1;
  for (size_t i = 0; i + 2 < shape.rank; ++i)
    shape.batch[0] *= dims[i];
  shape.rows[0] = dims[shape.rank - 2];
  shape.cols[0] = dims[shape.rank - 1];
  shape.rows[1] = dims[0];
  for (size_t i = 1; i < shape.rank; ++i)
    shape.cols[1] *= dims[i];
  return shape;
}

uint64_t itemsOf(const updraft_extent &extent, const updraft_shape &shape,
                 uint64_t size) {
  uint64_t batch = shape.batch[extent.folded];
  uint64_t rows = shape.rows[extent.folded],
           columns = shape.cols[extent.folded];
  switch (extent.space) {
  case UPDRAFT_ELEMENTS:
    return size;
  case UPDRAFT_ROWS:
    return batch * rows;
  case UPDRAFT_COLS:
    return batch * columns;
  case UPDRAFT_MATRICES:
    return batch;
  case UPDRAFT_BLOCKS:
    return (size + extent.block - 1) / extent.block;
  case UPDRAFT_ROW_RUNS:
    return batch * rows * ((columns + 511) / 512);
  case UPDRAFT_COL_RUNS:
    return batch * ((rows + 63) / 64) * columns;
  default:
    return batch * ((rows + 63) / 64) * ((columns + 4095) / 4096);
  }
}

/// Chunks of axis items are short here and of odd lengths, so that they begin
/// anywhere.
void Frame::runItems(const updraft_kernel &kernel, updraft_entry *entry) {
  bool isWhole = kernel.extent.space == UPDRAFT_ELEMENTS;
  uint64_t most = isWhole                                ? UPDRAFT_CHUNK
                  : kernel.extent.space == UPDRAFT_BANDS ? 3
                  : kernel.level == UPDRAFT_ELEMENT      ? 5
                                                         : 1237;
  std::vector<updraft_chunk> chunks;
  std::vector<uint64_t> groupEnds(groupCount_);
  for (uint32_t group = 0; group < groupCount_; ++group) {
    for (uint32_t id = 0; id < tensors_.size(); ++id) {
      if (tensors_[id].group != group)
        continue;
      uint64_t items = itemsOf(kernel.extent, shapes_[id], tensors_[id].size);
      for (uint64_t first = 0; first < items; first += most)
        chunks.push_back({first, uint32_t(std::min(most, items - first)), id});
    }
    groupEnds[group] = chunks.size();
  }
  frame_.chunks = chunks.data();
  uint64_t first = 0;
  for (uint64_t end : groupEnds) {
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
      runItems(kernels[i], entry);
    }
  }
}

} // namespace updraft::test
