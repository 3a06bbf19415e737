// Which pages of a KV cache the hypotheses of a beam search have: those that go on from one share all its pages, and
// whoever writes into a page that others read too gets a copy first. The owner of the pages calls these, on one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/beam_search.h"
#include "engine/kv_pages.h"

namespace slipway::engine {

using PageLists = std::vector<std::vector<int32_t>>;  // of each hypothesis, page i at i

// The lists after a step of the search: each new hypothesis has the pages of the one it goes on from; pages of those
// that nobody goes on from are given back.
PageLists follow_moves(KvPages& pages, std::span<const BeamMove> moves, const PageLists& before);

// Whether a hypothesis with this list must take a page before `position` can be written: there is none yet, or others
// have it too.
bool needs_page(const KvPages& pages, const std::vector<int32_t>& list, int position);

// Makes `fresh`, just taken, the page of `position`; with copy(from, to) of what stands in a shared one.
void put_page(KvPages& pages, std::vector<int32_t>& list, int position, int32_t fresh,
              const std::function<void(int32_t, int32_t)>& copy);

void give_back_all(KvPages& pages, PageLists& lists);

}  // namespace slipway::engine
