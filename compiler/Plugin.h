/*===- Plugin.h - What crosses to the compiler's library --------*- C -*-===//
 *
 * The front door (updraftc.h) loads libupdraft_compiler.so at the first miss of
 * the cache and calls its one function. All that crosses is plain C, so that
 * neither side sees the other's C++ library or LLVM.
 *
 *===----------------------------------------------------------------------===*/
#ifndef UPDRAFT_COMPILER_PLUGIN_H
#define UPDRAFT_COMPILER_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum updraft_plugin_kind {
  UPDRAFT_PLUGIN_PIPE,
  UPDRAFT_PLUGIN_NAME, /* a file or library name */
  UPDRAFT_PLUGIN_SOURCE
};

typedef struct {
  /* Both sides are of one build: another size is refused, not translated. */
  uint32_t struct_bytes;
  uint32_t kind;
  const char *text;
  const char *name; /* of a source, for messages */
  uint32_t param;   /* enum updraft_format */
  uint32_t setting_count;
  const char *const *settings; /* "name=value" */
  const char *target;
  const char *library_folder; /* "": the default */
  uint32_t explains; /* not 0: no image, message() takes what --explain says */
} updraft_plugin_request;

/* Takes what comes out, piece by piece; the bytes are valid during the call. */
typedef struct {
  void *context;
  /* the image file */
  void (*image)(void *context, const void *bytes, size_t size);
  /* a file that the result depends on: it was read, or would have been read
     had it existed */
  void (*file)(void *context, const char *path, int exists);
  /* what is wrong, for people */
  void (*message)(void *context, const char *text, size_t size);
} updraft_plugin_sink;

enum updraft_plugin_status {
  UPDRAFT_PLUGIN_OK,
  UPDRAFT_PLUGIN_BAD_RULE, /* message() says why */
  UPDRAFT_PLUGIN_UNSUPPORTED,
  UPDRAFT_PLUGIN_INTERNAL
};

typedef int updraft_plugin_function(const updraft_plugin_request *request,
                                    const updraft_plugin_sink *sink);

#define UPDRAFT_PLUGIN_SYMBOL "updraft_plugin_compile"

#ifdef __cplusplus
}
#endif

#endif /* UPDRAFT_COMPILER_PLUGIN_H */
