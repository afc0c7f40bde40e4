//===- Hypers.cpp - Numbers that a person may change ----------------------===//
//
// A hyper is an f64 in the row of its group, or of the model. What it may be is
// in the program: a domain, whole numbers only, and conditions (`require`) that
// compiled kernels evaluate.
//
//===----------------------------------------------------------------------===//

#include "CudaDevice.h"
#include "Names.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace updraft::runtime;

static std::span<const updraft_hyper> hypersOf(const Optimizer &optimizer) {
  const updraft_program *program = optimizer.program();
  return items<updraft_hyper>(program, program->hypers);
}

static const char *nameOf(const Optimizer &optimizer,
                          const updraft_hyper &hyper) {
  return text(optimizer.program(), hyper.name);
}

double *updraft::runtime::hyperAt(const Optimizer &optimizer,
                                  const updraft_hyper &hyper, uint32_t group) {
  double *row = hyper.level == UPDRAFT_MODEL ? optimizer.modelRow()
                                             : optimizer.groupRow(group);
  return row + hyper.slot;
}

namespace {
/// The hypers that a name means.
struct Found {
  std::vector<size_t> hypers; ///< at least one
  /// The name is the last part of the rates of several routes.
  bool isOfRoutes = false;
};
} // namespace

/// The rates that `name` is short for, if it is for several and for rates only.
static std::vector<size_t> ratesCalled(const Optimizer &optimizer,
                                       const char *name) {
  auto hypers = hypersOf(optimizer);
  std::vector<size_t> rates;
  for (size_t i = 0; i < hypers.size(); ++i) {
    const char *full = nameOf(optimizer, hypers[i]);
    bool isShort = isShortFor(name, full);
    if (!strcmp(full, name) ||
        (isShort && !(hypers[i].flags & UPDRAFT_HYPER_RATE)))
      return {};
    if (isShort)
      rates.push_back(i);
  }
  return rates.size() > 1 ? rates : std::vector<size_t>();
}

static updraft_status findHypers(const Optimizer &optimizer, const char *name,
                                 Found &found) {
  if (!name)
    return fail(UPDRAFT_INVALID_ARGUMENT, "%s: the hyper's name is null",
                optimizer.rule());
  auto hypers = hypersOf(optimizer);
  found = {ratesCalled(optimizer, name), true};
  if (!found.hypers.empty()) {
    // A schedule goes on in its route, unless there are only such.
    auto isComputed = [&](size_t i) {
      return hypers[i].flags & UPDRAFT_HYPER_COMPUTED;
    };
    if (!std::all_of(found.hypers.begin(), found.hypers.end(), isComputed))
      std::erase_if(found.hypers, isComputed);
    return UPDRAFT_OK;
  }
  found = {{0}, false};
  std::vector<const char *> names;
  for (const updraft_hyper &hyper : hypers)
    names.push_back(nameOf(optimizer, hyper));
  return findName(names, name, optimizer.rule(), "hyper", found.hypers[0]);
}

static bool isInside(const updraft_hyper &hyper, double value) {
  bool low = hyper.flags & UPDRAFT_HYPER_LOW_OPEN ? value > hyper.low
                                                  : value >= hyper.low;
  bool high = hyper.flags & UPDRAFT_HYPER_HIGH_OPEN ? value < hyper.high
                                                    : value <= hyper.high;
  return low && high;
}

static std::string domainText(const updraft_hyper &hyper) {
  return (hyper.flags & UPDRAFT_HYPER_LOW_OPEN ? "(" : "[") +
         numberText(hyper.low) + ", " + numberText(hyper.high) +
         (hyper.flags & UPDRAFT_HYPER_HIGH_OPEN ? ")" : "]");
}

updraft_status updraft::runtime::checkValue(const Optimizer &optimizer,
                                            const updraft_hyper &hyper,
                                            double value) {
  const char *rule = optimizer.rule(), *name = nameOf(optimizer, hyper);
  if (hyper.flags & UPDRAFT_HYPER_COMPUTED)
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: hyper '%s' is computed by the step itself and cannot be "
                "set",
                rule, name);
  if (std::isnan(value))
    return fail(UPDRAFT_INVALID_ARGUMENT, "%s: hyper '%s' cannot be NaN", rule,
                name);
  if (!isInside(hyper, value))
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: hyper '%s' is %s, it must be in %s", rule, name,
                numberText(value).c_str(), domainText(hyper).c_str());
  if (hyper.flags & UPDRAFT_HYPER_INT && value != std::floor(value))
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: hyper '%s' is %s, it must be a whole number", rule, name,
                numberText(value).c_str());
  return UPDRAFT_OK;
}

//===- Creation -----------------------------------------------------------===//

namespace {
/// Which hypers have been given, by group.
class Given {
public:
  Given(size_t hypers, size_t groups)
      : hypers(hypers), flags(hypers * groups) {}
  uint8_t &operator()(const updraft_hyper &hyper, size_t index,
                      uint32_t group) {
    return flags[(hyper.level == UPDRAFT_MODEL ? 0 : group) * hypers + index];
  }

private:
  size_t hypers;
  std::vector<uint8_t> flags;
};
} // namespace

static updraft_status giveOne(Optimizer &optimizer, Given &given,
                              uint32_t group, const updraft_setting &setting,
                              size_t index) {
  const updraft_hyper &hyper = hypersOf(optimizer)[index];
  if (updraft_status status = checkValue(optimizer, hyper, setting.value))
    return status;
  double *value = hyperAt(optimizer, hyper, group);
  // One value a program: two groups may name it, but not differ.
  if (given(hyper, index, group) && *value != setting.value)
    return fail(UPDRAFT_INVALID_ARGUMENT,
                "%s: hyper '%s' is given twice, as %s and as %s",
                optimizer.rule(), nameOf(optimizer, hyper),
                numberText(*value).c_str(), numberText(setting.value).c_str());
  given(hyper, index, group) = 1;
  *value = setting.value;
  return UPDRAFT_OK;
}

/// A rate that the group sets by its own name is not among those that another
/// setting means by the name of all.
static updraft_status give(Optimizer &optimizer, Given &given, uint32_t group,
                           const updraft_group &settings, size_t number) {
  Found found;
  const updraft_setting &setting = settings.hypers[number];
  if (updraft_status status = findHypers(optimizer, setting.name, found))
    return status;
  for (size_t index : found.hypers) {
    const char *full = nameOf(optimizer, hypersOf(optimizer)[index]);
    bool hasOwn = false;
    for (size_t i = 0; found.isOfRoutes && i < settings.hyper_count; ++i)
      hasOwn |= settings.hypers[i].name && i != number &&
                !strcmp(settings.hypers[i].name, full);
    if (hasOwn)
      continue;
    if (updraft_status status =
            giveOne(optimizer, given, group, setting, index))
      return status;
  }
  return UPDRAFT_OK;
}

static updraft_status checkRequired(Optimizer &optimizer, Given &given) {
  auto hypers = hypersOf(optimizer);
  for (size_t i = 0; i < hypers.size(); ++i) {
    if (!(hypers[i].flags & UPDRAFT_HYPER_REQUIRED))
      continue;
    for (uint32_t g = 0; g < optimizer.groupCount; ++g)
      if (!given(hypers[i], i, g))
        return fail(UPDRAFT_INVALID_ARGUMENT,
                    "%s: hyper '%s' has no default and is not given for group "
                    "%u",
                    optimizer.rule(), nameOf(optimizer, hypers[i]), g);
  }
  return UPDRAFT_OK;
}

updraft_status updraft::runtime::initHypers(Optimizer &optimizer,
                                            const updraft_group *groups) {
  auto hypers = hypersOf(optimizer);
  for (const updraft_hyper &hyper : hypers)
    for (uint32_t g = 0; g < optimizer.groupCount; ++g)
      *hyperAt(optimizer, hyper, g) = hyper.initial;
  Given given(hypers.size(), optimizer.groupCount);
  for (uint32_t g = 0; groups && g < optimizer.groupCount; ++g) {
    if (groups[g].hyper_count && !groups[g].hypers)
      return fail(UPDRAFT_INVALID_ARGUMENT,
                  "%s: the hypers of group %u are null", optimizer.rule(), g);
    for (size_t i = 0; i < groups[g].hyper_count; ++i)
      if (updraft_status status = give(optimizer, given, g, groups[g], i))
        return status;
  }
  return checkRequired(optimizer, given);
}

//===- Require ------------------------------------------------------------===//

static updraft_status brokenRequire(const Optimizer &optimizer,
                                    const updraft_require &require,
                                    const std::string &place) {
  const char *message = text(optimizer.program(), require.message);
  return fail(UPDRAFT_INVALID_ARGUMENT, "%s: %s%s", optimizer.rule(),
              place.c_str(), *message ? message : "a requirement is not met");
}

static updraft_status checkRequire(const Optimizer &optimizer,
                                   const updraft_require &require) {
  if (require.level == UPDRAFT_MODEL && !optimizer.modelRow()[require.slot])
    return brokenRequire(optimizer, require, "");
  if (require.level == UPDRAFT_GROUP)
    for (uint32_t g = 0; g < optimizer.groupCount; ++g)
      if (!optimizer.groupRow(g)[require.slot])
        return brokenRequire(optimizer, require,
                             "group " + std::to_string(g) + ": ");
  if (require.level != UPDRAFT_TENSOR)
    return UPDRAFT_OK;
  const Table &table = optimizer.tables[require.variant];
  for (uint32_t row = 0; row < table.rowCount; ++row)
    if (!table.slotsOf(row)[require.slot])
      return brokenRequire(
          optimizer, require,
          "parameter '" + optimizer.params[table.paramOf[row]].name + "': ");
  return UPDRAFT_OK;
}

updraft_status updraft::runtime::checkRequires(Optimizer &optimizer) {
  const updraft_program *program = optimizer.program();
  if (!optimizer.atCheck.empty())
    runAll(optimizer, optimizer.atCheck, 1);
  for (const updraft_require &require :
       items<updraft_require>(program, program->requires_))
    if (updraft_status status = checkRequire(optimizer, require))
      return status;
  return UPDRAFT_OK;
}

//===- Set and get --------------------------------------------------------===//

static updraft_status locate(const Optimizer &optimizer, uint32_t group,
                             const char *name, Found &found) {
  if (updraft_status status = findHypers(optimizer, name, found))
    return status;
  for (size_t index : found.hypers) {
    const updraft_hyper &hyper = hypersOf(optimizer)[index];
    if (hyper.level == UPDRAFT_GROUP && group >= optimizer.groupCount)
      return fail(UPDRAFT_INVALID_ARGUMENT,
                  "%s: hyper '%s' of group %u: there are %u groups",
                  optimizer.rule(), nameOf(optimizer, hyper), group,
                  optimizer.groupCount);
  }
  return UPDRAFT_OK;
}

static updraft_status setHyper(Optimizer &optimizer, uint32_t group,
                               const char *name, double value) {
  Found found;
  if (updraft_status status = locate(optimizer, group, name, found))
    return status;
  auto hypers = hypersOf(optimizer);
  std::vector<double *> slots;
  std::vector<double> before;
  for (size_t index : found.hypers) {
    if (updraft_status status = checkValue(optimizer, hypers[index], value))
      return status;
    slots.push_back(hyperAt(optimizer, hypers[index], group));
  }
  for (double *slot : slots)
    before.push_back(std::exchange(*slot, value));
  updraft_status status = checkRequires(optimizer);
  if (!status && optimizer.device)
    status = optimizer.device->send(slots);
  if (status) {
    for (size_t i = 0; i < slots.size(); ++i)
      *slots[i] = before[i];
    if (!optimizer.atCheck.empty())
      runAll(optimizer, optimizer.atCheck, 1);
  }
  return status;
}

updraft_status updraft_optimizer_set_hyper(updraft_optimizer *optimizer,
                                           uint32_t group, const char *name,
                                           double value) {
  return call(optimizer,
              [&] { return setHyper(*optimizer, group, name, value); });
}

/// What a step computes is fetched from where it runs.
static updraft_status readHyper(const Optimizer &optimizer,
                                const updraft_hyper &hyper, uint32_t group,
                                double &value) {
  const double *slot = hyperAt(optimizer, hyper, group);
  value = *slot;
  if (!optimizer.device || !(hyper.flags & UPDRAFT_HYPER_COMPUTED))
    return UPDRAFT_OK;
  if (updraft_status status = optimizer.device->settle())
    return status;
  return optimizer.device->read(optimizer.device->addressOf(slot), &value,
                                sizeof value);
}

/// Rates of several routes have one value as long as it is the same.
static updraft_status getHyper(const Optimizer &optimizer, uint32_t group,
                               const char *name, const Found &found,
                               double &value) {
  auto hypers = hypersOf(optimizer);
  std::string all;
  bool isSame = true;
  double first = 0;
  for (size_t index : found.hypers) {
    double own = 0;
    if (updraft_status status = readHyper(optimizer, hypers[index], group, own))
      return status;
    if (all.empty())
      first = own;
    isSame &= own == first;
    all += (all.empty() ? "'" : ", '") +
           std::string(nameOf(optimizer, hypers[index])) + "' is " +
           numberText(own);
  }
  if (!isSame)
    return fail(UPDRAFT_INVALID_ARGUMENT, "%s: hyper '%s' has no one value: %s",
                optimizer.rule(), name, all.c_str());
  value = first;
  return UPDRAFT_OK;
}

updraft_status updraft_optimizer_get_hyper(const updraft_optimizer *optimizer,
                                           uint32_t group, const char *name,
                                           double *value) {
  return call(optimizer, [&] {
    Found found;
    if (updraft_status status = locate(*optimizer, group, name, found))
      return status;
    if (!value)
      return fail(UPDRAFT_INVALID_ARGUMENT, "%s: value is null",
                  optimizer->rule());
    return getHyper(*optimizer, group, name, found, *value);
  });
}
