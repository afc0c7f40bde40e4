/*===- abi.h - What a compiled program is in memory -------------------------===
 *
 * The one contract between the compiler, which emits these bytes, and the
 * runtime, which walks them. A program is one constant that describes itself.
 * Every updraft_rel is a byte distance from the start of the updraft_program,
 * 0 means absent; so a program has no pointer and no dynamic relocation and may
 * be mapped anywhere, read only, and shared.
 *
 *===----------------------------------------------------------------------===*/

#ifndef UPDRAFT_ABI_H
#define UPDRAFT_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UPDRAFT_ABI 4
#define UPDRAFT_MAX_RANK 8
/* Elements of a reduction block (numerics.md 5) and of a chunk of work. */
#define UPDRAFT_BLOCK 4096
#define UPDRAFT_CHUNK 16384
/* Rows and columns that are added up on their own (numerics.md 5). */
#define UPDRAFT_ROW_RUN 64
#define UPDRAFT_COL_RUN 512
/* Columns of a band, a run of rows: several threads work on wide ones. */
#define UPDRAFT_BAND_COLS 4096
/* Rows and columns of a tile of a product of matrices. */
#define UPDRAFT_TILE_ROWS 96
#define UPDRAFT_TILE_COLS 240
#define UPDRAFT_NONE 0xffffffffu

typedef int64_t updraft_rel;
typedef struct {
  updraft_rel at;
  uint64_t count;
} updraft_list;

/* Where a kernel runs or a scalar lives: a call, a group, a tensor, ... */
enum updraft_level {
  UPDRAFT_MODEL,
  UPDRAFT_GROUP,
  UPDRAFT_TENSOR,
  UPDRAFT_AXIS,
  UPDRAFT_ELEMENT,
  UPDRAFT_MATRIX /* kernels: products of matrices */
};

enum updraft_format { UPDRAFT_F64, UPDRAFT_F32, UPDRAFT_BF16, UPDRAFT_F16 };

enum updraft_role {
  UPDRAFT_PARAM,
  UPDRAFT_GRAD,
  UPDRAFT_STATE,
  UPDRAFT_INPUT,
  UPDRAFT_VIEW,   /* written by a view's kernels; null at other times */
  UPDRAFT_SCRATCH /* what one kernel leaves for a later one */
};

/* Of what a tensor has one value each, in this order. It is a batch of matrices
   of R rows and C columns: its last two axes; folded: one matrix of dim 0 rows
   and all else as columns. */
enum updraft_space {
  UPDRAFT_ELEMENTS,
  UPDRAFT_ROWS,     /* b*R + r */
  UPDRAFT_COLS,     /* b*C + c */
  UPDRAFT_MATRICES, /* b */
  UPDRAFT_BLOCKS,   /* of `block` consecutive elements */
  UPDRAFT_ROW_RUNS, /* (b*R + r)*ceil(C/512) + run; scratch */
  UPDRAFT_COL_RUNS, /* (b*ceil(R/64) + run)*C + c; scratch */
  UPDRAFT_BANDS,    /* (b*ceil(R/64) + run)*ceil(C/4096) + part; kernels */
  /* Of the folded matrix; n is the shorter of R and C. */
  UPDRAFT_SQUARES,     /* n*n values, r*n + c; scratch */
  UPDRAFT_TILES,       /* r/96*ceil(C/240) + c/240; kernels */
  UPDRAFT_SQUARE_TILES /* those of n*n that reach the diagonal or right of it,
                          row by row; kernels */
};
typedef struct {
  uint16_t space, folded; /* enum updraft_space; folded: 0, 1 */
  uint32_t block;         /* UPDRAFT_BLOCKS: elements of one */
} updraft_extent;

/* When a kernel runs. INIT: once, at creation. CHECK: at creation and when a
   hyper is set; it fills the slots of the `requires` list. */
enum updraft_when {
  UPDRAFT_AT_INIT,
  UPDRAFT_AT_CHECK,
  UPDRAFT_AT_STEP,
  UPDRAFT_AT_VIEW
};

enum updraft_hyper_flag {
  UPDRAFT_HYPER_RATE = 1,
  UPDRAFT_HYPER_REQUIRED = 2, /* no default */
  UPDRAFT_HYPER_LOW_OPEN = 4,
  UPDRAFT_HYPER_HIGH_OPEN = 8,
  UPDRAFT_HYPER_COMPUTED = 16, /* by the step itself; not settable */
  UPDRAFT_HYPER_INT = 32
};

typedef struct {
  updraft_rel name, doc;
  double initial, low, high;
  uint32_t level; /* UPDRAFT_MODEL or UPDRAFT_GROUP */
  uint32_t slot, flags, reserved;
} updraft_hyper;

/* One scalar state, counter or scalar input: an f64 slot of its level's row. */
enum updraft_scalar_kind {
  UPDRAFT_SCALAR_STATE,
  UPDRAFT_SCALAR_COUNTER,
  UPDRAFT_SCALAR_INPUT,
  UPDRAFT_SCALAR_VIEW
};
typedef struct {
  updraft_rel name, doc;
  uint32_t level, slot;
  uint32_t kind;
  uint32_t variant; /* tensor level: of this variant's rows; else NONE */
} updraft_scalar;

/* A name and its value as text: options of the compilation. */
typedef struct {
  updraft_rel name, doc, value;
} updraft_option;

/* One fact about a tensor that a variant asks for. */
enum updraft_what {
  UPDRAFT_TEST_RANK,
  UPDRAFT_TEST_DIM,
  UPDRAFT_TEST_SIZE,
  UPDRAFT_TEST_TAG
};
enum updraft_relation {
  UPDRAFT_EQ,
  UPDRAFT_NE,
  UPDRAFT_LT,
  UPDRAFT_LE,
  UPDRAFT_GT,
  UPDRAFT_GE
};
typedef struct {
  uint32_t what;
  uint32_t index;    /* DIM: which dimension */
  uint32_t relation; /* TAG: EQ has it, NE has it not */
  uint32_t reserved;
  double value;
  updraft_rel tag;
} updraft_test;

/* One pointer of a tensor row. */
enum updraft_array_flag { UPDRAFT_ARRAY_VIEW = 1 /* shown by `view x` */ };
typedef struct {
  updraft_rel name, doc;
  uint32_t role, format;
  uint32_t flags, reserved;
  updraft_extent extent;
} updraft_array;

/* Tensors whose facts pass all tests belong to this variant; of several, to the
   first. Row: updraft_tensor, then `arrays` pointers, then `slots` doubles. */
typedef struct {
  updraft_rel name;
  updraft_list tests;  /* updraft_test */
  updraft_list arrays; /* updraft_array; 0 is p, 1 is g */
  uint32_t slots, row_bytes;
  uint32_t state_bits; /* bits of array state a parameter */
  uint32_t reserved;
} updraft_variant;

/* What `require` says: after the CHECK kernels the slot must not be 0. */
typedef struct {
  updraft_rel message;
  uint32_t level, slot, variant, reserved;
} updraft_require;

/* A view of model, group or tensor level is a scalar (kind VIEW); one of
   element level is an array (role VIEW, or STATE with flag). */
typedef struct {
  updraft_rel name, doc;
  uint32_t level, index; /* identifies its kernels: updraft_kernel.view */
} updraft_view;

/* Kernels stand in the order in which they run. */
typedef struct {
  updraft_rel name;
  updraft_rel why;       /* the equation that forced it, for people */
  updraft_rel entry;     /* distance to the machine code, an updraft_entry */
  updraft_rel gpu_entry; /* its name; 0: in the launch of the kernel before */
  uint32_t gpu_threads, gpu_items; /* of a block; that it works on at a time */
  uint32_t when, view, level;
  uint32_t variant; /* NONE for model and group kernels */
  uint32_t after;   /* what must have finished before: UPDRAFT_TENSOR (this
                       tensor), _GROUP or _MODEL; NONE: nothing */
  uint32_t reads_milli, writes_milli; /* thousandths of a byte a parameter */
  uint32_t rounds; /* how often it runs; 0: once. Kernels of one variant that
                      follow one another with the same number run by turns */
  updraft_extent extent; /* what its chunks count; elements at other levels */
} updraft_kernel;

enum updraft_target {
  UPDRAFT_X86_64_V3 = 1,
  UPDRAFT_X86_64_V4,
  UPDRAFT_AARCH64
};

/* Code for one kind of GPU; compiler/README.md says how an entry is called.
   PTX is text and ends with a 0 that `bytes` counts. */
enum updraft_gpu_form { UPDRAFT_PTX, UPDRAFT_CUBIN };
typedef struct {
  uint32_t arch; /* 90: compute capability 9.0, the least for PTX; a cubin runs
                    on the same major and this minor or a higher one */
  uint32_t form; /* enum updraft_gpu_form */
  updraft_rel code;
  uint64_t bytes;
} updraft_gpu_code;

#define UPDRAFT_MAGIC "updraft"

typedef struct updraft_program {
  char magic[8];
  uint32_t abi, header_bytes; /* sizeof(updraft_program) */
  uint64_t bytes;   /* of the descriptor: every list and string lies within */
  uint8_t hash[16]; /* of the flat rule, options, formats, target, compiler */
  updraft_rel name, doc;
  updraft_rel rule; /* the flat rule as text */
  updraft_rel target_name;
  uint32_t target;
  uint32_t param; /* updraft_format of the parameters and gradients */
  uint32_t model_slots, group_slots;
  uint32_t partial_lists; /* f64 lists, one entry a block of a tensor */
  uint32_t total_lists;   /* f64 lists, one entry a tensor */
  updraft_list options, hypers, scalars, variants, kernels, views, requires_;
  updraft_list gpu;   /* updraft_gpu_code */
  uint64_t workspace; /* bytes that each thread has for matrix kernels */
} updraft_program;

/*===- What a kernel sees: the same bytes on the CPU and on a device ------===*/

/* The head of a tensor row. */
typedef struct {
  uint64_t size;
  uint64_t first;         /* index of element 0 in the whole (sharded) tensor */
  uint64_t first_partial; /* index of its first entry in each partial list */
  uint32_t id; /* position in the order of groups, then of creation */
  uint32_t group;
  uint32_t active; /* 0: absent in this call */
  uint32_t reserved;
  /* void *array[arrays]; double slot[slots]; */
} updraft_tensor;

/* Items [first, first + count) of row `tensor` of the variant. Of elements,
   first is a multiple of UPDRAFT_BLOCK. */
typedef struct {
  uint64_t first;
  uint32_t count;
  uint32_t tensor;
} updraft_chunk;

typedef struct {
  uint64_t dims[UPDRAFT_MAX_RANK];
  uint64_t rank;
  /* How many matrices, and of one; [1]: folded. All 0 where rank < 2. */
  uint64_t batch[2], rows[2], cols[2];
} updraft_shape;

/* Tensors [first, first + count) of the order by id. */
typedef struct {
  uint64_t first, count;
} updraft_span;

typedef struct {
  double *model;  /* model slots */
  double *groups; /* group g at groups + group_slots * g */
  char *tensors;  /* the kernel's variant's rows, row_bytes apart */
  const updraft_chunk *chunks; /* the kernel's variant's chunks */
  const updraft_shape *shapes; /* by tensor id */
  const updraft_span *spans;   /* by group */
  double *partials;            /* list l at partials + partial_stride * l */
  double *totals;              /* list l at totals + total_stride * l */
  uint64_t partial_stride, total_stride;
  uint64_t seed;
  uint64_t group_count;
  char *workspace; /* matrix kernels: the thread's own, aligned to 64 bytes */
  uint64_t round;  /* matrix kernels: from 0 */
} updraft_frame;

/* Works on [first, first + count): of chunks, all of one group (element, axis);
   of the variant's rows (tensor); of groups (group); 0, 1 (model). */
typedef void updraft_entry(const updraft_frame *frame, uint64_t first,
                           uint64_t count);

#ifdef __cplusplus
}
#endif

#endif /* UPDRAFT_ABI_H */
