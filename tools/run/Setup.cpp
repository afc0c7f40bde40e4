//===- Setup.cpp - A rule with its settings, groups and tags --------------===//

#include "Setup.h"
#include "Output.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/GlobPattern.h"
#include "llvm/Support/MemoryBuffer.h"

#include <algorithm>

using namespace updraft;
using namespace updraft::run;

char RuleError::ID = 0;
void RuleError::log(llvm::raw_ostream &) const {}
std::error_code RuleError::convertToErrorCode() const {
  return llvm::inconvertibleErrorCode();
}

//===- Which name is meant -----------------------------------------------===//

/// All full names that `name` may stand for: itself, or those that end in it.
static std::vector<std::string>
candidates(llvm::StringRef name, const std::vector<std::string> &known) {
  if (llvm::is_contained(known, name))
    return {name.str()};
  std::vector<std::string> result;
  for (const std::string &full : known)
    if (llvm::StringRef(full).ends_with(("." + name).str()))
      result.push_back(full);
  return result;
}

/// The known name closest to a wrong one, as text to append.
static std::string suggestion(llvm::StringRef name,
                              const std::vector<std::string> &known) {
  const std::string *best = nullptr;
  unsigned least = 1 + name.size() / 3;
  for (const std::string &full : known) {
    unsigned distance = name.edit_distance(full, true, least);
    if (distance <= least && (!best || distance < least)) {
      least = distance;
      best = &full;
    }
  }
  if (best)
    return "; did you mean '" + *best + "'?";
  return known.empty() ? "; it has none"
                       : "; it has " + llvm::join(known, ", ");
}

/// The one full name that is meant; `kind` is what it was to be.
static llvm::Expected<std::string>
resolve(llvm::StringRef name, const std::vector<std::string> &known,
        llvm::StringRef kind) {
  std::vector<std::string> found = candidates(name, known);
  if (found.size() == 1)
    return found.front();
  if (found.empty())
    return llvm::createStringError("the rule has no " + kind + " '" + name +
                                   "'" + suggestion(name, known));
  return llvm::createStringError(
      "'" + name + "' is ambiguous: " + llvm::join(found, " or "));
}

template <typename Items>
static std::vector<std::string> namesOf(const Items &items) {
  std::vector<std::string> names;
  for (const auto &item : items)
    names.push_back(item.name);
  return names;
}

llvm::Expected<std::string> run::viewNamed(llvm::StringRef name,
                                           const Rule &rule) {
  return resolve(name, viewNames(rule), "view");
}

static llvm::Expected<HyperValue>
readHyper(const Setting &setting, const Rule &rule, llvm::StringRef kind) {
  llvm::Expected<std::string> name =
      resolve(setting.name, namesOf(rule.hypers), kind);
  if (!name)
    return name.takeError();
  std::string digits = setting.value;
  digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
  llvm::Expected<double> value = readDouble(digits);
  if (!value)
    return llvm::createStringError("hyper '" + *name + "' wants a number: '" +
                                   setting.value + "' " +
                                   llvm::toString(value.takeError()));
  return HyperValue{std::move(*name), *value};
}

//===- Settings ----------------------------------------------------------===//

/// The rates of a routed rule that `name` may mean: set by hand, all of them at
/// once. Empty if it means something else too.
static std::vector<std::string> ratesCalled(llvm::StringRef name,
                                            const Rule &rule) {
  std::vector<std::string> rates;
  for (const std::string &full : candidates(name, namesOf(rule.hypers)))
    for (const Hyper &hyper : rule.hypers) {
      if (hyper.name != full)
        continue;
      if (!hyper.isRate)
        return {};
      if (!hyper.computed)
        rates.push_back(full);
    }
  return rates;
}

/// Moves those settings that name options into the request. The rule with all
/// its options as they are by default says which do.
static llvm::Error takeOptions(std::vector<Setting> &settings, Request &request,
                               const Library &library) {
  if (settings.empty())
    return llvm::Error::success();
  // A library of its own: what that has read points into these diagnostics.
  Diagnostics unread;
  Library probe(library.folder());
  std::unique_ptr<Rule> rule = buildRule(request, probe, unread);
  if (!rule) {
    // Some option may have no default: then all settings must be options.
    request.settings = std::move(settings);
    settings.clear();
    return llvm::Error::success();
  }
  std::vector<std::string> options = namesOf(rule->options);
  std::vector<std::string> hypers = namesOf(rule->hypers), both = options;
  llvm::append_range(both, hypers);
  std::vector<Setting> rest;
  for (Setting &setting : settings) {
    if (!ratesCalled(setting.name, *rule).empty()) {
      rest.push_back(std::move(setting));
      continue;
    }
    llvm::Expected<std::string> name =
        resolve(setting.name, both, "option or hyper");
    if (!name)
      return name.takeError();
    if (llvm::is_contained(options, *name))
      request.settings.push_back({*name, setting.value});
    else
      rest.push_back(std::move(setting));
  }
  settings = std::move(rest);
  return llvm::Error::success();
}

/// The settings with one for each rate that a name for all of them means. A
/// rate that is set by its own name is not among them.
static std::vector<Setting> singleHypers(const std::vector<Setting> &settings,
                                         const Rule &rule) {
  std::vector<Setting> single;
  for (const Setting &setting : settings) {
    std::vector<std::string> rates = ratesCalled(setting.name, rule);
    if (rates.empty())
      single.push_back(setting);
    for (const std::string &rate : rates) {
      auto isOwn = [&](const Setting &other) { return other.name == rate; };
      if (setting.name == rate || llvm::none_of(settings, isOwn))
        single.push_back({rate, setting.value});
    }
  }
  return single;
}

/// Adds the hypers of one list, which replace those that were there before.
static llvm::Error addHypers(const std::vector<Setting> &settings,
                             const Rule &rule,
                             std::vector<HyperValue> &hypers) {
  std::vector<HyperValue> own;
  std::vector<Setting> single = singleHypers(settings, rule);
  for (const Setting &setting : single) {
    llvm::Expected<HyperValue> hyper =
        readHyper(setting, rule, "option or hyper");
    if (!hyper)
      return hyper.takeError();
    auto isSame = [&](const HyperValue &other) {
      return other.name == hyper->name;
    };
    if (llvm::any_of(own, isSame))
      return llvm::createStringError("hyper '" + hyper->name +
                                     "' is given twice");
    llvm::erase_if(hypers, isSame);
    own.push_back(std::move(*hyper));
  }
  llvm::append_range(hypers, own);
  return llvm::Error::success();
}

//===- Groups and tags ---------------------------------------------------===//

/// Calls `use` with the position of each parameter that a pattern matches.
static llvm::Error forEachMatch(const std::vector<std::string> &patterns,
                                const Tensors &params,
                                llvm::function_ref<void(size_t)> use) {
  for (const std::string &text : patterns) {
    llvm::Expected<llvm::GlobPattern> pattern = llvm::GlobPattern::create(text);
    if (!pattern)
      return pattern.takeError();
    bool any = false;
    for (size_t index = 0; index < params.size(); ++index)
      if (pattern->match(params[index].name)) {
        any = true;
        use(index);
      }
    if (!any)
      return llvm::createStringError("no parameter is called '" + text + "'");
  }
  return llvm::Error::success();
}

static llvm::Error makeGroups(const CommandLine &line, const Tensors &params,
                              const std::vector<Setting> &hypers,
                              Setup &setup) {
  setup.groups.emplace_back();
  setup.groupOf.assign(params.size(), 0);
  if (llvm::Error error = addHypers(hypers, *setup.rule, setup.groups[0]))
    return error;
  for (const GroupSpec &spec : line.groups) {
    unsigned group = setup.groups.size();
    setup.groups.push_back(setup.groups[0]);
    if (llvm::Error error =
            addHypers(spec.hypers, *setup.rule, setup.groups[group]))
      return error;
    const Tensor *twice = nullptr;
    auto put = [&](size_t index) {
      unsigned &place = setup.groupOf[index];
      if (place != 0 && place != group)
        twice = &params[index];
      place = group;
    };
    if (llvm::Error error = forEachMatch(spec.patterns, params, put))
      return error;
    if (twice)
      return llvm::createStringError("parameter '" + twice->name +
                                     "' stands in two groups");
  }
  return llvm::Error::success();
}

static llvm::Error makeTags(const CommandLine &line, const Tensors &params,
                            Setup &setup) {
  setup.tagsOf.resize(params.size());
  for (const TagSpec &spec : line.tags)
    if (llvm::Error error =
            forEachMatch(spec.patterns, params, [&](size_t index) {
              setup.tagsOf[index].push_back(spec.tag);
            }))
      return error;
  return llvm::Error::success();
}

static llvm::Error readInputs(const CommandLine &line, Setup &setup) {
  for (const Setting &setting : line.inputs) {
    llvm::Expected<std::string> name =
        resolve(setting.name, namesOf(setup.rule->inputs), "input");
    if (!name)
      return name.takeError();
    llvm::Expected<double> value = readDouble(setting.value);
    if (!value)
      return llvm::createStringError("input '" + *name + "' wants a number: '" +
                                     setting.value + "' " +
                                     llvm::toString(value.takeError()));
    setup.inputs.push_back({std::move(*name), *value});
  }
  return llvm::Error::success();
}

/// What the command line calls the rule, as the front end wants it.
static llvm::Expected<Request> makeRequest(const CommandLine &line,
                                           Format format) {
  Request request;
  request.param = format;
  request.text = line.rule;
  request.kind = line.isPipe ? Request::Kind::Pipe : Request::Kind::Name;
  if (line.isPipe || line.rule != "-")
    return request;
  auto text = llvm::MemoryBuffer::getSTDIN();
  if (!text)
    return llvm::createStringError("standard input: " +
                                   text.getError().message());
  request.kind = Request::Kind::Source;
  request.sourceName = "<stdin>";
  request.text = (*text)->getBuffer().str();
  return request;
}

llvm::Expected<Setup> run::makeSetup(const CommandLine &line,
                                     const Inputs &inputs, Library &library,
                                     Diagnostics &diagnostics) {
  Setup setup;
  llvm::Expected<Request> request = makeRequest(line, inputs.format);
  if (!request)
    return request.takeError();
  setup.request = std::move(*request);
  std::vector<Setting> hypers = line.settings;
  if (llvm::Error error = takeOptions(hypers, setup.request, library))
    return error;
  setup.rule = buildRule(setup.request, library, diagnostics);
  if (!setup.rule)
    return llvm::make_error<RuleError>();
  if (llvm::Error error = makeGroups(line, inputs.params, hypers, setup))
    return error;
  if (llvm::Error error = makeTags(line, inputs.params, setup))
    return error;
  if (llvm::Error error = readInputs(line, setup))
    return error;
  setup.threads = line.threads;
  setup.seed = line.seed;
  setup.target = line.target;
  setup.library = line.library;
  return setup;
}
