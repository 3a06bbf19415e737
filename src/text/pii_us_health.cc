// Numbers of health care in the United States, as Presidio 2.2.366 has them: no authority prescribes their form, so most are told by the label
// before them. A group of its own: outside of such papers their weak patterns find what is none.
#include "text/pii_recognizer.h"

namespace slipway::text {
namespace {

// What stands between a label and its number.
#define SLIPWAY_LABEL(words) "\\b(?:" words ")(?:\\s*(?:#|no\\.?|number|id)\\s*:?\\s*|\\s*:\\s*|\\s+)"
// First digits that the IRS gives to employers.
#define SLIPWAY_EIN "(?:0[1-6]|1[0-6]|2[0-7]|3[0-9]|4[0-8]|5[0-9]|6[0-8]|7[1-7]|8[0-8]|9[0-5]|9[89])-[0-9]{7}\\b"

}  // namespace

std::span<const PiiRecognizer> pii_us_health() {
  static const std::vector<PiiRecognizer> kAll = {
      {.type = "US_HEALTH_INSURANCE_MEMBER_ID",
       .group = "us_health",
       .patterns = {{R"(\b(?=[a-z0-9-]{6,20}\b)(?=[a-z0-9-]*[a-z])(?=[a-z0-9-]*[0-9])[a-z]{1,5}-?[a-z0-9]{5,14}\b)", .1F}},
       .context = {"member", "subscriber", "insurance", "policy"}},
      {.type = "US_PRIOR_AUTHORIZATION_NUMBER",
       .group = "us_health",
       .patterns = {{R"((?:pa-?)?[0-9]{6,12}\b)", .35F, SLIPWAY_LABEL("prior\\s+authorization|prior\\s+auth|preauthorization|pre-auth|authorization")},
                    {R"(\bpa-?[0-9]{6,12}\b)", .1F}},
       .context = {"authorization", "auth", "preauthorization", "approval"}},
      {.type = "US_CLAIM_NUMBER",
       .group = "us_health",
       .patterns = {{R"((?:clm-?)?[0-9]{6,15}\b)", .35F, SLIPWAY_LABEL("claim|medical\\s+claim|healthcare\\s+claim")}, {R"(\bclm-?[0-9]{6,15}\b)", .1F}},
       .context = {"claim", "billing"}},
      {.type = "US_PRESCRIPTION_NUMBER",
       .group = "us_health",
       .patterns = {{R"((?:rx-?)?[0-9]{6,12}\b)", .6F, SLIPWAY_LABEL("rx")},
                    {R"((?:rx-?)?[0-9]{6,12}\b)", .35F, SLIPWAY_LABEL("prescription")},
                    {R"(\brx-?[0-9]{6,12}\b)", .1F}},
       .context = {"prescription", "pharmacy", "medication"}},
      {.type = "US_REFERRAL_NUMBER",
       .group = "us_health",
       .patterns = {{R"((?:(?:ref|inf)-?)?[0-9]{6,12}\b)", .35F, SLIPWAY_LABEL("referral|infusion\\s+referral")}, {R"(\b(?:ref|inf)-?[0-9]{6,12}\b)", .1F}},
       .context = {"referral", "infusion", "specialty", "referring"}},
      {.type = "US_PROVIDER_TAX_ID",
       .group = "us_health",
       .patterns = {{SLIPWAY_EIN, .35F,
                     SLIPWAY_LABEL("(?:(?:billing|rendering|healthcare)\\s+provider|provider\\s+organization|provider)\\s+"
                                   "(?:tax\\s*(?:id|number|identification\\s+number)|tin|ein)|billing\\s+provider")},
                    {"\\b" SLIPWAY_EIN, .1F}},
       .context = {"tax", "tin", "ein", "billing"}}};
  return kAll;
}

#undef SLIPWAY_LABEL
#undef SLIPWAY_EIN

}  // namespace slipway::text
