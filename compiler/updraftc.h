/*===- updraftc.h - Compiling a rule at run time ----------------------------===
 *
 * Text in, program out, through a cache on disk. The compiler proper is a
 * shared library that is loaded at the first miss; a hit loads neither it nor
 * LLVM.
 *
 *===----------------------------------------------------------------------===*/

#ifndef UPDRAFT_UPDRAFTC_H
#define UPDRAFT_UPDRAFTC_H

#include "../runtime/updraft.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct updraft_compile_options {
  uint32_t struct_bytes;       /* sizeof(updraft_compile_options); versions as
                                  in updraft_options */
  uint32_t param;              /* enum updraft_format of p and g; default f32 */
  const char *target;          /* null: this processor; "x86-64-v3", ... */
  const char *const *settings; /* "amsgrad=true", options by name */
  size_t setting_count;
  const char *cache_folder;   /* null: the user's; "": no cache */
  const char *library_folder; /* null: the installed optimizers/ */
} updraft_compile_options;

/* Compiles a pipe ("ema(0.999) | torch/adamw"). options may be null. */
UPDRAFT_API updraft_status
updraft_compile(const char *pipe, const updraft_compile_options *options,
                updraft_loaded_program **result);

/* Compiles a file: its one optimizer, else its one rule; "file.upd:name" picks.
 */
UPDRAFT_API updraft_status
updraft_compile_file(const char *path, const updraft_compile_options *options,
                     updraft_loaded_program **result);

/* Compiles the text of a file. `name` stands for it in messages. */
UPDRAFT_API updraft_status updraft_compile_source(
    const char *source, const char *name,
    const updraft_compile_options *options, updraft_loaded_program **result);

/* Hands `take` what `updraftc --explain` says of the program's rule: kernels,
   the bytes that each moves for a parameter, why, and which outcome of its
   conditions moves how many. Loads the compiler. The text is valid during the
   call. */
UPDRAFT_API updraft_status
updraft_explain(const updraft_loaded_program *program,
                void (*take)(void *context, const char *text), void *context);

/* How often this process compiled, and how often the cache served it. */
typedef struct updraft_compile_counts {
  uint64_t compiled, cached;
} updraft_compile_counts;
UPDRAFT_API updraft_compile_counts updraft_get_compile_counts(void);

#ifdef __cplusplus
}
#endif

#endif /* UPDRAFT_UPDRAFTC_H */
