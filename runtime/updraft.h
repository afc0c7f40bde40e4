/*===- updraft.h - Loading and running compiled optimizers ------------------===
 *
 * A program is a compiled rule; an optimizer is a program together with tensors
 * and their state. Every function returns a status; updraft_last_error() gives
 * the text of this thread's last failure, which names rule, tensor, what was
 * given and what was needed. A failed call changes nothing.
 *
 * One optimizer may be used from one thread at a time; different optimizers
 * from different threads. Usable after fork. Nothing here throws or aborts.
 *
 *===----------------------------------------------------------------------===*/

#ifndef UPDRAFT_UPDRAFT_H
#define UPDRAFT_UPDRAFT_H

#include "abi.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define UPDRAFT_API __attribute__((visibility("default")))
#else
#define UPDRAFT_API
#endif

/* A result that is not UPDRAFT_OK leaves everything as it was. */
typedef enum updraft_status {
  UPDRAFT_OK = 0,
  UPDRAFT_INVALID_ARGUMENT, /* a value, shape, dtype, name or pointer */
  UPDRAFT_NOT_FOUND,        /* no file, hyper, state or view of that name */
  UPDRAFT_BAD_PROGRAM,      /* damaged, truncated, or of another version */
  UPDRAFT_UNSUPPORTED,      /* this machine or build cannot run it */
  UPDRAFT_OUT_OF_MEMORY,
  UPDRAFT_IO_ERROR,      /* reading or writing a file failed */
  UPDRAFT_COMPILE_ERROR, /* the rule is wrong: the text is its diagnostics */
  UPDRAFT_BUSY,          /* used from two threads at once */
  UPDRAFT_INTERNAL,      /* a bug of Updraft */
  UPDRAFT_DEVICE_ERROR   /* a GPU or its driver failed */
} updraft_status;

/* Text of the last failure on this thread; "" if none. Never null. */
UPDRAFT_API const char *updraft_last_error(void);

/* "invalid argument" and so on. */
UPDRAFT_API const char *updraft_status_name(updraft_status status);

/*===- Programs -----------------------------------------------------------===*/

typedef struct updraft_loaded_program updraft_loaded_program;

/* Opens a flat image (`updraftc --emit=image`) or a shared object
   (`--emit=shared`). Checks version, checksum and the processor. */
UPDRAFT_API updraft_status
updraft_program_open(const char *path, updraft_loaded_program **result);

/* Takes a program that is linked in: pass &updraft_program_<name>. The constant
   is not copied and must outlive the result. */
UPDRAFT_API updraft_status updraft_program_from(
    const updraft_program *constant, updraft_loaded_program **result);

/* Takes a flat image in memory; the bytes are copied into executable memory. */
UPDRAFT_API updraft_status updraft_program_from_image(
    const void *image, size_t bytes, updraft_loaded_program **result);

/* The self-description; valid while the program is retained. */
UPDRAFT_API const updraft_program *
updraft_program_descriptor(const updraft_loaded_program *program);

/* Programs are counted; every optimizer holds one reference. */
UPDRAFT_API void updraft_program_retain(updraft_loaded_program *program);
UPDRAFT_API void updraft_program_release(updraft_loaded_program *program);

/*===- Tensors ------------------------------------------------------------===*/

/* A tensor in memory, row-major. `strides` (in elements) may be null, which
   says contiguous; anything that is not contiguous is refused. */
typedef struct updraft_ndarray {
  void *data;
  uint32_t dtype; /* enum updraft_format */
  uint32_t rank;  /* at most UPDRAFT_MAX_RANK */
  const int64_t *shape;
  const int64_t *strides;
  uint32_t device; /* 0: host memory; 1 + n: memory of CUDA device n */
} updraft_ndarray;

typedef struct updraft_param {
  const char *name; /* unique; null: its position as text */
  updraft_ndarray array;
  uint32_t group;
  uint32_t tag_count;
  const char *const *tags;
} updraft_param;

typedef struct updraft_setting {
  const char *name; /* full, or short where that is unambiguous, or of all
                       rates: see updraft_optimizer_set_hyper */
  double value;
} updraft_setting;

typedef struct updraft_group {
  const updraft_setting *hypers;
  size_t hyper_count;
} updraft_group;

/*===- Threads ------------------------------------------------------------===*/

/* The host's own threads. `run` calls body(argument, i, threads) once for each
   i < threads, all at the same time (they wait for one another), and returns
   when all have returned. */
typedef struct updraft_executor {
  void (*run)(void *context, uint32_t threads,
              void (*body)(void *argument, uint32_t index, uint32_t threads),
              void *argument);
  void *context;
  uint32_t threads; /* at least 1 */
} updraft_executor;

enum updraft_option_flag {
  /* No memory is made for the array states: updraft_optimizer_bind gives it
     before the first step. What it holds is the caller's, also at first. A
     scalar state that starts from p is the caller's to set. */
  UPDRAFT_STATES_GIVEN = 1
};

/* Of an older version, which is smaller, what it lacks is 0; of a newer one,
   what this library does not know must be 0. */
typedef struct updraft_options {
  uint32_t struct_bytes;            /* sizeof(updraft_options): the version */
  uint32_t threads;                 /* 0: as many as processors */
  const updraft_executor *executor; /* null: an OpenMP runtime, else serial */
  uint64_t seed;
  uint32_t flags; /* of enum updraft_option_flag */
} updraft_options;

/*===- GPUs ---------------------------------------------------------------===
 *
 * An optimizer is where its parameters are: all in host memory, or all on one
 * CUDA device, of a program with code for it (`--target=x86-64-v4,sm_90`). The
 * driver, libcuda.so.1 or the file that UPDRAFT_LIBCUDA names, is loaded at the
 * first such optimizer. It works in the device's primary context; the caller's
 * current context stays. Tensors of a call (gradients, inputs, outputs of views
 * that are arrays, memory for bind) must be on the optimizer's device, aligned
 * to their elements; addresses that are multiples of 16 are faster.
 *
 * A step is given to its stream and not waited for. It allocates nothing and
 * copies nothing, but for addresses that are others than in the step before:
 * those go with one small copy a variant. A step of a graph's capture is part
 * of the graph. It keeps the gradients' addresses of the capture whatever steps
 * follow, and takes numbers of hypers and inputs and places of parameters as
 * they are when it runs. While a graph is captured on an optimizer's stream,
 * only updraft_optimizer_step may be called. Take one step before the first
 * capture. The optimizer must outlive its graphs.
 *
 * Setting a hyper or a scalar input is one small copy on the stream of the last
 * step (see updraft_optimizer_set_stream), which must exist until there is
 * another; a step on another stream comes after it. Steps on several streams
 * are the caller's to order. Requirements are checked on the host. create,
 * save, load and view wait for the device. Files are the same as of tensors in
 * host memory.
 *
 *===----------------------------------------------------------------------===*/

/*===- Optimizers ---------------------------------------------------------===*/

typedef struct updraft_optimizer updraft_optimizer;

/* Makes the states of all parameters and sets them to their initial values.
   `groups` may be null with group_count 0: one group with all defaults. The
   parameters' memory must stay valid and at its place; their names and shapes
   are copied. options may be null. No parameter at all is allowed. */
UPDRAFT_API updraft_status updraft_optimizer_create(
    updraft_loaded_program *program, const updraft_group *groups,
    size_t group_count, const updraft_param *params, size_t param_count,
    const updraft_options *options, updraft_optimizer **result);
UPDRAFT_API void updraft_optimizer_destroy(updraft_optimizer *optimizer);

/* Sets a hyper of one group; of model level: of the program (group is ignored).
   Setting the rate of a rule whose rate is computed is an error. In a routed
   rule the name that the rates of several routes end in ("lr" for "first.lr"
   and "second.lr") sets those of them that no schedule computes, and gets the
   one value that they have. At creation a rate's own name goes before it. */
UPDRAFT_API updraft_status
updraft_optimizer_set_hyper(updraft_optimizer *optimizer, uint32_t group,
                            const char *name, double value);
UPDRAFT_API updraft_status
updraft_optimizer_get_hyper(const updraft_optimizer *optimizer, uint32_t group,
                            const char *name, double *value);

/* Sets a scalar or array input for the following steps. index: of the param. */
UPDRAFT_API updraft_status updraft_optimizer_set_input(
    updraft_optimizer *optimizer, const char *name, double value);
UPDRAFT_API updraft_status updraft_optimizer_set_array_input(
    updraft_optimizer *optimizer, const char *name, size_t index,
    const updraft_ndarray *array);

/* One step. grads[i] belongs to parameter i; a null `data` says that this
   parameter has no gradient in this call. grad_count must equal the number of
   parameters. stream is a CUstream, null is the default stream; of tensors in
   host memory it must be null. All checks are made before the first write. */
UPDRAFT_API updraft_status updraft_optimizer_step(updraft_optimizer *optimizer,
                                                  const updraft_ndarray *grads,
                                                  size_t grad_count,
                                                  void *stream);

/* The stream of a device that takes numbers of hypers and inputs, instead of
   that of the last step: for who replays a graph on another stream than that of
   its capture. null where tensors are in host memory. */
UPDRAFT_API updraft_status
updraft_optimizer_set_stream(updraft_optimizer *optimizer, void *stream);

/* Gives parameters new memory of the same shape, dtype and content order (after
   a host moved them). */
UPDRAFT_API updraft_status updraft_optimizer_rebind(
    updraft_optimizer *optimizer, size_t index, const updraft_ndarray *array);

/* Gives all parameters and all array states memory at once: of the shapes and
   dtypes that they have, used in place, its content taken as it is. `states`
   holds those of parameter 0 in the order of updraft_optimizer_state_name,
   scalars left out, then those of parameter 1, ...; with null and 0 the states
   stay where they are. For hosts that own the states, or move their tensors
   from step to step. */
UPDRAFT_API updraft_status updraft_optimizer_bind(updraft_optimizer *optimizer,
                                                  const updraft_ndarray *params,
                                                  size_t param_count,
                                                  const updraft_ndarray *states,
                                                  size_t state_count);

/* Evaluates view `name` of parameter `index` into `out`, which has the
   parameter's shape (element level), that of updraft_optimizer_view_shape (axis
   level) or rank 0 and dtype f64 (coarser levels). An array is of the
   parameter's dtype or of the compute type, a number always in host memory. */
UPDRAFT_API updraft_status updraft_optimizer_view(updraft_optimizer *optimizer,
                                                  const char *name,
                                                  size_t index,
                                                  const updraft_ndarray *out);

/* The shape that an output for view `name` of parameter `index` must have, and
   a dtype that it may have: the compute type, or f64 with rank 0; `data` is
   null. Views of rows, columns, matrices and blocks have shapes of their own:
   the parameter's without its last axis, without the one before, without both,
   and a list. The shape belongs to the optimizer. */
UPDRAFT_API updraft_status
updraft_optimizer_view_shape(updraft_optimizer *optimizer, const char *name,
                             size_t index, updraft_ndarray *shape);

/* A state in place: of parameter `index` (group or model states: of its group,
   of the program). Scalars come as rank 0, f64; states of rows, columns,
   matrices and blocks with their own shapes. On a device all are device memory
   and hold what the steps given so far make of them. */
UPDRAFT_API updraft_status updraft_optimizer_state(updraft_optimizer *optimizer,
                                                   const char *name,
                                                   size_t index,
                                                   updraft_ndarray *state);

/* Names of states in the order of checkpoints: of parameter `index` its own;
   for an index that is no parameter's, those of groups and of the model. */
UPDRAFT_API size_t
updraft_optimizer_state_count(const updraft_optimizer *optimizer, size_t index);
UPDRAFT_API const char *
updraft_optimizer_state_name(const updraft_optimizer *optimizer, size_t index,
                             size_t state);

/* States, counters and hypers to and from a safetensors file:
   "<param>.<state>", "group<i>.<state>", "model.<state>"; hypers and the rule
   in the metadata. Written to a temporary file and renamed. Loading checks
   every name, shape and dtype before it changes anything. */
UPDRAFT_API updraft_status
updraft_optimizer_save(const updraft_optimizer *optimizer, const char *path);
UPDRAFT_API updraft_status updraft_optimizer_load(updraft_optimizer *optimizer,
                                                  const char *path);

#ifdef __cplusplus
}
#endif

#endif /* UPDRAFT_UPDRAFT_H */
