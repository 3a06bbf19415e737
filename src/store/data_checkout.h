// Private to the room: a version laid out in a folder that may be there already.
#pragma once

namespace slipway::store {

// Folders of this name and a process' number hold files that a checkout is writing.
constexpr const char* kCheckoutPrefix = ".slipway-checkout-";

}  // namespace slipway::store
