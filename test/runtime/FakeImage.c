/*===- FakeImage.c - A flat image with machine code in it ------------------===
 *
 * As the compiler would lay it out: the code, the program behind it, and a
 * checksum of both.
 *
 *===----------------------------------------------------------------------===*/

#include "FakeBuilder.h"
#include "runtime/image.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* The code of the image: it must not refer to anything outside its section. */
#define IN_IMAGE                                                               \
  __attribute__((section("updimage"), used, noinline,                          \
                 no_sanitize("address", "undefined", "thread")))
extern const char __start_updimage[], __stop_updimage[];

typedef struct {
  updraft_tensor head;
  float *p, *g;
} PlainRow;

IN_IMAGE static void descend(const updraft_frame *frame, uint64_t first,
                             uint64_t count) {
  for (uint64_t c = first; c < first + count; ++c) {
    const updraft_chunk *chunk = frame->chunks + c;
    const PlainRow *row = (const PlainRow *)frame->tensors + chunk->tensor;
    if (row->head.active)
      for (uint64_t i = chunk->first; i < chunk->first + chunk->count; ++i)
        row->p[i] -= (float)frame->model[0] * row->g[i];
  }
}

void sealImage(char *image, size_t bytes) {
  updraft_image_header *header = (updraft_image_header *)image;
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(
      &canonical, XXH3_128bits(image + sizeof *header, bytes - sizeof *header));
  memcpy(header->checksum, &canonical, sizeof header->checksum);
}

char *fakeImage(size_t *bytes) {
  Builder to = begin("descend", "rule descend { ... }");
  to.program->model_slots = 1;
  updraft_hyper hypers[] = {
      hyper(&to, "lr", 0.5, 0, 1, UPDRAFT_MODEL, 0, UPDRAFT_HYPER_RATE)};
  updraft_array arrays[] = {
      {text(&to, "p"), 0, UPDRAFT_PARAM, UPDRAFT_F32, 0, 0, {0, 0, 0}},
      {text(&to, "g"), 0, UPDRAFT_GRAD, UPDRAFT_F32, 0, 0, {0, 0, 0}}};
  updraft_variant variants[] = {
      {text(&to, "v0"), {0, 0}, LIST(&to, arrays), 0, sizeof(PlainRow), 0, 0}};
  updraft_kernel kernels[] = {kernel(&to, "descend", descend, UPDRAFT_AT_STEP,
                                     UPDRAFT_ELEMENT, 0, UPDRAFT_NONE)};
  kernels[0].gpu_entry = text(&to, "descend");
  kernels[0].gpu_threads = kernels[0].gpu_items = 1;
  static const char ptx[] = ".version 6.3\n.target sm_75\n";
  updraft_gpu_code gpu[] = {{75, UPDRAFT_PTX, text(&to, ptx), sizeof ptx}};
  uint64_t code = (uint64_t)(__stop_updimage - __start_updimage);
  uint64_t start = (code + 63) / 64 * 64; /* the program follows the code */
  kernels[0].entry = (const char *)descend - __start_updimage - (int64_t)start;
  to.program->hypers = LIST(&to, hypers);
  to.program->variants = LIST(&to, variants);
  to.program->kernels = LIST(&to, kernels);
  to.program->gpu = LIST(&to, gpu);
  end(&to);
  *bytes = sizeof(updraft_image_header) + start + to.used;
  char *image = calloc(1, *bytes);
  updraft_image_header *header = (updraft_image_header *)image;
  memcpy(header->magic, UPDRAFT_IMAGE_MAGIC, sizeof header->magic);
  header->version = UPDRAFT_IMAGE_VERSION;
  header->bytes = start + to.used;
  header->program = start;
  memcpy(image + sizeof *header, __start_updimage, code);
  memcpy(image + sizeof *header + start, to.program, to.used);
  free(to.program);
  sealImage(image, *bytes);
  return image;
}
