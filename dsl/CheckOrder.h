//===- CheckOrder.h - Equations in the order of what they read ------------===//

#ifndef UPDRAFT_DSL_CHECKORDER_H
#define UPDRAFT_DSL_CHECKORDER_H

#include "CheckContext.h"

namespace updraft::check {

/// Goes through the equations of one variant, each after what it reads, and
/// reports cycles. An explicit stack: lets may stand behind each other in any
/// number.
class Orderer {
public:
  explicit Orderer(Context &context) : context_(context) {}

  /// Elaborates and places a definition and all it needs. `out`: where the
  /// variant's equations go, null if they are only checked.
  void complete(unsigned index, Variant *out);
  /// The same for all that an expression reads.
  void completeAll(const ast::Expr &expression, Variant *out);

private:
  void scan(const ast::Expr &expression);
  void finish(Definition &definition, Variant *out);
  void reportCycle(unsigned index);

  Context &context_;
  std::vector<unsigned> needs_; ///< found by scan
  std::vector<unsigned> path_;  ///< definitions that are open, outermost first
};

/// Elaborates one equation whose needs are done.
void elaborate(Context &context, Definition &definition);
/// Puts it into the rule.
void place(Context &context, Definition &definition, Variant *out);

} // namespace updraft::check

#endif // UPDRAFT_DSL_CHECKORDER_H
