#define SLIPWAY_VECTOR_OPS kVectorOpsAvx2
#define SLIPWAY_VECTOR_NAME "avx2"
#include "train/vector_ops_impl.h"
