// The rules of .gitignore files, as git applies them (gitignore(5)): which files of a folder are not meant to be sent. Held to
// `git check-ignore` in the tests, byte for byte of a path, case and all. Reading from any thread; adding from one.
#pragma once

#include <bitset>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace slipway::base {

class IgnoreRules {
 public:
  // The rules of the .gitignore in `folder`: "" is the top, else "a/b". What is added later goes before what is there: the top first,
  // a folder's own file before those in it.
  void add(std::string_view folder, std::string_view text);

  bool empty() const noexcept { return rules_.empty(); }

  // What the rules say of a file, or a folder, at `path` ("a/b") itself; the folders it is in are not looked at.
  bool matches(std::string_view path, bool is_folder) const;
  // Whether the file at `path` or a folder that it is in is ignored: what is in an ignored folder stays so, whatever rules say.
  // `folders` keeps what was found of folders for the next call.
  bool ignores(std::string_view path, std::unordered_map<std::string, bool>& folders) const;

 private:
  struct Token {
    enum class Kind { kByte, kAny, kSet, kStar, kStars, kFolders };
    Kind kind;
    unsigned char byte = 0;
    std::bitset<256> set;  // of kSet
  };
  struct Rule {
    std::string folder;  // "a/b/", or "" at the top
    std::string start;   // what the path begins with, before the first wildcard
    std::vector<Token> tokens;
    bool negated = false;
    bool only_folders = false;
    bool name_only = false;  // without a '/' in it: of the last part of the path
  };

  static bool parse(std::string_view pattern, bool whole_path, std::vector<Token>& tokens);
  static bool fits(const std::vector<Token>& tokens, std::string_view text);
  static bool fits(const Rule& rule, std::string_view path, bool is_folder);

  std::vector<Rule> rules_;
};

}  // namespace slipway::base
