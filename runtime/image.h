/*===- image.h - the file form of a compiled program -----------*- C -*-===//
 *
 * A compiled program is a flat image: position-independent bytes, all
 * relocations applied, with one `updraft_program` inside. The file is this
 * header followed by the bytes. The compiler's cache writes it, the runtime
 * maps it; neither needs LLVM for that.
 *
 *===----------------------------------------------------------------------===*/
#ifndef UPDRAFT_RUNTIME_IMAGE_H
#define UPDRAFT_RUNTIME_IMAGE_H

#include <stdint.h>

#define UPDRAFT_IMAGE_MAGIC "updimg\0"
#define UPDRAFT_IMAGE_VERSION 1u

/* All fields are little-endian. */
typedef struct updraft_image_header {
  char magic[8];        /* "updimg\0\0" */
  uint32_t version;     /* UPDRAFT_IMAGE_VERSION */
  uint32_t reserved;    /* 0 */
  uint64_t bytes;       /* length of the image after this header */
  uint64_t program;     /* distance of the updraft_program from its start */
  uint8_t checksum[16]; /* XXH3-128 (canonical form) of the image bytes */
} updraft_image_header;

#endif /* UPDRAFT_RUNTIME_IMAGE_H */
