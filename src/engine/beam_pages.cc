#include "engine/beam_pages.h"

namespace slipway::engine {

PageLists follow_moves(KvPages& pages, std::span<const BeamMove> moves, const PageLists& before) {
  PageLists after;
  for (const BeamMove& one : moves) {
    const std::vector<int32_t>& list = after.emplace_back(before[static_cast<size_t>(one.parent)]);
    for (const int32_t page : list) {
      pages.share(page);
    }
  }
  PageLists gone = before;
  give_back_all(pages, gone);
  return after;
}

bool needs_page(const KvPages& pages, const std::vector<int32_t>& list, int position) {
  const auto index = static_cast<size_t>(position / pages.page_tokens());
  return index >= list.size() || pages.references(list[index]) > 1;
}

void put_page(KvPages& pages, std::vector<int32_t>& list, int position, int32_t fresh,
              const std::function<void(int32_t, int32_t)>& copy) {
  const auto index = static_cast<size_t>(position / pages.page_tokens());
  if (index >= list.size()) {
    list.push_back(fresh);
    return;
  }
  copy(list[index], fresh);
  pages.give_back(list[index]);
  list[index] = fresh;
}

void give_back_all(KvPages& pages, PageLists& lists) {
  for (std::vector<int32_t>& list : lists) {
    for (size_t i = list.size(); i > 0; --i) {
      pages.give_back(list[i - 1]);
    }
  }
  lists.clear();
}

}  // namespace slipway::engine
