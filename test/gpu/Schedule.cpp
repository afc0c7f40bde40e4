//===- Schedule.cpp - Which lanes of a warp run next ----------------------===//

#include "Warp.h"

#include <algorithm>
#include <cstring>

namespace updraft::gpu {

Stop Warp::run() {
  if (standing) {
    Group group = frame->groups.front();
    frame->groups = {{group.pc + 1, group.lanes}};
    standing = false;
  }
  for (;;) {
    auto &groups = frame->groups;
    if (groups.empty()) {
      if (!pop())
        return Stop::Done;
      continue;
    }
    auto next = std::find_if(groups.begin(), groups.end(),
                             [](const Group &each) { return !each.waiting; });
    if (next == groups.end()) {
      const Group &first = groups.front();
      const Instruction &at = frame->function->code[first.pc];
      standing = at.control == Control::BlockSync && first.lanes == existing;
      if (standing)
        return Stop::Barrier;
      fail(at, __builtin_ctz(first.lanes),
           "waits for lanes that do not come: of " +
               std::to_string(std::popcount(existing)) + " only " +
               std::to_string(std::popcount(first.lanes)) + " are here");
    }
    Group group = *next;
    next = groups.erase(next);
    advance(group, next == groups.end() ? ~0u : next->pc);
  }
}

/// Runs the group until it joins another one, splits or waits.
void Warp::advance(Group group, uint32_t until) {
  const Instruction *code = frame->function->code.data();
  while (group.pc < until) {
    const Instruction &at = code[group.pc];
    uint32_t lanes = group.lanes;
    if (at.guarded) {
      if (lanes & ~frame->set[at.guard.id])
        fail(at, __builtin_ctz(lanes & ~frame->set[at.guard.id]),
             "its predicate was never set");
      lanes &= at.negated ? ~mask(at.guard) : mask(at.guard);
    }
    ++instructions;
    if (lanes) {
      checkSet(at, lanes);
      if (at.control == Control::Plain)
        at.run(*this, at, lanes);
      else if (!control(at, group, lanes))
        return;
      else if (at.control == Control::Branch)
        continue;
    }
    ++group.pc;
  }
  put(group);
}

void Warp::checkSet(const Instruction &at, uint32_t lanes) const {
  uint32_t *set = frame->set.data();
  const Operand *source = at.operands + at.targets;
  uint32_t missing = 0;
  for (uint32_t k = 0; k < at.sources; ++k)
    missing |= lanes & ~set[source[k].id];
  if (missing)
    fail(at, __builtin_ctz(missing), "reads a register that was never set");
  for (uint32_t k = 0; k < at.targets; ++k)
    set[at.operands[k].id] |= lanes;
}

/// True: the group goes on, of a branch where it now stands. False: it has been
/// put away.
bool Warp::control(const Instruction &at, Group &group, uint32_t lanes) {
  switch (at.control) {
  case Control::Branch:
    if (lanes == group.lanes && frame->groups.empty()) {
      group.pc = at.jump;
      return true;
    }
    put({at.jump, lanes});
    put({group.pc + 1, group.lanes & ~lanes});
    return false;
  case Control::Table:
    put({group.pc + 1, group.lanes & ~lanes});
    table(at, lanes);
    return false;
  case Control::Call:
    put({group.pc + 1, group.lanes});
    call(at, lanes);
    return false;
  case Control::Return:
  case Control::Exit:
    put({group.pc + 1, group.lanes & ~lanes});
    leave(at, lanes);
    return false;
  default:
    return gather(at, group, lanes);
  }
}

void Warp::put(Group group) {
  if (!group.lanes)
    return;
  auto &groups = frame->groups;
  auto place = std::lower_bound(
      groups.begin(), groups.end(), group,
      [](const Group &a, const Group &b) { return a.pc < b.pc; });
  if (place == groups.end() || place->pc != group.pc) {
    groups.insert(place, group);
    return;
  }
  place->lanes |= group.lanes;
  place->waiting = false;
}

void Warp::table(const Instruction &at, uint32_t lanes) {
  const auto &targets = frame->function->tables[at.jump];
  const uint32_t *which = this->at<uint32_t>(at.operands[0]);
  for (; lanes; lanes &= lanes - 1) {
    uint32_t l = __builtin_ctz(lanes);
    if (which[l] >= targets.size())
      fail(at, l, "an index beyond the table");
    put({targets[which[l]], 1u << l});
  }
}

void Warp::call(const Instruction &at, uint32_t lanes) {
  constexpr size_t most = 256;
  const Call &made = frame->function->calls[at.jump];
  if (depth == most)
    fail(at, __builtin_ctz(lanes), "calls too deep");
  const Frame &caller = *frame;
  push(*made.callee);
  frame->call = &made;
  for (size_t k = 0; k < made.arguments.size(); ++k)
    for (uint32_t l = 0; l < kLanes; ++l)
      std::memcpy(
          frame->parameters.data() + l * frame->function->parameterBytes +
              made.callee->parameters[k].at,
          caller.parameters.data() + l * caller.function->parameterBytes +
              made.arguments[k].at,
          made.arguments[k].bytes);
  frame->groups.push_back({0, lanes});
}

void Warp::leave(const Instruction &at, uint32_t lanes) {
  if (at.control == Control::Exit || depth == 1) {
    alive &= ~lanes;
    for (size_t k = 0; k < depth; ++k) {
      auto &groups = frames[k]->groups;
      for (Group &each : groups)
        each.lanes &= ~lanes;
      std::erase_if(groups, [](const Group &each) { return !each.lanes; });
    }
    return;
  }
  Frame &caller = *frames[depth - 2];
  const Call &made = *frame->call;
  for (size_t k = 0; k < made.results.size(); ++k)
    for (uint32_t l = 0; l < kLanes; ++l)
      if (lanes >> l & 1)
        std::memcpy(
            caller.parameters.data() + l * caller.function->parameterBytes +
                made.results[k].at,
            frame->parameters.data() + l * frame->function->parameterBytes +
                made.callee->results[k].at,
            made.results[k].bytes);
}

/// Runs the instruction if all its members are here; else its lanes wait.
bool Warp::gather(const Instruction &at, Group group, uint32_t lanes) {
  uint32_t members = existing;
  bool ofWarp = at.control == Control::WarpSync;
  if (ofWarp) {
    const uint32_t *masks =
        this->at<uint32_t>(at.operands[at.targets + at.sources - 1]);
    uint32_t first = __builtin_ctz(lanes);
    members = masks[first];
    for (uint32_t l = 0; l < kLanes; ++l)
      if ((lanes >> l & 1) && (masks[l] != members || !(members >> l & 1)))
        fail(at, l, "a member mask that differs or lacks the thread itself");
  }
  if (uint32_t gone = members & ~alive)
    fail(at, __builtin_ctz(lanes),
         "waits for lane " + std::to_string(__builtin_ctz(gone)) +
             ", which has ended");
  if (members == lanes)
    at.run(*this, at, lanes);
  if (members == lanes && ofWarp)
    return true;
  put({group.pc + 1, group.lanes & ~lanes});
  put({group.pc, lanes, true});
  return false;
}

} // namespace updraft::gpu
