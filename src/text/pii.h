// Personal data in text: what Presidio's pattern recognisers find (their types, places and scores), and Chinese
// identity numbers, bank cards, mobile numbers and number plates. One scan with triggers (digits, '@', ':', a '.' before
// a letter) proposes places; patterns are tried there only, then checksums. A scanner is immutable: any thread, each
// with a Scratch of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::text {

struct PiiFinding {
  std::string_view type;        // "EMAIL_ADDRESS": static
  std::string_view recognizer;  // the family's name: static
  uint32_t begin = 0;           // characters (code points)
  uint32_t end = 0;
  uint32_t begin_byte = 0;
  uint32_t end_byte = 0;
  float score = 0;  // 0..1: the pattern's, 1 after a checksum, +0.35 (and at least 0.4) after a context word
};

struct PiiOptions {
  // Types, or groups of them: "generic", "us", "uk", "cn", … (the type's prefix), "default" (generic, us, uk, cn), "all".
  std::vector<std::string> entities = {"default"};
  double threshold = 0.4;   // findings below it are left out
  bool context = true;      // raise scores by words before a finding
  bool overlapping = false;  // keep findings of different types at one place; else the best of each place
};

// Every type there is, sorted.
std::vector<std::string> pii_entities();

class PiiScanner {
 public:
  // Throws Error(kInvalid) for an unknown entity, naming near ones.
  explicit PiiScanner(const PiiOptions& options);
  ~PiiScanner();
  PiiScanner(PiiScanner&&) noexcept;
  PiiScanner& operator=(PiiScanner&&) noexcept;

  class Scratch {
   public:
    Scratch();
    ~Scratch();
    Scratch(Scratch&&) noexcept;
    Scratch& operator=(Scratch&&) noexcept;

   private:
    friend class PiiScanner;
    struct State;
    std::unique_ptr<State> state_;
  };

  // Replaces `findings` by those of the text, by place, then the longer, then the type's name. Invalid UTF-8 counts as
  // one character an error (unicode.h). Linear but for a bounded factor. Throws Error(kInvalid) above 4 GiB.
  void find(std::string_view text, Scratch& scratch, std::vector<PiiFinding>& findings) const;

 private:
  struct Plan;
  std::unique_ptr<const Plan> plan_;
};

}  // namespace slipway::text
