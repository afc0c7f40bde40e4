//===- Header.cpp - The C header of a program -----------------------------===//
//
// Printed from the descriptor, not from the plan: what the header says is what
// the program says of itself.
//
//===----------------------------------------------------------------------===//

#include "compiler/Target/Header.h"

#include "runtime/abi.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <set>

namespace updraft {

namespace {

/// Reads a descriptor back.
class Reader {
public:
  explicit Reader(const Descriptor &descriptor)
      : base_(descriptor.bytes.data()) {}

  const updraft_program &program() const {
    return *reinterpret_cast<const updraft_program *>(base_);
  }
  llvm::StringRef text(updraft_rel at) const {
    return at ? reinterpret_cast<const char *>(base_ + at) : "";
  }
  template <typename Item> llvm::ArrayRef<Item> list(updraft_list list) const {
    return {reinterpret_cast<const Item *>(base_ + list.at),
            size_t(list.count)};
  }

private:
  const uint8_t *base_;
};

} // namespace

/// One line of text that cannot end the comment it stands in.
static std::string commentText(llvm::StringRef text) {
  std::string result;
  for (char c : text) {
    if (c == '/' && llvm::StringRef(result).ends_with("*"))
      result += ' ';
    result += c == '\n' ? ' ' : c;
  }
  return result;
}

static void printLines(llvm::raw_ostream &out, llvm::StringRef text) {
  llvm::SmallVector<llvm::StringRef> lines;
  text.split(lines, '\n');
  for (llvm::StringRef line : lines)
    out << (" * " + llvm::StringRef(commentText(line))).str() << '\n';
}

/// The shortest decimal that reads back as the same number.
static std::string numberText(double value) {
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  for (int digits = 1; digits < 17; ++digits) {
    std::string text;
    llvm::raw_string_ostream(text) << llvm::format("%.*g", digits, value);
    if (std::strtod(text.c_str(), nullptr) == value)
      return text;
  }
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.17g", value);
  return text;
}

static llvm::StringRef levelName(uint32_t level) {
  switch (level) {
  case UPDRAFT_MODEL:
    return "model";
  case UPDRAFT_GROUP:
    return "group";
  case UPDRAFT_TENSOR:
    return "tensor";
  default:
    return "element";
  }
}

static llvm::StringRef formatName(uint32_t format) {
  constexpr llvm::StringRef kNames[] = {"f64", "f32", "bf16", "f16"};
  return kNames[format];
}

static void printItem(llvm::raw_ostream &out, llvm::StringRef name,
                      const llvm::Twine &facts, llvm::StringRef doc) {
  out << " *   " << name << ": " << facts.str();
  if (!doc.empty())
    out << ". " << commentText(doc);
  out << '\n';
}

static void printHypers(llvm::raw_ostream &out, const Reader &reader) {
  auto hypers = reader.list<updraft_hyper>(reader.program().hypers);
  if (hypers.empty())
    return;
  out << " *\n * Hypers (updraft_optimizer_set_hyper):\n";
  for (const updraft_hyper &hyper : hypers) {
    std::string facts = levelName(hyper.level).str();
    if (hyper.flags & UPDRAFT_HYPER_RATE)
      facts += ", the rate";
    if (hyper.flags & UPDRAFT_HYPER_INT)
      facts += ", a whole number";
    if (hyper.flags & UPDRAFT_HYPER_COMPUTED)
      facts += ", computed in every step";
    else if (hyper.flags & UPDRAFT_HYPER_REQUIRED)
      facts += ", must be given";
    else
      facts += ", default " + numberText(hyper.initial);
    bool isLowOpen =
        (hyper.flags & UPDRAFT_HYPER_LOW_OPEN) || std::isinf(hyper.low);
    bool isHighOpen =
        (hyper.flags & UPDRAFT_HYPER_HIGH_OPEN) || std::isinf(hyper.high);
    facts += std::string(", in ") + (isLowOpen ? '(' : '[') +
             numberText(hyper.low) + ", " + numberText(hyper.high) +
             (isHighOpen ? ')' : ']');
    printItem(out, reader.text(hyper.name), facts, reader.text(hyper.doc));
  }
}

/// Arrays and scalars of a role or kind, each name once.
static void printStored(llvm::raw_ostream &out, const Reader &reader,
                        llvm::StringRef title, uint32_t role,
                        llvm::ArrayRef<uint32_t> kinds) {
  std::set<llvm::StringRef> seen;
  auto begin = [&](llvm::StringRef name) {
    if (seen.empty())
      out << " *\n * " << title << ":\n";
    return seen.insert(name).second;
  };
  for (const auto &variant :
       reader.list<updraft_variant>(reader.program().variants))
    for (const auto &array : reader.list<updraft_array>(variant.arrays))
      if (array.role == role && begin(reader.text(array.name)))
        printItem(out, reader.text(array.name),
                  "like p, " + formatName(array.format),
                  reader.text(array.doc));
  for (const auto &scalar :
       reader.list<updraft_scalar>(reader.program().scalars))
    if (llvm::is_contained(kinds, scalar.kind) &&
        begin(reader.text(scalar.name)))
      printItem(out, reader.text(scalar.name), levelName(scalar.level),
                reader.text(scalar.doc));
}

static void printViews(llvm::raw_ostream &out, const Reader &reader) {
  auto views = reader.list<updraft_view>(reader.program().views);
  if (views.empty())
    return;
  out << " *\n * Views (updraft_optimizer_view):\n";
  for (const updraft_view &view : views)
    printItem(out, reader.text(view.name), levelName(view.level),
              reader.text(view.doc));
}

std::string headerOf(const Descriptor &descriptor) {
  Reader reader(descriptor);
  const updraft_program &program = reader.program();
  std::string result;
  llvm::raw_string_ostream out(result);
  std::string guard = llvm::StringRef(descriptor.symbol).upper() + "_H";
  out << "/* " << commentText(reader.text(program.name)) << " for "
      << reader.text(program.target_name) << ", parameters in "
      << formatName(program.param) << ". Written by updraftc.\n *\n";
  if (program.doc) {
    printLines(out, reader.text(program.doc));
    out << " *\n";
  }
  out << " * Link the object and use it as\n *\n"
      << " *   updraft_loaded_program *program;\n"
      << " *   updraft_program_from(&" << descriptor.symbol << ", &program);\n";
  printHypers(out, reader);
  printStored(out, reader, "States (updraft_optimizer_state)", UPDRAFT_STATE,
              {UPDRAFT_SCALAR_STATE, UPDRAFT_SCALAR_COUNTER});
  printStored(out, reader, "Inputs (updraft_optimizer_set_input)",
              UPDRAFT_INPUT, {UPDRAFT_SCALAR_INPUT});
  printViews(out, reader);
  out << " */\n#ifndef " << guard << "\n#define " << guard << "\n\n"
      << "#include <updraft/updraft.h>\n\n"
      << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
      << "extern const updraft_program " << descriptor.symbol << ";\n\n"
      << "#ifdef __cplusplus\n}\n#endif\n\n#endif /* " << guard << " */\n";
  return result;
}

} // namespace updraft
