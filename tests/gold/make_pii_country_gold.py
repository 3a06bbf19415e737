"""Writes pii_country.json: what Presidio's recognisers of South African numbers and of US health care find in made-up lines, without context words. usage:
make_pii_country_gold.py   (presidio-analyzer 2.2.366)"""
import json
import pathlib

from presidio_analyzer import predefined_recognizers as presidio

names = """ZaCompanyRegistration ZaDriverLicense ZaIncomeTaxNumber ZaVatNumber ZaLicensePlate ZaPassport ZaTrafficRegisterNumber UsHealthInsuranceMemberId
UsPriorAuthorizationNumber UsClaimNumber UsPrescriptionNumber UsReferralNumber UsProviderTaxId""".split()
lines = """registration 2015/123456/07 and 1899/123456/07, 2099/123456/07, CK1998/012345 or ck2001/112233, NR2010/000001, X2010/000001, 2015/12345/07
licence 6075000123AB, 123456AB, 12345678AB, 1234567890ABCDE, 12345678901234, 1234567890AB12, 60750001 23AB
tax 0123456789 1234567890 4123456789 5123456789 9876543210 01234567890 x0123456789
VAT 4123456789, 4 123 456 789, 412345678, vat4123456789
plates KD93GKGP, DK 28 LF GP, GET 103 WP, CA 123456, 123 ABC EC, AB12CDXX, nd 12 zn, BB22BBGP-3, ABCD1234EFGHGP, 12AB EC, AB 12 GP.
passport A12345678 D87654321 M00000001 T12345678 B12345678 A1234567 A123456789 a12345678
id 8001015009087 trn 8001015009088 1234567890123 0000000000000 12345678901234 9912315800085
member ABC123456789, XYZ-98765, A1B2C3, ABCDEFGHIJ, 123456, W123456789012345678901, QW-12, group AB-C1D2E
prior authorization number: PA-1234567, prior auth # 123456, authorization 12345678, preauthorization no. 1234567890123, auth 123456, PA123456, pa-9999999
claim number: CLM-123456, claim #123456, medical claim id: 1234567, claim 123456789012345, claims 123456, CLM1234567, claim number 12345, CLM-12
rx 1234567, Rx#: 123456, rx number: RX-7654321, prescription 123456, prescription no 1234567890123, RX123456, prx 123456
referral 123456, infusion referral number: INF-123456, referral id REF-999999, REF123456, INF-1234567, referral: 12345
provider tax id 12-3456789, billing provider: 98-7654321, healthcare provider tin # 07-1234567, provider organization ein 50-1234567, 61-7654321, 00-1234567, 123-45-6789
2015/123456/07KD93GKGP A12345678x 0123456789""".split("\n")
rows = []
for line in lines:
    found = []
    for name in names:
        recognizer = getattr(presidio, name + "Recognizer")()
        for r in recognizer.analyze(line, recognizer.supported_entities, None):
            found.append([r.entity_type, r.start, r.end, round(r.score, 2)])
    rows.append({"text": line, "found": sorted(found)})
path = pathlib.Path(__file__).parent / "pii_country.json"
path.write_text(json.dumps({"made_with": "presidio-analyzer 2.2.366", "lines": rows}, separators=(",", ":")) + "\n")
print(sum(len(row["found"]) for row in rows))
