//===- Lexer.h - Words of PTX ---------------------------------------------===//

#ifndef UPDRAFT_TEST_GPU_LEXER_H
#define UPDRAFT_TEST_GPU_LEXER_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace updraft::gpu {

/// A word (with its dots: `ld.global.v4.b32`, `%tid.x`, `0f3F800000`, `.reg`),
/// a string in quotes, or one other character.
struct Token {
  std::string_view text;
  uint32_t line;
};

/// `text` must outlive the tokens. The last token is empty.
std::vector<Token> tokens(std::string_view text);

/// Throws std::runtime_error("PTX line N: what: text").
[[noreturn]] void refuse(uint32_t line, std::string_view what,
                         std::string_view text);

} // namespace updraft::gpu

#endif // UPDRAFT_TEST_GPU_LEXER_H
