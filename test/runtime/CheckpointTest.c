/*===- CheckpointTest.c - States to and from files --------------------------===
 *
 * A run that is saved and loaded goes on with the same bits; a file that is
 * damaged, foreign or cannot be written changes nothing.
 *
 *===----------------------------------------------------------------------===*/

#include "Check.h"
#include "FakeProgram.h"
#include "Tensors.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define BAD UPDRAFT_INVALID_ARGUMENT

static const int64_t sizes[] = {5, 0, 4097, 33};
static const char *const path = "runtime-test.safetensors";

static updraft_optimizer *make(Tensors *t, size_t groups) {
  updraft_loaded_program *program = NULL;
  updraft_optimizer *optimizer = NULL;
  updraft_group group[2] = {{NULL, 0}, {NULL, 0}};
  static const char *const names[] = {"a \"quoted\"\n", "b",
                                      "\xc3\xa9t\xc3\xa9", "d"};
  for (size_t k = 0; k < t->count; ++k)
    t->params[k].name = names[k];
  t->params[t->count - 1].group = groups > 1;
  CHECK_OK(updraft_program_from(fakeClipAdamw(), &program));
  CHECK_OK(updraft_optimizer_create(program, group, groups, t->params, t->count,
                                    NULL, &optimizer));
  updraft_program_release(program);
  return optimizer;
}

static void aRunGoesOn(void) {
  Tensors t = makeTensors(4, sizes, 4), r = makeTensors(4, sizes, 4);
  updraft_optimizer *a = make(&t, 2), *b = make(&r, 2);
  CHECK_OK(updraft_optimizer_set_hyper(a, 1, "lr", 0.1));
  CHECK_OK(updraft_optimizer_step(a, t.grads, 4, NULL));
  CHECK_OK(updraft_optimizer_step(a, t.grads, 4, NULL));
  CHECK_OK(updraft_optimizer_save(a, path));
  for (int k = 0; k < 4; ++k)
    memcpy(r.p[k], t.p[k], (size_t)t.sizes[k] * 4);
  CHECK_OK(updraft_optimizer_load(b, path));
  double lr = 0;
  CHECK_OK(updraft_optimizer_get_hyper(b, 1, "lr", &lr));
  CHECK(lr == 0.1);
  CHECK_OK(updraft_optimizer_step(a, t.grads, 4, NULL));
  CHECK_OK(updraft_optimizer_step(b, r.grads, 4, NULL));
  CHECK(sameParams(&t, &r));
  CHECK(updraft_optimizer_state_count(a, 0) == 3);
  CHECK(!strcmp(updraft_optimizer_state_name(a, 0, 1), "v"));
  CHECK(!strcmp(updraft_optimizer_state_name(a, 0, 2), "t"));
  CHECK(updraft_optimizer_state_count(a, 4) == 1);
  CHECK(!strcmp(updraft_optimizer_state_name(a, 4, 0), "step"));
  CHECK(!updraft_optimizer_state_name(a, 4, 1));
  updraft_optimizer_destroy(a);
  updraft_optimizer_destroy(b);
  freeTensors(&t);
  freeTensors(&r);
}

static size_t readFile(const char *from, char *bytes, size_t room) {
  FILE *file = fopen(from, "rb");
  size_t size = file ? fread(bytes, 1, room, file) : 0;
  if (file)
    fclose(file);
  return size;
}

static void writeFile(const char *to, const char *bytes, size_t size) {
  FILE *file = fopen(to, "wb");
  CHECK(file && fwrite(bytes, 1, size, file) == size);
  if (file)
    fclose(file);
}

static void foreignFiles(void) {
  Tensors t = makeTensors(4, sizes, 4), fewer = makeTensors(2, sizes, 2);
  int64_t other[] = {5, 0, 4096, 33};
  Tensors shaped = makeTensors(4, other, 4);
  updraft_optimizer *a = make(&t, 2), *b = make(&fewer, 1);
  updraft_optimizer *c = make(&shaped, 2), *d = make(&t, 1);
  CHECK_OK(updraft_optimizer_save(a, path));
  CHECK_FAILS(updraft_optimizer_load(b, path), BAD,
              "which this optimizer has not");
  CHECK_FAILS(updraft_optimizer_load(c, path), BAD,
              "\xc3\xa9t\xc3\xa9.m' is F32 [4097], F32 [4096] is needed");
  CHECK_FAILS(updraft_optimizer_load(d, path), BAD,
              "it has 'hyper.group1.lr', which this optimizer has not");
  CHECK_OK(updraft_optimizer_save(b, path));
  CHECK_FAILS(updraft_optimizer_load(a, path), BAD, "it has no '");
  CHECK_FAILS(updraft_optimizer_load(a, "/nowhere/x"), UPDRAFT_NOT_FOUND,
              "/nowhere/x: cannot read: No such file");
  CHECK_FAILS(updraft_optimizer_load(a, "/dev/null"), UPDRAFT_IO_ERROR,
              "not a regular file");
  updraft_optimizer_destroy(a);
  updraft_optimizer_destroy(b);
  updraft_optimizer_destroy(c);
  updraft_optimizer_destroy(d);
  freeTensors(&t);
  freeTensors(&fewer);
  freeTensors(&shaped);
}

/* Whatever is done to the file, loading fails cleanly or gives finite states.*/
static void damagedFiles(void) {
  int64_t size = 3;
  Tensors t = makeTensors(1, &size, 1);
  updraft_optimizer *a = make(&t, 1);
  static char bytes[1 << 16], copy[1 << 16];
  CHECK_OK(updraft_optimizer_save(a, path));
  size_t count = readFile(path, bytes, sizeof bytes);
  CHECK(count > 100 && count < sizeof bytes);
  for (size_t length = 0; length < count; ++length) {
    writeFile(path, bytes, length);
    CHECK(updraft_optimizer_load(a, path) == BAD);
  }
  for (size_t i = 0; i < count; ++i)
    for (int change = 1; change < 256; change *= 4) {
      memcpy(copy, bytes, count);
      copy[i] ^= (char)change;
      writeFile(path, copy, count);
      updraft_status status = updraft_optimizer_load(a, path);
      CHECK(status == UPDRAFT_OK || status == BAD);
    }
  unlink(path);
  updraft_optimizer_destroy(a);
  freeTensors(&t);
}

static void hostileHeader(updraft_optimizer *optimizer, const char *header,
                          const char *message) {
  char bytes[1024] = {0};
  uint64_t length = strlen(header);
  memcpy(bytes, &length, 8);
  memcpy(bytes + 8, header, length);
  writeFile(path, bytes, 8 + length + 16);
  CHECK_FAILS(updraft_optimizer_load(optimizer, path), BAD, message);
}

/* Data with holes, overlaps, and of other sizes than dtype and shape say. */
static void hostileOffsets(updraft_optimizer *o) {
  hostileHeader(o,
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],"
                "\"data_offsets\":[0,16]}}",
                "shape of more than 2^64 bytes");
  hostileHeader(o,
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],"
                "\"data_offsets\":[8,16]}}",
                "there is a gap of 8 bytes before the data of 'a'");
  hostileHeader(o,
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],"
                "\"data_offsets\":[16,0]}}",
                "offsets 16 and 0, which are not in order");
  hostileHeader(o,
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],"
                "\"data_offsets\":[0,16]}}",
                "its dtype and shape need 12 bytes");
  hostileHeader(o,
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],"
                "\"data_offsets\":[0,8]}}",
                "8 bytes behind the data belong to no tensor");
  hostileHeader(o,
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[5],"
                "\"data_offsets\":[0,20]}}",
                "the data of 'a' ends 4 bytes behind it");
  hostileHeader(o,
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],"
                "\"data_offsets\":[0,12]},"
                "\"b\":{\"dtype\":\"F32\",\"shape\":[2],"
                "\"data_offsets\":[8,16]}}",
                "the data of 'b' overlaps that of 'a'");
}

static void hostileFiles(void) {
  Tensors none = {0};
  updraft_loaded_program *program = NULL;
  updraft_optimizer *o = NULL;
  CHECK_OK(updraft_program_from(fakeAdamw(), &program));
  CHECK_OK(
      updraft_optimizer_create(program, NULL, 0, none.params, 0, NULL, &o));
  updraft_program_release(program);
  hostileHeader(o, "[]", "not a JSON object");
  hostileHeader(o, "{} {}", "goes on after its end");
  hostileHeader(o, "{\"a\":{\"dtype\":\"F32\"}}", "lacks dtype, shape or");
  hostileHeader(o,
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],"
                "\"data_offsets\":[0,16]},\"a\":{}}",
                "'a' occurs twice");
  hostileHeader(o, " {}", "not a JSON object");
  hostileHeader(o,
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],"
                "\"data_offsets\":[0,16]}}",
                "wrong field");
  hostileHeader(o,
                "{\"a\":{\"dtype\":\"Q9\",\"shape\":[4],"
                "\"data_offsets\":[0,16]}}",
                "unknown dtype 'Q9'");
  hostileHeader(o, "{\"__metadata__\":{\"a\":1}}", "consist of strings");
  hostileHeader(o, "{\"\\ud800\":{}}", "wrong name");
  hostileHeader(o,
                "{\"__metadata__\":{\"hyper.group0.lr\":\"nan\"},"
                "\"model.step\":{\"dtype\":\"F64\",\"shape\":[],"
                "\"data_offsets\":[0,8]},"
                "\"x\":{\"dtype\":\"F64\",\"shape\":[],"
                "\"data_offsets\":[8,16]}}",
                "it has 'x'");
  hostileOffsets(o);
  writeFile(path, "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10);
  CHECK_FAILS(updraft_optimizer_load(o, path), BAD, "not a safetensors file");
  unlink(path);
  updraft_optimizer_destroy(o);
}

/* The limit of a file's size stands for a full disk. */
static void aFullDiskKeepsTheOldFile(void) {
  Tensors t = makeTensors(4, sizes, 4);
  updraft_optimizer *a = make(&t, 1);
  static char before[1 << 17], after[1 << 17];
  CHECK_OK(updraft_optimizer_save(a, path));
  size_t count = readFile(path, before, sizeof before);
  struct rlimit old, tight;
  getrlimit(RLIMIT_FSIZE, &old);
  tight = old;
  tight.rlim_cur = 10000;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &tight);
  CHECK_OK(updraft_optimizer_step(a, t.grads, 4, NULL));
  updraft_status status = updraft_optimizer_save(a, path);
  setrlimit(RLIMIT_FSIZE, &old);
  CHECK_FAILS(status, UPDRAFT_IO_ERROR, "cannot write: File too large");
  CHECK(readFile(path, after, sizeof after) == count);
  CHECK(!memcmp(before, after, count));
  CHECK(system("ls runtime-test.safetensors.new.* 2>/dev/null") != 0);
  CHECK_FAILS(updraft_optimizer_save(a, "/dev/full"), UPDRAFT_IO_ERROR,
              "is not a regular file");
  CHECK_FAILS(updraft_optimizer_save(a, "/nowhere/x"), UPDRAFT_IO_ERROR,
              "/nowhere/x: cannot write: No such file");
  CHECK_FAILS(updraft_optimizer_save(a, NULL), BAD, "path is null");
  unlink(path);
  updraft_optimizer_destroy(a);
  freeTensors(&t);
}

static void ambiguousKeys(void) {
  int64_t size = 2;
  Tensors t = makeTensors(2, &size, 1);
  updraft_loaded_program *program = NULL;
  updraft_optimizer *optimizer = NULL;
  t.params[0].name = "bad\xff";
  CHECK_OK(updraft_program_from(fakeAdamw(), &program));
  CHECK_OK(updraft_optimizer_create(program, NULL, 0, t.params, 2, NULL,
                                    &optimizer));
  updraft_program_release(program);
  CHECK_FAILS(updraft_optimizer_save(optimizer, path), BAD, "is not UTF-8");
  updraft_optimizer_destroy(optimizer);
  freeTensors(&t);
}

/* Kept for readers in other languages to open. */
static void leaveAFile(void) {
  Tensors t = makeTensors(4, sizes, 4);
  updraft_optimizer *a = make(&t, 2);
  CHECK_OK(updraft_optimizer_step(a, t.grads, 4, NULL));
  CHECK_OK(updraft_optimizer_save(a, "runtime-test-kept.safetensors"));
  updraft_optimizer_destroy(a);
  freeTensors(&t);
}

int main(void) {
  aRunGoesOn();
  foreignFiles();
  damagedFiles();
  hostileFiles();
  aFullDiskKeepsTheOldFile();
  ambiguousKeys();
  leaveAFile();
  return CHECK_RESULT();
}
