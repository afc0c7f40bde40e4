//===- ComposeScopes.cpp - Finding boxes and schedules by name ------------===//
//
// A name is looked up in the file of the pipe, then in the files that it uses,
// then in the library.
//
//===----------------------------------------------------------------------===//

#include "Compose.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Path.h"

namespace updraft {

/// No two declarations of a file share a name.      SPEC (S1)
static void checkNames(const ast::File &file, Diagnostics &diagnostics) {
  std::map<std::string, ast::Range> boxes, schedules;
  auto declare = [&](auto &seen, const ast::Name &name) {
    auto [first, isNew] = seen.insert({name.text, name.range});
    if (isNew)
      return;
    diagnostics.report(Label::S1, name.range,
                       "'" + name.text + "' is declared twice in this file");
    diagnostics.note(first->second, "the first declaration is here");
  };
  for (const ast::Box &box : file.boxes)
    declare(boxes, box.name);
  for (const ast::Optimizer &optimizer : file.optimizers)
    declare(boxes, optimizer.name);
  for (const ast::Schedule &schedule : file.schedules)
    declare(schedules, schedule.name);
}

/// use "path": relative to the file that says so.      SPEC (N9, B14)
void Scopes::addUses(const ast::File &file,
                     std::vector<const ast::File *> &seen,
                     std::vector<const ast::File *> &open) {
  seen.push_back(&file);
  open.push_back(&file);
  checkNames(file, diagnostics_);
  for (const ast::Use &use : file.uses) {
    llvm::SmallString<256> path(use.path);
    if (llvm::sys::path::is_relative(path)) {
      path = llvm::sys::path::parent_path(file.path);
      llvm::sys::path::append(path, use.path);
      llvm::sys::path::remove_dots(path, /*remove_dot_dot=*/false);
    }
    const ast::File *used = library_.readFile(path, diagnostics_, use.range);
    if (!used)
      continue;
    if (llvm::is_contained(open, used))
      diagnostics_.report(Label::B14, use.range,
                          "'" + use.path + "' uses this file in turn");
    else if (!llvm::is_contained(seen, used))
      addUses(*used, seen, open);
  }
  open.pop_back();
}

const std::vector<const ast::File *> &Scopes::visible(const ast::File &file) {
  auto [entry, isNew] = visible_.insert({&file, {}});
  if (isNew) {
    std::vector<const ast::File *> seen, open;
    addUses(file, seen, open);
    entry->second = std::move(seen);
  }
  return entry->second;
}

/// What a library file is asked for by its name: what is called like the file,
/// else all that it holds.
Scopes::Found Scopes::findInLibrary(llvm::StringRef name, ast::Range usedAt) {
  const ast::File *file = name.ends_with(".upd")
                              ? library_.readFile(name, diagnostics_, usedAt)
                              : library_.findByName(name, diagnostics_);
  if (!file)
    return {};
  visible(*file);
  llvm::StringRef last = llvm::sys::path::stem(name);
  for (const ast::Optimizer &optimizer : file->optimizers)
    if (optimizer.name.text == last || file->optimizers.size() == 1)
      return {nullptr, &optimizer, file};
  for (const ast::Box &box : file->boxes)
    if (box.name.text == last || file->boxes.size() == 1)
      return {&box, nullptr, file};
  return {};
}

Scopes::Found Scopes::findBox(const ast::Name &name, const ast::File &file) {
  std::vector<Found> found;
  for (const ast::File *seen : visible(file)) {
    for (const ast::Box &box : seen->boxes)
      if (box.name.text == name.text)
        found.push_back({&box, nullptr, seen});
    for (const ast::Optimizer &optimizer : seen->optimizers)
      if (optimizer.name.text == name.text)
        found.push_back({nullptr, &optimizer, seen});
    if (seen == &file && !found.empty())
      break; // one's own comes before what one uses
  }
  if (found.size() > 1) {
    diagnostics_.report(Label::B15, name.range,
                        "'" + name.text +
                            "' is declared in several of the used files");
    for (const Found &one : found)
      diagnostics_.note(one.box ? one.box->name.range
                                : one.optimizer->name.range,
                        "one declaration is here");
    return {};
  }
  if (found.empty())
    found.push_back(findInLibrary(name.text, name.range));
  if (!found[0].file && !diagnostics_.hasErrors())
    reportUnknown(name, file);
  return found[0];
}

/// SPEC (B1)
void Scopes::reportUnknown(const ast::Name &name, const ast::File &file) {
  std::vector<std::string> names = library_.names(), same;
  for (const std::string &known : names)
    if (llvm::sys::path::filename(known) == name.text && known != name.text)
      same.push_back("'" + known + "'");
  for (const ast::File *seen : visible(file)) {
    for (const ast::Box &box : seen->boxes)
      names.push_back(box.name.text);
    for (const ast::Optimizer &optimizer : seen->optimizers)
      names.push_back(optimizer.name.text);
  }
  std::string what = "'" + name.text + "' ";
  if (findSchedule(name.text, file))
    what += "is a schedule; give it to a rule as its rate, as in "
            "'torch/adamw(" +
            name.text + "(...))'";
  else if (!same.empty())
    what += "is the last part of a longer name; did you mean " +
            llvm::join(same, " or ") + "?";
  else
    what += "is no rule, transform or optimizer" + didYouMean(name.text, names);
  diagnostics_.report(Label::B1, name.range, what);
}

const ast::Schedule *Scopes::findSchedule(llvm::StringRef name,
                                          const ast::File &file) {
  auto search = [&](const ast::File &seen) -> const ast::Schedule * {
    for (const ast::Schedule &schedule : seen.schedules)
      if (schedule.name.text == name)
        return &schedule;
    return nullptr;
  };
  for (const ast::File *seen : visible(file))
    if (const ast::Schedule *schedule = search(*seen))
      return schedule;
  const ast::File *inLibrary = library_.findByName(name, diagnostics_);
  return inLibrary ? search(*inLibrary) : nullptr;
}

std::vector<std::string> Scopes::scheduleNames(const ast::File &file) {
  std::vector<std::string> names = library_.names();
  for (const ast::File *seen : visible(file))
    for (const ast::Schedule &schedule : seen->schedules)
      names.push_back(schedule.name.text);
  return names;
}

} // namespace updraft
