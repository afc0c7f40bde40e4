//===- Checkpoint.cpp - States to and from a file -------------------------===//
//
// "<param>.<state>", "group<i>.<state>", "model.<state>"; hypers as text in the
// metadata ("hyper.group0.lr"), with the rule, so that a file explains itself.
// Loading reads and checks everything into memory of its own first.
//
//===----------------------------------------------------------------------===//

#include "CudaDevice.h"
#include "File.h"
#include "Names.h"
#include "Safetensors.h"
#include "States.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <unordered_map>

using namespace updraft::runtime;

namespace {

struct Entry {
  std::string key;
  State state;
};

struct HyperEntry {
  std::string key;
  const updraft_hyper *hyper;
  uint32_t group;
};

/// What a file holds and where it lives, in the file's order: wide formats
/// first, so that every array is aligned in the file.
struct Contents {
  std::vector<Entry> entries;
  std::vector<HyperEntry> hypers;
};

constexpr std::string_view kHyper = "hyper.";
constexpr uint64_t kPieceBytes = uint64_t(16) << 20;

void addStates(Contents &contents, const std::string &owner,
               const std::vector<State> &states) {
  for (const State &state : states)
    contents.entries.push_back({owner + "." + state.name, state});
}

void addHypers(Contents &contents, const Optimizer &optimizer, uint32_t level,
               uint32_t group, const std::string &owner) {
  const updraft_program *program = optimizer.program();
  for (const updraft_hyper &hyper :
       items<updraft_hyper>(program, program->hypers))
    if (hyper.level == level && !(hyper.flags & UPDRAFT_HYPER_COMPUTED))
      contents.hypers.push_back(
          {std::string(kHyper) + owner + "." + text(program, hyper.name),
           &hyper, group});
}

Contents contentsOf(const Optimizer &optimizer) {
  Contents contents;
  addStates(contents, "model", statesOf(optimizer, UPDRAFT_MODEL, 0));
  addHypers(contents, optimizer, UPDRAFT_MODEL, 0, "model");
  for (uint32_t g = 0; g < optimizer.groupCount; ++g) {
    std::string owner = "group" + std::to_string(g);
    addStates(contents, owner, statesOf(optimizer, UPDRAFT_GROUP, g));
    addHypers(contents, optimizer, UPDRAFT_GROUP, g, owner);
  }
  for (const Param &param : optimizer.params)
    addStates(contents, param.name, statesOf(optimizer, param));
  std::vector<Entry> ordered;
  for (size_t bytes : {8, 4, 2})
    for (Entry &entry : contents.entries)
      if (bytesOf(entry.state.format) == bytes)
        ordered.push_back(std::move(entry));
  contents.entries = std::move(ordered);
  return contents;
}

std::vector<uint64_t> shapeOf(const State &state) {
  if (!state.shape)
    return {};
  return {state.shape->shape, state.shape->shape + state.shape->rank};
}

std::string hexText(const uint8_t (&bytes)[16]) {
  std::string result;
  for (uint8_t byte : bytes)
    for (int shift : {4, 0})
      result += "0123456789abcdef"[byte >> shift & 15];
  return result;
}

SafeHeader headerOf(const Optimizer &optimizer, const Contents &contents) {
  const updraft_program *program = optimizer.program();
  SafeHeader header;
  header.metadata = {{"format", "updraft"},
                     {"program", optimizer.rule()},
                     {"hash", hexText(program->hash)},
                     {"rule", text(program, program->rule)}};
  for (const HyperEntry &each : contents.hypers)
    header.metadata.emplace_back(
        each.key, numberText(*hyperAt(optimizer, *each.hyper, each.group)));
  uint64_t at = 0;
  for (const Entry &entry : contents.entries) {
    uint64_t end = at + entry.state.bytes();
    header.tensors.push_back({entry.key, safeDtype(entry.state.format),
                              shapeOf(entry.state), at, end});
    at = end;
  }
  return header;
}

//===- Saving -------------------------------------------------------------===//

updraft_status checkKeys(const Optimizer &optimizer, const Contents &contents) {
  std::unordered_map<std::string_view, int> seen;
  for (const Entry &entry : contents.entries)
    if (seen[entry.key]++)
      return fail(UPDRAFT_INVALID_ARGUMENT,
                  "%s: two states would be called '%s' in the file: rename a "
                  "parameter",
                  optimizer.rule(), entry.key.c_str());
  return UPDRAFT_OK;
}

/// Writes a state, from a device piece by piece.
updraft_status writeState(const Optimizer &optimizer, const State &state,
                          NewFile &file, Block &piece) {
  if (!optimizer.device)
    return file.write(state.data, state.bytes());
  if (!piece.bytes())
    piece = Block(kPieceBytes);
  const char *from = static_cast<const char *>(state.data);
  for (uint64_t at = 0; at < state.bytes(); at += kPieceBytes) {
    uint64_t bytes = std::min<uint64_t>(state.bytes() - at, kPieceBytes);
    if (updraft_status status =
            optimizer.device->read(from + at, piece.data(), bytes))
      return status;
    if (updraft_status status = file.write(piece.data(), bytes))
      return status;
  }
  return UPDRAFT_OK;
}

updraft_status save(const Optimizer &optimizer, const char *path) {
  if (optimizer.device)
    if (updraft_status status = optimizer.device->settle())
      return status;
  Contents contents = contentsOf(optimizer);
  if (updraft_status status = checkKeys(optimizer, contents))
    return status;
  std::string header, problem;
  if (!printSafeHeader(headerOf(optimizer, contents), header, problem))
    return fail(UPDRAFT_INVALID_ARGUMENT, "%s: %s", optimizer.rule(),
                problem.c_str());
  NewFile file(path);
  if (updraft_status status = file.open())
    return status;
  if (updraft_status status = file.write(header.data(), header.size()))
    return status;
  Block piece;
  for (const Entry &entry : contents.entries)
    if (updraft_status status = writeState(optimizer, entry.state, file, piece))
      return status;
  return file.commit();
}

//===- Loading ------------------------------------------------------------===//

class Loader {
public:
  Loader(Optimizer &optimizer, const char *path)
      : optimizer(optimizer), path(path), file(path) {}

  updraft_status run();

private:
  updraft_status wrong(const std::string &problem) {
    return fail(UPDRAFT_INVALID_ARGUMENT, "%s: %s: %s", optimizer.rule(), path,
                problem.c_str());
  }
  updraft_status readHeader();
  updraft_status matchTensors();
  updraft_status matchTensor(const Entry &entry, const SafeTensor &tensor);
  updraft_status matchHypers();
  updraft_status readData();
  updraft_status takeHypers();
  void takeStates();
  updraft_status sendStates();
  void setBack();

  Optimizer &optimizer;
  const char *path;
  OldFile file;
  Contents contents;
  SafeHeader header;
  uint64_t dataStart = 0;
  std::vector<uint64_t> begins; ///< by entry
  std::vector<std::pair<const HyperEntry *, double>> values;
  std::vector<double> before; ///< the hypers that these replace
  Block data;
};

updraft_status Loader::readHeader() {
  unsigned char prefix[8] = {};
  uint64_t length = 0;
  std::string problem;
  if (updraft_status status =
          file.read(0, prefix, std::min<uint64_t>(file.bytes(), sizeof prefix)))
    return status;
  if (!readSafeLength(prefix, file.bytes(), length, problem))
    return wrong(problem);
  std::string text(length, 0);
  if (updraft_status status = file.read(8, text.data(), length))
    return status;
  dataStart = 8 + length;
  if (!parseSafeHeader(text, file.bytes() - dataStart, header, problem))
    return wrong(problem);
  return UPDRAFT_OK;
}

std::string describe(const std::string &dtype,
                     const std::vector<uint64_t> &shape) {
  std::string text = dtype + " [";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

updraft_status Loader::matchTensor(const Entry &entry,
                                   const SafeTensor &tensor) {
  std::string dtype = safeDtype(entry.state.format);
  std::vector<uint64_t> shape = shapeOf(entry.state);
  if (tensor.dtype == dtype && tensor.shape == shape)
    return UPDRAFT_OK;
  return wrong("'" + entry.key + "' is " +
               describe(tensor.dtype, tensor.shape) + ", " +
               describe(dtype, shape) + " is needed");
}

updraft_status Loader::matchTensors() {
  std::unordered_map<std::string_view, const SafeTensor *> byName;
  for (const SafeTensor &tensor : header.tensors)
    byName[tensor.name] = &tensor;
  for (const Entry &entry : contents.entries) {
    auto found = byName.find(entry.key);
    if (found == byName.end())
      return wrong("it has no '" + entry.key + "'");
    if (updraft_status status = matchTensor(entry, *found->second))
      return status;
    begins.push_back(found->second->begin);
    byName.erase(found);
  }
  for (const SafeTensor &tensor : header.tensors)
    if (byName.count(tensor.name))
      return wrong("it has '" + tensor.name +
                   "', which this optimizer has not");
  return UPDRAFT_OK;
}

updraft_status Loader::matchHypers() {
  for (const auto &[key, value] : header.metadata) {
    if (!key.starts_with(kHyper))
      continue;
    const HyperEntry *entry = nullptr;
    for (const HyperEntry &each : contents.hypers)
      if (each.key == key)
        entry = &each;
    if (!entry)
      return wrong("it has '" + key + "', which this optimizer has not");
    double number = 0;
    auto [end, error] =
        std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size())
      return wrong("'" + key + "' is '" + value + "', a number is needed");
    if (updraft_status status = checkValue(optimizer, *entry->hyper, number))
      return status;
    values.emplace_back(entry, number);
  }
  return UPDRAFT_OK;
}

updraft_status Loader::readData() {
  data = Block(file.bytes() - dataStart);
  return file.read(dataStart, data.data(), data.bytes());
}

/// Sets the hypers; sets them back if they break what the rule requires.
updraft_status Loader::takeHypers() {
  for (auto [entry, value] : values) {
    double *at = hyperAt(optimizer, *entry->hyper, entry->group);
    before.push_back(*at);
    *at = value;
  }
  updraft_status status = checkRequires(optimizer);
  if (status)
    setBack();
  return status;
}

void Loader::setBack() {
  for (size_t i = values.size(); i-- > 0;)
    *hyperAt(optimizer, *values[i].first->hyper, values[i].first->group) =
        before[i];
  if (!optimizer.atCheck.empty())
    runAll(optimizer, optimizer.atCheck, 1);
}

void Loader::takeStates() {
  for (size_t i = 0; i < contents.entries.size(); ++i) {
    const State &state = contents.entries[i].state;
    if (state.bytes())
      memcpy(state.data, data.data() + begins[i], state.bytes());
  }
}

/// The same on a device. A driver that fails between two copies has lost the
/// device: what it has taken stays.
updraft_status Loader::sendStates() {
  std::vector<double *> slots;
  for (auto [entry, value] : values)
    slots.push_back(hyperAt(optimizer, *entry->hyper, entry->group));
  updraft_status status = optimizer.device->send(slots);
  size_t sent = 0;
  for (; !status && sent < contents.entries.size(); ++sent) {
    const State &state = contents.entries[sent].state;
    status = optimizer.device->write(state.data, data.data() + begins[sent],
                                     state.bytes());
    if (status)
      break;
  }
  if (!status)
    status = optimizer.device->settle();
  if (!status)
    return UPDRAFT_OK;
  std::string problem = updraft_last_error();
  setBack();
  optimizer.device->sendLater(slots);
  if (sent)
    problem += " (after " + std::to_string(sent) + " of " +
               std::to_string(contents.entries.size()) + " states: load again)";
  return failWith(status, problem);
}

updraft_status Loader::run() {
  if (optimizer.device)
    if (updraft_status status = optimizer.device->settle())
      return status;
  contents = contentsOf(optimizer);
  if (updraft_status status = file.open())
    return status;
  if (updraft_status status = readHeader())
    return status;
  if (updraft_status status = matchTensors())
    return status;
  if (updraft_status status = matchHypers())
    return status;
  if (updraft_status status = readData())
    return status;
  if (updraft_status status = takeHypers())
    return status;
  if (optimizer.device)
    return sendStates();
  takeStates();
  return UPDRAFT_OK;
}

} // namespace

updraft_status updraft_optimizer_save(const updraft_optimizer *optimizer,
                                      const char *path) {
  return call(optimizer, [&] {
    if (!path)
      return fail(UPDRAFT_INVALID_ARGUMENT, "%s: path is null",
                  optimizer->rule());
    if (updraft_status status = requireStates(*optimizer))
      return status;
    return save(*optimizer, path);
  });
}

updraft_status updraft_optimizer_load(updraft_optimizer *optimizer,
                                      const char *path) {
  return call(optimizer, [&] {
    if (!path)
      return fail(UPDRAFT_INVALID_ARGUMENT, "%s: path is null",
                  optimizer->rule());
    if (updraft_status status = requireStates(*optimizer))
      return status;
    return Loader(*optimizer, path).run();
  });
}
