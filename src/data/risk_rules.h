// The rules of the risk scanner as one table (risk_rules_table.cc). Internal to risk_scanner.cc.
#pragma once

#include <span>

#include "data/risk_scanner.h"

namespace slipway::data {

struct RiskRule {
  Risk risk;
  const char* name;
  const char* pattern;  // RE2, of folded text (see RiskScanner); ASCII words between \b, Chinese without
  double weight;        // how sure a line that has it is of that kind, by itself
};

std::span<const RiskRule> risk_rules() noexcept;

}  // namespace slipway::data
