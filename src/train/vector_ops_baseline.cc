#define SLIPWAY_VECTOR_OPS kVectorOpsBaseline
#define SLIPWAY_VECTOR_NAME "baseline"
#include "train/vector_ops_impl.h"
