// The rules of .gitignore files, beside git itself.
#include "base/ignore.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/file.h"
#include "base/random.h"
#include "support/support.h"

namespace slipway::base {
namespace {

namespace fs = std::filesystem;

bool ignored(const std::string& rules, const std::string& path) {
  IgnoreRules made;
  made.add("", rules);
  std::unordered_map<std::string, bool> folders;
  return made.ignores(path, folders);
}

TEST(Ignore, TheLastRuleThatFitsSays) {
  EXPECT_TRUE(ignored("*.log\n", "a/b.log"));
  EXPECT_FALSE(ignored("*.log\n!b.log\n", "a/b.log"));
  EXPECT_TRUE(ignored("!b.log\n*.log\n", "a/b.log"));
}

TEST(Ignore, NothingComesBackOutOfAnIgnoredFolder) {
  EXPECT_TRUE(ignored("out/\n!out/keep.txt\n", "out/keep.txt"));
  EXPECT_FALSE(ignored("out/*\n!out/keep.txt\n", "out/keep.txt"));
}

TEST(Ignore, RulesOfAFolderGoBeforeThoseAboveIt) {
  IgnoreRules rules;
  rules.add("", "*.bin\n/top.txt\n");
  rules.add("a", "!*.bin\n/top.txt\n");
  std::unordered_map<std::string, bool> folders;
  EXPECT_TRUE(rules.ignores("x.bin", folders));
  EXPECT_FALSE(rules.ignores("a/x.bin", folders));
  EXPECT_TRUE(rules.ignores("a/top.txt", folders));
  EXPECT_FALSE(rules.ignores("a/b/top.txt", folders));
  EXPECT_TRUE(rules.ignores("ab/x.bin", folders));
}

// A pattern whose naive matching takes 2^n steps.
TEST(Ignore, NoPatternTakesForever) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) {
    pattern += "**/*a*";
  }
  EXPECT_FALSE(ignored("/" + pattern + "z\n", std::string(250, 'a') + "/" + std::string(250, 'a')));
}

struct Case {
  std::string rules;
  std::string nested;  // of the folder "a"; "" none
};

// What git says is ignored of `paths`, each as "<number of the case>/<path>".
std::set<std::string> by_git(const fs::path& work, const std::vector<Case>& cases, const std::vector<std::string>& paths) {
  std::ofstream asked(work / "asked", std::ios::binary);
  for (size_t i = 0; i < cases.size(); ++i) {
    const fs::path top = work / "tree" / std::to_string(i);
    make_dirs(top / "a");
    std::ofstream(top / ".gitignore", std::ios::binary) << cases[i].rules;
    if (!cases[i].nested.empty()) {
      std::ofstream(top / "a" / ".gitignore", std::ios::binary) << cases[i].nested;
    }
    for (const std::string& path : paths) {
      asked << i << '/' << path << '\0';
    }
  }
  asked.close();
  // Nothing of the machine's or the user's git counts here.
  const std::string command = "cd '" + (work / "tree").string() +
                              "' && export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null && git init -q . && "
                              "git check-ignore --no-index -z --stdin < ../asked > ../answer; test $? -le 1";
  EXPECT_EQ(std::system(command.c_str()), 0);  // NOLINT: a fixed command
  std::set<std::string> out;
  const std::string answer = read_file(work / "answer");
  for (size_t at = 0; at < answer.size();) {
    const size_t end = answer.find('\0', at);
    out.insert(answer.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

void expect_as_git(const std::vector<Case>& cases, const std::vector<std::string>& paths) {
  if (std::system("git --version > /dev/null 2>&1") != 0) {  // NOLINT: a fixed command
    GTEST_SKIP() << "git is not installed";
  }
  const TempDir dir;
  const std::set<std::string> git = by_git(dir.path(), cases, paths);
  EXPECT_FALSE(git.empty());
  for (size_t i = 0; i < cases.size(); ++i) {
    IgnoreRules rules;
    rules.add("", cases[i].rules);
    rules.add("a", cases[i].nested);
    std::unordered_map<std::string, bool> folders;
    for (const std::string& path : paths) {
      EXPECT_EQ(rules.ignores(path, folders), git.count(std::to_string(i) + "/" + path) > 0)
          << path << " by the rules\n" << cases[i].rules << "and in a/\n" << cases[i].nested;
    }
  }
}

TEST(Ignore, AgreesWithGitOnEveryKindOfPattern) {
  const std::vector<std::string> patterns = {
      "*.bin", "a", "/a", "a/", "a/b", "/a/b", "a/*", "a/**", "**/b", "**/b/c.bin", "a/**/c.bin", "a/**/b", "**", "*", "/*", "/**", "**/", "*/",
      "a**", "a**/c.bin", "**b", "b**/x", "a/b/", "/b/", "?.bin", "?", "a?b", "[ab]", "[!ab].bin", "[^ab].bin", "[a-c].bin", "[a-]b", "[]a].bin",
      "[!]a].bin", "[[:alpha:]].bin", "[[:digit:][:upper:]]", "[[:nonsense:]]", "[[:alpha:].bin", "[:alpha:]", "[a", "[", "[]", "[\\]]", "\\*", "a\\*b",
      "\\!x", "!x", "\\#x", "#x", "x ", "x\\ ", "x  ", " x", "x\t", "\\", "a\\", "a\\/b", "**\\/b", "a/**\\/b", "/", "//", "!", "!/", "a//b", "./a",
      "a/./b", "../a", "*a*", "*a*b*", "**a**", "***", "a/***/b", "***/b", "ü*", "[ü]", "?\xBC", "A", "a/*/c.bin", "a/?/c.bin", "a*c.bin",
      "a[/]b", "a[!x]b", "a?b/c.bin", "*.b[i]n", "*.bin/", "c.bin/**", "a/b/c.bin", "/a/b/c.bin", "b/c.bin", "/b/c.bin", "[z-a]", "[\\a-\\c].bin",
      "[a-\\", "[--0]", "-", "[[-a]", "x\r", "\xEF\xBB\xBFx", "a/b*", "a/b/**/", "a/**/", "**/**/c.bin", "**/a/**/b/**", "a/b*/c.bin"};
  const std::vector<std::string> paths = {"b",   "c.bin", "a/b",   "a/c.bin", "a/b/c.bin", "a/bc/c.bin", "a/x/b/c.bin", "b/c.bin", "x",   "x/a", "x ", " x", "x\t",
                                          "ab",   "aab", "a*b",   "*",     "!x",      "#x",        "-",          "]",           "]a",      "[",   "A",   "1", "\\", "a\\b",
                                          "ü.bin", "ü",  "b/a",   "x/b/a", "a.bin",   "].bin",     "1.bin",      "b/x/a/y/b/z", "[a",      "a-b", "c.bin/d", "bb/x"};
  std::vector<Case> cases;
  for (const std::string& pattern : patterns) {
    cases.push_back({pattern + "\n", ""});
    cases.push_back({"*\n!*/\n!" + pattern, ""});  // as what is kept of all; without an end of its line
    cases.push_back({"*.bin\n!c.bin\n", pattern + "\n"});
  }
  cases.push_back({"\xEF\xBB\xBF*.bin\r\n# no rule\r\n\r\n!a.bin\r\n", "!*.bin\nb/\n"});
  expect_as_git(cases, paths);
}

TEST(Ignore, AgreesWithGitOnRandomRules) {
  const uint64_t seed = 20260731;
  Rng random(seed);
  const auto pick = [&](const auto& list) { return std::string(list[random.below(std::size(list))]); };
  constexpr std::array<const char*, 20> kParts = {"*", "**", "?", "a", "b", "ab", "c", "/", "/", "[ab]", "[!a]", "[a-c", "\\", "**/", "/**", "/*", ".", "!", " ", "\\b"};
  constexpr std::array<const char*, 7> kNames = {"a", "b", "c", "ab", "abc", ".a", "b.c"};
  const auto rules = [&] {
    std::string text;
    for (size_t line = 1 + random.below(3); line > 0; --line) {
      text += random.below(4) == 0 ? "!" : "";
      for (size_t part = 1 + random.below(6); part > 0; --part) {
        text += pick(kParts);
      }
      text += random.below(5) == 0 ? "/\n" : "\n";
    }
    return text;
  };
  std::vector<std::string> paths;
  for (int i = 0; i < 60; ++i) {
    std::string path = pick(kNames);
    for (size_t depth = random.below(4); depth > 0; --depth) {
      path += "/" + pick(kNames);
    }
    paths.push_back(path == "a" ? "a/a" : path);  // git finds a folder of that name
  }
  std::vector<Case> cases;
  for (int i = 0; i < 300; ++i) {
    cases.push_back({rules(), random.below(2) == 0 ? rules() : ""});
  }
  SCOPED_TRACE(seed);
  expect_as_git(cases, paths);
}

}  // namespace
}  // namespace slipway::base
