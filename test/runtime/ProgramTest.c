/*===- ProgramTest.c - Loading programs, sound and damaged ------------------===
 *
 * Images and shared objects from memory and files; then every byte of a program
 * changed and every length cut, none of which may crash.
 *
 *===----------------------------------------------------------------------===*/

#include "Check.h"
#include "FakeProgram.h"
#include "Tensors.h"
#include "runtime/image.h"

#include <unistd.h>

#define DAMAGED UPDRAFT_BAD_PROGRAM

static void writeFile(const char *path, const char *bytes, size_t count) {
  FILE *file = fopen(path, "wb");
  CHECK(file && fwrite(bytes, 1, count, file) == count);
  if (file)
    fclose(file);
}

static void stepOnce(updraft_loaded_program *program) {
  int64_t size = 3;
  float p[3] = {1, 2, 3}, g[3] = {2, 2, 2};
  updraft_param param = {"w", {p, UPDRAFT_F32, 1, &size, NULL, 0}, 0, 0, NULL};
  updraft_ndarray grad = {g, UPDRAFT_F32, 1, &size, NULL, 0};
  updraft_optimizer *optimizer = NULL;
  CHECK_OK(
      updraft_optimizer_create(program, NULL, 0, &param, 1, NULL, &optimizer));
  CHECK_OK(updraft_optimizer_step(optimizer, &grad, 1, NULL));
  CHECK(p[0] == 0 && p[1] == 1 && p[2] == 2);
  updraft_optimizer_destroy(optimizer);
}

static void imagesRun(void) {
  size_t bytes = 0;
  char *image = fakeImage(&bytes);
  updraft_loaded_program *program = NULL;
  CHECK_OK(updraft_program_from_image(image, bytes, &program));
  stepOnce(program);
  updraft_program_release(program);
  /* /dev/shm often forbids execution: the image is copied, so it runs. */
  const char *paths[] = {"runtime-test.img", "/dev/shm/updraft-test.img"};
  for (int i = 0; i < 2; ++i) {
    if (i && access("/dev/shm", W_OK))
      continue;
    writeFile(paths[i], image, bytes);
    program = NULL;
    CHECK_OK(updraft_program_open(paths[i], &program));
    unlink(paths[i]);
    if (program)
      stepOnce(program);
    updraft_program_release(program);
  }
  free(image);
}

static void damagedFiles(void) {
  size_t bytes = 0;
  char *image = fakeImage(&bytes);
  updraft_loaded_program *program = NULL;
  const char *path = "runtime-test-damaged.img";
  image[bytes - 5] ^= 1;
  CHECK_FAILS(updraft_program_from_image(image, bytes, &program), DAMAGED,
              "image: is damaged: its checksum does not match");
  image[bytes - 5] ^= 1;
  writeFile(path, image, bytes - 1);
  CHECK_FAILS(updraft_program_open(path, &program), DAMAGED,
              "runtime-test-damaged.img: is truncated or damaged");
  writeFile(path, image, 0);
  CHECK_FAILS(updraft_program_open(path, &program), DAMAGED,
              "is neither an image nor a shared object");
  writeFile(path, "#!/bin/sh\n", 10);
  CHECK_FAILS(updraft_program_open(path, &program), DAMAGED, "is neither");
  writeFile(path, "\177ELF\2\1\1", 7);
  CHECK_FAILS(updraft_program_open(path, &program), DAMAGED,
              "is not a 64-bit shared object");
  unlink(path);
  CHECK_FAILS(updraft_program_open("/nowhere/x.img", &program),
              UPDRAFT_NOT_FOUND, "/nowhere/x.img: No such file");
  CHECK_FAILS(updraft_program_open("/tmp", &program), DAMAGED, "/tmp: is not");
  ((updraft_image_header *)image)->version = 9;
  CHECK_FAILS(updraft_program_from_image(image, bytes, &program), DAMAGED,
              "is an image of version 9, this runtime reads version 1");
  CHECK(!program);
  free(image);
}

/* Reads everything that a user of the description would read. */
static size_t readAll(const updraft_program *program) {
  const char *base = (const char *)program;
  size_t sum = strlen(base + program->name);
  const updraft_hyper *hypers = (const void *)(base + program->hypers.at);
  for (uint64_t i = 0; i < program->hypers.count; ++i)
    sum += strlen(base + hypers[i].name);
  const updraft_kernel *kernels = (const void *)(base + program->kernels.at);
  for (uint64_t i = 0; i < program->kernels.count; ++i)
    sum += strlen(base + kernels[i].name) + strlen(base + kernels[i].why);
  const updraft_variant *variants = (const void *)(base + program->variants.at);
  for (uint64_t i = 0; i < program->variants.count; ++i) {
    const updraft_array *arrays = (const void *)(base + variants[i].arrays.at);
    for (uint64_t k = 0; k < variants[i].arrays.count; ++k)
      sum += strlen(base + arrays[k].name);
  }
  const updraft_gpu_code *gpu = (const void *)(base + program->gpu.at);
  for (uint64_t i = 0; i < program->gpu.count; ++i)
    sum += gpu[i].form == UPDRAFT_PTX ? strlen(base + gpu[i].code)
                                      : base[gpu[i].code + gpu[i].bytes - 1];
  return sum;
}

/* Loads a changed image. Its checksum is made right, so that what is tested is
   the check of the contents; its code is not run. */
static int survives(char *image, size_t bytes, size_t *read) {
  updraft_loaded_program *program = NULL;
  sealImage(image, bytes);
  updraft_status status = updraft_program_from_image(image, bytes, &program);
  if (!status) {
    *read += readAll(updraft_program_descriptor(program));
    updraft_optimizer *optimizer = NULL;
    if (updraft_program_descriptor(program)->kernels.count == 0)
      (void)updraft_optimizer_create(program, NULL, 0, NULL, 0, NULL,
                                     &optimizer);
    updraft_optimizer_destroy(optimizer);
    updraft_program_release(program);
  }
  return status == UPDRAFT_OK || status == UPDRAFT_BAD_PROGRAM ||
         status == UPDRAFT_UNSUPPORTED || status == UPDRAFT_OUT_OF_MEMORY;
}

static void everyByteMayBeWrong(void) {
  size_t bytes = 0, read = 0;
  char *image = fakeImage(&bytes);
  char *copy = malloc(bytes);
  static const unsigned char changes[] = {1, 0x80, 0xff, 0x40};
  for (size_t i = 0; i < bytes; ++i)
    for (size_t c = 0; c < sizeof changes; ++c) {
      memcpy(copy, image, bytes);
      copy[i] ^= (char)changes[c];
      if (i < sizeof(updraft_image_header)) {
        updraft_loaded_program *program = NULL;
        (void)updraft_program_from_image(copy, bytes, &program);
        updraft_program_release(program);
      } else
        CHECK(survives(copy, bytes, &read));
    }
  uint32_t random = 1;
  for (int round = 0; round < 20000; ++round) {
    memcpy(copy, image, bytes);
    uint64_t program = ((updraft_image_header *)image)->program;
    size_t start = sizeof(updraft_image_header) + program;
    for (int k = 0; k < 3; ++k) {
      random = random * 1664525u + 1013904223u;
      size_t at = start + (random >> 8) % ((bytes - start) / 4) * 4;
      random = random * 1664525u + 1013904223u;
      uint32_t odd[] = {0, 1, 0xffffffffu, random, random >> 20, 0x7fffffffu};
      memcpy(copy + at, &odd[(random >> 3) % 6], 4);
    }
    CHECK(survives(copy, bytes, &read));
  }
  CHECK(read > 0);
  free(copy);
  free(image);
}

/* Of the program in an image: what is wrong, where, with what instead. */
static void gpuCodeMayBeWrong(void) {
  size_t bytes = 0, read = 0;
  char *image = fakeImage(&bytes);
  char *copy = malloc(bytes);
  size_t start =
      sizeof(updraft_image_header) + ((updraft_image_header *)image)->program;
  const updraft_program *program = (const void *)(image + start);
  CHECK(survives(image, bytes, &read) && read > 0);
#define GPU(member) program->gpu.at + offsetof(updraft_gpu_code, member)
#define KERNEL(member) program->kernels.at + offsetof(updraft_kernel, member)
  const struct {
    size_t at;
    uint32_t value;
    const char *message;
  } wrongs[] = {{GPU(arch), 9, "of an unknown kind"},
                {GPU(arch), 1000, "of an unknown kind"},
                {GPU(form), 2, "of an unknown kind"},
                {GPU(code), 0, "a GPU lies outside"},
                {GPU(code), 1 << 30, "a GPU lies outside"},
                {GPU(bytes), 0, "a GPU lies outside"},
                {GPU(bytes), 1 << 30, "a GPU lies outside"},
                {GPU(bytes), 5, "the PTX does not end"},
                {KERNEL(gpu_entry), 0, "has no code for a GPU"},
                {KERNEL(gpu_threads), 0, "an absurd launch"},
                {KERNEL(gpu_threads), 1025, "an absurd launch"},
                {KERNEL(gpu_items), 0, "an absurd launch"},
                {KERNEL(gpu_items), 4097, "an absurd launch"}};
  for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; ++i) {
    updraft_loaded_program *loaded = NULL;
    memcpy(copy, image, bytes);
    memcpy(copy + start + wrongs[i].at, &wrongs[i].value, 4);
    sealImage(copy, bytes);
    CHECK_FAILS(updraft_program_from_image(copy, bytes, &loaded), DAMAGED,
                wrongs[i].message);
  }
  free(copy);
  free(image);
}

static void everyLengthMayBeWrong(void) {
  size_t bytes = 0, read = 0;
  char *image = fakeImage(&bytes);
  for (size_t length = 0; length < bytes; ++length) {
    updraft_loaded_program *program = NULL;
    char *copy = malloc(length + 1);
    memcpy(copy, image, length);
    CHECK(updraft_program_from_image(copy, length, &program) == DAMAGED);
    if (length > sizeof(updraft_image_header)) {
      /* A header that agrees with the shorter file. */
      uint64_t rest = length - sizeof(updraft_image_header);
      ((updraft_image_header *)copy)->bytes = rest;
      CHECK(survives(copy, length, &read));
    }
    free(copy);
  }
  CHECK(read == 0);
  free(image);
}

static void otherVersions(void) {
  updraft_program copy = *fakeAdamw();
  updraft_loaded_program *program = NULL;
  copy.abi = 99;
  CHECK_FAILS(updraft_program_from(&copy, &program), DAMAGED,
              "was compiled for version 99 of the interface, this runtime has "
              "version 4");
  copy = *fakeAdamw();
  copy.magic[0] = 'x';
  CHECK_FAILS(updraft_program_from(&copy, &program), DAMAGED,
              "is not a compiled program");
  size_t bytes = fakeAdamw()->bytes;
  updraft_program *other = malloc(bytes);
  memcpy(other, fakeAdamw(), bytes);
  other->target =
      fakeTarget() == UPDRAFT_AARCH64 ? UPDRAFT_X86_64_V3 : UPDRAFT_AARCH64;
  CHECK_FAILS(updraft_program_from(other, &program), UPDRAFT_UNSUPPORTED,
              "which this processor cannot run");
  other->target = 17;
  CHECK_FAILS(updraft_program_from(other, &program), DAMAGED,
              "is for an unknown processor");
  free(other);
  CHECK_FAILS(updraft_program_from(NULL, &program), UPDRAFT_INVALID_ARGUMENT,
              "null");
}

static void sharedObjects(const char *path) {
  updraft_loaded_program *program = NULL;
  CHECK_OK(updraft_program_open(path, &program));
  if (program)
    stepOnce(program);
  updraft_program_release(program);
  /* Cut anywhere it must be refused, not mapped. */
  FILE *file = fopen(path, "rb");
  static char bytes[1 << 20];
  size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;
  if (file)
    fclose(file);
  CHECK(size > 0 && size < sizeof bytes);
  const char *cut = "runtime-test-cut.so";
  for (size_t part = 1; part < 16; ++part) {
    writeFile(cut, bytes, size * part / 16);
    program = NULL;
    CHECK_FAILS(updraft_program_open(cut, &program), DAMAGED, cut);
  }
  unlink(cut);
}

int main(int count, char **arguments) {
  imagesRun();
  damagedFiles();
  otherVersions();
  everyByteMayBeWrong();
  everyLengthMayBeWrong();
  gpuCodeMayBeWrong();
  if (count > 1)
    sharedObjects(arguments[1]);
  return CHECK_RESULT();
}
