// Simplified to traditional Chinese and back, with regional words, by the library OpenCC, which is loaded when it is first asked for
// (Debian's libopencc1.1 and its data); the program runs without it. Any thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::text {

class ScriptConverter {
 public:
  // `configuration`: OpenCC's names, "s2t", "t2s", "s2tw", "s2twp", "s2hk", "tw2s", "tw2sp", "hk2s", "t2tw", "t2hk", "t2jp", "jp2t" …, or the
  // path of a .json of OpenCC. Throws Error(kUnavailable) when the library is not installed, Error(kNotFound) for a configuration that
  // it does not know.
  explicit ScriptConverter(std::string configuration);
  ~ScriptConverter();
  ScriptConverter(const ScriptConverter&) = delete;
  ScriptConverter& operator=(const ScriptConverter&) = delete;

  // The text in the other script; valid UTF-8 without NUL. Throws Error(kFailure) when the library fails.
  std::string convert(std::string_view text);

 private:
  struct Library;
  void* borrow();
  void give_back(void* handle);

  std::shared_ptr<const Library> library_;
  std::string configuration_;
  std::mutex mutex_;            // guards handles_
  std::vector<void*> handles_;  // open converters that no thread uses
};

}  // namespace slipway::text
