// Private to the room: what lies beneath a store that open_store gave, for what is no part of its interface.
#pragma once

#include "record/stores.h"
#include "store/core.h"

namespace slipway::store {

class CoreOwner {
 public:
  virtual ~CoreOwner() = default;
  virtual Core& core() noexcept = 0;
};

// Throws Error(kInvalid) for a store of another kind.
Core& core_of(record::Store& store);

}  // namespace slipway::store
