//===- FrontDoor.cpp - Compiling a rule at run time -----------------------===//
//
// Looks into the cache and, if that does not help, loads the compiler. On a hit
// neither the compiler's library nor LLVM is touched.
//
//===----------------------------------------------------------------------===//

#include "compiler/Cache.h"
#include "compiler/Plugin.h"
#include "compiler/Version.h"
#include "compiler/updraftc.h"
#include "runtime/Error.h"

#include <atomic>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <mutex>
#include <sys/stat.h>
#include <unistd.h>

using namespace updraft;
using runtime::failWith;
using runtime::guarded;
using runtime::takeStruct;

namespace {

std::atomic<uint64_t> compiledCount{0}, cachedCount{0};

/// A call of the C interface with its defaults filled in.
struct Call {
  uint32_t kind;
  std::string text, name, target, cacheFolder, libraryFolder;
  uint32_t param = UPDRAFT_F32;
  std::vector<std::string> settings;
  bool explains = false;
};

/// What the compiler gave back.
struct Result {
  std::string image, message;
  std::vector<Dependency> dependencies;
};

} // namespace

//===- The compiler's library ---------------------------------------------===//

static bool isFile(const std::string &path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

/// $UPDRAFT_COMPILER, else beside the library or program that this is linked
/// into, else in its prefix' lib, else where it was built.
static std::string findPlugin() {
  if (const char *given = getenv("UPDRAFT_COMPILER"); given && *given)
    return given;
  constexpr char kName[] = "libupdraft_compiler.so";
  Dl_info here;
  if (dladdr(reinterpret_cast<const void *>(&findPlugin), &here) &&
      here.dli_fname) {
    // The path of a program is what it was called by.
    char resolved[PATH_MAX];
    std::string file = realpath(here.dli_fname, resolved)     ? resolved
                       : realpath("/proc/self/exe", resolved) ? resolved
                                                              : "";
    std::string folder = file.substr(0, file.rfind('/') + 1);
    for (const char *place : {"", "../lib/", "lib/"})
      if (std::string path = folder + place + kName; isFile(path))
        return path;
  }
#ifdef UPDRAFT_BUILT_PLUGIN
  return UPDRAFT_BUILT_PLUGIN;
#else
  return kName;
#endif
}

/// Tells one build of the compiler from another without loading it.
static std::string buildId() {
  std::string id = kVersion;
  struct stat status;
  if (stat(findPlugin().c_str(), &status) == 0)
    id += " " + std::to_string(status.st_size) + " " +
          std::to_string(status.st_mtim.tv_sec) + "." +
          std::to_string(status.st_mtim.tv_nsec);
  return id;
}

/// The function of the library, loaded once; null with a text if there is none.
static updraft_plugin_function *loadPlugin(std::string &why) {
  static std::mutex mutex;
  static updraft_plugin_function *function = nullptr;
  std::lock_guard<std::mutex> lock(mutex);
  if (function)
    return function;
  std::string path = findPlugin();
  void *library = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (!library) {
    why = dlerror();
    return nullptr;
  }
  function = reinterpret_cast<updraft_plugin_function *>(
      dlsym(library, UPDRAFT_PLUGIN_SYMBOL));
  if (!function)
    why = "'" + path + "' is no compiler of this version";
  return function;
}

//===- Keys ---------------------------------------------------------------===//

static const char *hostTarget() {
#if defined(__aarch64__)
  return "aarch64";
#else
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4"))
    return "x86-64-v4";
  if (__builtin_cpu_supports("x86-64-v3"))
    return "x86-64-v3";
  return nullptr;
#endif
}

static std::string workingFolder() {
  char buffer[PATH_MAX];
  return getcwd(buffer, sizeof(buffer)) ? buffer : "";
}

/// Everything that decides the result but the content of files. Each part
/// stands with its length, so that no two calls run together.
static Hash keyOf(const Call &call) {
  std::string all;
  auto add = [&](const std::string &part) {
    all += std::to_string(part.size()) + ":" + part;
  };
  add(buildId());
  add(std::to_string(call.kind));
  add(call.text);
  add(call.name);
  // Files in the text are found from the working folder.
  if (call.text.find(".upd") != std::string::npos)
    add(workingFolder());
  add(call.target);
  add(std::to_string(call.param));
  add(call.libraryFolder);
  const char *library = getenv("UPDRAFT_LIBRARY");
  add(library ? library : "");
  for (const std::string &setting : call.settings)
    add(setting);
  return hashOf(all);
}

//===- Compiling ----------------------------------------------------------===//

static std::string absolutePath(const std::string &path) {
  return path.empty() || path[0] == '/' ? path : workingFolder() + "/" + path;
}

static int runPlugin(updraft_plugin_function *compile, const Call &call,
                     Result &result) {
  std::vector<const char *> settings;
  for (const std::string &setting : call.settings)
    settings.push_back(setting.c_str());
  updraft_plugin_request request = {};
  request.struct_bytes = sizeof(request);
  request.kind = call.kind;
  request.text = call.text.c_str();
  request.name = call.name.c_str();
  request.param = call.param;
  request.settings = settings.data();
  request.setting_count = uint32_t(settings.size());
  request.target = call.target.c_str();
  request.library_folder = call.libraryFolder.c_str();
  request.explains = call.explains;
  updraft_plugin_sink sink = {};
  sink.context = &result;
  sink.image = [](void *context, const void *bytes, size_t size) {
    static_cast<Result *>(context)->image.assign(
        static_cast<const char *>(bytes), size);
  };
  sink.file = [](void *context, const char *path, int exists) {
    static_cast<Result *>(context)->dependencies.push_back(
        {absolutePath(path), exists != 0});
  };
  sink.message = [](void *context, const char *text, size_t size) {
    static_cast<Result *>(context)->message.assign(text, size);
  };
  return compile(&request, &sink);
}

static int64_t nanosecondsNow() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(system_clock::now().time_since_epoch())
      .count();
}

/// Loads the compiler and calls it.
static updraft_status askCompiler(const Call &call, Result &result) {
  std::string why;
  updraft_plugin_function *compile = loadPlugin(why);
  if (!compile)
    return failWith(UPDRAFT_UNSUPPORTED,
                    "the compiler cannot be loaded: " + why);
  switch (runPlugin(compile, call, result)) {
  case UPDRAFT_PLUGIN_OK:
    return UPDRAFT_OK;
  case UPDRAFT_PLUGIN_BAD_RULE:
    return failWith(UPDRAFT_COMPILE_ERROR, result.message);
  case UPDRAFT_PLUGIN_UNSUPPORTED:
    return failWith(UPDRAFT_UNSUPPORTED, result.message);
  default:
    return failWith(UPDRAFT_INTERNAL, "internal error: " + result.message);
  }
}

static updraft_status compileAndStore(const Call &call, const Cache &cache,
                                      const Hash &key,
                                      updraft_loaded_program **program) {
  int64_t startedAt = nanosecondsNow();
  Result result;
  if (updraft_status status = askCompiler(call, result))
    return status;
  ++compiledCount;
  updraft_status status = updraft_program_from_image(
      result.image.data(), result.image.size(), program);
  if (status == UPDRAFT_OK)
    cache.store(key, result.dependencies, startedAt, result.image);
  return status;
}

static updraft_status run(const Call &call, updraft_loaded_program **program) {
  Cache cache(call.cacheFolder);
  Hash key = keyOf(call);
  // A damaged image is refused by its checksum; then it is made anew.
  if (std::optional<std::string> image = cache.find(key))
    if (updraft_program_from_image(image->data(), image->size(), program) ==
        UPDRAFT_OK) {
      ++cachedCount;
      return UPDRAFT_OK;
    }
  return compileAndStore(call, cache, key, program);
}

//===- The C interface ----------------------------------------------------===//

static updraft_status fillOptions(const updraft_compile_options *options,
                                  Call &call) {
  updraft_compile_options all = {};
  all.param = UPDRAFT_F32;
  if (updraft_status status =
          takeStruct("updraft_compile_options", options, all))
    return status;
  if (all.param > UPDRAFT_F16)
    return failWith(UPDRAFT_INVALID_ARGUMENT,
                    "param is " + std::to_string(all.param) +
                        ", which is no enum updraft_format");
  if (all.setting_count && !all.settings)
    return failWith(UPDRAFT_INVALID_ARGUMENT, "settings is null");
  const char *target = all.target ? all.target : hostTarget();
  if (!target)
    return failWith(UPDRAFT_UNSUPPORTED,
                    "this processor has no fma: x86-64-v3 is the least");
  call.param = all.param;
  call.target = target;
  call.cacheFolder = all.cache_folder ? all.cache_folder : Cache::userFolder();
  call.libraryFolder = all.library_folder ? all.library_folder : "";
  for (size_t i = 0; i < all.setting_count; ++i) {
    if (!all.settings[i])
      return failWith(UPDRAFT_INVALID_ARGUMENT,
                      "settings[" + std::to_string(i) + "] is null");
    call.settings.push_back(all.settings[i]);
  }
  return UPDRAFT_OK;
}

static updraft_status compile(uint32_t kind, const char *what, const char *text,
                              const char *name,
                              const updraft_compile_options *options,
                              updraft_loaded_program **result) {
  return guarded([&]() -> updraft_status {
    if (!result)
      return failWith(UPDRAFT_INVALID_ARGUMENT, "result is null");
    *result = nullptr;
    if (!text)
      return failWith(UPDRAFT_INVALID_ARGUMENT, std::string(what) + " is null");
    Call call;
    call.kind = kind;
    call.text = text;
    call.name = name ? name : "";
    updraft_status status = fillOptions(options, call);
    return status == UPDRAFT_OK ? run(call, result) : status;
  });
}

updraft_status updraft_compile(const char *pipe,
                               const updraft_compile_options *options,
                               updraft_loaded_program **result) {
  return compile(UPDRAFT_PLUGIN_PIPE, "pipe", pipe, nullptr, options, result);
}

updraft_status updraft_compile_file(const char *path,
                                    const updraft_compile_options *options,
                                    updraft_loaded_program **result) {
  return compile(UPDRAFT_PLUGIN_NAME, "path", path, nullptr, options, result);
}

updraft_status updraft_compile_source(const char *source, const char *name,
                                      const updraft_compile_options *options,
                                      updraft_loaded_program **result) {
  return compile(UPDRAFT_PLUGIN_SOURCE, "source", source,
                 name ? name : "<source>", options, result);
}

/// The flat rule of a program says all of it.
updraft_status updraft_explain(const updraft_loaded_program *program,
                               void (*take)(void *context, const char *text),
                               void *context) {
  return guarded([&]() -> updraft_status {
    if (!program || !take)
      return failWith(UPDRAFT_INVALID_ARGUMENT, "program or take is null");
    const updraft_program *all = updraft_program_descriptor(program);
    Call call;
    call.kind = UPDRAFT_PLUGIN_SOURCE;
    call.text = reinterpret_cast<const char *>(all) + all->rule;
    call.name = "<rule>";
    call.param = all->param;
    call.explains = true;
    Result result;
    if (updraft_status status = askCompiler(call, result))
      return status;
    take(context, result.message.c_str());
    return UPDRAFT_OK;
  });
}

updraft_compile_counts updraft_get_compile_counts(void) {
  return {compiledCount, cachedCount};
}
