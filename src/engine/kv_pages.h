// Which page of the KV cache belongs to whom: numbers only, the memory is elsewhere. Full pages are shared between
// sequences whose tokens begin alike, and stay after the last of those has gone until their room is needed (least
// recently used first). A page is found by its exact tokens and the page before it, not by a hash alone: no two texts
// are ever mistaken for each other. Owned by the scheduler's thread.
#pragma once

#include <cstdint>
#include <list>
#include <span>
#include <unordered_map>
#include <vector>

namespace slipway::engine {

class KvPages {
 public:
  // Pages 0 .. count-1 of `page_tokens` tokens each; without `keep` nothing is shared.
  KvPages(int count, int page_tokens, bool keep);

  // A page of its own for one sequence, with one reference; -1 when every page is in use. Forgets the least recently
  // used kept page when none is free.
  int32_t take();
  // Gives one reference back. Give a sequence's pages back from the last to the first: then later pages, which are of
  // no use without those before, are forgotten first.
  void give_back(int32_t page);
  // Another owner of a page in use, who gives it back too.
  void share(int32_t page) { add_reference(page); }

  // What sequences begin from: those of different spaces (adapters) share nothing, whatever their tokens. At least 0.
  using Space = int32_t;
  // The kept pages that hold the beginning of `ids` as it follows the sealed page `before` (-1: as the beginning of a
  // sequence of `space`), each with a reference added, in order.
  std::vector<int32_t> find(std::span<const int32_t> ids, int32_t before = -1, Space space = 0);
  // The page, now full with `ids` after the page `before` (-1: first of `space`), can be found from now on. Returns the
  // page to go on with: the same, or one that holds the same already (the reference has moved there and `page` is given
  // back).
  int32_t seal(int32_t page, int32_t before, std::span<const int32_t> ids, Space space = 0);

  int page_tokens() const noexcept { return page_tokens_; }
  int count() const noexcept { return static_cast<int>(pages_.size()); }
  int free() const noexcept { return static_cast<int>(free_.size()); }
  int cached() const noexcept { return static_cast<int>(unused_.size()); }
  int available() const noexcept { return free() + cached(); }
  int references(int32_t page) const { return pages_[static_cast<size_t>(page)].references; }

 private:
  struct Page {
    int references = 0;
    uint64_t serial = 0;  // of this content; 0: not sealed. Never used twice, so that a chain cannot join another's
    uint64_t before = 0;  // the serial of the page before; of a first page its space, which no serial equals
    uint64_t key = 0;
    std::vector<int32_t> ids;
    std::list<int32_t>::iterator place;  // in unused_, when it has no references and is sealed
  };
  uint64_t key_of(uint64_t before, std::span<const int32_t> ids) const noexcept;
  int32_t lookup(uint64_t before, std::span<const int32_t> ids) const;
  static constexpr uint64_t kFirstSerial = uint64_t{1} << 32;  // above every space
  // What the content of a page after `before` is told apart by; 0 for a page that is not sealed.
  uint64_t chain_of(int32_t before, Space space) const {
    return before < 0 ? static_cast<uint64_t>(space) : pages_[static_cast<size_t>(before)].serial;
  }
  void add_reference(int32_t page);
  void forget(int32_t page);

  int page_tokens_;
  bool keep_;
  uint64_t next_serial_ = kFirstSerial;
  std::vector<Page> pages_;
  std::vector<int32_t> free_;
  std::list<int32_t> unused_;  // sealed pages without references, least recently used first
  std::unordered_multimap<uint64_t, int32_t> by_key_;
};

}  // namespace slipway::engine
